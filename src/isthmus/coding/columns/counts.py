"""How often each symbol came, in all and under each of several contexts; chances made of it.

A symbol's chance is a product: its share so far, times, for each context, how many times more often
than by that share it came there, to the power of a weight. What a context has not seen changes
nothing, and how much a context is believed depends on how much it has seen.

Source: log-linear pooling of predictions, as PAQ's mixers do for bits (Mahoney 2005); the weights
are part of the plan here and stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isthmus.coding.columns.logarithms import log2, power2

WEIGHT_ONE = 32
"""A weight of 1."""
SEEN = np.array([2, 12])
"""A context that has seen fewer, fewer and as many or more symbols has a weight of its own."""
LEVELS = len(SEEN) + 1
_PARTS = 6  # binary digits of a count behind the point
TOTAL_BITS = 24


class Counts:
    """The counts of one field of symbols.

    Args:
        alphabet: how many symbols there are.
        sizes: how many values each context takes.
        strengths: of each context: how many symbols its guess counts for, in 64ths.
    """

    def __init__(self, alphabet: int, sizes: Sequence[int], strengths: Sequence[int]) -> None:
        self.alphabet = alphabet
        self._all = np.zeros(alphabet, np.int64)
        self._under = [np.zeros(size * alphabet, np.int32) for size in sizes]
        self._seen = [np.zeros(size, np.int32) for size in sizes]
        self._strengths = list(strengths)

    def learn(self, contexts: Sequence[np.ndarray], symbols: np.ndarray) -> None:
        """Take in symbols, each with its value of each context; shape (count,)."""
        self._all += np.bincount(symbols, minlength=self.alphabet)
        for under, seen, values in zip(self._under, self._seen, contexts, strict=True):
            np.add.at(under, values * self.alphabet + symbols, 1)
            np.add.at(seen, values, 1)

    def shares(self) -> tuple[np.ndarray, int]:
        """What stands for each symbol's share, and for all together, before any context speaks."""
        return 2 * self._all + 1, int(2 * self._all.sum()) + self.alphabet

    def tell(self, contexts: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """What each context says: logarithms, int32 (count, alphabet); and its level, (count,)."""
        share, whole = self.shares()
        told, levels = [], []
        for under, seen, strength, values in zip(
            self._under, self._seen, self._strengths, contexts, strict=True
        ):
            counts = under.reshape(-1, self.alphabet)[values]
            rows, symbols = np.nonzero(counts)
            found = counts[rows, symbols].astype(np.int64)
            logs = np.full(counts.shape, log2(np.array(strength)), np.int32)
            logs[rows, symbols] = log2((found * whole << _PARTS) // share[symbols] + strength)
            logs -= log2((seen[values].astype(np.int64) << _PARTS) + strength)[:, None]
            told.append(logs)
            levels.append(np.searchsorted(SEEN, seen[values], side="right"))
        return told, levels

    def chances(self, contexts: Sequence[np.ndarray], weights: np.ndarray, count: int) -> np.ndarray:
        """Frequencies of 1 and above that sum to 2**24 in each row, int64 (count, alphabet).

        Args:
            contexts: the value of each, shape (count,).
            weights: (1 + contexts, LEVELS); the first row is that of the shares, its first entry counts.
            count: of rows.
        """
        share, whole = self.shares()
        base = (log2(share) - log2(np.array(whole))).astype(np.int64) * weights[0, 0]
        score = np.broadcast_to(base, (count, self.alphabet)).copy()
        for told, level, weight in zip(*self.tell(contexts), weights[1:], strict=True):
            score += told * weight[level][:, None]
        return _frequencies(score // WEIGHT_ONE)


def _frequencies(score: np.ndarray) -> np.ndarray:
    below = score.max(axis=1, keepdims=True) - score
    powers = power2(below)
    spare = (1 << TOTAL_BITS) - score.shape[1]
    found = powers * spare // powers.sum(axis=1, keepdims=True) + 1
    found[np.arange(len(found)), score.argmax(axis=1)] += (1 << TOTAL_BITS) - found.sum(axis=1)
    return found
