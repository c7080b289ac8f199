"""Why a row is odd: the cells without which it would be less so, and what was expected in their place.

Each cell in turn is taken away, the members say from the other cells what it should be, and the row is
scored with that instead. A cell is a reason as far as the score falls, unless it is what was expected; where
every such cell is, their combination is the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from isthmus.data.tables.features import BITS, ONE_HOT, ColumnFeatures, squashed, unsquashed
from isthmus.data.tables.seen import NEVER
from isthmus.data.tables.table import Cells, Table, shown
from isthmus.model.detector import Detector

MOST_TRIED = 40
"""Columns of a row that are tried: those that look oddest by themselves and to the members."""
LEAST_SHARE = 0.2
"""Of the first reason's weight, that a further one must have."""
RANGE_ROWS = 256
RANGE = (0.05, 0.95)
"""Quantiles between which a number was expected."""
LEAST_UNUSUAL = 2.0
"""Usual spreads from which on a text's spelling or length is a reason."""


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
    combined: bool = False
    """Whether the cell is usual by itself, and unusual beside the other reasons."""
    known: str | None = None
    """What the column held while learning, where this value was never there: "always -1 in training"."""

    def sentence(self) -> str:
        """For people: "amount 9850 (expected 120 to 310)", "retries 250 (always -1 in training)"."""
        seen = "missing" if self.seen is None else self.seen
        if self.known is not None:
            return f"{self.column} {seen} ({self.known})"
        if self.low is not None and self.low != self.high:
            return f"{self.column} {seen} (expected {self.low} to {self.high})"
        return f"{self.column} {seen}" + ("" if self.expected is None else f" (expected {self.expected})")


def sentence(why: Sequence[Reason]) -> str:
    """All reasons of a row in one.

    >>> sentence([Reason(name, "1", None, None, None, 0.5, combined=True) for name in "ab"])
    'unusual combination: a 1, b 1'
    """
    if len(why) > 1 and why[0].combined:
        return f"unusual combination: {', '.join(reason.sentence() for reason in why)}"
    return "; ".join(reason.sentence() for reason in why)


def reasons(detector: Detector, table: Table, rows: Sequence[int], most: int = 3) -> list[list[Reason]]:
    """Why each of some rows is odd, the weightiest cell first.

    Each reason speaks for itself, or all of them are combined.

    Args:
        detector: gave the scores.
        table: holds the rows.
        rows: their places.
        most: reasons a row.
    """
    some = table.select(detector.features.schema.names).take(np.array(rows, np.int64))
    matrix, novelty = detector.features.matrix(some), detector.features.novelty(some)
    scores = detector.scores_of(matrix, novelty)
    explainer = _Explainer(detector)
    return [
        explainer.of(some, row, matrix[row], novelty[:, row], float(scores[row]), most)
        for row in range(len(rows))
    ]


class _Explainer:
    """Tries other values in the cells of a row."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._columns = detector.features.columns
        self._owners = detector.features.owners
        self._range = lru_cache(maxsize=None)(self._range_of)

    def of(
        self, table: Table, row: int, features: np.ndarray, novelty: np.ndarray, score: float, most: int
    ) -> list[Reason]:
        tried = self._tried(features, novelty)
        others = np.tile(features, (len(tried), 1))
        still_new = np.where(tried[:, None] == np.arange(len(self._columns)), 0.0, novelty[:, None])
        expected = self._expected(features, tried)
        for place, column in enumerate(tried):
            mine = self._owners == column
            others[place, mine] = self._as_written(self._columns[column], expected[place, mine])
        falls = score - self._detector.scores_of(others, still_new)
        order = np.argsort(-falls, kind="stable")
        least = max(1e-9, LEAST_SHARE * float(falls[order[0]])) if len(order) else 0.0
        weighty = [place for place in order if falls[place] >= least]
        found: list[Reason] = []
        for place in weighty or order[:1]:  # no cell alone: the one that looks oddest
            cells = table.columns[tried[place]]
            one = self._reason(cells, row, tried[place], expected[place], float(falls[place]))
            found += [one] if one is not None else []
            if len(found) == most:
                break
        return found or [
            _combined(table.columns[tried[place]], row, float(falls[place]))
            for place in order[: min(most, max(2, len(weighty)))]
        ]

    def _tried(self, features: np.ndarray, novelty: np.ndarray) -> np.ndarray:
        """The columns that may be reasons; those with new values first."""
        alone = squashed(features)
        rest = alone - self._detector.members.restore(alone[None].astype(np.float32))[0]
        odd = np.zeros(len(self._columns))
        np.maximum.at(odd, self._owners, np.abs(alone) + np.abs(rest))
        return np.argsort(-(odd + 100 * novelty.sum(axis=0)), kind="stable")[:MOST_TRIED]

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

    def _reason(self, cells: Cells, row: int, place: int, expected: np.ndarray, fall: float) -> Reason | None:
        """What speaks against a cell; None where it is what was expected."""
        features, name, seen = self._columns[place], cells.column.name, cells.text(row)
        if row in cells.strays:
            return Reason(name, seen, f"a {cells.column.noun}", None, None, fall)
        known = features.seen.known(cells, row)
        if features.spread and known in (None, NEVER):
            found = self._of_number(cells, row, place, expected, fall)
            if found is not None or known is None:
                return found
        wanted = features.expected(expected[self._owners == place])
        if known is not None:
            return Reason(name, seen, wanted, None, None, fall, known=known)
        if wanted is None and seen is not None:
            wanted = _unlike(features, cells.take(np.array([row])))
        says_nothing = wanted == seen or (wanted is None and seen is not None)
        return None if says_nothing else Reason(name, seen, wanted, None, None, fall)

    def _of_number(
        self, cells: Cells, row: int, place: int, expected: np.ndarray, fall: float
    ) -> Reason | None:
        assert cells.numbers is not None
        mine = np.flatnonzero(self._owners == place)[0]
        less, more = self._range(place)
        ends = unsquashed(np.array([expected[mine] + less, expected[mine] + more]))
        kept = self._detector.kept[:, mine]
        ends = np.clip(ends, kept.min(), kept.max())  # no count below 0, where there never was one
        likely = np.clip(unsquashed(expected[mine : mine + 1])[0], *ends)
        features, number = self._columns[place], float(cells.numbers[row])
        low, best, high = (
            at * features.spread + features.middle for at in (float(ends[0]), float(likely), float(ends[1]))
        )
        least, wanted, most, here = (shown(cells.column, one) for one in (low, best, high, number))
        if low <= number <= high or here in (least, most):
            return None
        return Reason(cells.column.name, cells.text(row), wanted, least, most, fall)

    def _range_of(self, column: int) -> tuple[float, float]:
        """How far below and above what is expected the cells of a column usually are, squashed."""
        kept = squashed(self._detector.kept[:RANGE_ROWS]).astype(np.float32)
        place = int(np.flatnonzero(self._owners == column)[0])
        blind = np.where(self._owners == column, 0, kept).astype(np.float32)
        away = kept[:, place] - self._detector.members.restore(blind)[:, place]
        low, high = np.quantile(away, RANGE)
        return float(low), float(high)


def _combined(cells: Cells, row: int, fall: float) -> Reason:
    return Reason(cells.column.name, cells.text(row), None, None, None, fall, combined=True)


def _unlike(features: ColumnFeatures, cell: Cells) -> str | None:
    """What would be more like the column than a word or text that nothing better is known for."""
    if features.wording is not None:
        spelling, length = features.wording.matrix(cell)[0]
        if max(spelling, abs(length)) < LEAST_UNUSUAL:
            return None
        return (
            "another spelling"
            if spelling > abs(length)
            else f"a {'shorter' if length > 0 else 'longer'} text"
        )
    is_rare = len(features.labels) and features.surprise(cell)[0] > features.bits[3:-1].min() + 1
    return "a more frequent value" if is_rare else None
