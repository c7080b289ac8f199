"""Samples ⇄ coefficients of overlapping windows: the modified discrete cosine transform.

Each window sees two stretches of samples and gives as many coefficients as one of them has; where windows
overlap, what one distorts the other takes back, and sums have no seams. The way back is a product of
whole numbers below 2**53, which floats carry exactly in any order: every machine restores the same samples.

Source: J. Princen, A. Bradley 1986; the sine window, orthonormal.
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt

import numpy as np

WEIGHT_BITS = 20
"""A weight of the way back is told in units of 2**-20."""
SIZES = (128, 256, 512, 1024, 2048)
"""Coefficients of a window."""
EXACT = 2**53
_BITS = 30
_PRECISION = 80
_PI = 314159265358979323846264338327950288 * 2**_PRECISION // 10**35
_AT_ONCE = 512  # windows


def forward(samples: np.ndarray, size: int, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The coefficients of windows that reach beyond both ends of samples.

    Args:
        samples: float64 (frame,).
        size: one of SIZES.
        before, after: what stands beside them, of any length; where it ends, it is turned around itself,
            since a jump there would sound at the ends.
    Returns:
        float64 (window, size): ⌈frames / size⌉ + 1 windows.
    """
    windows = -(-len(samples) // size) + 1
    ahead, behind = before[-size:], after[: (windows + 1) * size - size - len(samples)]
    joined = _extended(np.concatenate([ahead, samples, behind]), size - len(ahead), (windows + 1) * size)
    seen = np.lib.stride_tricks.sliding_window_view(joined, 2 * size)[::size]
    weights = _matrix(size).T
    parts = [seen[at : at + _AT_ONCE] @ weights for at in range(0, windows, _AT_ONCE)]
    return np.concatenate(parts) / (1 << WEIGHT_BITS)


def _extended(samples: np.ndarray, ahead: int, length: int) -> np.ndarray:
    """Samples, with so many more in front and up to a length in all."""
    behind, most = length - ahead - len(samples), len(samples) - 1
    turned = np.pad(samples, (min(ahead, most), min(behind, most)), "reflect", reflect_type="odd")
    return np.pad(turned, (max(0, ahead - most), max(0, behind - most)), "edge")


def backward(coefficients: np.ndarray, frames: int) -> np.ndarray:
    """Undo `forward` for whole coefficients.

    Args:
        coefficients: int64 (window, size).
        frames: how many samples there are.
    Returns:
        int64 (frame,), in units of 2**-WEIGHT_BITS.
    Raises:
        OverflowError: coefficients too large to be added up exactly.

    >>> wave = np.rint(1000 * np.sin(np.arange(300) * 0.2))
    >>> told = np.rint(forward(wave, 128, wave[:0], wave[:0]) * 64).astype(np.int64)
    >>> found = backward(told, 300) / (64 << WEIGHT_BITS)
    >>> bool(np.abs(found - wave).max() < 0.1)
    True
    """
    windows, size = coefficients.shape
    weights = _matrix(size)
    if float(np.abs(coefficients).max(initial=0)) * float(np.abs(weights).sum(axis=0).max()) >= EXACT:
        raise OverflowError("coefficients that cannot be added up exactly")
    sums = np.zeros((windows + 1, size), np.int64)
    for at in range(0, windows, _AT_ONCE):
        told = coefficients[at : at + _AT_ONCE].astype(np.float64)
        both = (told @ weights).astype(np.int64)
        sums[at : at + len(told)] += both[:, :size]
        sums[at + 1 : at + 1 + len(told)] += both[:, size:]
    return sums.ravel()[size : size + frames]


@lru_cache(maxsize=len(SIZES))
def _matrix(size: int) -> np.ndarray:
    """What each coefficient adds to each sample of its window: whole numbers, float64 (size, 2·size)."""
    cosines = _cosines(8 * size)
    sample, wave = 2 * np.arange(2 * size) + 1, 2 * np.arange(size) + 1
    window = cosines[(sample - 2 * size) % (8 * size)]
    waves = cosines[(sample + size) * wave[:, None] % (8 * size)]
    shaped = (window * waves + (1 << (_BITS - 1))) >> _BITS
    scale = isqrt((2 << 2 * _BITS) // size)
    drop = 2 * _BITS - WEIGHT_BITS
    return ((shaped * scale + (1 << (drop - 1))) >> drop).astype(np.float64)


def _cosines(count: int) -> np.ndarray:
    """cos(2π·i / count) for all i, int64, in units of 2**-30; `count` divisible by 8."""
    quarter = [_cosine(turn, count) for turn in range(count // 4 + 1)]
    half = quarter + [-value for value in quarter[-2::-1]]
    return np.array(half + half[-2:0:-1], np.int64)


def _cosine(turn: int, count: int) -> int:
    x = 2 * _PI * turn // count
    square, total, term = x * x >> _PRECISION, 0, 1 << _PRECISION
    for n in range(1, 60, 2):
        total += term
        term = -(term * square >> _PRECISION) // (n * (n + 1))
    drop = _PRECISION - _BITS
    return (total + (1 << (drop - 1))) >> drop
