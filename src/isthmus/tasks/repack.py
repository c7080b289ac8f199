"""An archive → a smaller or more portable one of the same samples, without the originals.

Blocks are copied as they are, never decoded and coded again: what was exact stays exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.container import ArchiveReader, ArchiveWriter, Block
from isthmus.coding.reader import Salvage
from isthmus.data import Layout
from isthmus.data.metadata import ALL, require_level
from isthmus.errors import DamagedFile, ModelNeeded, TooLarge, UseError
from isthmus.limits import DEFAULT_LIMITS, Limits
from isthmus.model import Model, as_kind
from isthmus.tasks.archive import parts_named
from isthmus.tasks.metadata import KEYS, pack_metadata
from isthmus.tasks.parts import pack_parts, unpack_parts
from isthmus.tasks.promise import BOUND, BOUNDED, LOSSLESS, LOSSY, ROLES
from isthmus.tasks.results import Result, size
from isthmus.tasks.survivors import MOST_MISSING, in_order, name_again, pick, told_by


@dataclass(frozen=True)
class RepackResult(Result):
    """What `repack` made, and of what."""

    output: Path
    samples: int
    blocks: int
    old_bytes: int
    new_bytes: int
    model_bytes: int
    """Of the model in the new archive."""
    dropped_bytes: int
    """Payloads of layers that were left out."""
    generations: int
    """Of the old archive; the new one has one."""
    missing: tuple[str, ...]
    """Names of samples that were damaged and left out."""
    damage: tuple[str, ...]

    def summary(self) -> str:
        """One line for a terminal, and one for what is lost."""
        model = f"with its model, {size(self.model_bytes)}" if self.model_bytes else "without a model"
        merged = f", {self.generations} generations made one" if self.generations > 1 else ""
        line = f"{self.samples:,} samples, {size(self.old_bytes)} → {size(self.new_bytes)}, {model}{merged}"
        lost = [f"Lost: {len(self.missing):,} samples, first {self.missing[0]}"] if self.missing else []
        return "\n".join([f"{line} → {self.output}", *lost])


def repack(
    archive: str | Path,
    output: str | Path,
    *,
    model: Any = None,
    embed: bool | None = None,
    keep: str | None = None,
    metadata: str = ALL,
    skip_damaged: bool = False,
    recover: bool = False,
    force: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> RepackResult:
    """Write an archive of the samples of another one, in one generation.

    Args:
        archive: the .isz file.
        output: the new one; it may not be the same file.
        model: or its path, to embed, where the archive only names its model.
        embed: whether the new archive holds its model; None leaves it as it is, and embeds `model`.
        keep: "preview", "bound" or "lossless": layers finer than that are left out of every block
            that has a coarser one.
        metadata: how much of what the archive keeps of its files stays; see `compress`.
        skip_damaged: leave out what is damaged, and name it.
        recover: go back to the last whole generation, if an appending was cut off.
        force: replace an existing output.
        limits: the most that the archive may ask for.
    Raises:
        DamagedFile: the archive is damaged, and neither `skip_damaged` nor `recover` was given.
        ModelNeeded: the model is to be embedded, and is neither held nor given.
        UseError: the wishes cannot be met.
    """
    output, model = Path(output), None if model is None else as_kind(model, Model)
    if keep is not None and keep not in ROLES:
        raise UseError(f"--keep must be one of {', '.join(ROLES)}; got {keep!r}.")
    if output.exists() and output.samefile(archive):
        raise UseError("The new archive must be another file than the old one. Give another name with -o.")
    require_level(metadata)
    salvage: Salvage | None = "blocks" if skip_damaged else "generation" if recover else None
    with ArchiveReader(archive, limits=limits, salvage=salvage) as reader:
        spec, parts = told_by(reader)
        copier = _Copier(reader, keep)
        kept = _whole_blocks(copier, skip=skip_damaged)
        layout = name_again(reader, spec)
        items = [item for number in kept.numbers for run in reader.blocks[number].header.runs for item in run]
        coders = copier.coders(kept.numbers)
        used = {name: parts[name] for name in parts if name in coders}
        packed, damage = _model(reader, used, model, embed, lenient=salvage is not None)
        header = _header(reader.header, keep) | {"parts": used}
        with ArchiveWriter(output, header, force=force) as writer:
            first = 0
            for block in map(copier.read, kept.numbers):
                stop = first + sum(map(len, block.runs))
                writer.add_block(range(first, stop), block.plan, block.layers)
                first = stop
            dropped = {*KEYS} if keep is None else {*KEYS, "rivals"}
            extras = {name: told for name, told in reader.extras.items() if name not in dropped}
            left = pick(layout, items).keep(metadata)
            writer.finish(packed, extras | {"layout": left.to_dict()} | pack_metadata(left))
        missing = _names(layout, reader.items, items)
        return RepackResult(
            output=output,
            samples=len(items),
            blocks=len(kept.numbers),
            old_bytes=reader.length,
            new_bytes=writer.length,
            model_bytes=len(packed or b""),
            dropped_bytes=copier.dropped_bytes(kept.numbers),
            generations=reader.generation + 1,
            missing=missing,
            damage=(*reader.damage, *kept.damage, *damage),
        )


@dataclass(frozen=True)
class _Kept:
    numbers: list[int]
    damage: tuple[str, ...]


def _whole_blocks(copier: _Copier, *, skip: bool) -> _Kept:
    """The blocks to copy, in the order of their items, and what is wrong with the others."""
    numbers, damage = in_order(copier.reader, 0, copier.reader.items), []
    if not skip:
        return _Kept(numbers, ())
    whole = []
    for number in numbers:
        try:
            copier.read(number)
            whole.append(number)
        except DamagedFile as wrong:
            damage.append(str(wrong))
    return _Kept(whole, tuple(damage))


class _Copier:
    """Reads blocks without the layers that are to go."""

    def __init__(self, reader: ArchiveReader, keep: str | None) -> None:
        self.reader, self.keep = reader, keep

    def read(self, number: int) -> Block:
        """Block `number` with the layers that stay, and the plan that tells their coders."""
        plan, kept = self._kept(number)
        block = self.reader.read_block(number, kept)
        return Block(block.runs, plan, block.layers)

    def dropped_bytes(self, numbers: Sequence[int]) -> int:
        """The payloads of the layers that go."""
        sizes = ((self.reader.blocks[n].header.layers, len(self._kept(n)[1])) for n in numbers)
        return sum(layer.length for layers, count in sizes for layer in layers[count:])

    def coders(self, numbers: Sequence[int]) -> set[str]:
        """Who coded the layers that stay."""
        return {name for number in numbers for name in str(self._kept(number)[0]).split("+")}

    def _kept(self, number: int) -> tuple[int | str, list[str]]:
        header = self.reader.blocks[number].header
        names = [layer.name for layer in header.layers]
        if self.keep is None:
            return header.plan, names
        finest = ROLES.index(self.keep)
        coarse = [name for name in names if name in ROLES and ROLES.index(name) <= finest]
        kept = names[: max(1, len(coarse))]  # the only layer stays, however fine
        return "+".join(str(header.plan).split("+")[: len(kept)]), kept


def _header(header: dict[str, Any], keep: str | None) -> dict[str, Any]:
    """What the archive promises once the finer layers are gone."""
    mode = header.get("mode")
    if keep in (None, LOSSLESS) or mode == LOSSY or keep == mode == BOUNDED:
        return header
    if keep == BOUND:
        if "bound" not in header:
            raise UseError("The archive has no layer 'bound' to keep; --keep preview leaves more out.")
        return {**header, "mode": BOUNDED}
    return {name: value for name, value in header.items() if name != "bound"} | {"mode": LOSSY}


def _model(
    reader: ArchiveReader, used: dict[str, str], model: Model | None, embed: bool | None, *, lenient: bool
) -> tuple[bytes | None, tuple[str, ...]]:
    """The parts to embed, and what is wrong with those that are held."""
    if embed is False or not used or (embed is None and model is None and reader.model is None):
        return None, ()
    if model is not None:
        return pack_parts(parts_named(reader, used, model), frozenset(used)), ()
    try:
        held = reader.model_bytes
    except DamagedFile as lost:
        if lenient:
            return None, (str(lost),)
        raise
    if held is None:
        raise ModelNeeded(f"{reader.name} does not hold its model. Give it with -m MODEL.ism to embed it.")
    whole = used == reader.header["parts"]
    return held if whole else pack_parts(unpack_parts(held, reader.limits.model_bytes), frozenset(used)), ()


def _names(layout: Layout, count: int, kept: Sequence[int]) -> tuple[str, ...]:
    """The names of the items that are not kept."""
    if count - len(kept) > MOST_MISSING:
        raise TooLarge(f"The archive claims {count:,} samples, of which {len(kept):,} are whole.")
    lost = np.setdiff1d(np.arange(count), np.asarray(kept, dtype=np.int64))
    return tuple(layout.item_name(int(item)) for item in lost)
