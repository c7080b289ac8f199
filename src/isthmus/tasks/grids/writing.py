"""A file of gridded arrays → an archive; its inverse is in archive.py."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from isthmus.coding.blocks import Layer
from isthmus.coding.container import ArchiveWriter
from isthmus.data.grids import TEXT, Grids, Variable, lost, open_grid
from isthmus.errors import BadItem
from isthmus.files import target_of
from isthmus.tasks.choose import (
    ALL_EFFORT,
    LEAST_SAMPLE_BYTES,
    PIECES,
    SAMPLE_SHARE,
    SMALL_BYTES,
    coder_names,
    smallest_coders,
)
from isthmus.tasks.compressed import CompressResult, Tally, path_of
from isthmus.tasks.grids.blocks import TEXT_CODERS, Made, Tile, encode_tile
from isthmus.tasks.grids.promise import GridPromise, make_promise
from isthmus.tasks.orders import CompressOrder
from isthmus.tasks.parts import Parts, Toolbox
from isthmus.tasks.results import refuse_notices
from isthmus.tasks.workers import map_blocks, worker_count


def compress_grid(source: Any, output: str | Path | BinaryIO, order: CompressOrder) -> CompressResult:
    """Write a file of gridded arrays as an archive.

    Args:
        source: a file of netCDF 3 or 4, a zarr (folder or .zip), or a Dataset, DataArray or DataTree of
            xarray, which is taken as the netCDF that `to_netcdf` makes of it.
        output: the .isz file, or a binary file object.
        order: max_error and bounds are in each variable's own unit (packed numbers count `scale_factor`), or
            with "rel" times its range, or with "pointwise" times each value (of floats that are not packed).
            Coordinates, what they mention, whole numbers that are not packed, and variables of fewer than
            1,024 values stay as they are unless they are named. Up to effort 8, a sample of each large
            variable decides which coders run on its blocks. Progress is told in bytes of values.
    Raises:
        UseError: a bound that cannot be, or for a variable that is not there.
        NoData, BadItem, MissingExtra: see `open_grid`.
    """
    target = target_of(output, force=order.force)
    opened = open_grid(source)
    try:
        return _write(opened, target, order)
    finally:
        if opened is not source:
            opened.close()


def _write(opened: Grids, target: Path | BinaryIO, order: CompressOrder) -> CompressResult:
    promise = make_promise(opened, order.mode, order.max_error, order.error_mode, order.bounds or {})
    rounded = _rounded(opened)
    lost_bounds = [name for name in rounded if name in promise.bounds]
    promise = promise.without(rounded)
    notices = tuple(
        f"kept as it is: {name}, whose bound its store ({rounded[name]}) would break by rounding"
        for name in lost_bounds
    )
    refuse_notices(notices, strict=order.strict)
    tally, item, done = Tally(), 0, 0
    owners = [each for each in opened.variables for _ in range(each.tile_count)]
    count = worker_count(order.workers, opened.raw_bytes, slow=True)
    tiles = _tiles(opened, promise, order.effort)
    made_of = map_blocks(_Coder(), tiles, max(1, min(count, len(owners))))
    with ArchiveWriter(target, promise.to_header(), force=order.force) as writer:
        for variable, (made, size) in zip(owners, made_of, strict=True):
            layer = Layer(promise.layer(variable.name), made.payload, made.crc)
            writer.add_block(range(item, item + 1), made.plan, [layer])
            tally.add(made.plan, len(made.payload), made.rivals)
            item, done = item + 1, done + size
            if order.progress is not None:
                order.progress(done, max(done, opened.raw_bytes))
        writer.finish(None, {"grid": describe(opened), "rivals": tally.rivals.whole()})
    return CompressResult(
        output=path_of(target),
        mode=promise.mode,
        promise=promise.summary(),
        samples=len(opened.variables),
        original_bytes=opened.raw_bytes,
        source_bytes=opened.file_bytes,
        source_names=[opened.name],
        archive_bytes=writer.length,
        payload_bytes=tally.payload_bytes,
        winners=tally.winners,
        rivals=tally.rivals.whole(),
        advice=_advice(lost(opened)),
        notices=notices,
        items="variables",
    )


def _rounded(opened: Grids) -> dict[str, str]:
    """The variables whose values pass filters that may round, and the names of these.

    A bound would be kept by what the archive holds, and broken by what is read from the restored file.

    Raises:
        BadItem: not even the values as they are would come back.
    """
    found = {}
    for number, variable in enumerate(opened.variables):
        filters = ", ".join(opened.rounding(number))
        if filters and not opened.comes_back(number):
            raise BadItem(
                f"{variable.name} would come back changed, since its store ({filters}) rounds values each "
                "time they are written. Store it without, or leave it out."
            )
        if filters:
            found[variable.name] = filters
    return found


def _advice(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        return ()
    told = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return (f"Values come back, but the file will say or store something otherwise: {told}.",)


@dataclass(frozen=True)
class _Coder:
    """Codes tiles; beside each stands how much it held."""

    def __call__(self, tile: Tile) -> tuple[Made, int]:
        return encode_tile(tile), tile.values.size * tile.variable.itemsize


def _tiles(opened: Grids, promise: GridPromise, effort: int) -> Iterator[Tile]:
    """Everything that is to be coded, read when it is asked for."""
    for number, variable in enumerate(opened.variables):
        if not variable.tile_count:
            continue
        bound = promise.bound(variable.name)
        coders = _coders(opened, number, promise, effort)
        for values in opened.tiles(number):
            yield Tile(variable, values, coders, bound)


def _coders(opened: Grids, number: int, promise: GridPromise, effort: int) -> tuple[str, ...]:
    """Those to run on every block of a variable: all, or those that were best on some pieces of it."""
    variable = opened.variables[number]
    if variable.dtype == TEXT:
        return TEXT_CODERS
    toolbox = Toolbox()
    coders = {
        name: coder for name in coder_names(Parts(), effort) if not (coder := toolbox.coder(name)).uses_given
    }
    if effort >= ALL_EFFORT or variable.bytes <= SMALL_BYTES:
        return tuple(coders)
    target = promise.layer(variable.name), promise.bound(variable.name)
    kept = smallest_coders(coders, _pieces(opened, number), [target], effort)
    return tuple(name for name in coders if name in kept)


def _pieces(opened: Grids, number: int) -> list[np.ndarray]:
    """The first rows of some tiles, evenly spread: a fiftieth of the variable, at least 1 MiB."""
    variable = opened.variables[number]
    wanted = max(LEAST_SAMPLE_BYTES, int(SAMPLE_SHARE * variable.bytes)) // PIECES
    tiles = list(variable.tiles())
    picked = [tiles[place * len(tiles) // PIECES] for place in range(min(PIECES, len(tiles)))]
    return [opened.read(number, _first(tile, wanted // variable.itemsize)) for tile in picked]


def _first(tile: tuple[slice, ...], values: int) -> tuple[slice, ...]:
    """The first rows of a tile, about so many values, cut along the first axis that is longer than one."""
    sides = [part.stop - part.start for part in tile]
    axis = next((axis for axis, side in enumerate(sides) if side > 1), 0)
    rows = max(1, min(sides[axis], values * sides[axis] // max(1, int(np.prod(sides)))))
    cut = slice(tile[axis].start, tile[axis].start + rows)
    return (*tile[:axis], cut, *tile[axis + 1 :])


def describe(opened: Grids) -> dict[str, Any]:
    """What the index says of the file."""
    return {
        "form": opened.form,
        "name": opened.name,
        "about": opened.about(),
        "variables": [variable_to_list(each) for each in opened.variables],
    }


def variable_to_list(variable: Variable) -> list[Any]:
    """JSON-ready; `variable_from_list` in archive.py undoes it."""
    gaps = [base64.b64encode(each).decode() for each in variable.gaps]
    return [variable.name, variable.dtype, list(variable.shape), list(variable.chunks), gaps]
