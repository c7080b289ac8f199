"""A table → rows that repeat an earlier one, wholly or but for one cell; they are listed, never changed."""

from __future__ import annotations

import numpy as np

from isthmus.data.tables import Table

LEAST_CELLS, MOST_CELLS = 4, 500
"""Of a row that can nearly repeat another."""


def repeats(table: Table) -> list[tuple[int, int]]:
    """Rows that are the same as an earlier one in every cell."""
    codes = np.stack([cells.as_words()[0] for cells in table.columns], axis=1)
    _, first, inverse = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    earlier = first[inverse.reshape(-1)]
    return [(int(row), int(earlier[row])) for row in np.flatnonzero(earlier != np.arange(len(codes)))]


def near_repeats(table: Table) -> list[tuple[int, int, str]]:
    """Rows that are the same as an earlier one in every cell but one, of at least LEAST_CELLS.

    Each row is the sum of a random number for each of its cells: without one of them, equal rows stay equal.
    """
    if not LEAST_CELLS <= len(table.columns) <= MOST_CELLS:
        return []
    random = np.random.default_rng(0)
    marks = []
    for cells in table.columns:
        codes, labels = cells.as_words()
        marks.append(random.integers(0, 1 << 63, len(labels) + 1, dtype=np.uint64)[codes])
    whole: np.ndarray = np.stack(marks).sum(axis=0)
    found: dict[int, tuple[int, int, str]] = {}
    for cells, mark in zip(table.columns, marks, strict=True):
        _, first, inverse = np.unique(whole - mark, return_index=True, return_inverse=True)
        earlier = first[inverse]
        for row in np.flatnonzero((earlier != np.arange(len(whole))) & (whole[earlier] != whole)):
            found.setdefault(int(row), (int(row), int(earlier[row]), cells.column.name))
    return [found[row] for row in sorted(found)]
