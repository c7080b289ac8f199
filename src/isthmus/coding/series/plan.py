"""How each channel is predicted, and what its residuals are told by: a Plan ⇄ bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from isthmus.coding.columns.counts import LEVELS
from isthmus.coding.series.contexts import MENU
from isthmus.coding.squeeze import expand, squeeze
from isthmus.coding.tokens import ALPHABET
from isthmus.coding.varints import ByteReader, unzigzag, write_varint, zigzag
from isthmus.errors import DamagedFile

MOST_CHANNELS = 1 << 12
MOST_BACK = 1 << 12
"""Rows that an input may look back."""
MOST_INPUTS = 64
MOST_SHIFT = 20
MOST_SPAN = 1 << 32
"""Between the least and the greatest number of a channel."""
MOST_LISTED, MOST_LISTED_SPAN = 1 << 16, 1 << 20
"""Numbers of a channel that are told by their places, and between the least and the greatest of them."""
MOST_WEIGHT = 1 << 25
MOST_GENERATIONS = 64
MOST_COUNTS = 1 << 25
MOST_PLAN_BYTES = 1 << 22
STAGES = (1, 8)
"""Near the beginning of a lane only inputs that look back so far are there; then, all."""


@dataclass(frozen=True)
class Input:
    """A channel so many rows before; 0 is the same row."""

    channel: int
    back: int


@dataclass(frozen=True)
class Channel:
    """How one channel is told."""

    low: int
    high: int
    middle: int
    """What stands for what is before the beginning, and is taken off every number."""
    alphabet: int
    """Of its tokens."""
    shift: int = 0
    """Weights are in units of two to the power of minus this."""
    inputs: tuple[Input, ...] = ()
    weights: tuple[tuple[int, ...], ...] = ((), (), ())
    """Of the inputs, for each stage."""
    beside: tuple[int, int] = (-1, -1)
    """Two channels whose residuals in the same row are looked at; -1: none."""
    contexts: tuple[int, ...] = ()
    """Of the menu."""
    listed: tuple[int, ...] = ()
    """The numbers that occur, ascending, where many between do not; what is told are places among these."""
    trust: tuple[tuple[int, ...], ...] = ((32,) * LEVELS,)
    """How much the shares and each context are believed, by how much they have seen."""

    def same_row(self) -> set[int]:
        """The channels that must be told before it."""
        told = {each.channel for each in self.inputs if each.back == 0}
        return told | {each for each in self.beside if each >= 0}


@dataclass(frozen=True)
class Plan:
    """All channels.

    Args:
        lanes: stretches of rows that are told side by side.
        period: rows after which things repeat; 0: none.
        channels: in the order of the block.

    >>> plan = Plan(1, 24, (Channel(0, 9, 4, 31),))
    >>> Plan.from_bytes(plan.to_bytes()) == plan
    True
    """

    lanes: int
    period: int
    channels: tuple[Channel, ...]

    @cached_property
    def generations(self) -> list[list[int]]:
        """Channels that are told at once, in the order of telling."""
        ages: list[int] = []
        for channel in self.channels:
            ages.append(1 + max((ages[other] for other in channel.same_row()), default=-1))
        return [[n for n, age in enumerate(ages) if age == wanted] for wanted in range(max(ages) + 1)]

    @cached_property
    def reach(self) -> int:
        """How far anything looks back."""
        backs = [each.back for channel in self.channels for each in channel.inputs]
        return max([2, self.period, *backs])

    @cached_property
    def counts(self) -> int:
        """How many counts there are of tokens under contexts."""
        told = 0
        for numbers in self.generations:
            channels = [self.channels[number] for number in numbers]
            rows = sum(MENU[context].size for channel in channels for context in channel.contexts)
            told += (1 + rows) * max(channel.alphabet for channel in channels)
        return told

    def to_bytes(self) -> bytes:
        """One zstd frame of signed varints; `from_bytes` undoes it."""
        numbers = [self.lanes, self.period, len(self.channels)]
        for channel in self.channels:
            numbers += _numbers_of(channel)
        return squeeze(b"".join(write_varint(zigzag(number)) for number in numbers))

    @classmethod
    def from_bytes(cls, data: bytes) -> Plan:
        """Undo `to_bytes`; DamagedFile for a plan that no encoder writes."""
        fields = _Numbers(expand(data, MOST_PLAN_BYTES, "A plan for a series"))
        lanes, period = fields.within(1, 1 << 16), fields.within(0, MOST_BACK)
        count = fields.within(1, MOST_CHANNELS)
        plan = cls(lanes, period, tuple(_read_channel(fields, number, count) for number in range(count)))
        fields.finish()
        if len(plan.generations) > MOST_GENERATIONS:
            raise DamagedFile("A plan for a series tells its channels one by one.")
        if plan.counts > MOST_COUNTS:
            raise DamagedFile("A plan for a series asks for more counts than it may.")
        return plan


def _numbers_of(channel: Channel) -> Sequence[int]:
    numbers = [channel.low, channel.high, channel.middle, channel.alphabet, channel.shift]
    numbers.append(len(channel.inputs))
    for each in channel.inputs:
        numbers += [each.channel, each.back]
    numbers += [weight for stage in channel.weights for weight in stage]
    numbers += [*channel.beside, len(channel.contexts), *channel.contexts]
    numbers += [len(channel.listed), *np.diff(channel.listed, prepend=channel.low).tolist()]
    return numbers + [weight for row in channel.trust for weight in row]


def _read_channel(fields: _Numbers, number: int, count: int) -> Channel:
    low, high, middle = (fields.within(-(1 << 62), 1 << 62) for _ in range(3))
    alphabet, shift = fields.within(1, ALPHABET), fields.within(0, MOST_SHIFT)
    inputs = tuple(_read_input(fields, number, count) for _ in range(fields.within(0, MOST_INPUTS)))
    weights = tuple(
        tuple(fields.within(-MOST_WEIGHT, MOST_WEIGHT) for _ in inputs) for _ in range(len(STAGES) + 1)
    )
    beside = (fields.within(-1, number - 1), fields.within(-1, number - 1))
    contexts = tuple(fields.within(0, len(MENU) - 1) for _ in range(fields.within(0, len(MENU))))
    gaps = [fields.within(0, MOST_SPAN) for _ in range(fields.within(0, MOST_LISTED))]
    listed = tuple((low + np.cumsum(gaps, dtype=np.int64)).tolist())
    trust = tuple(tuple(fields.within(-1024, 1024) for _ in range(LEVELS)) for _ in range(1 + len(contexts)))
    if not (low <= middle <= high and high - low <= MOST_SPAN):
        raise DamagedFile("A plan for a series has a range that cannot be.")
    if listed and (0 in gaps[1:] or (listed[0], listed[-1]) != (low, high) or high - low > MOST_LISTED_SPAN):
        raise DamagedFile("A plan for a series lists numbers that cannot be.")
    return Channel(low, high, middle, alphabet, shift, inputs, weights, beside, contexts, listed, trust)


def _read_input(fields: _Numbers, number: int, count: int) -> Input:
    channel, back = fields.within(0, count - 1), fields.within(0, MOST_BACK)
    if back == 0 and channel >= number:
        raise DamagedFile("A plan for a series looks at what is not known yet.")
    return Input(channel, back)


class _Numbers:
    """Signed varints, each checked."""

    def __init__(self, data: bytes) -> None:
        self._fields = ByteReader(data, "A plan for a series")

    def within(self, low: int, high: int) -> int:
        """The next number; DamagedFile where it lies elsewhere."""
        number = unzigzag(self._fields.varint())
        if not low <= number <= high:
            raise DamagedFile("A plan for a series holds a number that cannot be.")
        return number

    def finish(self) -> None:
        """Check that nothing is left."""
        self._fields.finish()


def stages_of(step: int, reach: int) -> int:
    """Which weights hold in a step of every lane."""
    return len(STAGES) if step >= reach else int(np.searchsorted(STAGES, step, side="right")) - 1


def menu_of(channels: Sequence[Channel]) -> list[int]:
    """The contexts that any of some channels looks at."""
    return sorted({context for channel in channels for context in channel.contexts})
