"""The bytes of the values sorted by their place in the number, then zstd or LZMA2.

First bytes resemble one another, and last bytes are noise: apart, each kind packs better. Source:
the shuffle filter of HDF5 and Blosc.
"""

from __future__ import annotations

import math

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.coding.coders.base import Coder
from isthmus.coding.coders.xz import pack, unpack
from isthmus.coding.coders.zstd import expand_bytes, from_little_endian, little_endian, squeeze_bytes
from isthmus.errors import DamagedFile

ZSTD, XZ = 0, 1  # the low bit of the payload's first byte …
DIFFERENCES = 2  # … and the next: whether values are differences to the one before, modulo 2**bits
MOST_BYTES_FOR_XZ = 4 << 20  # beyond, its minutes buy too little over zstd


class Shuffled(Coder):
    """For values of two bytes or more; the bound is not used."""

    def encode(
        self, values: np.ndarray, bound: Bound | None, given: np.ndarray | None = None
    ) -> bytes | None:
        """A byte that says how, then the packed bytes; None for values of one byte."""
        if values.dtype.itemsize == 1:
            return None
        ways = [(0, _as_integers(values))]
        ways.append((DIFFERENCES, np.diff(ways[0][1], prepend=ways[0][1].dtype.type(0))))
        squeezed = [(len(frame := squeeze_bytes(_planes(n))), way, n, frame) for way, n in ways]
        _, way, numbers, frame = min(squeezed, key=lambda entry: entry[:2])
        if values.nbytes <= MOST_BYTES_FOR_XZ and len(stream := pack(_planes(numbers), 1)) < len(frame):
            return bytes([way | XZ]) + stream
        return bytes([way | ZSTD]) + frame

    def decode(
        self, payload: bytes, shape: tuple[int, ...], dtype: np.dtype, given: np.ndarray | None = None
    ) -> np.ndarray:
        """Undo `encode`."""
        if dtype.itemsize == 1 or not payload or payload[0] > (XZ | DIFFERENCES):
            raise DamagedFile("A shuffled block is packed in a way that is not known.")
        count, size = math.prod(shape), dtype.itemsize
        way, packed = payload[0], payload[1:]
        raw = unpack(packed, count * size, 1) if way & XZ else expand_bytes(packed, count * size)
        planes = np.frombuffer(raw, np.uint8).reshape(size, count)
        numbers = np.ascontiguousarray(planes.T).reshape(-1).view(f"<u{size}")
        if way & DIFFERENCES:
            numbers = np.cumsum(numbers, dtype=numbers.dtype)
        return from_little_endian(numbers.tobytes(), shape, dtype)


def _as_integers(values: np.ndarray) -> np.ndarray:
    """The bits of the values as unsigned integers, shape (count,)."""
    return little_endian(values).reshape(-1).view(f"<u{values.dtype.itemsize}")


def _planes(numbers: np.ndarray) -> bytes:
    """All first bytes, then all second ones …"""
    return np.ascontiguousarray(numbers.view(np.uint8).reshape(-1, numbers.dtype.itemsize).T).tobytes()
