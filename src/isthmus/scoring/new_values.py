"""Bits of values that a column never held → what they add to the score of a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CODE_BITS = 2.0
"""Bits of new words, codes and flags that count as one usual spread, if they vary by less in usual rows."""
AMOUNT_BITS = 6.0
"""Bits of new amounts that count as one usual spread, if they vary by less than 1 bit in usual rows. By their
probability 0.72 bits would be as much; but amounts drift, and every alarm that this raises is a false one."""
RARELY = 0.99
"""Share of the rows that are taken to have no new values where odd rows hide among them."""


@dataclass(frozen=True, eq=False)
class NewValues:
    """How many bits usual rows have: the first number of codes, the second of amounts.

    >>> usual = NewValues.of(np.zeros((2, 50)), hidden=False)
    >>> usual.added_to(np.array([3.0, 3.0, -1.0]), np.array([[0.0, 8.0, 0.0], [0.0, 0.0, 6.0]])).tolist()
    [3.0, 5.0, 0.0]
    """

    middle: np.ndarray
    """float64 (2,)."""
    spread: np.ndarray
    """float64 (2,)."""

    @classmethod
    def of(cls, bits: np.ndarray, *, hidden: bool) -> NewValues:
        """From those of the rows that were learned from, (2, rows).

        Args:
            bits: of values that hardly any other row held.
            hidden: whether odd rows hide among them. P-values are ranks among these rows then, and as members
                of that table they have no new values; so few other rows may have any.
        """
        bits = bits.astype(np.float64)
        middle = np.quantile(bits, RARELY, axis=1) if hidden else bits.mean(axis=1)
        return cls(middle, bits.std(axis=1))

    def added_to(
        self, scores: np.ndarray, bits: np.ndarray, *, amount_bits: float = AMOUNT_BITS
    ) -> np.ndarray:
        """float64 (rows,): scores in usual spreads and bits, (2, rows), as independent spreads add up."""
        codes, amounts = np.maximum(bits - self.middle[:, None], 0)
        squared = (codes / max(CODE_BITS, self.spread[0])) ** 2
        squared += amounts / (amount_bits * max(1.0, self.spread[1]))
        found: np.ndarray = np.sqrt(np.maximum(scores, 0) ** 2 + squared) + np.minimum(scores, 0)
        return found
