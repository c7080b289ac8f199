"""Values that are no measurements ⇄ bytes: NaN, infinities, −0, and numbers that stand for "nothing here".

They are taken out before anything is predicted. What remains is a map of where they were, which is
an array like any other, and a short list of what they were.
"""

from __future__ import annotations

import math

import numpy as np

from isthmus.coding.fields.engine import decode_field, encode_field
from isthmus.coding.squeeze import expand, squeeze
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile

_MOST = 64  # different specials; more look like data
_APART = 4.0  # a number that stands for nothing lies so many ranges of the others away from them


def find_specials(values: np.ndarray, zeros_too: bool) -> np.ndarray | None:
    """The bits of each special, sorted, unsigned; None if there are too many kinds.

    Args:
        values: floats or integers, shape (count,), not empty.
        zeros_too: 0 is special, as it has no logarithm.
    """
    bits = _bits(values)
    if values.dtype.kind == "f":
        odd = ~np.isfinite(values) | ((values == 0) & (np.signbit(values) | zeros_too))
    else:
        odd = (values == 0) & zeros_too
    kinds = np.unique(bits[odd])
    normal = values[~odd] if odd.any() else values
    fills = [
        fill for fill in (_fill(normal, np.max, np.min), _fill(normal, np.min, np.max)) if fill is not None
    ]
    kinds = np.unique(np.concatenate([kinds, *(_bits(np.array([fill], values.dtype)) for fill in fills)]))
    return kinds if kinds.size <= _MOST else None


def _fill(values: np.ndarray, end, other_end) -> np.generic | None:  # type: ignore[no-untyped-def]
    """The outermost value, if it comes often and stands far apart from all others."""
    if values.size < 2:
        return None
    outermost = end(values)
    others = values[values != outermost]
    if not others.size or (values.size - others.size) * 1000 < values.size:
        return None
    near, far = float(end(others)), float(other_end(others))
    with np.errstate(over="ignore"):
        apart = abs(float(outermost) - near) > _APART * abs(near - far) > 0
    return outermost if apart else None


def map_of(values: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Where the specials are: uint8, same shape; 0 for ordinary values, i + 1 for the special kinds[i]."""
    bits = _bits(values)
    places = np.minimum(np.searchsorted(kinds, bits), max(0, kinds.size - 1))
    found = kinds[places] == bits if kinds.size else np.zeros(values.shape, bool)
    return np.where(found, places + 1, 0).astype(np.uint8)


def specials_to_bytes(where: np.ndarray, kinds: np.ndarray, frames: int | None) -> bytes:
    """The list, and the map: as zstd of bytes, or as a field; `specials_from_bytes` undoes it.

    Args:
        where: what `map_of` gives, in the array's shape.
        kinds: bits of the specials, sorted.
        frames: the axis along which frames follow one another.
    """
    if not kinds.size:
        return b""
    raw = kinds.astype(kinds.dtype.newbyteorder("<")).tobytes()
    ways = (
        b"\0" + squeeze(where.tobytes()),
        b"\1" + encode_field(where.astype(np.float64), None, True, frames)[0],
    )
    return write_varint(len(raw)) + raw + min(ways, key=len)


def specials_from_bytes(
    data: bytes, shape: tuple[int, ...], dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """Undo `specials_to_bytes`: the map, of this shape, and the kinds as values of this dtype."""
    if not data:
        return np.zeros(shape, np.uint8), np.zeros(0, dtype)
    fields = ByteReader(data, "A map of special values")
    raw = fields.sized()
    if not raw or len(raw) % dtype.itemsize or len(raw) > _MOST * dtype.itemsize:
        raise DamagedFile("A map of special values has an impossible list of them.")
    kinds = np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype)
    where = _map_from_bytes(fields.take(1)[0], fields.rest(), shape)
    if (where < 0).any() or (where > kinds.size).any():
        raise DamagedFile("A map of special values names one that is not in its list.")
    return where.astype(np.uint8), kinds


def _map_from_bytes(way: int, data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    if way == 1:
        return decode_field(data, shape, None, True)
    raw = expand(data, math.prod(shape), "A map of special values")
    if way > 1 or len(raw) != math.prod(shape):
        raise DamagedFile("A map of special values has not the size of its field.")
    return np.frombuffer(raw, np.uint8).reshape(shape)


def _bits(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}")
