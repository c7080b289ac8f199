"""The values as they lie in memory, little-endian: what every other coder has to beat."""

from __future__ import annotations

import math

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.coding.coders.base import Coder
from isthmus.coding.coders.zstd import from_little_endian, little_endian
from isthmus.errors import DamagedFile


class Stored(Coder):
    """Does nothing, for any values and any bound."""

    def encode(self, values: np.ndarray, bound: Bound | None, given: np.ndarray | None = None) -> bytes:
        """The bytes of the array."""
        return little_endian(values).tobytes()

    def decode(
        self, payload: bytes, shape: tuple[int, ...], dtype: np.dtype, given: np.ndarray | None = None
    ) -> np.ndarray:
        """The array of those bytes."""
        if len(payload) != math.prod(shape) * dtype.itemsize:
            raise DamagedFile("A stored block has not the length of its values.")
        return from_little_endian(payload, shape, dtype)
