"""Numbers through pcodec, which finds their lattice, their bins and their differences.

Source: Loncaric et al. 2025, Pcodec: Better Compression for Numerical Sequences, arXiv:2502.06112.
"""

from __future__ import annotations

import math

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.coding.coders.base import Coder
from isthmus.errors import DamagedFile

LEVEL = 8  # the default of the library, and where its own measurements level off


class Pcodec(Coder):
    """One standalone pcodec file of the values in C order; the bound is not used."""

    def encode(
        self, values: np.ndarray, bound: Bound | None, given: np.ndarray | None = None
    ) -> bytes | None:
        """The file; None for truth values, which are no numbers."""
        return None if values.dtype == np.bool_ else numbers_to_bytes(values.ravel())

    def decode(
        self, payload: bytes, shape: tuple[int, ...], dtype: np.dtype, given: np.ndarray | None = None
    ) -> np.ndarray:
        """The values in it."""
        if dtype == np.bool_:
            raise DamagedFile("A pcodec block cannot hold truth values.")
        return numbers_from_bytes(payload, math.prod(shape), dtype).reshape(shape)


def numbers_to_bytes(values: np.ndarray) -> bytes:
    """Code numbers of 8 to 64 bits, shape (count,).

    >>> numbers_from_bytes(numbers_to_bytes(np.arange(5.0)), 5, np.dtype("float64")).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    import pcodec

    config = pcodec.ChunkConfig(compression_level=LEVEL, enable_8_bit=True)
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    return bytes(pcodec.standalone.simple_compress(native, config)) if values.size else b""


def numbers_from_bytes(data: bytes, count: int, dtype: np.dtype) -> np.ndarray:
    """Undo `numbers_to_bytes`; DamagedFile unless the bytes hold exactly `count` numbers of that type."""
    import pcodec

    numbers = np.empty(count, dtype)
    if not count:
        if data:
            raise DamagedFile("A pcodec block of no values holds some.")
        return numbers
    try:
        progress = pcodec.standalone.simple_decompress_into(data, numbers)
    except BaseException as wrong:
        # A panic of the library is no Exception; whatever is not ours to catch goes on.
        if isinstance(wrong, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        raise DamagedFile(f"A pcodec block cannot be decompressed: {wrong}.") from wrong
    if progress.n_processed != count or not progress.finished:
        raise DamagedFile("A pcodec block has not the length of its values.")
    return numbers
