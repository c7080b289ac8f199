"""Values that pixels are rounded to: evenly spaced, the least and the greatest among them.

What a pixel can be on a grid is a few values of many, so most questions of the search for it need not be
asked; those that are left are answered with the same chances as without loss.

Source: near-lossless coding by rounding within the loop: Weinberger, Seroussi & Sapiro 2000 (JPEG-LS).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from isthmus.coding.latents.levels import MAX_QUALITY


class Grid:
    """`intervals` + 1 of `levels` values.

    Args:
        intervals: 1 to levels - 1.
        levels: how many values a pixel can take; they are counted from 0 and go round.

    >>> grid = Grid(3, 256)
    >>> grid.values.tolist(), grid.nearest(np.array([40, 50, 250])).tolist()
    ([0, 85, 170, 255], [0, 85, 255])
    >>> grid.possible(np.array([1, 80, 250]), np.array([84, 90, 300])).tolist()
    [0, 1, 2]
    """

    def __init__(self, intervals: int, levels: int) -> None:
        if not 1 <= intervals < levels:
            raise ValueError(f"{intervals} intervals of {levels} values")
        self.levels = levels
        places = np.arange(intervals + 1, dtype=np.int64)
        self.values = (2 * places * (levels - 1) + intervals) // (2 * intervals)

    @classmethod
    def within(cls, error: int, levels: int) -> Grid:
        """The coarsest one that no value is farther from than `error`, at least 1."""
        return cls(-(-(levels - 1) // (2 * error + 1)), levels)

    @classmethod
    def at_quality(cls, quality: int, levels: int) -> Grid:
        """One that rounds about as coarsely as latents are at a quality of 1 to 100.

        >>> [Grid.at_quality(quality, 256).intervals for quality in (1, 50, 100)]
        [5, 29, 159]
        """
        share = (quality - 1) / (MAX_QUALITY - 1)
        return cls(round(_COARSEST ** (1 - share) * _FINEST**share), levels)

    @property
    def intervals(self) -> int:
        """Between its values."""
        return len(self.values) - 1

    def nearest(self, values: np.ndarray) -> np.ndarray:
        """Whole numbers 0 … levels - 1, rounded to the grid; half way, down."""
        middles = (self.values[1:] + self.values[:-1]) // 2
        return self.values[np.searchsorted(middles, values, side="left")]

    def possible(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """How many of its values are among first … last, each between -levels and 2 · levels."""
        return self._before.take(last + 1 + self.levels) - self._before.take(first + self.levels)

    def next_from(self, first: np.ndarray) -> np.ndarray:
        """The least of its values, counted round and round, that is not below `first`."""
        return self._round_and_round.take(self._before.take(first + self.levels))

    @cached_property
    def _round_and_round(self) -> np.ndarray:
        return np.concatenate([self.values + turn * self.levels for turn in (-1, 0, 1, 2)])

    @cached_property
    def _before(self) -> np.ndarray:
        """Of each place from -levels on: how many values lie below it."""
        return np.searchsorted(self._round_and_round, np.arange(-self.levels, 2 * self.levels + 2))


_COARSEST, _FINEST = 5.3, 159.4
"""Intervals at quality 1 and 100: steps of 48 and 1.6 of 255, as those of bottlenecks/graded.py."""
