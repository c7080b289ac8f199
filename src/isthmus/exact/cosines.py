"""The weights that give a patch of pixels back from its cosine coefficients, made from whole numbers alone.

Every machine makes the same ones, so that a model need not hold them.
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt

import numpy as np

FINE = 2
"""The patch is told as the pixels of its 2 × 2 parts, one part after another."""
_SHARE, _SHARE_BITS = 5, 5
"""Of a pixel, one unit of a coefficient: 5/32, for coefficients 6.4 times as large as orthonormal ones."""
_BITS = 30
"""Cosines are told in units of 2**-30."""
_PRECISION = 80
_PI = 314159265358979323846264338327950288 * 2**_PRECISION // 10**35


def cosine_weights(depth: int, stride: int, count: int, exponents: np.ndarray) -> np.ndarray:
    """What the first `count` patterns of a patch, smoothest first, add to each of its pixels.

    Args:
        depth: channels of a pixel.
        stride: pixels of the patch, down and across; even.
        count: patterns, at most depth · stride².
        exponents: whole numbers (depth · stride²,): row i is told in units of 2**exponents[i].
    Returns:
        int16 (depth · stride², count), rounded half up and held within int16. Rows in the order that
        two shuffles, by stride / 2 and by 2, make an image of.
    Raises:
        ValueError: units finer than 2**-64 or coarser than 2**-3.

    >>> cosine_weights(1, 2, 4, np.full(4, -10)).tolist()
    [[80, 80, 80, 80], [80, -80, 80, -80], [80, 80, -80, -80], [80, -80, -80, 80]]
    """
    drop = 2 * _BITS + _SHARE_BITS + np.asarray(exponents, np.int64)
    if drop.min() < 1 or drop.max() > 62:
        raise ValueError("units of cosines that cannot be")
    a, u, v, _ = (each[:count] for each in smoothest_first(depth, stride))
    colours, sides = _cosines(depth), _cosines(stride)
    squares = (sides[u][:, :, None] * sides[v][:, None, :] + (1 << (_BITS - 1))) >> _BITS
    patches = _SHARE * colours[a][:, :, None, None] * squares[:, None]  # (pattern, channel, row, column)
    parts = patches.reshape(len(a), depth, stride // FINE, FINE, stride // FINE, FINE)
    rows = parts.transpose(1, 3, 5, 2, 4, 0).reshape(-1, len(a))
    made = (rows + (1 << (drop[:, None] - 1))) >> drop[:, None]
    return np.clip(made, -(1 << 15), (1 << 15) - 1).astype(np.int16)


def smoothest_first(depth: int, stride: int) -> tuple[np.ndarray, ...]:
    """Of each pattern of a patch: colour, waves down and across, and four times the square of its frequency.

    A difference of colours counts as one and a half waves.
    """
    a, u, v = (each.ravel() for each in np.indices((depth, stride, stride)))
    squares = 9 * (a > 0) + 4 * (u * u + v * v)
    order = np.argsort(squares, kind="stable")
    return a[order], u[order], v[order], squares[order]


@lru_cache(maxsize=16)
def _cosines(count: int) -> np.ndarray:
    """The orthonormal cosines on `count` points, one a row: int64, in units of 2**-30."""
    drop = 2 * _PRECISION - _BITS
    rows = [
        [
            (isqrt(((2 if k else 1) << 2 * _PRECISION) // count) * _cosine((2 * n + 1) * k, 2 * count)
             + (1 << (drop - 1))) >> drop
            for n in range(count)
        ]
        for k in range(count)
    ]  # fmt: skip
    return np.array(rows, np.int64)


def _cosine(turns: int, of: int) -> int:
    """cos(π · turns / of) in units of 2**-80, by its series."""
    turns = turns % (2 * of)
    x = _PI * min(turns, 2 * of - turns) // of
    square, total, term = x * x >> _PRECISION, 0, 1 << _PRECISION
    for n in range(1, 80, 2):
        total += term
        term = -(term * square >> _PRECISION) // (n * (n + 1))
    return total
