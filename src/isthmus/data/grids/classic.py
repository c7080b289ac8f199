"""Files of netCDF 3 → values; classic_writing.py undoes it. Nothing but NumPy is needed.

A slab of a variable lies in one piece, or, along the unlimited dimension, in one piece a record.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.grids.classic_header import Header, read_header, shape_of
from isthmus.data.grids.kinds import Facts, Grids, Variable
from isthmus.data.grids.reading import coded_dtype, facts_of, gaps_in
from isthmus.data.grids.structure import Group, Stored
from isthmus.errors import BadItem

MAGIC = b"CDF"


class Classic(Grids):
    """A file of netCDF 3.

    Raises:
        BadItem: it is damaged or cut short.
    """

    form = "netcdf3"

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._file = path.open("rb")
        try:
            self._header = read_header(self._file, path.name)
        except BaseException:
            self._file.close()
            raise
        self.file_bytes = path.stat().st_size
        self.variables = variables_of(self._header.group)

    def about(self) -> Any:
        """Version and structure."""
        return {"version": self._header.version, "root": self._header.group.to_dict()}

    def facts(self, number: int) -> Facts:
        """See Facts."""
        return facts_of(self._header.group.variables[number])

    def read(self, number: int, tile: tuple[slice, ...]) -> np.ndarray:
        """Values of a tile."""
        stored = self._header.group.variables[number]
        parts = [self._piece(start, count) for start, count in runs(self._header, number, tile)]
        shape = tuple(part.stop - part.start for part in tile)
        values = np.frombuffer(b"".join(parts), on_disk(stored)).reshape(shape)
        return values.astype(self.variables[number].dtype)

    def _piece(self, start: int, count: int) -> bytes:
        self._file.seek(start)
        data = self._file.read(count)
        if len(data) != count:
            raise BadItem(f"{self.name} became shorter while it was read. Copy it again.")
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def variables_of(group: Group) -> tuple[Variable, ...]:
    """The variables of a file."""
    found = []
    for stored in group.variables:
        shape, dtype = shape_of(group, stored), coded_dtype(stored)
        found.append(Variable(stored.name, dtype, shape, (1,) * len(shape), gaps_in(stored, dtype)))
    return tuple(found)


def runs(header: Header, number: int, tile: tuple[slice, ...]) -> Iterator[tuple[int, int]]:
    """The places and lengths, in bytes, of the pieces that a slab lies in."""
    place, shape = header.places[number], header.shape(header.group.variables[number])
    size = _itemsize(header.group.variables[number])
    if place.per_record is None:
        start = sum(part.start * math.prod(shape[axis + 1 :]) for axis, part in enumerate(tile))
        yield place.start + start * size, math.prod(part.stop - part.start for part in tile) * size
        return
    inner = shape[1:]
    start = sum(part.start * math.prod(inner[axis + 1 :]) for axis, part in enumerate(tile[1:]))
    count = math.prod(part.stop - part.start for part in tile[1:])
    for record in range(tile[0].start, tile[0].stop):
        yield place.start + record * header.record_bytes + start * size, count * size


def on_disk(stored: Stored) -> np.dtype:
    """The type in which values lie."""
    return np.dtype("u1" if stored.type == "char" else stored.type).newbyteorder(">")


def _itemsize(stored: Stored) -> int:
    return on_disk(stored).itemsize
