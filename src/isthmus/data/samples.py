"""Some samples of a source, held in memory: what a report, or a later look, measures on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, groupby
from pathlib import Path

import numpy as np

from isthmus.data.readers import write_source
from isthmus.data.source import Layout, Member, Source
from isthmus.errors import NoData
from isthmus.spec import DataSpec


class Samples(Source):
    """Samples in memory, described as the source they came from describes them.

    Args:
        samples: each of the spec's dtype.
        spec: of the source; its low and high are not those of these few samples.
        name: of the source.
        layout: one item a sample; None numbers them.
        file_bytes: of these samples' share of the files; None takes their raw bytes.
    Raises:
        NoData: there are no samples.
    """

    def __init__(
        self,
        samples: Sequence[np.ndarray],
        spec: DataSpec,
        *,
        name: str,
        layout: Layout | None = None,
        file_bytes: int | None = None,
    ) -> None:
        if not len(samples):
            raise NoData(f"No samples of {name} were chosen; choose at least one.")
        self._samples = list(samples)
        self.spec, self.name = spec, name
        self.layout = layout or Layout("array", (Member("array.npy", len(self._samples)),))
        self.raw_bytes = sum(sample.nbytes for sample in self._samples)
        self.file_bytes = self.raw_bytes if file_bytes is None else file_bytes

    @classmethod
    def matches(cls, source: object) -> bool:
        """See Source."""
        return isinstance(source, Samples)

    @classmethod
    def open(cls, source: Samples, *, skip_bad: bool = False, trainable: bool = True) -> Samples:
        """See Source; they are open already."""
        return source

    @classmethod
    def write(
        cls, layout: Layout, spec: DataSpec, samples: Iterable[np.ndarray], directory: Path, *, force: bool
    ) -> list[Path]:
        """See Source; the layout names the reader the samples came from, whose writer does it."""
        return write_source(layout, spec, samples, directory, force=force)

    def read(self, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        """See Source."""
        return [self._samples[index] for index in indices]

    def shapes(self) -> Sequence[tuple[int, ...]]:
        """See Source."""
        return [sample.shape for sample in self._samples]


def pick(source: Source, indices: Sequence[int] | np.ndarray) -> Samples:
    """Read the samples at ascending `indices` into memory.

    >>> from isthmus.data import open_source
    >>> few = pick(open_source("digits"), [3, 5, 8])
    >>> len(few), few.layout.members
    (3, (Member(name='digits.npy', count=3),))
    """
    samples = source.read(indices)
    raw_bytes = sum(sample.nbytes for sample in samples)
    return Samples(
        samples,
        source.spec,
        name=source.name,
        layout=_only(source.layout, [int(index) for index in indices]),
        file_bytes=round(source.file_bytes * raw_bytes / max(1, source.raw_bytes)),
    )


def _only(layout: Layout, indices: Sequence[int]) -> Layout:
    """The layout of the samples at `indices` alone."""
    ends = list(accumulate(map(len, layout.members)))
    holders = np.searchsorted(ends, indices, side="right").tolist()
    members = []
    for holder, run in groupby(holders):
        member = layout.members[holder]
        members.append(Member(member.name, None if member.count is None else len(list(run))))
    return Layout(layout.reader, tuple(members), layout.options)
