"""Cells of a column → which values it held; other cells → bits of surprise at values that it never held.

How rare an unseen value is follows from how many values were seen only once: where nearly every cell is new,
as in names and amounts, one more new value is nothing special; where all cells were alike, another value is.
A number is the more surprising the farther it is from those that were seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.data.tables.schema import Column
from isthmus.data.tables.table import NO_CODE, Cells, shown

PRESENT, ABSENT, STRAY = range(3)
HUGE = 1e150
"""No number is farther from 0 than this, so that squares and differences stay finite."""
FARTHEST = 1e6
"""Usual spreads that a number may be away."""
SAME = 1e-6
"""Of a column's spread, or of its size where it never varied: numbers that are nearer count as equal."""
FEW_NUMBERS = 20
"""Different numbers up to which a column counts as one of codes and flags, as words do."""
MOST_NUMBERS = 1024
"""Different numbers that are remembered; of more, the least and the greatest."""
MOST_NEW = 0.5
"""Share of cells with a value of their own above which values are not worth remembering."""
NEVER = "never in training"
MOST_LISTED = 3
"""Values that a sentence for people lists."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SeenValues:
    """The values that a column held.

    >>> column = Column(name="retries", kind="integer")
    >>> seen = SeenValues.learn(Cells(column, np.full(500, -1.0)), spread=0.0)
    >>> later = Cells(column, np.array([-1.0, 250.0, np.nan]))
    >>> seen.bits(later).round().tolist()
    [[0.0, 18.0, 10.0], [0.0, 0.0, 0.0]]
    >>> [seen.known(later, row) for row in range(3)]
    [None, 'always -1 in training', 'never missing in training']
    """

    events: np.ndarray
    """int64 (3,): how many cells were PRESENT, ABSENT and STRAY."""
    once: int
    """How many different values stood in one cell alone."""
    complete: bool
    """Whether all different values are remembered."""
    unit: float
    """What distances of numbers are measured in: the usual spread, or the size of one that never varied."""
    numbers: np.ndarray
    """float64, ascending: all different numbers, or the least and the greatest; none of words."""
    words: np.ndarray
    """All different words, sorted; none of numbers, nor of texts that hardly ever come twice."""

    @classmethod
    def learn(cls, cells: Cells, *, spread: float) -> SeenValues:
        """From the cells of many rows; the spread is that of numbers, 0 where all are one number."""
        unit, numbers, words = 1.0, _NO_NUMBERS, _NO_WORDS
        if cells.numbers is not None:
            values = finite(cells.numbers)
            unit = spread or float(np.abs(values).max(initial=0.0)) or 1.0
            numbers, counts = np.unique(values, return_counts=True)
        else:
            counts = counted(cells)
            words, counts = cells.labels[counts > 0], counts[counts > 0]
        once = int((counts == 1).sum())
        complete = len(counts) == 1 or once <= MOST_NEW * int(counts.sum())
        if len(numbers) and not (complete := complete and len(numbers) <= MOST_NUMBERS):
            numbers = numbers[[0, -1]]
        if not complete and cells.column.kind in ("text", "identifier"):
            words = _NO_WORDS
        events = np.bincount(events_of(cells), minlength=3)
        return cls(events=events, once=once, complete=complete, unit=unit, numbers=numbers, words=words)

    def bits(self, cells: Cells) -> np.ndarray:
        """float64 (2, rows): surprise at each cell whose value was never there; 0 where it was.

        First that at words, codes and flags, and at cells that are missing or none where none ever was;
        then that at amounts, of which another one is less of a surprise.
        """
        events = events_of(cells)
        bits = np.where(self.events[events] == 0, _rarity((self.events == 1).sum(), self.events.sum()), 0.0)
        known = (events == PRESENT) & (self.events[PRESENT] > 0)
        new = _rarity(self.once, self.events[PRESENT]) if self.complete else 0.0
        if cells.numbers is None:
            unseen = known & (cells.coded_by(self.words) == len(self.words))
            return np.stack([bits + new * unseen, np.zeros(len(cells))])
        away = self._away(cells)
        amounts = np.where(known & (away > 0), new + np.log2(1 + away), 0.0)
        if self.complete and len(self.numbers) <= FEW_NUMBERS:
            return np.stack([bits + amounts, np.zeros(len(cells))])
        return np.stack([bits, amounts])

    def known(self, cells: Cells, row: int) -> str | None:
        """What the column held instead of a cell that is new there, for people; None where it is not."""
        event = int(events_of(cells)[row])
        if self.events[event] == 0 and event != STRAY:
            return f"{'never' if event == ABSENT else 'always'} missing in training"
        one = cells.take(np.array([row]))
        if event != PRESENT or not self.complete or not self.bits(one).any():
            return None
        shown_ = list(self.words) if cells.numbers is None else [shown(cells.column, x) for x in self.numbers]
        if len(shown_) == 1:
            return f"always {shown_[0]} in training"
        if len(shown_) <= MOST_LISTED:
            return f"only {', '.join(shown_[:-1])} or {shown_[-1]} in training"
        return NEVER

    def _away(self, cells: Cells) -> np.ndarray:
        """float64 (rows,): how far numbers are from the remembered ones, in units; 0 for what is none."""
        if not len(self.numbers):
            return np.zeros(len(cells))
        assert cells.numbers is not None
        numbers = np.clip(np.nan_to_num(cells.numbers, nan=self.numbers[0]), -HUGE, HUGE)
        if self.complete:
            place = np.searchsorted(self.numbers, numbers).clip(1, len(self.numbers) - 1 or 1)
            ends = self.numbers[np.minimum(np.stack([place - 1, place]), len(self.numbers) - 1)]
            gaps = np.abs(ends - numbers).min(axis=0)
        else:
            gaps = np.maximum(self.numbers[0] - numbers, numbers - self.numbers[-1])
        least = min(SAME * self.unit, _step(cells.column) / 2)
        return np.where(gaps > least, np.minimum(gaps / self.unit, FARTHEST), 0.0)

    def facts(self) -> dict[str, Any]:
        """All but the numbers, JSON-ready; `from_parts` undoes it."""
        return {
            "events": self.events.tolist(),
            "once": self.once,
            "complete": self.complete,
            "unit": self.unit,
            "words": self.words.tolist(),
        }

    @classmethod
    def from_parts(cls, facts: Mapping[str, Any], numbers: np.ndarray) -> SeenValues:
        """Undo `facts`; ValueError or KeyError for what it would not have given."""
        events, once, unit = np.array(facts["events"], np.int64), int(facts["once"]), float(facts["unit"])
        sound = events.shape == (3,) and (events >= 0).all() and 0 <= once <= events[PRESENT]
        if not sound or not np.isfinite(unit) or unit <= 0:
            raise ValueError("values that a column held")
        if numbers.ndim != 1 or not np.isfinite(numbers).all() or not (np.diff(numbers) >= 0).all():
            raise ValueError("numbers that a column held")
        words = np.array(list(map(str, facts["words"])), object)
        return cls(events=events, once=once, complete=bool(facts["complete"]), unit=unit,
                   numbers=numbers.astype(np.float64), words=words)  # fmt: skip


_NO_NUMBERS, _NO_WORDS = np.zeros(0), np.zeros(0, object)


def events_of(cells: Cells) -> np.ndarray:
    """int64 (rows,): whether each cell is PRESENT, ABSENT or a STRAY text."""
    events = np.where(cells.missing, ABSENT, PRESENT)
    events[list(cells.strays)] = STRAY
    return events


def counted(cells: Cells) -> np.ndarray:
    """int64 (labels,): how many cells hold each label."""
    assert cells.codes is not None
    return np.bincount(cells.codes[cells.codes != NO_CODE], minlength=len(cells.labels))


def finite(numbers: np.ndarray) -> np.ndarray:
    """The numbers that are there, within HUGE."""
    return np.clip(numbers[~np.isnan(numbers)], -HUGE, HUGE)


def _rarity(once: int, total: int) -> float:
    """Bits of surprise at a value that none of `total` cells held, `once` values being in one cell alone.

    Source: Good 1953, The population frequencies of species, Biometrika 40; half a cell is added.
    """
    return float(-np.log2((once + 0.5) / (total + 1.0)))


def _step(column: Column) -> float:
    """By how much two numbers of a column differ at least, as it is printed."""
    steps = {"integer": 1.0, "date": 1.0, "decimal": 10.0 ** -(column.digits or 0)}
    return steps.get(column.kind, np.inf)
