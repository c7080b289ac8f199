"""An archive of gridded arrays → its file; its inverse is in writing.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.container import ArchiveReader
from isthmus.data.grids import TEXT, Variable, grid_writer
from isthmus.data.grids.structure import from_base64
from isthmus.data.names import fault_in, prepare_outputs
from isthmus.errors import DamagedFile, UseError
from isthmus.files import atomic_path
from isthmus.spec import MOST_AXES, TYPES
from isthmus.tasks.grids.blocks import MOST_GAPS, Task, TileDecoder
from isthmus.tasks.grids.promise import GridPromise
from isthmus.tasks.orders import DecompressOrder
from isthmus.tasks.restored import DecompressResult
from isthmus.tasks.results import size
from isthmus.tasks.workers import map_blocks, worker_count

MOST_VARIABLES = 200
"""That `info` names."""
Tiles = Iterator[tuple[int, tuple[slice, ...], np.ndarray]]


def variable_from_list(told: Any) -> Variable:
    """Undo `variable_to_list`; ValueError for what no writer tells."""
    name, dtype, shape, chunks, gaps = told
    sound = isinstance(name, str) and (dtype == TEXT or dtype in TYPES) and len(shape) == len(chunks)
    sides = [*shape, *chunks]
    if not sound or len(shape) > MOST_AXES or not all(type(s) is int and 0 <= s < 1 << 48 for s in sides):
        raise ValueError("a variable that cannot be")
    if 0 in chunks or len(gaps) > MOST_GAPS:
        raise ValueError("a variable that cannot be")
    found = Variable(name, dtype, tuple(shape), tuple(chunks), tuple(map(from_base64, gaps)))
    if any(len(gap) != found.itemsize or dtype in (TEXT, "bool") for gap in found.gaps):
        raise ValueError("gaps of another type")
    return found


@dataclass(frozen=True)
class OpenedGrid:
    """An archive of gridded arrays, ready to be decoded."""

    reader: ArchiveReader
    form: str
    name: str
    about: Any
    variables: tuple[Variable, ...]
    promise: GridPromise

    def first_block(self, number: int) -> int:
        """Of a variable."""
        return sum(each.tile_count for each in self.variables[:number])

    def tiles(self, wanted: range | list[int], *, workers: int = 1) -> Tiles:
        """The values of variables, in order: number of the variable, place of the tile, values."""
        places = [(number, tile) for number in wanted for tile in self.variables[number].tiles()]
        tasks = (task for number in wanted for task in self._tasks(number))
        decoded = map_blocks(TileDecoder(self.reader.limits), tasks, max(1, min(workers, len(places))))
        for (number, tile), values in zip(places, decoded, strict=True):
            yield number, tile, values

    def _tasks(self, number: int) -> Iterator[Task]:
        variable, first = self.variables[number], self.first_block(number)
        for place, tile in enumerate(variable.tiles()):
            shape = tuple(part.stop - part.start for part in tile)
            what = f"Block {first + place}"
            self.reader.limits.require("block_bytes", math.prod(shape) * variable.itemsize, what)
            block = self.reader.read_block(first + place)
            if [layer.name for layer in block.layers] != [self.promise.layer(variable.name)]:
                raise DamagedFile(f"{what} has not the one layer that its variable has.")
            layer = block.layers[0]
            yield Task(variable, shape, str(block.plan), layer.payload, layer.content_crc)


def opened_grid(reader: ArchiveReader) -> OpenedGrid:
    """An archive that is open, ready to be decoded; DamagedFile where it contradicts itself."""
    try:
        told = reader.extras["grid"]
        form, name, about = told["form"], told["name"], told["about"]
        variables = tuple(map(variable_from_list, told["variables"]))
        if not isinstance(form, str) or not isinstance(name, str) or fault_in(name):
            raise ValueError("a name that cannot be")
        if len({each.name for each in variables}) != len(variables):
            raise ValueError("two variables of one name")
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise DamagedFile(f"{reader.name} does not say which variables it holds.") from wrong
    total = sum(each.bytes for each in variables)
    reader.limits.require("output_bytes", total, "The output")
    if sum(each.tile_count for each in variables) != len(reader.blocks):
        raise DamagedFile(f"{reader.name} has other blocks than its variables need.")
    if any(entry.header.runs != (range(n, n + 1),) for n, entry in enumerate(reader.blocks)):
        raise DamagedFile(f"{reader.name} tells its blocks in an order that cannot be.")
    return OpenedGrid(reader, form, name, about, variables, GridPromise.from_header(reader.header))


def decompress_grid(archive: str | Path | bytes, directory: Path, order: DecompressOrder) -> DecompressResult:
    """Restore the file of an archive; see `decompress`.

    Args:
        archive: the .isz file, or its bytes.
        directory: where to put the file.
        order: its variables are the names of those to restore.
    Raises:
        UseError: there is no such variable.
        MissingExtra: what writes such files is not installed.
    """
    with ExitStack() as stack:
        opened = opened_grid(stack.enter_context(ArchiveReader(archive, limits=order.limits)))
        only = order.variables
        wanted = _wanted(opened, only)
        (path,) = prepare_outputs([opened.name], directory, force=order.force)
        count = worker_count(order.workers, opened.reader.length * 8, slow=True)
        temporary = stack.enter_context(atomic_path(path, force=order.force))
        writer = grid_writer(opened.form, temporary, opened.about, opened.variables, only)
        try:
            for number, tile, values in opened.tiles(wanted, workers=count):
                writer.write(number, tile, values)
        except BaseException:
            writer.drop()
            raise
        writer.close()
    return DecompressResult((path,), len(wanted), directory, items="variables")


def _wanted(opened: OpenedGrid, only: tuple[str, ...] | None) -> list[int]:
    names = [each.name for each in opened.variables]
    for name in only or ():
        if name not in names:
            raise UseError(
                f"There is no variable {name!r} in the archive; there are {', '.join(names[:12])}."
            )
    return [number for number, name in enumerate(names) if only is None or name in only]


def grid_facts(reader: ArchiveReader) -> tuple[str, dict[str, Any]]:
    """A title, and facts for people."""
    opened = opened_grid(reader)
    count = len(opened.variables)
    shown = opened.variables[:MOST_VARIABLES]
    facts = {
        "file": f"{opened.name} ({opened.form})",
        "values": size(sum(each.bytes for each in opened.variables)),
        "blocks": f"{len(opened.reader.blocks):,}",
        "mode": opened.promise.summary(),
    }
    facts |= {each.name: _told(opened, number) for number, each in enumerate(shown)}
    return f"archive of {count:,} variable{'' if count == 1 else 's'}", facts | (
        {"…": f"{count - len(shown):,} more"} if count > len(shown) else {}
    )


def _told(opened: OpenedGrid, number: int) -> str:
    variable = opened.variables[number]
    first = opened.first_block(number)
    blocks = opened.reader.blocks[first : first + variable.tile_count]
    taken = sum(entry.header.payload_bytes for entry in blocks)
    bound = opened.promise.bounds.get(variable.name)
    kept = "as it was" if bound is None else bound.summary()
    of = "" if variable.dtype == TEXT else f" of {size(variable.bytes)}"
    return f"{variable.summary()}, {kept}, {size(taken)}{of}"
