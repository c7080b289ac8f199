"""How far a row is from the nearest rows that were there when the detector learned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Nearest:
    """The distance to the k-th nearest of some rows, or the mean of those to the k nearest.

    >>> rows = np.array([[0.0], [1.0], [5.0]])
    >>> np.exp(Nearest(rows, 1).log_distance(np.array([[0.25]]))).round(2).tolist()
    [0.26]
    >>> np.exp(Nearest(rows, 2, mean=True).log_distance(np.array([[0.25]]))).round(2).tolist()
    [0.51]
    """

    rows: np.ndarray
    """float32 (rows, features)."""
    neighbour: int
    """k; 1 is the nearest."""
    mean: bool = False

    @cached_property
    def _index(self) -> Any:
        from sklearn.neighbors import NearestNeighbors

        # A tree helps where there are few features; elsewhere one matrix product after another is faster.
        tree = self.rows.shape[1] <= _FEW
        return NearestNeighbors(algorithm="kd_tree" if tree else "brute").fit(self.rows)

    def log_distance(self, rows: np.ndarray, *, among: bool = False) -> np.ndarray:
        """float64 (rows,): the logarithm of the distance, and of LEAST where rows are the same.

        Args:
            rows: float32 (rows, features).
            among: whether these rows are among the stored ones; each one's distance to itself is left out.
        """
        count = min(self.neighbour + among, len(self.rows))
        found = self._index.kneighbors(rows, n_neighbors=count)[0][:, min(among, count - 1) :]
        distance = found.mean(axis=1, dtype=np.float64) if self.mean else found[:, -1].astype(np.float64)
        return np.log(distance + LEAST)


LEAST = 0.01
"""Spreads, added to distances: among rows that are all alike, the smallest change is not the oddest."""
_FEW = 15
