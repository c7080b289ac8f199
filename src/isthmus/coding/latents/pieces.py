"""A large grid in pieces that are walked one after another, so that memory stays bounded.

What lies beyond a piece counts as beyond the grid: the first symbols of a piece know less, which costs
a few bytes for each. Where the cuts are follows from the grid's shape alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

PIECE = 1 << 22
"""Symbols of one piece, about."""
LEAST_ROWS = 64
"""Rows that a piece has, if the grid has them: a lower one is cut along its width instead."""


def pieces(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """The rows and columns of each piece of a grid (sample, channel, height, width), in their order.

    >>> list(pieces((1, 192, 500, 625)))[:2]
    [(slice(0, 64, None), slice(0, 341, None)), (slice(0, 64, None), slice(341, 625, None))]
    >>> len(list(pieces((256, 192, 9, 9))))
    1
    """
    samples, channels, height, width = shape
    each = max(1, samples * channels)
    rows = max(LEAST_ROWS, PIECE // (each * max(1, width)))
    columns = max(1, PIECE // (each * min(rows, max(1, height))))
    for top, left in product(range(0, height, rows), range(0, width, columns)):
        yield slice(top, min(top + rows, height)), slice(left, min(left + columns, width))
