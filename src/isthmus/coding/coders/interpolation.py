"""Fields: each value from its neighbours in all directions, within any bound or to the bit.

The payload: sized scale; sized specials; sized side, which is empty, the map of signs, or the low bits;
sized escapes; then the units as a field. docs/format.md has each of them.
"""

from __future__ import annotations

import math

import numpy as np

from isthmus.coding.bound import Bound, same_bits
from isthmus.coding.coders.base import Coder
from isthmus.coding.fields.choices import View, views
from isthmus.coding.fields.engine import TooRoughError, decode_field, encode_field
from isthmus.coding.fields.escapes import escapes_to_bytes, fill_escapes
from isthmus.coding.fields.scales import Logarithmic, Ordered, Scale, scale_from_bytes
from isthmus.coding.fields.specials import find_specials, map_of, specials_from_bytes, specials_to_bytes
from isthmus.coding.squeeze import expand, squeeze
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile

MAX_AXES = 5  # more are merged from the front
_TRIALS = ((1 << 16, 1.15), (1 << 18, 1.01))
"""Axes of frames are tried on a part of so many values, if the array has twice as many: the best is left,
and those that took at most so many times its bytes."""
_MOST_WRONG = 0.25  # of the values may be escapes; beyond it, another coder is better


class Interpolation(Coder):
    """Codes arrays that vary smoothly along some of their axes; see isthmus.coding.fields."""

    def encode(
        self, values: np.ndarray, bound: Bound | None, given: np.ndarray | None = None
    ) -> bytes | None:
        """Bytes, or None where the values are of a kind that no unit fits."""
        if not values.size:
            return b""
        plain = np.ascontiguousarray(values).view(np.uint8) if values.dtype == np.bool_ else values
        flat = np.ascontiguousarray(plain).reshape(_shape(values.shape))
        kinds = find_specials(flat.ravel(), zeros_too=bound is not None and bound.pointwise)
        if kinds is None:
            return None
        where = map_of(flat, kinds)
        with np.errstate(all="ignore"):
            made = [_encode_view(view, flat, where, kinds, bound) for view in views(flat[where == 0], bound)]
        return min((payload for payload in made if payload is not None), key=len, default=None)

    def decode(
        self, payload: bytes, shape: tuple[int, ...], dtype: np.dtype, given: np.ndarray | None = None
    ) -> np.ndarray:
        """The values again, the same on every machine."""
        if not math.prod(shape):
            if payload:
                raise DamagedFile("A field without values must have no bytes.")
            return np.zeros(shape, dtype)
        kind = np.dtype(np.uint8) if dtype == np.bool_ else dtype
        with np.errstate(all="ignore"):
            values = _decode(payload, _shape(shape), kind.newbyteorder("="))
        if dtype == np.bool_ and values.max() > 1:
            raise DamagedFile("A field of truth values holds something else.")
        return values.reshape(shape).astype(dtype, copy=False)


def _encode_view(
    view: View, values: np.ndarray, where: np.ndarray, kinds: np.ndarray, bound: Bound | None
) -> bytes | None:
    mask = where > 0 if kinds.size else None
    units = np.zeros(values.shape)
    units[where == 0] = view.units
    try:
        frames, field, restored_units = _smallest(units, mask, view.scale.whole)
        side = _side(view, where, frames)
        specials = specials_to_bytes(where, kinds, frames)
    except TooRoughError:
        return None
    restored = _restored(view.scale, restored_units, side, where, values.dtype)
    restored[where > 0] = values[where > 0]
    kept = same_bits(values, restored) if bound is None else bound.kept(values, restored)
    wrong = np.flatnonzero(~kept)
    if wrong.size > _MOST_WRONG * values.size + 8:
        return None
    escapes = escapes_to_bytes(values.ravel(), restored.ravel(), wrong)
    parts = (view.scale.to_bytes(), specials, side, escapes)
    return b"".join(write_varint(len(part)) + part for part in parts) + field


def _smallest(
    units: np.ndarray, mask: np.ndarray | None, whole: bool
) -> tuple[int | None, bytes, np.ndarray]:
    """The best axis of frames, the field coded with it, and what it will be restored to."""
    best: tuple[int | None, bytes, np.ndarray] | None = None
    for frames in _likely_frames(units, mask, whole):
        field, restored = encode_field(units, mask, whole, frames)
        if best is None or len(field) < len(best[1]):
            best = frames, field, restored
    assert best is not None
    return best


def _decode(payload: bytes, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    fields = ByteReader(payload, "A field")
    scale, specials, side, escapes = scale_from_bytes(fields.sized()), *(fields.sized() for _ in range(3))
    where, kinds = specials_from_bytes(specials, shape, dtype)
    units = decode_field(fields.rest(), shape, where > 0 if kinds.size else None, scale.whole)
    values = np.ascontiguousarray(_restored(scale, units, side, where, dtype))
    if kinds.size:
        values[where > 0] = kinds[where[where > 0] - 1]
    fill_escapes(escapes, values.reshape(-1))
    return values


def _side(view: View, where: np.ndarray, frames: int | None) -> bytes:
    """What goes along with the units: low bits, or where a logarithm's value is negative."""
    if view.low is not None:
        planes = view.low.astype("<u8").view(np.uint8).reshape(-1, 8).T[: (view.low_bits + 7) // 8]
        return squeeze(planes.tobytes())
    if view.negative is None or not view.negative.any():
        return b""
    signs = np.zeros(where.shape)
    signs[where == 0] = view.negative
    return encode_field(signs, where > 0, True, frames)[0]


def _restored(scale: Scale, units: np.ndarray, side: bytes, where: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Units and what goes along with them → values, anything at the places of specials."""
    if isinstance(scale, Ordered) and scale.shift:
        low = np.zeros(units.shape, np.uint64)
        low[where == 0] = _low_bits(side, int((where == 0).sum()), scale.shift)
        return scale.restore(units, dtype, low)
    values = scale.restore(units, dtype)
    if isinstance(scale, Logarithmic) and side:
        negative = decode_field(side, units.shape, where > 0, True) > 0
        values = np.where(negative, -values, values)
    elif side:
        raise DamagedFile("A field holds more than its scale calls for.")
    return values


def _low_bits(side: bytes, count: int, shift: int) -> np.ndarray:
    planes = (shift + 7) // 8
    raw = expand(side, planes * count, "The low bits of a field")
    if len(raw) != planes * count:
        raise DamagedFile("The low bits of a field have not the length of its values.")
    wide = np.zeros((count, 8), np.uint8)
    wide[:, :planes] = np.frombuffer(raw, np.uint8).reshape(planes, count).T
    return wide.reshape(-1).view("<u8").astype(np.uint64) & np.uint64((1 << shift) - 1)


def _likely_frames(units: np.ndarray, mask: np.ndarray | None, whole: bool) -> list[int | None]:
    """The axes along which frames may follow one another that do best on a part from the middle."""
    axes: list[int | None] = [None, *(axis for axis in range(units.ndim) if units.ndim > 1)]
    for size, margin in _TRIALS:
        if len(axes) > 1 and units.size >= 2 * size:
            part = _middle(units.shape, size)
            shown = None if mask is None else mask[part]
            coded = {axis: len(encode_field(units[part], shown, whole, axis)[0]) for axis in axes}
            least = min(coded.values())
            axes = [axis for axis in axes if coded[axis] <= margin * least]
    return axes


def _middle(shape: tuple[int, ...], most: int) -> tuple[slice, ...]:
    """At most so many values, cut from the longest axes."""
    sizes = list(shape)
    while math.prod(sizes) > most:
        longest = sizes.index(max(sizes))
        sizes[longest] = (sizes[longest] + 1) // 2
    starts = [(whole - size) // 2 for whole, size in zip(shape, sizes, strict=True)]
    return tuple(slice(start, start + size) for start, size in zip(starts, sizes, strict=True))


def _shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The same values with no axis of one, and few axes."""
    sizes = [size for size in shape if size > 1] or [1]
    merged = len(sizes) - MAX_AXES + 1
    return tuple(sizes) if merged < 2 else (math.prod(sizes[:merged]), *sizes[merged:])
