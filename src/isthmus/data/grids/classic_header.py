"""The header of a netCDF 3 file → its structure, and where values lie; classic_writing.py undoes it.

Source: NetCDF Classic Format Specification, Unidata; versions 1, 2 (64-bit offsets) and 5 (CDF-5).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from isthmus.data.grids.structure import Attribute, Dimension, Group, Stored
from isthmus.errors import BadItem

TYPES = {
    1: "i1",
    2: "char",
    3: "i2",
    4: "i4",
    5: "f4",
    6: "f8",
    7: "u1",
    8: "u2",
    9: "u4",
    10: "i8",
    11: "u8",
}
DIMENSION, VARIABLE, ATTRIBUTE = 10, 11, 12
"""What stands before each list."""
STREAMING = {1: (1 << 32) - 1, 2: (1 << 32) - 1, 5: (1 << 64) - 1}
"""The number of records where the writer had none to go back to the header."""


@dataclass(frozen=True)
class Place:
    """Where the values of a variable lie."""

    start: int
    """Of the first value, in bytes from the start of the file."""
    per_record: int | None
    """Bytes of one record; None where the values are in one piece."""


@dataclass(frozen=True)
class Header:
    """All that a file says before its values."""

    version: int
    group: Group
    places: tuple[Place, ...]
    record_bytes: int
    """Of all variables together."""

    def shape(self, variable: Stored) -> tuple[int, ...]:
        """Lengths of its axes."""
        return shape_of(self.group, variable)

    def end(self) -> int:
        """Where the last value ends."""
        ends = [0]
        for variable, place in zip(self.group.variables, self.places, strict=True):
            count = math.prod(self.shape(variable)) * itemsize(variable)
            if place.per_record is None:
                ends.append(place.start + count)
            elif count:
                records = self.shape(variable)[0]
                ends.append(place.start + (records - 1) * self.record_bytes + count // records)
        return max(ends)


def itemsize(variable: Stored) -> int:
    """Bytes of a value."""
    return 1 if variable.type == "char" else np.dtype(variable.type).itemsize


def shape_of(group: Group, variable: Stored) -> tuple[int, ...]:
    """Lengths of the axes of a variable."""
    sizes = {each.name: each.size for each in group.dimensions}
    return tuple(sizes[name] for name in variable.dimensions)


def is_record(group: Group, variable: Stored) -> bool:
    """Whether its first axis is the unlimited one."""
    unlimited = {each.name for each in group.dimensions if each.unlimited}
    return bool(variable.dimensions) and variable.dimensions[0] in unlimited


def padded(count: int) -> int:
    """The next multiple of 4."""
    return -(-count // 4) * 4


def read_header(file: BinaryIO, name: str) -> Header:
    """Read the header.

    Raises:
        BadItem: it is none, or tells what cannot be, or the values that it tells of are not all there.
    """
    fields = _Fields(file, name)
    version = fields.take(4)[3]
    if version not in STREAMING:
        raise BadItem(f"{name} is netCDF 3 of version {version}; 1, 2 and 5 can be read.")
    fields.wide = version == 5
    records = fields.count(bounded=False)
    dimensions = fields.many(DIMENSION, lambda: (fields.text(), fields.count(bounded=False)))
    attributes = fields.attributes()
    told = fields.many(VARIABLE, lambda: fields.variable(dimensions, version))
    if records == STREAMING[version]:
        records = _streamed(told, dimensions, fields.length)
    if sum(size == 0 for _, size in dimensions) > 1:
        raise BadItem(f"{name} has several unlimited dimensions, which netCDF 3 cannot have. Copy it again.")
    sized = tuple(Dimension(each, size or records, not size) for each, size in dimensions)
    group = Group("", sized, attributes, tuple(variable for variable, _ in told))
    header = placed(version, group, [start for _, start in told])
    if header.end() > fields.length:
        raise BadItem(
            f"{name} is cut short: it tells of {header.end():,} bytes and has {fields.length:,}. "
            "Copy it again."
        )
    return header


def placed(version: int, group: Group, starts: list[int]) -> Header:
    """Where records come from: each variable takes its part, padded unless it is alone."""
    per_record = [
        math.prod(shape_of(group, each)[1:]) * itemsize(each) if is_record(group, each) else None
        for each in group.variables
    ]
    parts = [part for part in per_record if part is not None]
    record_bytes = parts[0] if len(parts) == 1 else sum(map(padded, parts))
    places = tuple(Place(start, part) for start, part in zip(starts, per_record, strict=True))
    return Header(version, group, places, record_bytes)


def _streamed(told: list[tuple[Stored, int]], dimensions: list[tuple[str, int]], length: int) -> int:
    """How many whole records the file has room for."""
    one = Group("", tuple(Dimension(name, size or 1, not size) for name, size in dimensions))
    records = [(variable, start) for variable, start in told if is_record(one, variable)]
    if not records:
        return 0
    sizes = [math.prod(shape_of(one, variable)) * itemsize(variable) for variable, _ in records]
    each = sizes[0] if len(sizes) == 1 else sum(map(padded, sizes))
    return (length - min(start for _, start in records)) // each if each else 0


class _Fields:
    """Reads big-endian fields, never beyond the end of the file."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.length = file.seek(0, 2)
        file.seek(0)
        self._file, self._name, self.wide = file, name, False

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if length > self.length - self._file.tell():
            raise BadItem(f"{self._name} is cut short in its header, or damaged there. Copy it again.")
        return self._file.read(length)

    def number(self, wide: bool) -> int:
        """An unsigned number of 8 bytes, or of 4."""
        return int.from_bytes(self.take(8 if wide else 4), "big")

    def count(self, *, bounded: bool = True) -> int:
        """A number of things; if `bounded`, each of which takes a byte or more."""
        count = self.number(self.wide)
        if bounded and count > self.length:
            raise BadItem(f"{self._name} has a damaged header. Copy it again.")
        return count

    def text(self) -> str:
        """A name."""
        return self._padded(self.count()).decode("utf-8", "surrogateescape")

    def _padded(self, length: int) -> bytes:
        data = self.take(length)
        self.take(padded(length) - length)
        return data

    def many(self, tag: int, read: Callable[[], tuple]) -> list:
        """A list."""
        found, count = self.number(False), self.count()
        if found not in (tag, 0) or (found == 0 and count):
            raise BadItem(f"{self._name} has a damaged header. Copy it again.")
        return [read() for _ in range(count)]

    def attributes(self) -> tuple[Attribute, ...]:
        """Named values."""
        return tuple(each for (each,) in self.many(ATTRIBUTE, lambda: (self._attribute(),)))

    def _attribute(self) -> Attribute:
        name, kind = self.text(), self.type()
        data = self._padded(self.count() * (1 if kind == "char" else np.dtype(kind).itemsize))
        if kind != "char":
            swapped = np.frombuffer(data, np.dtype(kind).newbyteorder(">"))
            data = swapped.astype(swapped.dtype.newbyteorder("<")).tobytes()
        return Attribute(name, kind, data)

    def type(self) -> str:
        """A type of values."""
        number = self.number(False)
        if number not in TYPES:
            raise BadItem(f"{self._name} has values of an unknown type, {number}. Copy it again.")
        return TYPES[number]

    def variable(self, dimensions: list[tuple[str, int]], version: int) -> tuple[Stored, int]:
        """What is told of a variable, and where it starts."""
        name, count = self.text(), self.count()
        axes = [self.number(self.wide) for _ in range(count)]
        if any(
            axis >= len(dimensions) or (place and not dimensions[axis][1]) for place, axis in enumerate(axes)
        ):
            raise BadItem(f"{self._name}: {name} has a dimension that cannot be. Copy it again.")
        attributes, kind = self.attributes(), self.type()
        self.number(self.wide)  # its bytes, which follow from the rest, and do not fit for large ones
        start = self.number(version > 1)
        return Stored(name, kind, tuple(dimensions[axis][0] for axis in axes), attributes), start
