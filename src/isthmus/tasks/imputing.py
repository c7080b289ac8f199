"""Missing cells → what small autoencoders make of the row's other cells, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from isthmus.data.tables import Table
from isthmus.data.tables.features import ColumnFeatures, squashed, unsquashed
from isthmus.model.detector import Detector
from isthmus.tasks.issue import Issue, below_one

TRIED_ROWS = 2000
"""Of those that the detector keeps, on which each column is hidden and guessed."""
CLOSE = 0.25
"""Of a column's usual spread, within which a number is rightly guessed."""


def imputed(table: Table, detector: Detector) -> Iterator[Issue]:
    """A value for each missing cell; its confidence is the share of known cells that are guessed rightly.

    A number is rightly guessed within CLOSE of the column's usual spread.
    """
    features = detector.features
    some = table.select(features.schema.names)
    matrix = squashed(features.matrix(some)).astype(np.float32)
    for place, cells in enumerate(some.columns):
        rows, mine = np.flatnonzero(cells.missing), features.owners == place
        column = features.columns[place]
        if not len(rows) or not (column.spread or len(column.frequent) > 1):
            continue
        sure = below_one(_reliability(detector, mine, column))
        restored = detector.members.restore(np.where(mine, 0, matrix[rows]).astype(np.float32))[:, mine]
        if column.spread:
            restored[:, 0] = unsquashed(restored[:, 0])
        reason = "is missing, and the row's other cells suggest it"
        reason += f", give or take {CLOSE:g} usual spreads" * bool(column.spread)
        for row, values in zip(rows, restored, strict=True):
            guess = column.expected(values)
            yield Issue(int(row), cells.column.name, None, guess, sure, reason)


def _reliability(detector: Detector, mine: np.ndarray, column: ColumnFeatures) -> float:
    """How well the cells of a column are guessed where they are known, 0 to 1."""
    kept = squashed(detector.kept[:TRIED_ROWS]).astype(np.float32)
    guessed = detector.members.restore(np.where(mine, 0, kept).astype(np.float32))[:, mine]
    known = kept[:, mine]
    if column.spread:
        there = known[:, 0] != 0  # what is missing is 0, as is hardly anything else
        close = np.abs(guessed[there, 0] - known[there, 0]) <= CLOSE
        return float(close.mean()) if there.any() else 0.0
    words = column.own_words
    there = known[:, words].any(axis=1)
    right = guessed[there][:, words].argmax(axis=1) == known[there][:, words].argmax(axis=1)
    return float(right.mean()) if there.any() else 0.0
