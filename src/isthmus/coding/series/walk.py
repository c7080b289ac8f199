"""Channels ⇄ bytes: one walk along time, all lanes at once, which tells residuals or is told them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.coding.audio.lanes import Lanes
from isthmus.coding.series.contexts import FINE, FINE_BITS, Here, Looks, State
from isthmus.coding.series.plan import STAGES, Channel, Plan, menu_of, stages_of
from isthmus.coding.series.telling import Reader, Tables, Writer
from isthmus.errors import DamagedFile

Tell = Callable[[int, np.ndarray, np.ndarray, Any], np.ndarray]
"""Number of a generation, its channels, contexts, residuals or None → residuals."""


def encode(values: np.ndarray, plan: Plan) -> tuple[bytes, np.ndarray]:
    """int64 (row, channel) → bytes, and the bits of each channel."""
    lanes = lanes_of(len(values), plan.lanes)
    writer = Writer(values.shape[1])
    tables = _tables(plan)
    walk(
        lanes,
        plan,
        lambda n, which, contexts, truth: writer.tell(tables[n], which, contexts, truth),
        places_of(values, plan, lanes),
    )
    return writer.to_bytes(), writer.bits


def decode(data: bytes, rows: int, plan: Plan) -> np.ndarray:
    """Undo `encode`; DamagedFile where that is impossible."""
    lanes = lanes_of(rows, plan.lanes)
    if plan.reach > lanes.steps + 2:
        raise DamagedFile("A block of a series looks further back than it has rows.")
    reader, tables = Reader(data), _tables(plan)
    found = walk(
        lanes, plan, lambda n, which, contexts, truth: reader.tell(tables[n], which, contexts, truth), None
    )
    reader.finish()
    return lanes.gather(found.transpose(1, 0, 2)) + np.array([channel.middle for channel in plan.channels])


def lanes_of(rows: int, count: int) -> Lanes:
    """Rows in so many lanes."""
    if count > rows:
        raise DamagedFile("A block of a series has more lanes than rows.")
    return Lanes(rows, count, -(-rows // count))


def places_of(values: np.ndarray, plan: Plan, lanes: Lanes) -> np.ndarray:
    """(row, channel) → (step, channel, lane): places in lists, or numbers less the middles."""
    found = np.empty_like(values)
    for number, channel in enumerate(plan.channels):
        column = values[:, number]
        listed = np.array(channel.listed)
        found[:, number] = np.searchsorted(listed, column) if channel.listed else column - channel.middle
    return np.ascontiguousarray(lanes.spread(found).transpose(1, 0, 2))


def _tables(plan: Plan) -> list[Tables]:
    return [Tables([plan.channels[number] for number in each]) for each in plan.generations]


@dataclass(frozen=True)
class _Generation:
    """Channels that are told at once, as arrays."""

    which: np.ndarray
    source: np.ndarray
    """(input, channel), and how far back."""
    back: np.ndarray
    weights: np.ndarray
    """(stage, input, channel, 1)."""
    shift: np.ndarray
    low: np.ndarray
    high: np.ndarray
    looks: Looks
    lists: Lists | None
    menu: list[int]
    """The contexts that any of them looks at."""

    @classmethod
    def of(cls, plan: Plan, numbers: Sequence[int]) -> _Generation:
        channels = [plan.channels[number] for number in numbers]
        most = max(len(channel.inputs) for channel in channels)
        source, back = np.zeros((2, most, len(channels)), np.int64)
        weights = np.zeros((len(STAGES) + 1, most, len(channels), 1), np.int64)
        back[:] = 1  # where a channel has fewer inputs, with a weight of 0
        for place, channel in enumerate(channels):
            count = len(channel.inputs)
            source[:count, place] = [each.channel for each in channel.inputs]
            back[:count, place] = [each.back for each in channel.inputs]
            weights[:, :count, place, 0] = channel.weights
        low, high, shift = (
            np.array(each)[:, None]
            for each in zip(*((c.low - c.middle, c.high - c.middle, c.shift) for c in channels), strict=True)
        )
        beside = np.array([channel.beside for channel in channels])
        lists = Lists.of(channels)
        first = low if lists is None else np.where(lists.count > 0, 0, low)
        width = (
            (high - low if lists is None else np.where(lists.count > 0, lists.count, high - low)) >> 6
        ) + 1
        looks = Looks(np.array(numbers), beside, first, width, plan.period)
        return cls(
            np.array(numbers), source, back, weights, shift, low, high, looks, lists, menu_of(channels)
        )

    def predict(self, values: np.ndarray, at: int, stage: int) -> np.ndarray:
        """Predictions in fine units of places; (channel, lane)."""
        if stage < 0:
            total = np.zeros((len(self.which), values.shape[2]), np.int64)
        else:
            total = (self.weights[stage] * values[at - self.back, self.source]).sum(axis=0)
        held = np.maximum(self.low << self.shift, np.minimum(total, self.high << self.shift))
        fine = held << FINE_BITS >> self.shift
        return fine if self.lists is None else self.lists.places(held, self.shift, self.low, fine)

    def values(self, places: np.ndarray) -> np.ndarray:
        """The numbers at places; DamagedFile where there are none."""
        lists = self.lists
        low = self.low if lists is None else np.where(lists.count > 0, 0, self.low)
        high = self.high if lists is None else np.where(lists.count > 0, lists.count - 1, self.high)
        if ((places < low) | (places > high)).any():
            raise DamagedFile("A block of a series holds numbers outside their range.")
        return places if lists is None else lists.values(places)


@dataclass(frozen=True)
class Lists:
    """The lists of channels that are told at once, joined."""

    count: np.ndarray
    """(channel, 1); 0 where a channel has no list."""
    first: np.ndarray
    """Where its list begins in `numbers`, and its line in `line`."""
    begin: np.ndarray
    numbers: np.ndarray
    """Less the middles."""
    line: np.ndarray
    """Of each number from the least to the greatest the place in fine units: lists are lines between."""

    @classmethod
    def of(cls, channels: Sequence[Channel]) -> Lists | None:
        """None where no channel has a list."""
        if not any(channel.listed for channel in channels):
            return None
        lists = [np.array(channel.listed, np.int64) - channel.middle for channel in channels]
        lines = [_line(each) for each in lists]
        count, spans = np.array([len(each) for each in lists]), np.array([len(each) for each in lines])
        first, begin = np.cumsum(count) - count, np.cumsum(spans) - spans
        joined = np.concatenate([*lists, [0]]), np.concatenate([*lines, [0, 0]])
        return cls(count[:, None], first[:, None], begin[:, None], *joined)

    def places(self, held: np.ndarray, shift: np.ndarray, low: np.ndarray, fine: np.ndarray) -> np.ndarray:
        """Where predictions lie in the lists, in fine units; `fine` where there is no list."""
        whole = held >> shift
        at = np.where(self.count > 0, whole - low + self.begin, 0)
        before, after = self.line[at], self.line[at + 1]
        between = before + ((after - before) * (held - (whole << shift)) >> shift)
        return np.where(self.count > 0, between, fine)

    def values(self, places: np.ndarray) -> np.ndarray:
        """The numbers at places."""
        found = self.numbers[np.where(self.count > 0, places + self.first, 0)]
        return np.where(self.count > 0, found, places)


def _line(numbers: np.ndarray) -> np.ndarray:
    if not len(numbers):
        return numbers
    gaps = np.diff(numbers)
    at = np.repeat(np.arange(len(gaps)), gaps)
    inside = np.arange(numbers[0], numbers[-1]) - numbers[at]
    last = len(numbers) - 1 << FINE_BITS  # twice: predictions may lie on the last number
    return np.concatenate([(at << FINE_BITS) + (inside << FINE_BITS) // gaps[at], [last, last]])


def walk(
    lanes: Lanes, plan: Plan, tell: Tell, truth: np.ndarray | None, menu: Sequence[int] | None = None
) -> np.ndarray:
    """Tell the residuals of all steps, or be told them; int64 (step, channel, lane)."""
    reach, channels = plan.reach, len(plan.channels)
    values = np.zeros((reach + lanes.steps, channels, lanes.count), np.int64)
    state = State(reach, lanes.steps, channels + 1, lanes.count)  # the last one stands for none
    generations = [_Generation.of(plan, numbers) for numbers in plan.generations]
    last = np.zeros((channels, lanes.count), np.int64)
    starts = np.arange(lanes.count) * lanes.steps
    for step in range(lanes.steps):
        at, told, stage = reach + step, lanes.told(step), stages_of(step, reach)
        for number, each in enumerate(generations):
            fine = each.predict(values, at, stage)
            whole = fine + (FINE >> 1) >> FINE_BITS
            fraction = fine - (whole << FINE_BITS)
            before = last[each.which]
            here = Here(state, each.looks, at, starts + step, whole, fraction, before)
            contexts, sign = here.contexts(each.menu if menu is None else menu), here.sign
            wanted = None if truth is None else ((truth[step, each.which] - whole) * sign)[:, :told]
            residuals = np.zeros((len(each.which), lanes.count), np.int64)
            residuals[:, :told] = tell(number, each.which, contexts[:, :, :told], wanted)
            residuals *= sign
            found = whole + residuals
            values[at, each.which] = each.values(found)
            missed = (residuals << FINE_BITS) - fraction
            state.learn(at, each.which, missed, residuals, found - before)
            last[each.which] = found
    return values[reach:]
