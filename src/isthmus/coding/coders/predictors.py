"""Pictures and grids of small integers: what PNG and JPEG-LS do, across all items of a block.

Every value is predicted from its neighbours; the distance is coded by a table that the neighbours'
own distances choose (coding/wavefront.py). Colours may first be replaced by their differences to green.
"""

from __future__ import annotations

import math

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.coding.coders.base import Coder
from isthmus.coding.wavefront import decode_planes, encode_planes, steps_of
from isthmus.errors import DamagedFile

PLAIN, LESS_GREEN = 0, 1
COLOURS = (3, 4)
LEAST_PER_STEP = 64  # values of a step; fewer, and the loop over steps takes longer than it is worth
SMALL = 1 << 12  # values that are done soon in any case
MOST_VALUES = 1 << 26


class Predictors(Coder):
    """For integers of 8 and 16 bits in two axes or more; the bound is not used."""

    def encode(
        self, values: np.ndarray, bound: Bound | None, given: np.ndarray | None = None
    ) -> bytes | None:
        """A byte for the colours, then the planes; None for what is no such grid."""
        if not takes(values.shape, values.dtype):
            return None
        planes = to_planes(as_unsigned(values))
        if len(planes) not in COLOURS:
            return bytes([PLAIN]) + encode_planes(planes)
        ways = [
            bytes([PLAIN]) + encode_planes(planes),
            bytes([LESS_GREEN]) + encode_planes(_less_green(planes)),
        ]
        return min(ways, key=len)

    def decode(
        self, payload: bytes, shape: tuple[int, ...], dtype: np.dtype, given: np.ndarray | None = None
    ) -> np.ndarray:
        """Undo `encode`."""
        if not takes(shape, dtype) or not payload or payload[0] > LESS_GREEN:
            raise DamagedFile("A block of pictures is coded in a way that is not known.")
        layout = planes_shape(shape)
        planes = decode_planes(payload[1:], layout, unsigned(dtype))
        if payload[0] == LESS_GREEN:
            if layout[0] not in COLOURS:
                raise DamagedFile("A block of pictures has differences to a green that it lacks.")
            planes = _plus_green(planes)
        return from_unsigned(from_planes(planes, shape), dtype)


def takes(shape: tuple[int, ...], dtype: np.dtype) -> bool:
    """Whether a grid of this shape and type can be coded in reasonable time."""
    size = math.prod(shape)
    if dtype.kind not in "iu" or dtype.itemsize > 2 or len(shape) < 2 or not 0 < size <= MOST_VALUES:
        return False
    height, width = planes_shape(shape)[2:]
    return size <= SMALL or steps_of(height, width) * LEAST_PER_STEP <= size


def planes_shape(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The layout (group, plane, height, width) of a block.

    >>> planes_shape((5, 8, 9)), planes_shape((5, 8, 9, 3)), planes_shape((5, 7)), planes_shape((2, 3, 8, 9))
    ((1, 5, 8, 9), (3, 5, 8, 9), (1, 5, 1, 7), (1, 6, 8, 9))
    """
    if len(shape) == 2:
        return 1, shape[0], 1, shape[1]
    if len(shape) == 4 and shape[3] in COLOURS:
        return shape[3], shape[0], shape[1], shape[2]
    return 1, math.prod(shape[:-2]), shape[-2], shape[-1]


def to_planes(values: np.ndarray) -> np.ndarray:
    """A block as (group, plane, height, width); colours become groups."""
    if values.ndim == 4 and values.shape[3] in COLOURS:
        return np.ascontiguousarray(np.moveaxis(values, 3, 0))
    return values.reshape(planes_shape(values.shape))


def from_planes(planes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo `to_planes`."""
    if len(shape) == 4 and shape[3] in COLOURS:
        return np.ascontiguousarray(np.moveaxis(planes, 0, 3))
    return planes.reshape(shape)


def unsigned(dtype: np.dtype) -> np.dtype:
    """The unsigned type of the same size."""
    return np.dtype(f"u{dtype.itemsize}")


def as_unsigned(values: np.ndarray) -> np.ndarray:
    """Integers as unsigned ones in the same order: the least becomes 0."""
    if values.dtype.kind == "u":
        return values
    flipped: np.ndarray = values.view(unsigned(values.dtype)) ^ _top_bit(values.dtype)
    return flipped


def from_unsigned(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Undo `as_unsigned`."""
    return values if dtype.kind == "u" else (values ^ _top_bit(dtype)).view(dtype)


def _top_bit(dtype: np.dtype) -> np.ndarray:
    return np.array(1 << (8 * dtype.itemsize - 1), unsigned(dtype))


def _less_green(planes: np.ndarray) -> np.ndarray:
    """Red and blue as differences to green, modulo 2**bits; what else there is stays."""
    green = planes[1:2]
    return np.concatenate([planes[:1] - green, green, planes[2:3] - green, planes[3:]])


def _plus_green(planes: np.ndarray) -> np.ndarray:
    green = planes[1:2]
    return np.concatenate([planes[:1] + green, green, planes[2:3] + green, planes[3:]])
