"""The proof that a product's every partial sum, in any order, is a whole number that a float holds.

A float32 holds every whole number up to 2**24, a float64 up to 2**53. If the magnitudes of all
terms of a sum stay below that together, each partial sum is exact, whatever the order, the number of
threads or the instruction set: floats then merely carry integers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isthmus.exact.ops import Scale
from isthmus.exact.weights import IntegerWeights

FLOAT32_UNITS = 2.0**24 - 2
FLOAT64_UNITS = 2.0**52
"""Half of what float64 holds: the proof itself is computed in it."""
_MAX_SHIFT = 120
"""Weights times 2**±120 are still normal float32 numbers."""


@dataclass(frozen=True, eq=False)
class Product:
    """A linear or convolution layer in integers: floor(Σ weight · input + plus + bias + 1/2).

    All in units of the result, which are powers of two, so that every number here is exact.
    """

    weight: np.ndarray
    """The carrier's type, in PyTorch's layout."""
    bias: np.ndarray
    """(rows,), with 1/2 for the rounding where there is any."""
    plus: float
    """What one unit of the second input is worth; 0 where there is none."""

    @property
    def carrier(self) -> np.dtype:
        """float32 where the sums are proven to fit, else float64."""
        return self.weight.dtype


def proven(
    weight: IntegerWeights, bias: IntegerWeights, given: Scale, made: Scale, plus: Scale | None = None
) -> Product:
    """The layer in units of `made`, in the smallest carrier that holds all its sums.

    Raises:
        ValueError: no carrier is proven to.
    """
    rows = weight.values.reshape(len(weight.values), -1)
    unit = given.exponent + weight.exponents.astype(np.intc)  # log2 of one unit of each row's sum
    shift = unit - made.exponent
    if np.abs(shift).max(initial=0) > _MAX_SHIFT or rows.shape[1] >= 1 << 24:
        raise ValueError("a layer whose scales lie too far apart")
    starts = np.floor(np.ldexp(bias.values.astype(np.float64), int(bias.exponents[0]) - unit) + 0.5)
    units = _units(row_reach(rows, given), np.abs(starts), shift, made, plus)
    if not units <= FLOAT64_UNITS:
        raise ValueError("a layer whose sums outgrow float64")
    carrier = np.float32 if units <= FLOAT32_UNITS else np.float64
    each = shift.reshape(-1, *[1] * (weight.values.ndim - 1))
    return Product(
        weight=np.ldexp(weight.values.astype(carrier), each),
        bias=(np.ldexp(starts, shift) + 0.5).astype(carrier),
        plus=0.0 if plus is None else 2.0 ** (plus.exponent - made.exponent),
    )


def row_reach(rows: np.ndarray, given: Scale) -> np.ndarray:
    """The largest magnitude that a row's sum, or a part of it, can have: int64 (rows,).

    >>> row_reach(np.int8([[3, -2]]), Scale(0, -1, 10)).tolist()
    [32]
    """
    wide = rows.astype(np.int64)
    above = np.maximum(wide, 0).sum(axis=1)
    below = above - wide.sum(axis=1)
    return np.maximum(above * given.high - below * given.low, below * given.high - above * given.low)


def _units(
    reach: np.ndarray, starts: np.ndarray, shift: np.ndarray, made: Scale, plus: Scale | None
) -> float:
    """The largest sum of any row, counted in the finest unit that any of its terms has."""
    used = (reach > 0) | (starts > 0)
    finest = np.minimum(np.where(used, shift, 0), -1)  # -1: the 1/2
    total = np.ldexp(reach.astype(np.float64) + starts, shift) + 0.5
    if plus is not None:
        finest = np.minimum(finest, plus.exponent - made.exponent)
        total = total + np.ldexp(float(plus.largest), plus.exponent - made.exponent)
    return float(np.ldexp(total, -finest).max(initial=0.0))
