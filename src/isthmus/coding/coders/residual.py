"""Values as their difference to what the layer before restores: the autoencoder, or the bounded layer.

Lossless: the difference of the bits, read as integers in the order of the numbers, modulo 2**bits.
Bounded: whole steps of twice the bound; what rounding then still leaves outside is told in full.
Small differences of grids go through coding/wavefront.py, whose tables also know where the
prediction itself is uneven; all others through pcodec.
"""

from __future__ import annotations

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.coding.coders.base import Coder
from isthmus.coding.coders.pcodec import numbers_from_bytes, numbers_to_bytes
from isthmus.coding.coders.predictors import from_planes, planes_shape, takes, to_planes, unsigned
from isthmus.coding.coders.zstd import expand_bytes, from_little_endian, little_endian, squeeze_bytes
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.coding.wavefront import decode_planes, encode_planes
from isthmus.errors import DamagedFile

ZEROS, GRID, NUMBERS, STEPS_GRID, STEPS_NUMBERS = range(5)
MOST_STEP = 1 << 14  # a difference of more steps than this is told in full
CLASSES = 6  # of how uneven the prediction is


class Residual(Coder):
    """For any values beside a prediction of them; no bound that is pointwise."""

    uses_given = True

    def encode(
        self, values: np.ndarray, bound: Bound | None, given: np.ndarray | None = None
    ) -> bytes | None:
        """A byte that says how, then the differences."""
        assert given is not None
        if bound is not None and (bound.pointwise or values.dtype == np.bool_ or bound.value <= 0):
            bound = None  # equal values keep any bound
        differences = as_ordered(values) - as_ordered(given)
        if not differences.any():
            return bytes([ZEROS])
        if bound is None:
            return min(_pack(differences, given, GRID, NUMBERS), key=len)
        return _encode_steps(values, given, bound)

    def decode(
        self, payload: bytes, shape: tuple[int, ...], dtype: np.dtype, given: np.ndarray | None = None
    ) -> np.ndarray:
        """Undo `encode`."""
        if given is None or given.shape != shape or given.dtype != dtype:
            raise DamagedFile("A residual lacks the prediction it was made with.")
        fields = ByteReader(payload, "A residual")
        way = fields.take(1)[0]
        if way == ZEROS:
            fields.finish()
            return given.copy()
        if way in (GRID, NUMBERS):
            differences = _unpack(fields.rest(), way == GRID, given, unsigned(dtype))
            return from_ordered(as_ordered(given) + differences, dtype)
        if way in (STEPS_GRID, STEPS_NUMBERS) and dtype != np.bool_:
            return _decode_steps(fields, way == STEPS_GRID, given)
        raise DamagedFile("A residual is coded in a way that is not known.")


def as_ordered(values: np.ndarray) -> np.ndarray:
    """The values as unsigned integers in the order of the numbers; `from_ordered` undoes it.

    >>> as_ordered(np.array([-1.0, -0.0, 0.0, 1.0], np.float16)).tolist()
    [17407, 32767, 32768, 48128]
    """
    kind = unsigned(values.dtype)
    bits = np.ascontiguousarray(values).view(kind)
    if values.dtype.kind in "ub":
        return bits
    top = kind.type(1 << (8 * kind.itemsize - 1))
    if values.dtype.kind == "i":
        return np.asarray(bits ^ top)
    return np.where(bits & top, ~bits, bits | top)


def from_ordered(ordered: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Undo `as_ordered`."""
    if dtype == np.bool_:
        return np.asarray(ordered & 1).view(dtype)
    if dtype.kind == "u":
        return ordered
    top = ordered.dtype.type(1 << (8 * dtype.itemsize - 1))
    if dtype.kind == "i":
        return np.asarray(ordered ^ top).view(dtype)
    return np.where(ordered & top, ordered ^ top, ~ordered).view(dtype)


def _pack(differences: np.ndarray, given: np.ndarray, grid: int, numbers: int) -> list[bytes]:
    """Differences modulo 2**bits, in every way that can do it, the way's byte first."""
    signed = differences.view(f"i{differences.dtype.itemsize}")
    ways = [bytes([numbers]) + numbers_to_bytes(signed.ravel())]
    if takes(differences.shape, differences.dtype):
        packed = _differences_to_bytes(differences, given)
        ways.append(bytes([grid]) + packed)
    return ways


def _differences_to_bytes(differences: np.ndarray, given: np.ndarray) -> bytes:
    return encode_planes(to_planes(differences), unevenness(given))


def _unpack(data: bytes, grid: bool, given: np.ndarray, kind: np.dtype) -> np.ndarray:
    if not grid:
        signed = numbers_from_bytes(data, given.size, np.dtype(f"i{kind.itemsize}"))
        return signed.view(kind).reshape(given.shape)
    if not takes(given.shape, kind):
        raise DamagedFile("A residual is coded as a grid that it cannot be.")
    planes = decode_planes(data, planes_shape(given.shape), kind, unevenness(given))
    return from_planes(planes, given.shape)


def unevenness(given: np.ndarray) -> np.ndarray:
    """A class for each value of a prediction, from its differences to its neighbours: 0 where flat.

    uint8, shape (group, plane, height, width). The classes above 0 are of about one size. Only
    integers are compared, so every machine finds the same classes.
    """
    planes = to_planes(as_ordered(given))
    rough = np.zeros_like(planes)
    for axis in (2, 3):
        first, second = (_cut(axis, slice(None, -1)), _cut(axis, slice(1, None)))
        apart = np.maximum(planes[first], planes[second]) - np.minimum(planes[first], planes[second])
        for side in (first, second):
            np.maximum(rough[side], apart, out=rough[side])
    uneven = np.sort(rough[rough > 0])
    classes = np.zeros(planes.shape, np.uint8)
    if uneven.size:
        limits = uneven[np.arange(CLASSES - 1) * uneven.size // (CLASSES - 1)]
        for limit in np.unique(limits):
            classes += rough >= limit
    return classes


def _cut(axis: int, part: slice) -> tuple[slice, ...]:
    return (*[slice(None)] * axis, part)


def _encode_steps(values: np.ndarray, given: np.ndarray, bound: Bound) -> bytes:
    step = step_of(bound, values.dtype)
    steps = _whole_steps(values, given, step)
    restored = _stepped(given, steps, step)
    told = np.flatnonzero(~bound.kept(values, restored).ravel())
    steps.reshape(-1)[told] = 0
    start = np.float64(step).astype("<f8").tobytes() + _told_to_bytes(values, told)
    ways = _pack(steps.view(np.uint16), given, STEPS_GRID, STEPS_NUMBERS)
    return min((way[:1] + start + way[1:] for way in ways), key=len)


def _decode_steps(fields: ByteReader, grid: bool, given: np.ndarray) -> np.ndarray:
    step = float(np.frombuffer(fields.take(8), "<f8")[0])
    whole = given.dtype.kind == "f" or (1 <= step <= 2.0**63 and step == int(step))
    if not (np.isfinite(step) and step > 0 and whole):
        raise DamagedFile("A residual has a step that cannot be.")
    places, told = _told_from_bytes(fields, given)
    steps = _unpack(fields.rest(), grid, given, np.dtype(np.uint16)).view(np.int16)
    restored = _stepped(given, steps, step)
    restored.reshape(-1)[places] = told
    return restored


def step_of(bound: Bound, dtype: np.dtype) -> float:
    """The distance between neighbouring restored values: whole for integers, so that it is exact."""
    if dtype.kind == "f":
        return float(np.clip(2 * bound.value, np.finfo(np.float64).tiny, np.finfo(np.float64).max / 4))
    return float(2 * min(int(bound.value), 1 << 30) + 1)


def _whole_steps(values: np.ndarray, given: np.ndarray, step: float) -> np.ndarray:
    with np.errstate(all="ignore"):
        if values.dtype.kind == "f":
            far = values.astype(np.float64) - given.astype(np.float64)
        else:
            far = (
                (as_ordered(values) - as_ordered(given)).view(f"i{values.dtype.itemsize}").astype(np.float64)
            )
        steps = np.rint(far / step)
    small = np.abs(steps) <= MOST_STEP  # False for NaN
    return np.where(small, steps, 0).astype(np.int16)


def _stepped(given: np.ndarray, steps: np.ndarray, step: float) -> np.ndarray:
    """The prediction, moved by whole steps; what leaves the type's range is told in full anyway."""
    with np.errstate(all="ignore"):
        if given.dtype.kind == "f":
            return (given.astype(np.float64) + steps * step).astype(given.dtype)
        moved = as_ordered(given) + (steps.astype(np.int64) * int(step)).astype(unsigned(given.dtype))
        return from_ordered(moved, given.dtype)


def _told_to_bytes(values: np.ndarray, places: np.ndarray) -> bytes:
    """Values at some places, with the places as distances."""
    if not places.size:
        return write_varint(0)
    gaps = squeeze_bytes(np.diff(places, prepend=0).astype("<u4").tobytes())
    raw = squeeze_bytes(little_endian(values.reshape(-1)[places]).tobytes())
    return write_varint(places.size) + b"".join(write_varint(len(part)) + part for part in (gaps, raw))


def _told_from_bytes(fields: ByteReader, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = fields.varint()
    if not count:
        return np.zeros(0, np.int64), np.zeros(0, given.dtype)
    if count > given.size:
        raise DamagedFile("A residual tells more values than it has.")
    gaps = np.frombuffer(expand_bytes(fields.sized(), 4 * count), "<u4")
    raw = expand_bytes(fields.sized(), given.dtype.itemsize * count)
    places = np.cumsum(gaps, dtype=np.int64)
    if places[-1] >= given.size or (gaps[1:] == 0).any():
        raise DamagedFile("A residual tells values at places that it has not.")
    return places, from_little_endian(raw, (count,), given.dtype)
