"""Numbers of any unit → how many usual spreads they are from their middle, so that they can be added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST_SPREAD = 0.1
"""Of a score that is a logarithm of distances: where all are alike, the smallest change is not the oddest."""


@dataclass(frozen=True)
class Usual:
    """Median and spread of a score.

    >>> usual = Usual.of(np.array([0.0, 1.0, 2.0, 3.0, 400.0]))
    >>> usual.middle, usual.away(np.array([2.0])).tolist()
    (2.0, [0.0])
    """

    middle: float
    spread: float

    @classmethod
    def of(cls, scores: np.ndarray) -> Usual:
        """The median, and the distance between quartiles in units of a normal distribution's deviation."""
        low, middle, high = np.percentile(scores, [25, 50, 75])
        return cls(float(middle), max(float(high - low) / 1.349, LEAST_SPREAD))

    def away(self, scores: np.ndarray) -> np.ndarray:
        """Spreads from the middle; not below -10, as below is never odd."""
        return np.maximum((scores - self.middle) / self.spread, -10.0)
