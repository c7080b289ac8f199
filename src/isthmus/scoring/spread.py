"""Rows → where most of them lie and how they spread, and how far a row is from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

STEPS = 5
MOST_ROWS = 20_000
"""On which the steps work; of more rows, that many evenly spaced ones."""
RIDGE = 1e-3
"""Of the mean variance, added to each, so that a covariance can be inverted."""


@dataclass(frozen=True, eq=False)
class Spread:
    """A centre and a covariance.

    >>> rows = np.random.default_rng(0).normal(size=(500, 2)) * [1, 10]
    >>> spread = Spread.of(np.concatenate([rows, np.full((50, 2), 90.0)]), share=0.75)
    >>> near, far = spread.log_distance(np.array([[0.0, 0.0], [6.0, 0.0]]))
    >>> bool(far - near > 3)
    True
    """

    centre: np.ndarray
    """float64 (features,)."""
    covariance: np.ndarray
    """float64 (features, features), positive definite."""

    @classmethod
    def of(cls, rows: np.ndarray, *, share: float) -> Spread:
        """Of the tightest `share` of the rows, found by concentration steps from the middle outward.

        Args:
            rows: (rows, features), finite.
            share: 1 takes all; less keeps odd rows from widening what is usual.
        Source: Rousseeuw & Van Driessen 1999, fast MCD; here one start, robust in itself, and five steps.
        """
        rows = rows[:: -(-len(rows) // MOST_ROWS)].astype(np.float64)
        count, features = rows.shape
        kept = min(count, max(int(share * count), features + 2))
        if kept >= count:
            return _of_all(rows)
        middle = np.median(rows, axis=0)
        usual = 1.4826 * np.median(np.abs(rows - middle), axis=0) + 1e-9
        distances = (((rows - middle) / usual) ** 2).sum(axis=1)
        for _ in range(STEPS):
            spread = _of_all(rows[np.argpartition(distances, kept - 1)[:kept]])
            distances = spread.squared(rows)
        return spread

    @cached_property
    def _triangle(self) -> np.ndarray:
        """(features, features): Cholesky's factor of the covariance."""
        return np.linalg.cholesky(self.covariance)

    def whitened(self, rows: np.ndarray) -> np.ndarray:
        """float64 (rows, features): around 0, uncorrelated, of variance 1 where rows are usual."""
        from scipy.linalg import solve_triangular

        away = (rows - self.centre).T
        white: np.ndarray = solve_triangular(self._triangle, away, lower=True, check_finite=False).T
        return white

    def squared(self, rows: np.ndarray) -> np.ndarray:
        """float64 (rows,): squared Mahalanobis distances."""
        squares: np.ndarray = np.square(self.whitened(rows)).sum(axis=1)
        return squares

    def log_distance(self, rows: np.ndarray) -> np.ndarray:
        """Their logarithm, in which usual rows are spread evenly."""
        return np.log(self.squared(rows) + 1e-9)

    def tensors(self) -> dict[str, np.ndarray]:
        """Arrays by name; `from_tensors` undoes it."""
        return {"centre": self.centre, "covariance": self.covariance}

    @classmethod
    def from_tensors(cls, named: Mapping[str, np.ndarray]) -> Spread:
        """Undo `tensors`; ValueError or KeyError for what it would not have given."""
        centre, covariance = (named[name].astype(np.float64) for name in ("centre", "covariance"))
        sound = np.isfinite(centre).all() and np.isfinite(covariance).all()
        if centre.ndim != 1 or covariance.shape != (len(centre),) * 2 or not sound:
            raise ValueError("a spread that cannot be")
        return cls(centre, covariance)


def _of_all(rows: np.ndarray) -> Spread:
    centre = rows.mean(axis=0)
    away = rows - centre
    covariance = away.T @ away / max(1, len(rows) - 1)
    ridge = RIDGE * np.trace(covariance) / max(1, len(covariance)) + 1e-9
    return Spread(centre, covariance + ridge * np.eye(len(covariance)))
