"""The numbers of a table, and what they let expect of one another: weighted sums in integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isthmus.coding.columns.plan import Column, Input
from isthmus.coding.columns.rows import Rows

FACTOR_BITS = 31
"""Of either factor of a product; it is cut off there."""
SUM_BITS = 59
"""Of a weight and an input together, which is cut off where it has more: so that no sum overflows."""


class Numbers:
    """The values of columns, as far as they are known.

    Args:
        rows: of the table.
        middles: of each column: what stands where nothing is known, and what is taken off inputs.
    """

    def __init__(self, rows: Rows, middles: Sequence[int]) -> None:
        self.rows, self.middles = rows, list(middles)
        self._values = [np.full(rows.all + 1, middle, np.int64) for middle in middles]

    def fill(self, column: int, at: np.ndarray, values: np.ndarray) -> None:
        """Take in values."""
        self._values[column][at] = values

    def predict(self, column: Column, at: np.ndarray) -> np.ndarray:
        """What the inputs of a column say of its values in these rows."""
        total, inputs = np.zeros(len(at), np.int64), column.inputs or ()
        bits = max((abs(each.weight).bit_length() for each in inputs), default=0)
        for each in inputs:
            total += each.weight * _cut(self.input(each, at), SUM_BITS - bits)
        rounded = total + (1 << column.shift >> 1) >> column.shift
        return np.clip(rounded + column.middle, column.low, column.high)

    def input(self, each: Input, at: np.ndarray) -> np.ndarray:
        """One input."""
        found = self._centred(each.column, each.back, at)
        if each.other < 0:
            return found
        other = self._centred(each.other, each.other_back, at)
        return _cut(found, FACTOR_BITS) * _cut(other, FACTOR_BITS) >> each.shift

    def _centred(self, column: int, back: int, at: np.ndarray) -> np.ndarray:
        values = self._values[column][self.rows.before(at, back) if back else at]
        return values - self.middles[column]


def _cut(values: np.ndarray, bits: int) -> np.ndarray:
    return np.clip(values, -(1 << bits), 1 << bits)
