"""What a regression missed, predicted by filters that learn at every step, and all of them blended."""

from __future__ import annotations

import numpy as np

from isthmus.coding.audio.regression import total

BLEND_RATE = 0.002
_LEAST_POWER = 1e-3


class Filter:
    """A filter that learns to predict a signal from its own past (normalised least mean squares).

    Args:
        steps: rows to come, of which each has a sample of each lane.
        order: how many samples it looks back.
        rate: how fast it learns.

    Source: B. Widrow, M. Hoff 1960; in cascades: Monkey's Audio, OptimFROG, MPEG-4 ALS.
    """

    def __init__(self, steps: int, lanes: int, order: int, rate: float) -> None:
        self._seen = np.zeros((order + steps, lanes))
        self._weights = np.zeros((order, lanes))
        self._power = np.zeros(lanes)
        self._order, self._rate = order, rate

    def predict(self, step: int) -> np.ndarray:
        """What comes next; shape (lane,)."""
        return total(self._weights * self._seen[step : step + self._order])

    def learn(self, step: int, signal: np.ndarray, missed: np.ndarray) -> None:
        """Take in what came, and by how much the prediction missed it."""
        seen = self._seen[step : step + self._order]
        pace = missed * self._rate / (self._power + self._order)
        self._weights += seen * pace
        self._seen[step + self._order] = signal
        self._power = self._power * (1 - 1 / self._order) + signal * signal


class Cascade:
    """Filters one behind the other, each on what those before it missed.

    Args:
        filters: (order, rate) of each.
    """

    def __init__(self, steps: int, lanes: int, filters: tuple[tuple[int, float], ...]) -> None:
        self._filters = [Filter(steps, lanes, order, rate) for order, rate in filters]
        self._blend = np.ones((1 + len(filters), lanes))
        self._told = self._blend

    def predict(self, step: int, first: np.ndarray) -> np.ndarray:
        """The blend of a first prediction and what the filters add; shape (lane,)."""
        self._told = np.stack([first, *(each.predict(step) for each in self._filters)])
        self._whole = total(self._told * self._blend)
        return self._whole

    def learn(self, step: int, samples: np.ndarray) -> None:
        """Take in what was predicted."""
        missed = samples - self._told[0]
        for each, told in zip(self._filters, self._told[1:], strict=True):
            signal, missed = missed, missed - told
            each.learn(step, signal, missed)
        power = total(self._told * self._told) + _LEAST_POWER
        pace = (samples - self._whole) * BLEND_RATE / power
        self._blend[1:] = np.clip(self._blend[1:] + self._told[1:] * pace, 0.0, 2.0)
