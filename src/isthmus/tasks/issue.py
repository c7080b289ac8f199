"""A cell that is wrong or missing, and a column as words, by which such cells are found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from isthmus.data.tables import Cells
from isthmus.data.tables.table import NO_CODE
from isthmus.scoring.spelling import Typos

FEW_WORDS, FREQUENT, FREQUENT_SHARE = 20, 10, 0.95
"""So many words at most, each in so many rows at least, hold this share of the rows of such a column."""


@dataclass(frozen=True)
class Issue:
    """One cell that is wrong or missing."""

    row: int
    """Counted from 0."""
    column: str
    old: str | None
    """What stands there; None where it is missing."""
    new: str | None
    """What should; None where that is not known."""
    confidence: float
    """That `new` is right, 0 to 1; where it is not known, that the cell is wrong."""
    reason: str
    like: int | None = None
    """A row with `new` in this column; None where no row has it."""
    wrong: float = 0.0
    """That the cell is wrong or lacks a value, whatever should stand there; 0 where only `new` says so."""


@dataclass(frozen=True, eq=False)
class WordedColumn:
    """A column as codes and labels; numbers are words here, and so are texts among them."""

    cells: Cells
    codes: np.ndarray
    """int64 (rows,): NO_CODE where a cell is missing."""
    labels: list[str]
    firsts: np.ndarray
    """int64 (labels,): the first row that holds each; -1 where none does."""
    counts: np.ndarray
    typos: Typos
    rare: np.ndarray
    """bool (labels,): those that may be mistyped."""

    @cached_property
    def has_few_words(self) -> bool:
        """Whether nearly all cells hold one of a few frequent words, which are words."""
        often = np.flatnonzero(self.counts >= FREQUENT)
        few = 0 < len(often) <= FEW_WORDS and not self.cells.column.is_numeric
        covered = few and self.counts[often].sum() >= FREQUENT_SHARE * self.counts.sum()
        return bool(covered) and all(self.labels[code].isalpha() for code in often)

    @classmethod
    def of(cls, cells: Cells) -> WordedColumn:
        """Read a column."""
        codes, labels = cells.as_words()
        known = np.flatnonzero(codes >= 0)
        firsts = np.full(len(labels), -1)
        firsts[codes[known[::-1]]] = known[::-1]
        counts = np.bincount(codes[known], minlength=len(labels))
        typos = Typos(labels, counts.tolist())
        rare = counts <= typos.most_rows
        if cells.column.is_numeric:  # a number is no other one, mistyped
            rare &= np.isin(labels, [*cells.strays.values()])
        return cls(cells, codes, labels, firsts, counts, typos, rare)

    def is_typo(self, code: int, meant: int) -> bool:
        """Whether a label looks like another one, mistyped."""
        return bool(self.rare[code]) and self.typos.meant_by(self.labels[code], self.labels[meant])

    def first(self, label: str) -> int | None:
        """The first row that holds a label, if any does."""
        return int(self.firsts[self.labels.index(label)]) if label in self.labels else None

    def issue(self, row: int, code: int, confidence: float, reason: str) -> Issue:
        """A cell that should hold another label."""
        old = None if self.codes[row] == NO_CODE else self.labels[self.codes[row]]
        name = self.cells.column.name
        return Issue(row, name, old, self.labels[code], below_one(confidence), reason, int(self.firsts[code]))


def below_one(confidence: float) -> float:
    """Rounded to four digits."""
    return min(round(confidence, 4), 0.9999)  # never certain
