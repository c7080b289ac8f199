"""The bytes of the values through LZMA2, the algorithm of xz: slow, and the best of its kind."""

from __future__ import annotations

import lzma
import math
from typing import Any

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.coding.coders.base import Coder
from isthmus.coding.coders.zstd import from_little_endian, little_endian
from isthmus.errors import DamagedFile

LEAST_DICTIONARY = 1 << 12


class Xz(Coder):
    """One raw LZMA2 stream, for any values; the bound is not used."""

    def encode(self, values: np.ndarray, bound: Bound | None, given: np.ndarray | None = None) -> bytes:
        """The stream."""
        return pack(little_endian(values).tobytes(), values.dtype.itemsize)

    def decode(
        self, payload: bytes, shape: tuple[int, ...], dtype: np.dtype, given: np.ndarray | None = None
    ) -> np.ndarray:
        """The values in it."""
        raw = unpack(payload, math.prod(shape) * dtype.itemsize, dtype.itemsize)
        return from_little_endian(raw, shape, dtype)


def pack(raw: bytes, itemsize: int) -> bytes:
    """A raw LZMA2 stream; `unpack` undoes it, given the same item size and the length.

    >>> unpack(pack(b"la" * 100, 1), 200, 1) == b"la" * 100
    True
    """
    return lzma.compress(raw, lzma.FORMAT_RAW, filters=_filters(len(raw), itemsize))


def unpack(stream: bytes, length: int, itemsize: int) -> bytes:
    """Undo `pack`; DamagedFile unless the stream holds exactly `length` bytes."""
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(length, itemsize))
    try:
        raw = decoder.decompress(stream, length + 1)
    except lzma.LZMAError as wrong:
        raise DamagedFile(f"An xz block cannot be decompressed: {wrong}.") from wrong
    if len(raw) != length or not decoder.eof or decoder.unused_data:
        raise DamagedFile("An xz block has not the length of its values.")
    return raw


def _filters(length: int, itemsize: int) -> list[dict[str, Any]]:
    # Position bits follow the item, and the dictionary holds all of it: neither needs storing.
    dictionary = max(LEAST_DICTIONARY, length)
    position_bits = itemsize.bit_length() - 1
    preset = 9 | lzma.PRESET_EXTREME
    return [{"id": lzma.FILTER_LZMA2, "preset": preset, "dict_size": dictionary, "pb": position_bits}]
