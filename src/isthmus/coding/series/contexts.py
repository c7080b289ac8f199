"""What a residual is told by: how large others were, where the prediction lies, what came before and beside.

Everything is mirrored where the prediction was rounded up, so that what is alike has the same symbol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from isthmus.coding.audio.telling import levels

FINE_BITS = 6
"""Residuals' sizes count in units of two to the power of minus this."""
FINE = 1 << FINE_BITS
PACES = (0.2, 0.03)
_FLOOR = 2.0
_PARTS, _FINE_LEVELS = 4, 20
_OCTAVES, _HALVES, _SMALL, _COARSE = 18, 36, 6, 6
_PHASES, _BANDS = 48, 64
_NEAR, _RUNS = 4, 8


@dataclass
class State:
    """What is known of the residuals of every channel and lane, as they go by.

    Args:
        reach: rows that are looked back, at most.
        steps: rows of a lane.
    """

    reach: int
    steps: int
    channels: int
    lanes: int

    def __post_init__(self) -> None:
        shape = (self.channels, self.lanes)
        self.means = np.full((len(PACES), *shape), FINE * 16.0)
        self.residuals = np.zeros((self.reach + self.steps, *shape), np.int32)
        self.ratios = np.zeros((self.reach + self.steps, *shape), np.int8)
        self.run = np.zeros(shape, np.int64)
        self.turn = np.zeros(shape, np.int64)

    def learn(
        self, at: int, which: np.ndarray, missed: np.ndarray, residuals: np.ndarray, moved: np.ndarray
    ) -> None:
        """Take in a step of some channels: residuals in fine units and in whole ones, and values' steps."""
        quick, slow = self.means[:, which]
        size = np.abs(missed)
        mean = (quick + slow) * 0.5
        groups = (size * 4 > mean).astype(np.int8) + (size > mean) + (size > mean * 3)
        self.ratios[at, which] = np.where(missed < 0, -groups, groups)
        self.residuals[at, which] = _within(residuals, _NEAR)
        self.means[0, which] = quick + (size - quick) * PACES[0]
        self.means[1, which] = slow + (size - slow) * PACES[1]
        self.run[which] = np.where(moved == 0, self.run[which] + 1, 0)
        self.turn[which] = np.where(moved == 0, self.turn[which], np.sign(moved))


@dataclass(frozen=True)
class Looks:
    """Where some channels look."""

    which: np.ndarray
    beside: np.ndarray
    """(channel, 2); the last channel of all stands for none."""
    low: np.ndarray
    """(channel, 1), and so is the width of a band of values."""
    width: np.ndarray
    period: int


class Here:
    """What the channels that are told now see, in all lanes; (channel, lane) each.

    Args:
        state: of all channels.
        looks: of these.
        at: the step, behind the reach.
        rows: of each lane, its row, (lane,).
        whole, fraction: predictions; the fraction in fine units, mirrored where below 0.
        before: the last values.
    """

    def __init__(
        self,
        state: State,
        looks: Looks,
        at: int,
        rows: np.ndarray,
        whole: np.ndarray,
        fraction: np.ndarray,
        before: np.ndarray,
    ) -> None:
        self._state, self._looks, self._at, self._rows = state, looks, at, rows
        self._whole, self._fraction, self._before = whole, fraction, before
        self.sign = np.where(fraction < 0, -1, 1)
        self._quick, self._slow = state.means[:, looks.which]
        self._mean = (self._quick + self._slow) * 0.5

    @cached_property
    def part(self) -> np.ndarray:
        """How far the prediction lies from a whole number."""
        return np.abs(self._fraction) * (2 * _PARTS) // (FINE + 1)

    @cached_property
    def octave(self) -> np.ndarray:
        """Of the size of residuals."""
        return np.minimum(levels(self._mean + _FLOOR, 0), _OCTAVES - 1)

    @cached_property
    def small(self) -> np.ndarray:
        """The same, where it is small."""
        return np.minimum(self.octave, _SMALL - 1)

    @cached_property
    def coarse(self) -> np.ndarray:
        """The same, in steps of two octaves."""
        return np.minimum(self.octave >> 1, _COARSE - 1)

    @cached_property
    def residual(self) -> np.ndarray:
        """The last one, cut off."""
        return self._state.residuals[self._at - 1, self._looks.which] * self.sign

    @cached_property
    def beside(self) -> np.ndarray:
        """How large the residual of a channel beside is for it."""
        return self._state.ratios[self._at, self._looks.beside[:, 0]] * self.sign

    def size(self) -> np.ndarray:
        """The size of the last residuals, in half octaves."""
        return np.minimum(levels(self._mean + _FLOOR, 1), _HALVES - 1)

    def size_and_part(self) -> np.ndarray:
        """The same where it is small, and how far the prediction lies from a whole number."""
        level = np.minimum(levels(self._mean + _FLOOR, 1), _FINE_LEVELS - 1)
        return level * _PARTS + self.part

    def sizes(self) -> np.ndarray:
        """How the quick mean of sizes compares with the slow one."""
        quick, slow = levels(self._quick + _FLOOR, 1), levels(self._slow + _FLOOR, 1)
        return (_within(quick - slow, 3) + 3) * _OCTAVES + np.minimum(slow >> 1, _OCTAVES - 1)

    def last_two(self) -> np.ndarray:
        """The last two residuals, cut off."""
        second = _within(self._state.residuals[self._at - 2, self._looks.which], 2) * self.sign
        return ((self.residual + _NEAR) * 5 + second + 2) * _PARTS + self.part

    def last_value(self) -> np.ndarray:
        """Where the last value lies, seen from the prediction."""
        distance = (_within(self._before - self._whole, 1 << 40) * FINE - self._fraction) * self.sign
        far = _within(distance * 4 // np.maximum(self._mean.astype(np.int64), FINE), 8)
        return ((far + 8) * _PARTS + self.part) * _SMALL + self.small

    def ratio_beside(self) -> np.ndarray:
        """How large the residual of the first channel beside is for it."""
        return (self.beside + 3) * _OCTAVES + self.octave

    def ratios_beside(self) -> np.ndarray:
        """Those of both channels beside."""
        another = self._state.ratios[self._at, self._looks.beside[:, 1]] * self.sign
        return ((self.beside + 3) * 7 + another + 3) * _COARSE + self.coarse

    def phase(self) -> np.ndarray:
        """Where in the period the row is."""
        period = self._looks.period
        if not period:
            return self.coarse
        return self._rows % period * min(_PHASES, period) // period * _COARSE + self.coarse

    def band(self) -> np.ndarray:
        """How high the prediction lies between the least and the greatest value."""
        band = (self._whole - self._looks.low) // self._looks.width
        return np.maximum(0, np.minimum(band, _BANDS - 1)) * 2 + (self.sign > 0)

    def run(self) -> np.ndarray:
        """For how many rows the value has stayed, and which way it went before."""
        which = self._looks.which
        run = np.minimum(levels(self._state.run[which] + 1.0, 0), _RUNS - 1)
        return (run * 3 + self._state.turn[which] * self.sign + 1) * _PARTS + self.part

    def season(self) -> np.ndarray:
        """How large the residual was a period before."""
        period = self._looks.period
        then = self._state.ratios[self._at - period, self._looks.which] * self.sign if period else 0
        return (then + 3) * _OCTAVES + self.octave

    def near_beside(self) -> np.ndarray:
        """The residual of the first channel beside, cut off, and the last one."""
        near = self._state.residuals[self._at, self._looks.beside[:, 0]] * self.sign
        return ((near + _NEAR) * 9 + self.residual + _NEAR) * _PARTS + self.part

    def contexts(self, menu: Sequence[int]) -> np.ndarray:
        """The values of contexts, int64 (context, channel, lane)."""
        found = np.empty((len(menu), *self.sign.shape), np.int64)
        for place, each in enumerate(menu):
            found[place] = MENU[each].value(self)
        return found


@dataclass(frozen=True)
class Context:
    """One way to look."""

    value: Callable[[Here], np.ndarray]
    size: int
    """How many values there are."""


MENU = (
    Context(Here.size, _HALVES),
    Context(Here.size_and_part, _FINE_LEVELS * _PARTS),
    Context(Here.sizes, 7 * _OCTAVES),
    Context(Here.last_two, 9 * 5 * _PARTS),
    Context(Here.last_value, 17 * _PARTS * _SMALL),
    Context(Here.ratio_beside, 7 * _OCTAVES),
    Context(Here.ratios_beside, 7 * 7 * _COARSE),
    Context(Here.phase, _PHASES * _COARSE),
    Context(Here.band, 2 * _BANDS),
    Context(Here.run, _RUNS * 3 * _PARTS),
    Context(Here.season, 7 * _OCTAVES),
    Context(Here.near_beside, 9 * 9 * _PARTS),
)
SIZES = np.array([each.size for each in MENU])


def _within(values: np.ndarray, most: int) -> np.ndarray:
    return np.maximum(-most, np.minimum(values, most))
