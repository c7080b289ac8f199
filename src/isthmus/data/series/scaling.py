"""Channels in their own units ⇄ in spreads from their middle."""

from __future__ import annotations

import numpy as np

FARTHEST = 1e6
"""Spreads from the middle; what is beyond, infinity among it, counts as that far."""
LEAST_QUARTILES = 1e-3
"""Of the standard deviation; quartiles nearer to one another tell nothing of a spread."""


def middles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and spread of each channel, float64 (channels,); a spread where it never changes, too.

    Args:
        values: float64 (rows, channels); NaN is a gap.

    >>> middle, spread = middles(np.array([[0.0, 7], [1, 7], [2, 7], [np.nan, 7]]))
    >>> middle.tolist(), spread.round(3).tolist()
    ([1.0, 7.0], [0.741, 0.007])
    """
    middle, spread = np.zeros(values.shape[1]), np.ones(values.shape[1])
    for number, column in enumerate(values.T):
        known = column[np.isfinite(column)]
        if not len(known):
            continue
        low, middle[number], high = np.percentile(known, [25, 50, 75])
        wide = float(known.std())
        found = float(high - low) / 1.349
        found = wide if found < LEAST_QUARTILES * wide else found
        spread[number] = found or abs(middle[number]) * LEAST_QUARTILES or 1.0
    return middle, spread


def in_spreads(values: np.ndarray, middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """float64 (rows, channels) → float32, not farther than FARTHEST; a gap stays NaN.

    >>> in_spreads(np.array([[3.0], [np.inf]]), np.array([1.0]), np.array([2.0])).tolist()
    [[1.0], [1000000.0]]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        away = values - middle
        away /= spread
    return np.clip(away, -FARTHEST, FARTHEST, out=away).astype(np.float32)
