"""Is an archive whole, and does it hold what the originals hold?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.bound import same_bits
from isthmus.coding.container import ArchiveReader
from isthmus.data import Source, open_source
from isthmus.data.distortion import Distortion
from isthmus.errors import DamagedFile
from isthmus.limits import DEFAULT_LIMITS, Limits
from isthmus.model import Model, as_kind, as_model
from isthmus.tasks.archive import BlockDecoder, Opened, open_archive
from isthmus.tasks.modalities import Checked, modality_in
from isthmus.tasks.promise import LOSSLESS, LOSSY
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
    promise: str = ""
    """What the header promises, where that can be checked: a bound, or equality."""

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
        kept = f"; {self.promise} holds" if self.promise and self.against else ""
        return f"OK: {self.samples:,} samples in {self.blocks} blocks, every checksum matches{compared}{kept}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, the answer included."""
        return {"ok": self.ok, **super().to_dict()}


def verify(
    archive: str | Path,
    *,
    model: Any = None,
    against: Any = None,
    limits: Limits = DEFAULT_LIMITS,
) -> VerifyResult:
    """Check every checksum of an archive, and that it decodes to what was written.

    Args:
        archive: the .isz file.
        model: or its path; needed where the archive does not hold its own, and codes or originals are
            compared.
        against: the originals, which must be within the bound or equal as the header promises.
        limits: the most that the archive may ask for.
    Raises:
        NotOurFile, NewerFormat, DamagedFile: it cannot even be opened.
        ModelNeeded: originals are to be compared, and the model is neither held nor given.
    """
    path, model = Path(archive), as_model(model)
    with ArchiveReader(path, limits=limits) as reader:
        problems = [str(problem) for problem in reader.verify()]
        counts = reader.items, len(reader.blocks)
        held = reader.model_bytes is not None if not problems else False
        names_model = bool(reader.header.get("parts"))
        modality = modality_in(reader.header)
    if modality is not None:
        found = Checked([], None, "") if problems else modality.verify(path, model, against, limits)
        return VerifyResult(path, *counts, (*problems, *found.problems), found.against, None, found.promise)
    codec = None if model is None else as_kind(model, Model)
    distortion, name, promise = None, None, ""
    if not problems and (held or codec is not None or against is not None or not names_model):
        with (opened := open_archive(path, codec, limits=limits)).reader:
            promise = "" if opened.promise.mode == LOSSY else opened.promise.summary()
            problems += _undecodable(opened)
            if against is not None and not problems:
                source = against if isinstance(against, Source) else open_source(against, trainable=False)
                name = source.name
                mismatch, distortion = _compare(opened, source)
                problems += mismatch
    return VerifyResult(path, *counts, tuple(problems), name, distortion, promise)


def _undecodable(opened: Opened) -> list[str]:
    """Blocks with a layer that does not give the samples that were written."""
    problems = []
    decode = BlockDecoder(opened.tools, opened.spec)
    for number, entry in enumerate(opened.reader.blocks):
        for layer in entry.header.layers:
            try:
                decode(opened.task(number, 0, opened.reader.items, layer.name))
            except DamagedFile as damage:
                problems.append(f"block {number}: {damage}")
                break
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
    distortion, first = Distortion.none(), 0
    for stack in opened.stacks(0, len(source)):
        for restored in [stack] if isinstance(stack, np.ndarray) else [sample[None] for sample in stack]:
            originals = source.read(range(first, first + len(restored)))
            if any(original.shape != restored.shape[1:] for original in originals):
                return [f"{source.layout.item_name(first)} has another shape in the archive"], None
            original = np.stack(originals)
            if problem := _broken(opened, source, first, original, restored):
                return [problem], None
            distortion = distortion + _finite_distortion(original, restored, opened)
            first += len(restored)
    return [], distortion


def _broken(
    opened: Opened, source: Source, first: int, original: np.ndarray, restored: np.ndarray
) -> str | None:
    """The sentence about the first sample that is not as the header promises."""
    promise = opened.promise
    if promise.mode == LOSSY:
        return None
    lossless = promise.mode == LOSSLESS or promise.bound is None
    kept = same_bits(original, restored) if lossless else promise.bound.kept(original, restored)  # type: ignore[union-attr]
    bad = np.flatnonzero(~kept.reshape(len(kept), -1).all(axis=1))
    if not len(bad):
        return None
    return f"{source.layout.item_name(first + int(bad[0]))} is not as promised ({promise.summary()})"


def _finite_distortion(original: np.ndarray, restored: np.ndarray, opened: Opened) -> Distortion:
    finite = np.isfinite(original) & np.isfinite(restored) if original.dtype.kind == "f" else ...
    return Distortion.between(original[finite], restored[finite], opened.spec)


def _same_kind(opened: Opened, source: Source) -> bool:
    mine, theirs = opened.spec, source.spec
    return (mine.axes, mine.shape, mine.dtype) == (theirs.axes, theirs.shape, theirs.dtype)
