"""How far a restored value may lie from its original, and whether it does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bound:
    """|restored − original| ≤ value, or ≤ value · |original| where `pointwise`.

    What is no finite number (NaN, ±Inf) and the sign of 0 must come back bit for bit.
    """

    value: float
    pointwise: bool = False

    def kept(self, original: np.ndarray, restored: np.ndarray) -> np.ndarray:
        """Whether each value is within the bound; bool, same shape."""
        raise NotImplementedError
