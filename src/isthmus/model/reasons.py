"""Why a row is odd: the cells without which it would be less so, and what was expected in their place.

Each cell in turn is taken away, the members say from the other cells what it should be, and the row is
scored with that instead. A cell is a reason as far as the score falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from isthmus.data.tables.features import BITS, ONE_HOT, ColumnFeatures, squashed, unsquashed
from isthmus.data.tables.table import Cells, Table, shown
from isthmus.model.detector import Detector

MOST_TRIED = 40
"""Columns of a row that are tried: those that look oddest by themselves and to the members."""
LEAST_SHARE = 0.2
"""Of the first reason's weight, that a further one must have."""
RANGE_ROWS = 256
RANGE = (0.05, 0.95)
"""Quantiles between which a number was expected."""


@dataclass(frozen=True)
class Reason:
    """One cell."""

    column: str
    seen: str | None
    """As it stands there; None where it is missing."""
    expected: str | None
    """The value that fits the other cells best; None where nothing can be said."""
    low: str | None
    """Of a number, the least that was to be expected …"""
    high: str | None
    """… and the greatest."""
    weight: float
    """By how much the row's score falls where the expected value stands instead."""

    def sentence(self) -> str:
        """For people: "amount 9850 (expected 120 to 310)"."""
        seen = "missing" if self.seen is None else self.seen
        if self.low is not None and self.low != self.high:
            return f"{self.column} {seen} (expected {self.low} to {self.high})"
        return f"{self.column} {seen}" + ("" if self.expected is None else f" (expected {self.expected})")


def reasons(detector: Detector, table: Table, rows: Sequence[int], most: int = 3) -> list[list[Reason]]:
    """Why each of some rows is odd, the weightiest cell first.

    Args:
        detector: gave the scores.
        table: holds the rows.
        rows: their places.
        most: reasons a row.
    """
    some = table.select(detector.features.schema.names).take(np.array(rows, np.int64))
    matrix = detector.features.matrix(some)
    new = detector.features.novelty(some).clip(min=0) / BITS
    scores = detector.scores_of(matrix) if len(rows) else np.zeros(0)
    explainer = _Explainer(detector)
    return [
        explainer.of(some, row, matrix[row], new[row], float(scores[row]))[:most] for row in range(len(rows))
    ]


class _Explainer:
    """Tries other values in the cells of a row."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._columns = detector.features.columns
        self._owners = detector.features.owners
        self._range = lru_cache(maxsize=None)(self._range_of)

    def of(self, table: Table, row: int, features: np.ndarray, new: np.ndarray, score: float) -> list[Reason]:
        tried = self._tried(features, new)
        others = np.tile(features, (len(tried), 1))
        expected = self._expected(features, tried)
        for place, column in enumerate(tried):
            mine = self._owners == column
            others[place, mine] = self._as_written(self._columns[column], expected[place, mine])
        falls = score - self._detector.scores_of(others) + new[tried]
        order = np.argsort(-falls)
        least = max(1e-9, LEAST_SHARE * float(falls[order[0]])) if len(order) else 0.0
        weighty = [place for place in order if falls[place] >= least]
        return [
            self._reason(table.columns[tried[place]], row, tried[place], expected[place], float(falls[place]))
            for place in weighty or range(min(1, len(tried)))  # no cell alone: the one that looks oddest
        ]

    def _tried(self, features: np.ndarray, new: np.ndarray) -> np.ndarray:
        """The columns that may be reasons."""
        alone = squashed(features)
        rest = alone - self._detector.members.restore(alone[None].astype(np.float32))[0]
        odd = np.zeros(len(self._columns))
        np.maximum.at(odd, self._owners, np.abs(alone) + np.abs(rest))
        return np.argsort(-(odd + 100 * new), kind="stable")[:MOST_TRIED]

    def _expected(self, features: np.ndarray, tried: np.ndarray) -> np.ndarray:
        """float64 (tried, features): what the members make of the row without the cell."""
        blind = np.tile(squashed(features).astype(np.float32), (len(tried), 1))
        blind[self._owners[None] == tried[:, None]] = 0
        return self._detector.members.restore(blind).astype(np.float64)

    def _as_written(self, column: ColumnFeatures, expected: np.ndarray) -> np.ndarray:
        """The features of the cell that is expected, not squashed."""
        made, words = np.zeros(len(expected)), column.own_words
        if column.spread:
            made[0] = float(unsquashed(expected[:1])[0])
        bits = 0.0
        if len(words):
            likely = int(np.argmax(expected[words]))
            made[words[likely]] = ONE_HOT
            bits = float(column.bits[3 + column.frequent[likely]])
        if column.varies:
            made[-1] = bits / BITS
        return made

    def _reason(self, cells: Cells, row: int, column: int, expected: np.ndarray, fall: float) -> Reason:
        mine, features = self._owners == column, self._columns[column]
        restored = expected[mine]
        low = high = None
        if features.spread:
            less, more = self._range(column)
            ends = unsquashed(np.array([restored[0] + less, restored[0] + more]))
            seen = self._detector.kept[:, np.flatnonzero(mine)[0]]
            ends = np.clip(ends, seen.min(), seen.max())  # no count below 0, where there never was one
            low, high = (shown(cells.column, end * features.spread + features.middle) for end in ends)
            restored = np.append(np.clip(unsquashed(restored[:1]), ends[0], ends[1]), restored[1:])
        return Reason(cells.column.name, cells.text(row), features.expected(restored), low, high, fall)

    def _range_of(self, column: int) -> tuple[float, float]:
        """How far below and above what is expected the cells of a column usually are, squashed."""
        kept = squashed(self._detector.kept[:RANGE_ROWS]).astype(np.float32)
        place = int(np.flatnonzero(self._owners == column)[0])
        blind = np.where(self._owners == column, 0, kept).astype(np.float32)
        away = kept[:, place] - self._detector.members.restore(blind)[:, place]
        low, high = np.quantile(away, RANGE)
        return float(low), float(high)
