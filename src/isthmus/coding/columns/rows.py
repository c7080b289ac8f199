"""The order in which rows are told: in lanes, a step taking one row of each.

A lane is a stretch of neighbouring rows. So the row before is known wherever it counts, and a step
is a few operations on whole arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

FIRST_ROWS = 16
"""Of the first step: counts must begin early."""
MOST_STEPS, LEAST_STEPS = 384, 16
STEPS_OF_COLUMNS = 12_000
"""Steps times columns, about: what a step costs does not depend on its rows as long as they are few."""


@dataclass(frozen=True)
class Rows:
    """Rows in lanes, behind others that are known already.

    Args:
        known: rows at the beginning that need not be told.
        told: rows behind them.
        columns: that each row has.
    """

    known: int
    told: int
    columns: int

    @property
    def all(self) -> int:
        """Known and told ones; also the number of the row that stands for what lies before the first."""
        return self.known + self.told

    @property
    def length(self) -> int:
        """Of a lane."""
        steps = min(MOST_STEPS, max(LEAST_STEPS, STEPS_OF_COLUMNS // max(1, self.columns)))
        return max(1, min(steps, self.told // FIRST_ROWS))

    def steps(self) -> Iterator[np.ndarray]:
        """The rows of each step; at first fewer than one of each lane.

        >>> [step.tolist() for step in Rows(10, 4, 1).steps()]
        [[10, 11, 12, 13]]
        """
        length, done = self.length, 0
        for step in range(length if self.told else 0):
            at = np.arange(step, self.told, length) + self.known
            while len(at):
                count = max(FIRST_ROWS, done // 8)
                yield at[:count]
                done, at = done + min(count, len(at)), at[count:]

    def before(self, at: np.ndarray, back: int) -> np.ndarray:
        """The rows so far before; `all` where the lane has none.

        >>> Rows(2, 4, 1).before(np.array([0, 1, 2, 3]), 1).tolist()
        [6, 0, 6, 6]
        """
        inside = np.where(at < self.known, at, (at - self.known) % self.length)
        return np.where(inside >= back, at - back, self.all)
