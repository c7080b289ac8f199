"""Is an archive whole, and does it hold what the originals hold?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.coding.container import ArchiveReader
from isthmus.data import Source, open_source
from isthmus.data.distortion import Distortion
from isthmus.errors import DamagedFile
from isthmus.model import Model
from isthmus.tasks.archive import Opened, open_archive
from isthmus.tasks.blocks import symbols_in
from isthmus.tasks.results import Result


@dataclass(frozen=True)
class VerifyResult(Result):
    """What was checked, and what was wrong; `ok` is the answer."""

    archive: Path
    samples: int
    blocks: int
    problems: tuple[str, ...]
    against: str | None
    distortion: Distortion | None
    """Between the originals and what the archive restores; None without --against."""

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong."""
        return not self.problems

    def summary(self) -> str:
        """One line for a terminal."""
        if self.problems:
            more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
            return f"DAMAGED: {self.problems[0]}{more}"
        compared = f"; against {self.against}: {self.distortion.summary()}" if self.distortion else ""
        return f"OK: {self.samples:,} samples in {self.blocks} blocks, every checksum matches{compared}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, the answer included."""
        return {"ok": self.ok, **super().to_dict()}


def verify(archive: str | Path, *, model: Model | None = None, against: Any = None) -> VerifyResult:
    """Check every checksum of an archive, and that its codes decode to the symbols they were.

    Args:
        archive: the .isz file.
        model: needed where the archive does not hold its own and codes or originals are compared.
        against: the originals; needs PyTorch, because samples are decoded.
    Raises:
        NotOurFile, NewerFormat, DamagedFile: it cannot even be opened.
        ModelNeeded: originals are to be compared, and the model is neither held nor given.
    """
    path = Path(archive)
    with ArchiveReader(path) as reader:
        problems = [str(problem) for problem in reader.verify()]
        counts = reader.items, len(reader.blocks)
        held = reader.model_bytes is not None if not problems else False
    distortion, name = None, None
    if not problems and (held or model is not None or against is not None):
        with (opened := open_archive(path, model)).reader:
            problems += _undecodable(opened)
            if against is not None and not problems:
                source = against if isinstance(against, Source) else open_source(against)
                name = source.name
                mismatch, distortion = _compare(opened, source)
                problems += mismatch
    return VerifyResult(path, *counts, tuple(problems), name, distortion)


def _undecodable(opened: Opened) -> list[str]:
    """Blocks whose codes do not give the symbols that were written."""
    problems = []
    for number in range(len(opened.reader.blocks)):
        try:
            symbols_in(opened.reader.read_block(number), opened.decoder)
        except DamagedFile as damage:
            problems.append(f"block {number}: {damage}")
    return problems


def _compare(opened: Opened, source: Source) -> tuple[list[str], Distortion | None]:
    if opened.reader.items != len(source) or not _same_kind(opened, source):
        return [
            f"the archive holds {opened.reader.items:,} samples of {opened.spec.summary()}, "
            f"the originals are {len(source):,} of {source.spec.summary()}"
        ], None
    theirs, ours = source.layout.members, opened.layout.members
    renamed = [a.name for a, b in zip(ours, theirs, strict=False) if a != b]
    if len(ours) != len(theirs) or (renamed and len(theirs) > 1):
        return [f"the names of the items differ, first {renamed[0] if renamed else ours[-1].name}"], None
    distortion = Distortion.none()
    for index, sample in enumerate(opened.samples(0, len(source))):
        original = source.read([index])[0]
        if original.shape != sample.shape:
            return [f"{source.layout.item_name(index)} has another shape in the archive"], None
        distortion = distortion + Distortion.between(original, sample, opened.spec)
    return [], distortion


def _same_kind(opened: Opened, source: Source) -> bool:
    mine, theirs = opened.spec, source.spec
    return (mine.axes, mine.shape, mine.dtype) == (theirs.axes, theirs.shape, theirs.dtype)
