"""Features of any distribution → normally distributed ones, by their ranks among the rows learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class NormalScores:
    """The quantile of a normal distribution at which a value stands among the known ones.

    >>> scores = NormalScores.learn(np.array([[0.0], [1.0], [2.0], [50.0]], np.float32))
    >>> scores.of(np.array([[1.0], [50.0], [52.0]], np.float32)).astype(float).round(1).ravel().tolist()
    [-0.3, 1.2, 2.2]
    """

    ordered: np.ndarray
    """float32 (features, rows): each feature's values, ascending."""

    @classmethod
    def learn(cls, features: np.ndarray) -> NormalScores:
        """From float32 (rows, features)."""
        return cls(np.ascontiguousarray(np.sort(features, axis=0).T))

    def of(self, features: np.ndarray) -> np.ndarray:
        """float32 (rows, features); beyond the known values they grow by the logarithm of the distance."""
        from scipy.special import ndtri

        found = np.empty(features.shape, np.float32)
        count = self.ordered.shape[1]
        for place, ordered in enumerate(self.ordered):
            values = features[:, place]
            ranks = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
            share = (ranks / (2 * count)).clip(
                0.5 / count, 1 - 0.5 / count
            )  # ties: the middle of their ranks
            beyond = values - values.clip(ordered[0], ordered[-1])
            found[:, place] = ndtri(share) + np.sign(beyond) * np.log1p(np.abs(beyond))
        return found
