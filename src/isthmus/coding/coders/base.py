"""The contract of all coders: what goes in, what must come out."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from isthmus.coding.bound import Bound


class Coder(ABC):
    """One way to code a block of values; `decode` undoes `encode`, up to the bound."""

    uses_given = False
    """Whether it codes the values as a difference to `given`, and cannot do without."""

    @abstractmethod
    def encode(
        self, values: np.ndarray, bound: Bound | None, given: np.ndarray | None = None
    ) -> bytes | None:
        """Values → bytes, or None where this coder cannot do it.

        Args:
            values: shape (items, *sample), C order; bool, any integer or float of 16 to 64 bits.
            bound: how far each restored value may lie from its original; None asks for equal bits.
            given: what the layer before restores, same shape and dtype; only read if `uses_given`.
        """

    @abstractmethod
    def decode(
        self, payload: bytes, shape: tuple[int, ...], dtype: np.dtype, given: np.ndarray | None = None
    ) -> np.ndarray:
        """Undo `encode`: values of that shape and dtype, the same on every machine.

        Raises:
            DamagedFile: the bytes are none that `encode` would have written for that shape and dtype.
        """
