"""Latents → symbols that are worth their bits: rounded toward 0 where that saves more than it spoils.

Each symbol is weighed when all it depends on is settled, with the very table it will be coded by.
What it says to later symbols is left out of account.

Source: rate-distortion-optimised quantisation, Karczewicz et al. 2008, VCEG-AH21.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isthmus.coding.latents.levels import MAX_QUALITY
from isthmus.coding.tables import Table


class Thrift:
    """Chooses the symbols of one step after another.

    Args:
        tables: those that symbols are coded by.
        worth: (channel,): how many bits an error of one step is worth, squared.
    """

    def __init__(self, tables: Sequence[Table], worth: np.ndarray) -> None:
        self._costs, self._worth = _Costs(tables), worth

    def __call__(
        self, exact: np.ndarray, numbers: np.ndarray, whole: np.ndarray, channels: slice
    ) -> np.ndarray:
        """Latents in steps, (sample, row, column, channel) → int32: the nearest, or one nearer to 0.

        Args:
            exact: the latents of a step, float32.
            numbers: of each one's table.
            whole: what is taken from each before it is coded.
            channels: which they are.
        """
        symbols = np.rint(exact).astype(np.int32)
        asked = np.nonzero(symbols)
        nearest, distance, theirs = symbols[asked], exact[asked], numbers[asked]
        smaller = nearest - np.sign(nearest)
        spoilt = (smaller - distance) ** 2 - (nearest - distance) ** 2
        saved = self._costs.of(nearest - whole[asked], theirs) - self._costs.of(
            smaller - whole[asked], theirs
        )
        symbols[asked] = np.where(spoilt * self._worth[channels][asked[-1]] < saved, smaller, nearest)
        return symbols


def worth_at(anchors: np.ndarray, quality: int) -> np.ndarray:
    """(anchors, channel) at qualities evenly spaced from 1 to 100 → (channel,) at one, by logarithms."""
    place = (quality - 1) / (MAX_QUALITY - 1) * (len(anchors) - 1)
    low = min(int(place), len(anchors) - 2)
    share = place - low
    return anchors[low] ** (1 - share) * anchors[low + 1] ** share


class _Costs:
    """Bits of a value by a table, for many at once."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._lows = np.array([table.low for table in tables])
        self._escapes = np.array([table.escape for table in tables])
        self._starts = np.cumsum([0, *(table.escape + 1 for table in tables)])[:-1]
        bits = [table.precision_bits - np.log2(table.frequencies) for table in tables]
        for one in bits:
            one[-1] += _IN_FULL
        self._bits = np.concatenate(bits).astype(np.float32)

    def of(self, values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        entries = values - self._lows[numbers]
        escapes = self._escapes[numbers]
        entries = np.where((entries < 0) | (entries > escapes), escapes, entries)
        return self._bits[self._starts[numbers] + entries]


_IN_FULL = 16  # bits of a value that escapes, about
