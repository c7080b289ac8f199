"""Whole numbers of any size ⇄ a token each, from a small alphabet, and raw bits.

Near 0 each number is a token of its own. Further out a token names a range of magnitudes, a quarter of
a power of two wide; which number of it, and which sign, stands in raw bits: they hold no pattern
worth a table (as in JPEG XL's hybrid integers, ISO/IEC 18181-1).
"""

from __future__ import annotations

import numpy as np

from isthmus.errors import DamagedFile

DIRECT_BITS = 4
DIRECT = 1 << DIRECT_BITS  # magnitudes below have a token for each sign
FIRST_RANGE = 2 * DIRECT - 1
MAX_MAGNITUDE_BITS = 52
ALPHABET = FIRST_RANGE + 4 * (MAX_MAGNITUDE_BITS - DIRECT_BITS)
_NEAR = np.array([-(token + 1 >> 1) if token % 2 else token >> 1 for token in range(256)], np.int64)
"""By token: its number, if it has one of its own."""
_WINDOW_BITS = 64


def to_tokens(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers → tokens, and the raw bits of those that have some.

    Args:
        values: int64, shape (count,), magnitudes below 2**52.

    Returns:
        tokens, uint8, shape (count,); raw bits and how many of them, int64, for far numbers only.

    >>> [part.tolist() for part in to_tokens(np.array([0, -1, 1, -21]))]
    [[0, 1, 2, 32], [3], [3]]
    """
    magnitudes = np.abs(values)
    tokens = (2 * magnitudes - (values < 0)).astype(np.uint8)
    far = magnitudes >= DIRECT
    if not far.any():
        return tokens, np.zeros(0, np.int64), np.zeros(0, np.int64)
    away = magnitudes[far]
    exponents = np.frexp(away.astype(np.float64))[1].astype(np.int64) - 1  # 2**exponent ≤ away
    quarters = (away >> (exponents - 2)) & 3
    tokens[far] = FIRST_RANGE + 4 * (exponents - DIRECT_BITS) + quarters
    inside = away & ((np.int64(1) << (exponents - 2)) - 1)
    return tokens, inside << 1 | (values[far] < 0), exponents - 1


def raw_bits(tokens: np.ndarray) -> np.ndarray:
    """How many raw bits belong to each token above FIRST_RANGE, int64."""
    return (tokens.astype(np.int64) - FIRST_RANGE) // 4 + DIRECT_BITS - 1


def from_tokens(tokens: np.ndarray, raw: np.ndarray) -> np.ndarray:
    """Undo `to_tokens`: int64, shape (count,)."""
    values = _NEAR[tokens]
    if raw.size:
        far = tokens >= FIRST_RANGE
        ranges = tokens[far].astype(np.int64) - FIRST_RANGE
        exponents = ranges // 4 + DIRECT_BITS
        away = (4 + ranges % 4 << (exponents - 2)) + (raw >> 1)
        values[far] = np.where(raw & 1, -away, away)
    return values


def pack_bits(values: np.ndarray, widths: np.ndarray) -> bytes:
    """Numbers of given widths, each at most 57 bits, without gaps: highest bit first.

    >>> pack_bits(np.array([1, 5]), np.array([2, 3])).hex()
    '68'
    """
    ends = np.cumsum(widths)
    if not ends.size or not ends[-1]:
        return b""
    words = np.zeros(int(ends[-1]) // _WINDOW_BITS + 2, np.uint64)
    starts = ends - widths
    first = starts // _WINDOW_BITS
    spare = _WINDOW_BITS - (starts % _WINDOW_BITS) - widths  # below 0: the rest goes into the next word
    bits = values.astype(np.uint64)
    _add_into(
        words,
        first,
        np.where(
            spare >= 0,
            bits << np.maximum(spare, 0).astype(np.uint64),
            bits >> np.maximum(-spare, 0).astype(np.uint64),
        ),
    )
    over = spare < 0
    _add_into(words, first[over] + 1, bits[over] << (_WINDOW_BITS + spare[over]).astype(np.uint64))
    return words.astype(">u8").tobytes()[: (int(ends[-1]) + 7) // 8]


def _add_into(words: np.ndarray, places: np.ndarray, parts: np.ndarray) -> None:
    """Add up parts that go into the same word; `places` never falls."""
    if places.size:
        starts = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
        words[places[starts]] += np.add.reduceat(parts, starts)


class BitReader:
    """Reads what `pack_bits` wrote, many numbers at a time."""

    def __init__(self, data: bytes) -> None:
        padded = data + bytes(8)
        self._size_bits = 8 * len(data)
        # Eight bytes from each byte on, overlapping.
        self._windows = np.ndarray((len(data) + 1,), ">u8", padded, strides=(1,))
        self._position = 0

    def take(self, widths: np.ndarray) -> np.ndarray:
        """The next numbers, of these widths: int64.

        Raises:
            DamagedFile: there are not that many bits.
        """
        ends = self._position + np.cumsum(widths)
        if not ends.size:
            return np.zeros(0, np.int64)
        if ends[-1] > self._size_bits:
            raise DamagedFile("Coded numbers lack some of their bits.")
        starts = ends - widths
        self._position = int(ends[-1])
        windows = self._windows[starts >> 3].astype(np.uint64)
        left = windows << (starts & 7).astype(np.uint64)
        return (left >> (_WINDOW_BITS - widths).astype(np.uint64)).astype(np.int64)

    def finish(self) -> None:
        """Check that nothing but the padding of the last byte is left."""
        if self._size_bits - self._position >= 8:
            raise DamagedFile("Coded numbers have bits left over.")
