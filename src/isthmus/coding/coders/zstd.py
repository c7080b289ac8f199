"""The bytes of the values through zstd: quick, and good where values repeat."""

from __future__ import annotations

import math

import numpy as np
import zstandard

from isthmus.coding.bound import Bound
from isthmus.coding.coders.base import Coder
from isthmus.coding.squeeze import expand
from isthmus.errors import DamagedFile

LEVEL = 12  # the last before encoding takes several times as long for a percent; xz is there for that …
SLOW_LEVEL, FEW_BYTES = 19, 4 << 20  # … but of so few bytes all of it is wanted: some texts suit zstd better


class Zstd(Coder):
    """One zstd frame, for any values; the bound is not used."""

    def encode(self, values: np.ndarray, bound: Bound | None, given: np.ndarray | None = None) -> bytes:
        """The frame."""
        raw = little_endian(values).tobytes()
        return squeeze_bytes(raw, SLOW_LEVEL if len(raw) <= FEW_BYTES else LEVEL)

    def decode(
        self, payload: bytes, shape: tuple[int, ...], dtype: np.dtype, given: np.ndarray | None = None
    ) -> np.ndarray:
        """The values in it."""
        raw = expand_bytes(payload, math.prod(shape) * dtype.itemsize)
        return from_little_endian(raw, shape, dtype)


def squeeze_bytes(raw: bytes, level: int = LEVEL) -> bytes:
    """One frame that states the size of its content and has no checksum; blocks have their own.

    >>> expand_bytes(squeeze_bytes(b"la" * 100), 200) == b"la" * 100
    True
    """
    frame = zstandard.ZstdCompressor(level=level, write_checksum=False, write_content_size=True)
    return frame.compress(raw)


def expand_bytes(frame: bytes, length: int) -> bytes:
    """Undo `squeeze_bytes`; DamagedFile unless the frame holds exactly `length` bytes."""
    raw = expand(frame, length, "A zstd block")
    if len(raw) != length:
        raise DamagedFile("A zstd block has not the length of its values.")
    return raw


def little_endian(values: np.ndarray) -> np.ndarray:
    """The same values in C order, as they lie in archives."""
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<"))


def from_little_endian(raw: bytes, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Undo `little_endian(values).tobytes()`; the caller has compared the lengths."""
    if dtype == np.bool_ and raw.strip(b"\x00\x01"):
        raise DamagedFile("A block of truth values holds others than 0 and 1.")
    return np.frombuffer(raw, dtype.newbyteorder("<")).reshape(shape).astype(dtype)
