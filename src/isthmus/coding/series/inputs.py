"""What predicts a channel: its past, its neighbours, a period before; by least absolute errors, about.

Everything here may be floats: what is chosen is written down as integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.coding.series.plan import MOST_BACK, MOST_SHIFT, MOST_WEIGHT, STAGES, Input

OWN, OTHER_BACKS, NEAR_CHANNELS = 24, (0, 1, 2, 3), 24
"""How far a channel looks back at itself, and at which rows of how many others on either side."""
MOST = 20
"""Inputs of a channel."""
SAMPLE, LEAST_SAMPLE = 1 << 15, 1 << 12
"""Rows that weights are solved from: of up to eight channels, and of very many."""
INPUT_BITS = 70
"""That writing an input down takes, about."""
_ROUNDS, _QUICK = 3, 8
LEAST_LIKENESS = 0.1
"""Of a channel's steps and those a period before, for there to be a period."""


@dataclass(frozen=True)
class Chosen:
    """Inputs, and what they are worth."""

    inputs: tuple[Input, ...]
    weights: tuple[tuple[int, ...], ...]
    shift: int


class Chooser:
    """Chooses inputs for channels of one block.

    Args:
        values: float64 (channel, row), less the middles.
        period: rows after which things repeat; 0: none.
        depth: generations that channels may be told in.
    """

    def __init__(self, values: np.ndarray, period: int, depth: int) -> None:
        self._values, self._period = values, period
        self._ages = [0] * len(values)
        self._depth = depth
        channels, rows = values.shape
        self._reach = min(max(OWN, period + 1), rows - 1)
        most = max(LEAST_SAMPLE, SAMPLE * 8 // max(8, channels))
        self._at = _sample(self._reach, rows, most)

    def choose(self, channel: int) -> Chosen:
        """The inputs of a channel; those before it in the same row are chosen already."""
        candidates = self._candidates(channel)
        if not candidates:
            return Chosen((), ((),) * (len(STAGES) + 1), 0)
        target = self._values[channel, self._at]
        matrix = np.stack([self._values[each.channel, self._at - each.back] for each in candidates], axis=1)
        gram = _Gram(matrix, target, self._values.shape[1])
        places = gram.forward(MOST)
        inputs = tuple(candidates[place] for place in places)
        used = [self._ages[each.channel] for each in inputs if each.back == 0]
        self._ages[channel] = 1 + max(used, default=-1)
        span = float(np.ptp(self._values[channel]))
        weights, shift = [], int(min(MOST_SHIFT, max(6, np.ceil(np.log2(span + 1)) + 4)))
        for reach in (*STAGES, MOST_BACK):
            kept = [k for k, each in enumerate(inputs) if each.back <= reach]
            solved = np.zeros(len(inputs))
            if kept:
                solved[kept] = gram.solve([places[k] for k in kept])
            scaled = np.clip(np.round(solved * 2.0**shift), -MOST_WEIGHT, MOST_WEIGHT)
            weights.append(tuple(scaled.astype(np.int64).tolist()))
        return Chosen(inputs, tuple(weights), shift)

    def _candidates(self, channel: int) -> list[Input]:
        channels, _ = self._values.shape
        own = [Input(channel, back) for back in range(1, min(OWN, self._reach) + 1)]
        near = [n for n in range(channel - NEAR_CHANNELS, channel + NEAR_CHANNELS) if 0 <= n < channels]
        near = [n for n in near if n != channel]
        if channels > NEAR_CHANNELS:
            near = sorted(near, key=lambda n: abs(n - channel))[: NEAR_CHANNELS // 3]
        others = [
            Input(n, back)
            for n in near
            for back in OTHER_BACKS
            if back <= self._reach and (back or (n < channel and self._ages[n] + 1 < self._depth))
        ]
        season = []
        if self._period:
            backs = [back for back in (self._period - 1, self._period, self._period + 1) if back > OWN]
            season = [Input(channel, back) for back in backs if back <= self._reach]
            season += [Input(n, self._period) for n in near if n < channel and self._period <= self._reach]
        return [*own, *season, *others]


class _Gram:
    """Weighted products of all candidates, and what they solve."""

    def __init__(self, matrix: np.ndarray, target: np.ndarray, rows: int) -> None:
        self._rows = rows
        self._matrix, self._target = matrix, target
        self._weigh(np.ones(len(target)))
        errors = target - matrix[:, 0]
        for _ in range(_ROUNDS):
            self._weigh(_trust(errors))
            places = self._greedy(_QUICK)
            errors = target - matrix[:, places] @ self.solve(places)
        self._weigh(_trust(errors))

    def _weigh(self, weights: np.ndarray) -> None:
        weighted = self._matrix * weights[:, None]
        self._products = weighted.T @ self._matrix
        self._sides = weighted.T @ self._target
        self._power = float((weights * self._target) @ self._target)
        self._whole = float(weights.sum())
        ridge = 1e-7 * self._products.diagonal() + 1e-9 * self._whole
        self._products[np.diag_indices(len(ridge))] += ridge + 0.05 * self._whole / len(weights)

    def solve(self, places: Sequence[int]) -> np.ndarray:
        """The weights of some candidates together."""
        return np.linalg.solve(self._products[np.ix_(places, places)], self._sides[list(places)])

    def forward(self, most: int) -> list[int]:
        """The candidates that help, one after another."""
        return self._greedy(most)

    def _greedy(self, most: int) -> list[int]:
        """Orthogonal matching: by how much the weighted squares of errors become less."""
        products, sides, left = self._products.copy(), self._sides.copy(), self._power
        powers = products.diagonal().copy()
        places: list[int] = []
        costs = [0.5 * np.log2(max(left, 1e-9)) * self._rows]
        while len(places) < min(most, len(sides)):
            gains = sides**2 / np.maximum(products.diagonal(), 1e-9)
            gains[products.diagonal() < 1e-6 * powers] = 0
            gains[places] = 0
            best = int(np.argmax(gains))
            if gains[best] <= 1e-9 * left:
                break
            column = products[:, best] / products[best, best]
            sides = sides - column * sides[best]
            products = products - np.outer(column, products[best])
            left -= gains[best]
            places.append(best)
            costs.append(0.5 * np.log2(max(left, 1e-9)) * self._rows + INPUT_BITS * len(places))
        return places[: max(1, int(np.argmin(costs)))] or [0]


def _trust(errors: np.ndarray) -> np.ndarray:
    size = np.abs(errors)
    return 1 / np.maximum(size, max(0.4, float(np.median(size)) / 2))


def _sample(reach: int, rows: int, most: int, stretches: int = 16) -> np.ndarray:
    if rows - reach <= most:
        return np.arange(reach, rows)
    length = most // stretches
    starts = np.linspace(reach, rows - length, stretches).astype(np.int64)
    return (starts[:, None] + np.arange(length)).ravel()


def period_of(values: np.ndarray, most: int) -> int:
    """The lag at which channels are most like themselves again; 0 where there is none.

    Args:
        values: (channel, row).
        most: rows, at most.
    """
    rows = values.shape[1]
    most = min(most, rows // 8, MOST_BACK - 1)
    if most < 8:
        return 0
    total = np.zeros(most + 1)
    for channel in values[:64]:
        steps = np.clip(np.diff(channel), *np.quantile(np.diff(channel), [0.002, 0.998]))
        steps = steps[: 1 << 16] - steps[: 1 << 16].mean()
        if not steps.any():
            continue
        spectrum = np.abs(np.fft.rfft(steps, 2 * len(steps))) ** 2
        likeness = np.fft.irfft(spectrum)[: most + 1]
        total += likeness / likeness[0]
    total /= len(values[:64])
    peaks = [lag for lag in range(8, most) if total[lag] == total[max(1, lag - 3) : lag + 4].max()]
    best = max(peaks, key=lambda lag: total[lag], default=0)
    return best if best and total[best] > LEAST_LIKENESS else 0
