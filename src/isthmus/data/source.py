"""Where samples come from, and what it takes to put them back: Source and Layout.

A reader is a subclass of Source. It opens a path into samples and holds, side by side, the
inverse that writes samples back to the files they came from; the Layout is what the inverse
needs to know besides the DataSpec.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.metadata import NOTHING, Metadata
from isthmus.data.palettes import Palette
from isthmus.errors import DamagedFile
from isthmus.spec import DataSpec


@dataclass(frozen=True)
class Member:
    """One file, or one array inside a file."""

    name: str
    """Relative, with forward slashes."""
    count: int | None = None
    """Samples it holds along its first axis; None when it is itself one sample, like a photograph."""
    metadata: Metadata = field(default=NOTHING, compare=False, repr=False)
    """What is kept of the file beside its samples; by another road, so `Layout.to_dict` lacks it."""
    palette: Palette | None = field(default=None, compare=False, repr=False)
    """Of an image whose samples are numbers of colours; by that road too."""

    def __len__(self) -> int:
        return 1 if self.count is None else self.count


@dataclass(frozen=True)
class Skipped:
    """Something that is left out, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        """A line for people."""
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True)
class Layout:
    """How samples, in their order, are spread over files.

    >>> layout = Layout("npy", (Member("a.npy", 3), Member("b.npy", 2)))
    >>> len(layout), layout.item_name(4)
    (5, 'b.npy[1]')
    >>> layout.select(2, 4).members
    (Member(name='a.npy', count=1), Member(name='b.npy', count=1))
    """

    reader: str
    """The name, in READERS, of the reader whose `write` puts the samples back."""
    members: tuple[Member, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    """What that reader wants to remember, such as the name of the zip; JSON values only."""

    def __len__(self) -> int:
        return sum(map(len, self.members))

    def select(self, start: int, stop: int) -> Layout:
        """Return the layout of samples start..stop-1 alone, to restore only those."""
        kept, first = [], 0
        for member in self.members:
            overlap = min(stop, first + len(member)) - max(start, first)
            if overlap > 0:
                kept.append(replace(member, count=None if member.count is None else overlap))
            first += len(member)
        return replace(self, members=tuple(kept))

    def describe(self, metadata: Iterable[Metadata]) -> Layout:
        """Return the same layout with that of each member, in order."""
        pairs = zip(self.members, metadata, strict=True)
        return replace(self, members=tuple(replace(member, metadata=told) for member, told in pairs))

    def colour(self, palettes: Iterable[Palette | None]) -> Layout:
        """Return the same layout with the palette of each member, in order."""
        pairs = zip(self.members, palettes, strict=True)
        return replace(self, members=tuple(replace(member, palette=each) for member, each in pairs))

    def keep(self, level: str) -> Layout:
        """Return the same layout with as much metadata as that level keeps."""
        return self.describe(member.metadata.keep(level) for member in self.members)

    def item_name(self, index: int) -> str:
        """Return the name of one sample for messages: "photo.png", or "scans.npy[17]"."""
        first = 0
        for member in self.members:
            if index < first + len(member):
                return member.name if member.count is None else f"{member.name}[{index - first}]"
            first += len(member)
        raise IndexError(index)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready and short, as there may be 100,000 names; `from_dict` undoes it."""
        members = [m.name if m.count is None else [m.name, m.count] for m in self.members]
        return {"reader": self.reader, "members": members, "options": dict(self.options)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Layout:
        """Undo `to_dict`; raise DamagedFile for anything it cannot have written."""
        try:
            reader, members, options = values["reader"], values["members"], values["options"]
            if not (isinstance(reader, str) and isinstance(members, list) and isinstance(options, dict)):
                raise TypeError
            return cls(reader, tuple(map(_member, members)), options)
        except (KeyError, TypeError, ValueError) as wrong:
            raise DamagedFile("The list of items is not one that Isthmus writes; it is damaged.") from wrong


def _member(value: Any) -> Member:
    name, count = (value, None) if isinstance(value, str) else value
    if not isinstance(name, str) or not (count is None or (type(count) is int and count >= 0)):
        raise TypeError
    return Member(name, count)


class Source(ABC):
    """Samples on disk or in memory, in a fixed order.

    Subclasses set the attributes below when they open, and provide the methods. A sample is a
    NumPy array in its own dtype: an image (height, width) or (height, width, channel), anything
    else in whatever shape it has.
    """

    spec: DataSpec
    layout: Layout
    name: str
    """Short name for messages and default outputs, without folder or suffix."""
    skipped: tuple[Skipped, ...] = ()
    """Items that `skip_bad` left out."""
    ignored: tuple[Skipped, ...] = ()
    """What is there beside the items and is not read: files of other kinds, links to folders."""
    raw_bytes: int
    """Bytes of all samples as plain arrays."""
    file_bytes: int
    """Bytes of the original files on the disk."""

    @property
    def file_names(self) -> Sequence[str]:
        """Of the original files; none where the samples came from memory."""
        return [member.name for member in self.layout.members]

    @classmethod
    @abstractmethod
    def matches(cls, source: object) -> bool:
        """Whether this reader is the one for `source`, judged by its type and name, not its content."""

    @classmethod
    @abstractmethod
    def open(cls, source: Any, *, skip_bad: bool = False, trainable: bool = True) -> Source:
        """Open `source`.

        Args:
            source: something that `matches`.
            skip_bad: leave unreadable samples out, and name them in `skipped`.
            trainable: refuse what no net can learn from: NaN, infinities, no samples, samples
                without an axis. False takes any numbers at all.
        Raises:
            NoData: nothing readable is there.
            BadItem: an item is unreadable or unlike the others, and `skip_bad` is False.
        """

    @classmethod
    @abstractmethod
    def write(
        cls, layout: Layout, spec: DataSpec, samples: Iterable[np.ndarray], directory: Path, *, force: bool
    ) -> list[Path]:
        """Undo `open` and `read`: put the samples of `layout` into `directory`; return the files made.

        Raises:
            OutputExists: one of the files is there and `force` is False; nothing was written.
            BadItem: a name would leave the directory or meet another name; nothing was written.
        """

    @abstractmethod
    def read(self, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        """Return the samples at `indices`, in that order, each in its own dtype and shape."""

    @abstractmethod
    def shapes(self) -> Sequence[tuple[int, ...]]:
        """Return the shape of every sample, without decoding any."""

    def described(self, level: str) -> tuple[Layout, tuple[str, ...]]:
        """Return the layout with as much metadata of its files as `level` keeps, and what had to go.

        Files of numbers have none.
        """
        return self.layout, ()

    def as_stored(self) -> Source:
        """Return the source whose samples are what the files store, where nets see something else."""
        return self

    def changed(self) -> tuple[str, ...]:
        """Say what of the files does not come back as it was, though its samples do: a sentence each."""
        return ()

    def stack(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return samples of one shape as one array, shape (len(indices), *sample)."""
        return np.stack(self.read(indices))

    def __len__(self) -> int:
        return len(self.layout)
