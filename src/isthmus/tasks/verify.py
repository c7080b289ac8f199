"""Is an archive whole, and does it hold what the originals hold?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.bound import same_bits
from isthmus.coding.container import ArchiveReader
from isthmus.data import Layout, Source, open_source
from isthmus.data.distortion import Distortion
from isthmus.data.metadata import NONE
from isthmus.data.readers.image_names import STORED
from isthmus.data.readers.stored import PALETTE, WORDS
from isthmus.errors import DamagedFile, DataError, ModelNeeded
from isthmus.limits import DEFAULT_LIMITS, Limits
from isthmus.model import Model, as_kind, as_model
from isthmus.spec import DataSpec
from isthmus.tasks.archive import BlockDecoder, Opened, open_archive
from isthmus.tasks.findings import (
    EXIT_CODES,
    OK,
    Checked,
    Finding,
    compare_with,
    damaged,
    different,
    incomparable,
    not_in_archive,
    status_of,
)
from isthmus.tasks.modalities import Modality, modality_for, modality_in
from isthmus.tasks.promise import LOSSLESS, LOSSY
from isthmus.tasks.results import Result


@dataclass(frozen=True)
class VerifyResult(Result):
    """What was checked, and what was wrong; `status` is the answer."""

    archive: Path
    samples: int
    blocks: int
    status: str
    """"ok"; "damaged": a checksum is wrong, or a block does not decode; "different": the originals are
    other data; "incomparable": they are of another kind, or the model is missing."""
    problems: tuple[str, ...]
    against: str | None
    distortion: Distortion | None
    """Between the originals and what the archive restores; None without --against."""
    promise: str = ""
    """What the header promises, where that can be checked: a bound, or equality."""

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong."""
        return self.status == OK

    @property
    def exit_code(self) -> int:
        """Of the command: 0; 1 where it is damaged or different; 2 where nothing could be said."""
        return EXIT_CODES[self.status]

    def summary(self) -> str:
        """One line for a terminal."""
        if self.problems:
            more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
            return f"{self.status.upper()}: {self.problems[0]}{more}"
        compared = f"; against {self.against}: {self.distortion.summary()}" if self.distortion else ""
        kept = f"; {self.promise} holds" if self.promise and self.against else ""
        return f"OK: {self.samples:,} samples in {self.blocks} blocks, every checksum matches{compared}{kept}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, the answer included."""
        values = {"ok": self.ok, **super().to_dict()}
        return values | {"distortion": None if self.distortion is None else self.distortion.to_dict()}


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
        NoData: there are no originals.
        ModelNeeded: another model was given, and no originals.
    """
    path, model = Path(archive), as_model(model)
    with ArchiveReader(path, limits=limits) as reader:
        findings = [damaged(problem) for problem in reader.verify()]
        counts = reader.items, len(reader.blocks)
        modality = modality_in(reader.header)
    checked, distortion = Checked(findings, None, ""), None
    if not findings:
        try:
            _require_same_kind(modality, against)
            if modality is None:
                checked, distortion = _check(path, model, against, limits)
            else:
                checked = modality.verify(path, model, against, limits)
        except (DataError, ModelNeeded) as wrong:
            if against is None or _is_missing(against):
                raise
            checked = Checked([incomparable(wrong)], _name_of(against), "")
    found = tuple(finding.message for finding in checked.findings)
    return VerifyResult(
        path,
        *counts,
        status_of(checked.findings),
        found,
        checked.against,
        distortion,
        checked.promise,
        notices=checked.notices,
    )


def _require_same_kind(modality: Modality | None, against: Any) -> None:
    """Raise DataError where an archive of that modality holds nothing like the originals."""
    if against is None or _is_missing(against):
        return
    theirs = modality_for(against)
    if theirs is not modality:
        mine, other = (_ARRAYS if each is None else each.plural for each in (modality, theirs))
        raise DataError(f"the archive holds {mine}, and {_name_of(against)} is of {other}")


_ARRAYS = "images or arrays"


def _is_missing(against: Any) -> bool:
    return isinstance(against, (str, Path)) and not Path(against).expanduser().exists()


def _name_of(against: Any) -> str:
    return str(getattr(against, "name", against if isinstance(against, str) else "what was given"))


def _check(path: Path, model: Any, against: Any, limits: Limits) -> tuple[Checked, Distortion | None]:
    """Decode an archive of images or arrays, as far as its model is there, and compare it."""
    codec = None if model is None else as_kind(model, Model)
    with ArchiveReader(path, limits=limits) as reader:
        held, names_model = reader.model_bytes is not None, bool(reader.header.get("parts"))
    if names_model and not held and codec is None and against is None:
        return Checked([], None, ""), None
    with (opened := open_archive(path, codec, limits=limits)).reader:
        promise = "" if opened.promise.mode == LOSSY else opened.promise.summary()
        undecodable = _undecodable(opened)
        if undecodable or against is None:
            return Checked(undecodable, None, promise), None
        comparison = _Comparison(opened)
        source, found = compare_with(
            lambda skip_bad: _originals(against, opened.layout, skip_bad=skip_bad), comparison.findings
        )
        notices = (*not_in_archive(source), *source.changed())
        return Checked(found, source.name, promise, notices), comparison.distortion


def _originals(against: Any, layout: Layout, *, skip_bad: bool) -> Source:
    """The originals, in the form in which the archive holds them."""
    is_open = isinstance(against, Source)
    source = against if is_open else open_source(against, skip_bad=skip_bad, trainable=False)
    return source.as_stored() if layout.options.get(STORED) else source


def _undecodable(opened: Opened) -> list[Finding]:
    """Blocks with a layer that does not give the samples that were written."""
    found = []
    decode = BlockDecoder(opened.tools, opened.spec)
    for number, entry in enumerate(opened.reader.blocks):
        for layer in entry.header.layers:
            try:
                decode(opened.task(number, 0, opened.reader.items, layer.name))
            except DamagedFile as damage:
                found.append(damaged(f"block {number}: {damage}"))
                break
    return found


class _Comparison:
    """Of an archive with originals."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self.distortion: Distortion | None = None
        """Of the last that differed in nothing else."""

    def findings(self, source: Source) -> list[Finding]:
        """At most one: the first."""
        unlike = _unlike(self._opened, source)
        if unlike is not None:
            return [different(unlike)]
        self.distortion, first = Distortion.none(), 0
        for stack in self._opened.stacks(0, len(source)):
            for restored in [stack] if isinstance(stack, np.ndarray) else [sample[None] for sample in stack]:
                originals = source.read(range(first, first + len(restored)))
                wrong = _wrong(self._opened, source, first, originals, restored)
                if wrong is not None:
                    self.distortion = None
                    return [different(wrong)]
                self.distortion += _finite_distortion(np.stack(originals), restored, self._opened)
                first += len(restored)
        return []


def _unlike(opened: Opened, source: Source) -> str | None:
    """What the originals are, beside their values, that the archive does not hold."""
    mine, theirs = opened.layout, source.layout
    if opened.reader.items != len(source) or not _same_kind(opened, source):
        return (
            f"the archive holds {opened.reader.items:,} samples of {_summary(opened.spec, mine)}, "
            f"the originals are {len(source):,} of {_summary(source.spec, theirs)}"
            + _first_apart(mine, theirs)
        )
    renamed = _first_apart(mine, theirs)
    if renamed and len(theirs.members) > 1:
        return f"the items have other names{renamed}"
    recoloured = _first_recoloured(mine, source) if theirs.options.get(STORED) == PALETTE else None
    return None if recoloured is None else f"{recoloured} has another palette in the archive"


def _summary(spec: DataSpec, layout: Layout) -> str:
    stored = layout.options.get(STORED)
    return f"{spec.summary()}, {WORDS[stored]}" if stored in WORDS else spec.summary()


def _first_recoloured(mine: Layout, source: Source) -> str | None:
    """The first image whose palette is another."""
    pairs = zip(mine.members, source.described(NONE)[0].members, strict=True)
    return next((theirs.name for ours, theirs in pairs if ours.palette != theirs.palette), None)


def _first_apart(mine: Layout, theirs: Layout) -> str:
    """The first name that only one of them has, as the end of a sentence."""
    ours, others = ({member.name: None for member in layout.members} for layout in (mine, theirs))
    for where, here, there in (("the archive", ours, others), ("the originals", others, ours)):
        apart = [name for name in here if name not in there]
        if apart:
            return f": {apart[0]} is in {where} alone"
    return ""


def _wrong(
    opened: Opened, source: Source, first: int, originals: list[np.ndarray], restored: np.ndarray
) -> str | None:
    """The sentence about the first sample that is not as the header promises."""
    if any(original.shape != restored.shape[1:] for original in originals):
        return f"{source.layout.item_name(first)} has another shape in the archive"
    promise, original = opened.promise, np.stack(originals)
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
    alike = (mine.axes, mine.shape, mine.dtype) == (theirs.axes, theirs.shape, theirs.dtype)
    return alike and opened.layout.options.get(STORED) == source.layout.options.get(STORED)
