"""Features → the probability of a yes: a sum of table entries, each picked by a few comparisons.

All trees have one depth, and ask the same question everywhere on a level ("oblivious" trees, as in
CatBoost: Prokhorenkova et al. 2018, arXiv:1706.09516), so a leaf's number is its answers in binary.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import cached_property, lru_cache

import numpy as np

UNIT = 32
"""Scores are log-odds times this."""
_LIMIT = 12 * UNIT  # a probability is never nearer to 0 or 1 than e^-12
_AT_ONCE = 1 << 12  # pixels; keeps the intermediate arrays in the cache
MAX_DEPTH = 8


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees whose leaves add up to a score.

    >>> one = Forest(0, np.array([[0]]), np.array([[5]]), np.array([[-32, 64]]))
    >>> one.scores(np.array([[5, 6]], np.int16))
    array([-32,  64], dtype=int32)
    """

    base: int
    """The score before any tree."""
    features: np.ndarray
    """Which feature each level of each tree asks about: (trees, depth)."""
    thresholds: np.ndarray
    """… and whether it is greater than this: (trees, depth)."""
    leaves: np.ndarray
    """What is added to the score: (trees, 2**depth)."""

    @cached_property
    def _questions(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each different question once; and, level by level, which of them each tree asks."""
        pairs = np.stack([self.features.ravel(), self.thresholds.ravel()], 1)
        asked, which = np.unique(pairs, axis=0, return_inverse=True)
        by_level = which.reshape(self.features.shape).T
        return asked[:, 0], asked[:, 1], np.ascontiguousarray(by_level)

    def scores(self, features: np.ndarray) -> np.ndarray:
        """(features, pixels) → (pixels,), int32."""
        found = np.full(features.shape[1], self.base, np.int32)
        if len(self.leaves):
            for start in range(0, found.size, _AT_ONCE):
                part = slice(start, start + _AT_ONCE)
                found[part] += self._sums(features[:, part])
        return found

    def _sums(self, features: np.ndarray) -> np.ndarray:
        which, thresholds, by_level = self._questions
        answers = (features[which] > thresholds[:, None].astype(features.dtype)).view(np.uint8)
        leaf = answers.take(by_level[0], axis=0)
        for level in by_level[1:]:
            leaf <<= 1
            leaf |= answers.take(level, axis=0)
        first = np.arange(len(self.leaves), dtype=np.intp)[:, None] * self.leaves.shape[1]
        return self.leaves.ravel().take(leaf + first).sum(axis=0, dtype=np.int32)


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Scores → probabilities, float64, each a whole number of 2**-24: the same on every machine."""
    return _sigmoid().take(np.clip(scores, -_LIMIT, _LIMIT) + _LIMIT)


@lru_cache(maxsize=1)
def _sigmoid() -> np.ndarray:
    """1 / (1 + exp(-score)), by decimal arithmetic, which rounds alike everywhere."""
    with localcontext(Context(prec=30)):
        exact = [1 / (1 + (-Decimal(score) / UNIT).exp()) for score in range(-_LIMIT, _LIMIT + 1)]
        whole = [int((p * 2**24).to_integral_value()) for p in exact]
    return np.array(whole, np.float64) / 2**24
