"""A damaged archive → the samples that are still whole, and the names of those that are not.

Opening never fails for a reason that leaves samples readable. Blocks are decoded once to see which
of them are whole, and once more to write them: files know their length before they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from isthmus.coding.container import ArchiveReader
from isthmus.coding.reader import Salvage
from isthmus.data import Layout, Member
from isthmus.errors import ConfigError, DamagedFile, TooLarge
from isthmus.limits import DEFAULT_LIMITS, Limits
from isthmus.model import Model
from isthmus.spec import DataSpec
from isthmus.tasks.archive import BlockDecoder, Opened, parts_named
from isthmus.tasks.blocks import Samples
from isthmus.tasks.metadata import unpack_metadata
from isthmus.tasks.parts import Parts, Toolbox
from isthmus.tasks.promise import Promise

MOST_MISSING = 1 << 24  # names of lost samples; a file that claims more was made to
NAMED_SINGLY = ("images", "zip")
"""Readers whose members are one sample each."""


@dataclass(frozen=True)
class Survivors:
    """What is whole in an archive."""

    opened: Opened
    layout: Layout
    """Of the whole samples alone."""
    items: tuple[int, ...]
    """Their numbers, ascending."""
    missing: tuple[str, ...]
    """The names of the samples that are lost."""
    damage: tuple[str, ...]
    """What was found wrong."""
    layer: str | None = None

    def stacks(self) -> Iterator[Samples]:
        """Decode them, block by block."""
        start, stop = self.items[0], self.items[-1] + 1
        whole = set(self.items)
        for number in in_order(self.opened.reader, start, stop):
            runs = self.opened.reader.blocks[number].header.runs
            inside = [item for run in runs for item in run if item in whole]
            if inside:
                yield _decode(self.opened, number, inside[0], inside[-1] + 1, self.layer)


def open_damaged(
    source: str | Path | bytes,
    model: Model | None = None,
    *,
    salvage: Salvage = "blocks",
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Opened, tuple[str, ...]]:
    """Open an archive that may be damaged anywhere, and say what is wrong with it.

    Samples whose names are lost with the index get names such as "recovered-000017.png". Where the
    embedded model is lost, and `model` is not given, blocks that need it are lost too.

    Raises:
        DamagedFile: not even the header is left, or it makes no sense.
        ModelNeeded: the archive only names its model, and `model` is missing or another.
    """
    with ExitStack() as unless_open:
        reader = unless_open.enter_context(ArchiveReader(source, salvage=salvage, limits=limits))
        damage = list(reader.damage)
        spec, wanted = told_by(reader)
        try:
            parts = parts_named(reader, wanted, model)
        except DamagedFile as lost:
            parts = Parts()
            damage.append(str(lost))
        layout = name_again(reader, spec)
        opened = Opened(reader, spec, layout, Promise.from_dict(reader.header), Toolbox(parts))
        unless_open.pop_all()
    return opened, tuple(damage)


def find_survivors(
    opened: Opened, damage: Iterable[str], start: int, stop: int, layer: str | None = None
) -> Survivors:
    """Decode samples start … stop - 1 and see which are whole.

    Raises:
        DamagedFile: none is.
    """
    whole, told = [], list(damage)
    for number in in_order(opened.reader, start, stop):
        try:
            _decode(opened, number, start, stop, layer)
        except DamagedFile as wrong:
            told.append(f"block {number}: {wrong}")
            continue
        runs = opened.reader.blocks[number].header.runs
        whole += [item for run in runs for item in run if start <= item < stop]
    if not whole:
        raise DamagedFile(f"{opened.reader.name}: no sample is whole. First fault: {told[0]}")
    if stop - start - len(whole) > MOST_MISSING:
        raise TooLarge(f"{opened.reader.name} claims {stop - start:,} samples, {len(whole):,} of them whole.")
    lost = sorted(set(range(start, stop)) - set(whole))
    names = tuple(opened.layout.item_name(item) for item in lost)
    return Survivors(opened, pick(opened.layout, whole), tuple(whole), names, tuple(told), layer)


def told_by(reader: ArchiveReader) -> tuple[DataSpec, dict[str, str]]:
    """What the header says of the samples, and of the parts of the model by name."""
    try:
        return DataSpec.from_dict(reader.header["spec"]), dict(reader.header["parts"])
    except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as wrong:
        raise DamagedFile(f"{reader.name}: the header lacks or misstates {wrong}.") from wrong


def pick(layout: Layout, items: Sequence[int]) -> Layout:
    """The layout of those items alone.

    >>> layout = Layout("npy", (Member("a.npy", 3), Member("b.npy", 2)))
    >>> [(member.name, member.count) for member in pick(layout, [0, 2, 4]).members]
    [('a.npy', 2), ('b.npy', 1)]
    """
    numbers = np.asarray(items)
    ends = np.cumsum([len(member) for member in layout.members], dtype=np.int64)
    counts = np.bincount(np.searchsorted(ends, numbers, side="right"), minlength=len(ends))
    pairs = zip(layout.members, counts.tolist(), strict=True)
    kept = (replace(m, count=None if m.count is None else count) for m, count in pairs if count)
    return replace(layout, members=tuple(kept))


def _decode(opened: Opened, number: int, start: int, stop: int, layer: str | None) -> Samples:
    return BlockDecoder(opened.tools, opened.spec)(opened.task(number, start, stop, layer))


def in_order(reader: ArchiveReader, start: int, stop: int) -> list[int]:
    """The blocks of these items, by their items; a scan finds them in the order of the file."""
    return sorted(
        reader.blocks_for(start, stop), key=lambda number: reader.blocks[number].header.runs[0].start
    )


def name_again(reader: ArchiveReader, spec: DataSpec) -> Layout:
    """The layout that the index tells, and made-up names for items behind it."""
    try:
        layout = Layout.from_dict(reader.extras["layout"])
    except (KeyError, TypeError, DamagedFile):
        layout = Layout("npy" if spec.is_fixed else "images", ())
    with suppress(DamagedFile):  # names are worth more than what the files said beside their samples
        layout = unpack_metadata(layout, reader.extras, reader.limits)
    unnamed = range(len(layout), reader.items)
    if not unnamed:
        return layout
    if layout.reader in NAMED_SINGLY:
        if len(unnamed) > MOST_MISSING:
            raise TooLarge(f"{reader.name} claims {len(unnamed):,} samples that its index does not name.")
        new = [Member(f"recovered-{item:06}.png") for item in unnamed]
    else:
        layout = _as_npy(layout)
        new = [Member("recovered.npy", len(unnamed))]
    return replace(layout, members=(*layout.members, *new))


def _as_npy(layout: Layout) -> Layout:
    if layout.reader == "npy":
        return layout
    members = (
        replace(m, name=m.name if m.name.endswith(".npy") else f"{m.name}.npy") for m in layout.members
    )
    return Layout("npy", tuple(members))
