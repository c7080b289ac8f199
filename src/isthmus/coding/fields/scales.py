"""Values ⇄ units: numbers in which everything within half a unit of the truth is good enough.

A Scale is chosen by the encoder, travels in front of the coded units, and restores the values with
nothing but exactly rounded float64 and integer operations, so every machine restores the same.
"""

from __future__ import annotations

import math
import struct
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from isthmus.coding.fields.engine import LIMIT
from isthmus.errors import DamagedFile

_MAX_SHIFT = 63
_LOGARITHM_OF_2 = 0.6931471805599453


class Scale(ABC):
    """One way to see values as units; `whole` units must come back exactly."""

    whole = False

    @abstractmethod
    def restore(self, units: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Units, as decoded → values of `dtype`, same shape. Nonsense in, nonsense out, but no error."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """Its fields; `scale_from_bytes` undoes it."""


@dataclass(frozen=True)
class Plain(Scale):
    """Floats, or integers to be rounded: a unit is `step`."""

    step: float

    def restore(self, units: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """units · step, rounded if integers are wanted."""
        return cast(units * self.step, dtype)

    def to_bytes(self) -> bytes:
        """The step."""
        return b"\0" + struct.pack("<d", self.step)


class Way(IntEnum):
    """How whole numbers were made floats."""

    WIDE = 0
    """number · scale + offset, in float64."""
    NARROW = 1
    """The same in the values' own type."""
    DIVIDED = 2
    """(number + offset) / scale, in float64: decimals."""


@dataclass(frozen=True)
class Lattice(Scale):
    """Values that are whole numbers in disguise; a unit is `width` of those numbers.

    `width` is odd: 1 brings each number back exactly, 2e + 1 brings it back within e.
    """

    scale: float
    offset: float
    width: int = 1
    way: Way = Way.WIDE

    @property
    def whole(self) -> bool:  # type: ignore[override]
        """Whether units are the numbers themselves."""
        return self.width == 1

    def restore(self, units: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """The nearest whole numbers, as floats again."""
        numbers = np.rint(units * float(self.width))
        if self.way == Way.NARROW:
            return numbers.astype(dtype) * dtype.type(self.scale) + dtype.type(self.offset)
        if self.way == Way.DIVIDED:
            return cast((numbers + self.offset) / self.scale, dtype)
        return cast(numbers * self.scale + self.offset, dtype)

    def to_bytes(self) -> bytes:
        """Scale, offset, width, way."""
        return b"\1" + struct.pack("<ddIB", self.scale, self.offset, self.width, self.way)


@dataclass(frozen=True)
class Ordered(Scale):
    """Integers less their minimum, or floats numbered in their order; bits that are too fine stand apart.

    `first` is the least, modulo 2**64. The lowest `shift` bits are not in the units; see `low_bits`.
    """

    first: int
    shift: int = 0
    whole = True

    def restore(self, units: np.ndarray, dtype: np.dtype, low: np.ndarray | None = None) -> np.ndarray:
        """The numbers, put together again, as values."""
        high = np.clip(units, 0, LIMIT).astype(np.uint64) << np.uint64(self.shift)
        numbers = (high if low is None else high | low) + np.uint64(self.first)
        return from_order(numbers, dtype)

    def to_bytes(self) -> bytes:
        """First number and shift."""
        return b"\2" + struct.pack("<QB", self.first, self.shift)


@dataclass(frozen=True)
class Logarithmic(Scale):
    """Magnitudes of floats: a unit is `step` of their logarithm to base 2."""

    step: float

    def restore(self, units: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """2 ** (units · step)."""
        return cast(power_of_2(units * self.step), dtype)

    def to_bytes(self) -> bytes:
        """The step."""
        return b"\3" + struct.pack("<d", self.step)


def scale_from_bytes(data: bytes) -> Scale:
    """Undo `to_bytes`; DamagedFile for anything else."""
    kinds = {0: (Plain, "<d"), 1: (Lattice, "<ddIB"), 2: (Ordered, "<QB"), 3: (Logarithmic, "<d")}
    kind, layout = kinds.get(data[0] if data else -1, (None, ""))
    if kind is None or len(data) != 1 + struct.calcsize(layout):
        raise DamagedFile("A field has an unknown scale.")
    fields = struct.unpack(layout, data[1:])
    sound = all(math.isfinite(field) for field in fields)
    if kind is Lattice:
        sound = sound and fields[2] % 2 == 1 and fields[3] in list(Way)
    if not sound or (kind is Ordered and fields[1] > _MAX_SHIFT):
        raise DamagedFile("The scale of a field is impossible.")
    scale: Scale = kind(*fields)
    return scale


def cast(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Float64 → the values' type; integers rounded, and clipped to what the type holds."""
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    rounded = np.rint(np.nan_to_num(values))
    inside = np.clip(rounded, float(limits.min), np.nextafter(float(limits.max) + 1, 0.0))
    return inside.astype(dtype)


def to_order(values: np.ndarray) -> np.ndarray:
    """Integers or floats → uint64 that are ordered as they are, from whatever least; no NaN."""
    if values.dtype.kind == "u":
        return values.astype(np.uint64)
    if values.dtype.kind == "i":
        return values.astype(np.int64).view(np.uint64) ^ np.uint64(1 << 63)
    bits = np.ascontiguousarray(values).view(f"i{values.dtype.itemsize}").astype(np.int64)
    most = (1 << (8 * values.dtype.itemsize - 1)) - 1
    ordered = np.where(
        bits < 0, bits ^ np.int64(most), bits
    )  # a negative float's other bits count away from 0
    return ordered.view(np.uint64) ^ np.uint64(1 << 63)


def from_order(numbers: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Undo `to_order`."""
    if dtype.kind == "u":
        return numbers.astype(dtype)
    ordered = (numbers ^ np.uint64(1 << 63)).view(np.int64)
    if dtype.kind == "i":
        return ordered.astype(dtype)
    most = (1 << (8 * dtype.itemsize - 1)) - 1
    bits = np.where(ordered < 0, ordered ^ np.int64(most), ordered)
    return bits.astype(f"i{dtype.itemsize}").view(dtype)


def power_of_2(exponents: np.ndarray) -> np.ndarray:
    """2**x to about 1e-15 of itself, by × and + alone: the system's own differs between machines."""
    whole = np.floor(exponents)
    rest = (exponents - whole - 0.5) * _LOGARITHM_OF_2
    series = np.ones_like(rest)
    for term in range(12, 0, -1):
        series = series * rest / term + 1.0
    return np.ldexp(series * math.sqrt(2.0), np.clip(np.nan_to_num(whole), -2000, 2000).astype(np.int32))
