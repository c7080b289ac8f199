"""Latents → symbols that are worth their bits: rounded toward 0 where that saves more than it spoils.

Each symbol is weighed when all it depends on is settled, with the very table it will be coded by.
What it says to later symbols is left out of account.

Source: rate-distortion-optimised quantisation, Karczewicz et al. 2008, VCEG-AH21.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isthmus.coding.latents.levels import MAX_QUALITY
from isthmus.coding.latents.neighbours import Neighbours, Walk
from isthmus.coding.tables import Table


def thrifty(
    neighbours: Neighbours,
    tables: Sequence[Table],
    scaled: np.ndarray,
    quality: int,
    worth: np.ndarray,
) -> np.ndarray:
    """Choose the symbols of a stack of latents.

    Args:
        neighbours: of the model.
        tables: those they choose among.
        scaled: float32 (sample, channel, height, width), in steps.
        quality: 1 to 100.
        worth: (channel,): how many bits an error of one step is worth, squared.

    Returns:
        int32, of the shape of `scaled`: the nearest whole numbers, or one nearer to 0.
    """
    walk = Walk(neighbours, scaled.shape, quality)
    placed = scaled.transpose(0, 2, 3, 1)
    costs = _Costs(tables)
    for step in walk.steps():
        numbers, whole = walk.expected(step)
        exact = placed[(*step.positions, step.channels)]
        symbols = np.rint(exact).astype(np.int32)
        asked = np.nonzero(symbols)
        nearest, distance = symbols[asked], exact[asked]
        smaller = nearest - np.sign(nearest)
        spoilt = (smaller - distance) ** 2 - (nearest - distance) ** 2
        saved = costs.of(nearest - whole[asked], numbers[asked])
        saved -= costs.of(smaller - whole[asked], numbers[asked])
        symbols[asked] = np.where(spoilt * worth[step.channels][asked[-1]] < saved, smaller, nearest)
        walk.fill(step, symbols)
    return walk.symbols.transpose(0, 3, 1, 2)


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
