"""Structure and values → files of netCDF 3; the inverse of classic.py and classic_header.py."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from isthmus.data.grids.classic import on_disk, runs, variables_of
from isthmus.data.grids.classic_header import (
    ATTRIBUTE,
    DIMENSION,
    STREAMING,
    TYPES,
    VARIABLE,
    Header,
    is_record,
    itemsize,
    padded,
    placed,
    shape_of,
)
from isthmus.data.grids.kinds import Variable
from isthmus.data.grids.structure import Attribute, Group, only
from isthmus.errors import DamagedFile

_NUMBERS = {name: number for number, name in TYPES.items()}


class ClassicWriter:
    """Writes a file of netCDF 3, tile by tile.

    Args:
        path: to be made anew.
        about: as `Classic.about` tells it.
        variables: what is told of them.
        wanted: the variables that are to be in it; None for all.
    Raises:
        DamagedFile: no such file can be.
    """

    def __init__(
        self, path: Path, about: Any, variables: tuple[Variable, ...], wanted: tuple[str, ...] | None
    ) -> None:
        self.variables = variables
        try:
            version, group = about["version"], Group.from_dict(about["root"])
            if [(v.name, v.dtype, v.shape) for v in variables_of(group)] != [
                (v.name, v.dtype, v.shape) for v in variables
            ]:
                raise ValueError("it has other variables")
            group = group if wanted is None else only(group, wanted)
            self._places = {each.name: place for place, each in enumerate(group.variables)}
            data, self._header = plan_header(version, group)
        except (KeyError, TypeError, ValueError, AttributeError) as wrong:
            raise DamagedFile(f"The archive tells of a netCDF 3 file that cannot be: {wrong}.") from wrong
        self._file: BinaryIO = path.open("wb")
        self._file.write(data)

    def write(self, number: int, tile: tuple[slice, ...], values: np.ndarray) -> None:
        """Put the values of a tile where they belong."""
        place = self._places[self.variables[number].name]
        kind = on_disk(self._header.group.variables[place])
        data = memoryview(values.astype(kind).tobytes())
        for start, count in runs(self._header, place, tile):
            self._file.seek(start)
            self._file.write(data[:count])
            data = data[count:]

    def close(self) -> None:
        """Give the file its length, and close it."""
        end = max(self._header.end(), self._file.seek(0, 2))
        self._file.truncate(end + -end % 4)
        self._file.close()

    def drop(self) -> None:
        """Close what will not be kept."""
        self._file.close()


def plan_header(version: int, group: Group) -> tuple[bytes, Header]:
    """The bytes of a header, and where values go: first those in one piece, then records.

    Raises:
        ValueError: the file would be larger than its version can tell.
    """
    bare = placed(version, group, [0] * len(group.variables))
    position = len(_to_bytes(bare))
    starts = [0] * len(group.variables)
    order = sorted(range(len(starts)), key=lambda number: is_record(group, group.variables[number]))
    for number in order:
        starts[number] = position
        part = bare.places[number].per_record
        whole = math.prod(shape_of(group, group.variables[number])) * itemsize(group.variables[number])
        position += padded(whole if part is None else part)
    header = placed(version, group, starts)
    return _to_bytes(header), header


def _to_bytes(header: Header) -> bytes:
    wide, group = header.version == 5, header.group

    def number(value: int, long: bool = wide) -> bytes:
        try:
            return struct.pack(">q" if long else ">i", value)
        except struct.error as wrong:
            raise ValueError("more than netCDF 3 of this version can tell") from wrong

    def text(value: str) -> bytes:
        return _sized(number, value.encode("utf-8", "surrogateescape"))

    def listed(tag: int, entries: list[bytes]) -> bytes:
        return number(tag if entries else 0, False) + number(len(entries)) + b"".join(entries)

    def told(attributes: tuple[Attribute, ...]) -> bytes:
        return listed(ATTRIBUTE, [text(each.name) + _value(number, each) for each in attributes])

    places = {each.name: place for place, each in enumerate(group.dimensions)}
    records = next((each.size for each in group.dimensions if each.unlimited), 0)
    dimensions = [text(each.name) + number(0 if each.unlimited else each.size) for each in group.dimensions]
    variables = []
    for variable, place in zip(group.variables, header.places, strict=True):
        axes = b"".join(number(places[name]) for name in variable.dimensions)
        part = place.per_record
        count = math.prod(shape_of(group, variable)) * itemsize(variable) if part is None else part
        kind = number(_NUMBERS[variable.type], False)
        most = STREAMING[header.version]
        size = min(padded(count), most).to_bytes(8 if wide else 4, "big")
        variables.append(
            text(variable.name) + number(len(variable.dimensions)) + axes + told(variable.attributes)
            + kind + size + number(place.start, header.version > 1)
        )  # fmt: skip
    start = b"CDF" + bytes([header.version]) + number(records)
    return start + listed(DIMENSION, dimensions) + told(group.attributes) + listed(VARIABLE, variables)


def _sized(number: Callable[[int], bytes], data: bytes) -> bytes:
    return number(len(data)) + data + bytes(padded(len(data)) - len(data))


def _value(number: Callable[..., bytes], attribute: Attribute) -> bytes:
    kind = number(_NUMBERS[attribute.type], False)
    if attribute.type == "char":
        assert isinstance(attribute.data, bytes)
        return kind + _sized(number, attribute.data)
    swapped = attribute.value.astype(attribute.value.dtype.newbyteorder(">"))
    data = swapped.tobytes()
    return kind + number(swapped.size) + data + bytes(padded(len(data)) - len(data))
