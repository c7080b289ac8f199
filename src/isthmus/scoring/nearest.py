"""How far a row is from the nearest rows that were there when the detector learned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Nearest:
    """The distance to the k-th nearest of some rows.

    >>> nearest = Nearest(np.array([[0.0], [1.0], [5.0]]), 1)
    >>> np.exp(nearest.log_distance(np.array([[0.25]]))).round(3).tolist()
    [0.25]
    """

    rows: np.ndarray
    """float32 (rows, features)."""
    neighbour: int
    """1 is the nearest."""

    @cached_property
    def _index(self) -> Any:
        from sklearn.neighbors import NearestNeighbors

        # A tree helps where there are few features; elsewhere one matrix product after another is faster.
        tree = self.rows.shape[1] <= _FEW
        return NearestNeighbors(algorithm="kd_tree" if tree else "brute").fit(self.rows)

    def log_distance(self, rows: np.ndarray, *, among: bool = False) -> np.ndarray:
        """float64 (rows,): the logarithm of the distance.

        Args:
            rows: float32 (rows, features).
            among: whether these rows are among the stored ones; each one's distance to itself is left out.
        """
        count = min(self.neighbour + among, len(self.rows))
        found = self._index.kneighbors(rows, n_neighbors=count)[0]
        return np.log(found[:, -1].astype(np.float64) + 1e-9)


_FEW = 15
