"""Decoded symbols nearby → what to expect of the next ones, in whole numbers.

The channels of a grid are coded in groups, one after another, and the positions of a group from
coarse to fine: first a grid with wide gaps, then the middles of its squares, then those of its edges,
down to the last gap:

    0 2 0 2
    3 1 3 1
    0 2 0 2

So a symbol's neighbours in earlier groups are all known, and those in its own group lie on all sides
of it. Their weighted sum predicts its value, and the weighted sum of their magnitudes how far off
that may be; the latter chooses a table. All symbols of a phase are coded together.

Sources: contexts from weighted magnitudes of decoded coefficients: Wu 1997, High-order context
modeling and embedded conditional entropy coding of wavelet coefficients; groups of channels and phases
of positions: He et al. 2022, arXiv:2203.10886; from coarse to fine: Zhao et al. 2021, SZ3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np

from isthmus.coding.latents.levels import MAX_QUALITY, interpolated

UNIT_BITS = 10
"""Weights and sums are told in units of 2**-10."""
REACHES = tuple((1 << bits) - 1 for bits in range(12, 3, -1))
"""Larger magnitudes count as this one: the first of these with which no sum outgrows float32."""
EXACT = 1 << 24
"""float32 holds every whole number up to here."""
QUARTERS = 4
"""Tables per class: a predicted value lies 0, 1, 2 or 3 quarters above a whole number."""
PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))
"""The first row and column of each phase, in gaps; the first phase is that of the coarsest grid alone."""
MAX_SCALES = 8
VALUE, SIZE = range(2)


@dataclass(frozen=True, eq=False)
class Step:
    """Symbols that are coded together: one group of channels at one phase of a scale."""

    group: int
    phase: int
    """0: the coarsest grid, where nothing of the group is known yet."""
    scale: int
    """Neighbours are 2**scale positions away."""
    channels: slice
    positions: tuple[slice, slice, slice]
    """Sample, row, column."""


@dataclass(frozen=True, eq=False)
class Group:
    """How a group of channels is predicted; sums are of VALUE (signed symbols) and SIZE (magnitudes)."""

    earlier: np.ndarray
    """int16 (2, side · side, earlier channels, channels): symbols around, in the groups before."""
    own: np.ndarray
    """int16 (2, scales, phases after the first, 9, channels, channels), or without the last axis where
    each channel looks at itself alone: symbols around, of phases before."""

    @property
    def channels(self) -> int:
        """In the group."""
        return int(self.own.shape[4])

    @property
    def scales(self) -> int:
        """From the gap of the coarsest grid down to one position."""
        return int(self.own.shape[1])

    def largest(self, kind: int) -> int:
        """No sum of neighbours that are at most 1, nor a part of it, is larger."""
        earlier = np.abs(self.earlier[kind].astype(np.int64)).sum(axis=(0, 1)).max(initial=0)
        own = np.abs(self.own[kind].astype(np.int64)).sum(axis=(2, 3) if self.own.ndim == 6 else 2)
        return int(earlier + own.max(initial=0))


@dataclass(frozen=True, eq=False)
class Neighbours:
    """What is expected of every symbol."""

    groups: tuple[Group, ...]
    bias: np.ndarray
    """int32 (2, anchors, channel): what each sum begins with, at qualities evenly spaced from 1 to 100."""
    thresholds: np.ndarray
    """int32, ascending: a symbol's class is how many of them the SIZE sum reaches."""

    def __post_init__(self) -> None:
        before = 0
        for group in self.groups:
            if group.own.ndim not in (5, 6) or not 0 < group.scales <= MAX_SCALES:
                raise ValueError("neighbours of a group that cannot be")
            count = group.channels
            sides = group.earlier.shape[1] in (1, 9) and group.earlier.shape[2:] == (before, count)
            own = group.own.shape[2:4] == (len(PHASES) - 1, 9) and group.own.shape[5:] in ((), (count,))
            if len(group.earlier) != 2 or len(group.own) != 2 or not sides or not own or not count:
                raise ValueError("neighbours whose weights do not fit one another")
            before += count
        if self.bias.ndim != 3 or self.bias.shape[::2] != (2, before) or self.bias.shape[1] < 2:
            raise ValueError("neighbours without a beginning for each channel")
        if not 0 < len(self.thresholds) < 256 or (np.diff(self.thresholds) <= 0).any():
            raise ValueError("neighbours without classes")
        if np.abs(self.thresholds).max() >= EXACT or not all(self.reach):
            raise ValueError("neighbours whose sums outgrow float32")

    @cached_property
    def reach(self) -> tuple[int, int]:
        """The largest magnitude that counts, in VALUE and in SIZE sums; 0 where none can."""
        begin = int(np.abs(self.bias.astype(np.int64)).max())
        most = [max(group.largest(kind) for group in self.groups) for kind in (VALUE, SIZE)]
        value, size = (next((r for r in REACHES if r * one + begin < EXACT), 0) for one in most)
        return value, size

    @property
    def channels(self) -> int:
        """Of the latent."""
        return int(self.bias.shape[2])

    @property
    def tables(self) -> int:
        """How many tables its numbers name."""
        return QUARTERS * (len(self.thresholds) + 1)

    def first_of_class(self, sums: np.ndarray) -> np.ndarray:
        """SIZE sums, whole numbers in float32 → uint16: the first table of each one's class."""
        low, high = (int(end) for end in self.thresholds[[0, -1]])
        return self._first_tables.take(np.clip(sums, low - 1, high).astype(np.int32) - (low - 1))

    @cached_property
    def _first_tables(self) -> np.ndarray:
        """By sums from one below the first threshold to the last: to look up is faster than to search."""
        sums = np.arange(int(self.thresholds[0]) - 1, int(self.thresholds[-1]) + 1, dtype=np.int32)
        return (QUARTERS * np.searchsorted(self.thresholds, sums, side="right")).astype(np.uint16)

    def tensors(self) -> dict[str, np.ndarray]:
        """All of it, as integer arrays by name; `from_tensors` undoes it."""
        named = {"bias": self.bias, "thresholds": self.thresholds}
        for number, group in enumerate(self.groups):
            named |= {f"{number}.earlier": group.earlier, f"{number}.own": group.own}
        return named

    @classmethod
    def from_tensors(cls, named: Mapping[str, np.ndarray]) -> Neighbours:
        """Undo `tensors`; ValueError or KeyError for what it would not have given."""
        rest = dict(named)
        bias, thresholds = rest.pop("bias").astype(np.int32), rest.pop("thresholds").astype(np.int32)
        pairs = [(rest.pop(f"{n}.earlier"), rest.pop(f"{n}.own")) for n in range(len(rest) // 2)]
        return cls(tuple(Group(*pair) for pair in pairs), bias, thresholds)


class Walk:
    """One stack of codes of a shape, on its way from the first symbol to the last.

    Args:
        neighbours: what is expected.
        shape: (sample, channel, height, width).
        quality: 1 to 100.
    """

    def __init__(self, neighbours: Neighbours, shape: tuple[int, ...], quality: int) -> None:
        if not 1 <= quality <= MAX_QUALITY:
            raise ValueError(f"a quality of {quality}")
        samples, channels, height, width = shape
        self._neighbours, self._size = neighbours, (samples, height, width)
        self.symbols = np.zeros((samples, height, width, channels), np.int32)
        self._near = np.zeros((2, samples, height, width, channels), np.float32)
        self._bias = np.stack([interpolated(one, quality) for one in neighbours.bias]).astype(np.float32)
        self._sums = np.zeros(0, np.float32)

    def steps(self) -> Iterator[Step]:
        """In the order of coding."""
        ends = accumulate((group.channels for group in self._neighbours.groups), initial=0)
        for group, (start, stop) in enumerate(pairwise(ends)):
            self._sums = self._from_earlier(group, slice(start, stop))
            scales = self._neighbours.groups[group].scales
            for phase, scale in ((0, scales), *_phases(scales)):
                row, column = (side << scale for side in PHASES[phase])
                if row < self._size[1] and column < self._size[2]:
                    gap = (1 << scale) * (2 if phase else 1)
                    every = (slice(None), slice(row, None, gap), slice(column, None, gap))
                    yield Step(group, phase, scale, slice(start, stop), every)

    def expected(self, step: Step) -> tuple[np.ndarray, np.ndarray]:
        """The number of each symbol's table, and the whole number to take from it first.

        Returns:
            uint16 and int32, (sample, row, column, channel) of the step.
        """
        sums = self._sums[(slice(None), *step.positions)].copy()
        if step.phase:
            self._add_own(sums, step)
        quarters = np.floor(sums[VALUE] * np.float32(QUARTERS / (1 << UNIT_BITS)) + np.float32(0.5))
        whole = np.floor((quarters + 2) * np.float32(1 / QUARTERS))
        number = self._neighbours.first_of_class(sums[SIZE])
        number += (quarters - QUARTERS * whole + 2).astype(np.uint16)
        return number, whole.astype(np.int32)

    def fill(self, step: Step, symbols: np.ndarray) -> None:
        """Put a step's symbols in their place; later ones look at them."""
        self.symbols[(*step.positions, step.channels)] = symbols
        value, size = self._neighbours.reach
        near = self._near[:, :, :, :, step.channels][(slice(None), *step.positions)]
        near[VALUE] = np.clip(symbols, -value, value)
        near[SIZE] = np.minimum(np.abs(symbols), size)

    def _from_earlier(self, group: int, channels: slice) -> np.ndarray:
        """float32 (2, sample, height, width, channel): whole numbers, so sums are exact in any order."""
        weights = self._neighbours.groups[group].earlier
        sums = np.empty((2, *self._size, weights.shape[3]), np.float32)
        sums[:] = self._bias[:, None, None, None, channels]
        if channels.start:
            every = slice(0, None, 1)
            self._add(sums, weights, (every, every), 1, slice(0, channels.start))
        return sums

    def _add_own(self, sums: np.ndarray, step: Step) -> None:
        weights = self._neighbours.groups[step.group].own[:, step.scale, step.phase - 1]
        self._add(sums, weights, step.positions[1:], 1 << step.scale, step.channels)

    def _add(
        self, sums: np.ndarray, weights: np.ndarray, positions: tuple[slice, slice], far: int, channels: slice
    ) -> None:
        """Add the weighted neighbours of some positions, `far` away, to their sums."""
        _, height, width = self._size
        side = 3 if weights.shape[1] == 9 else 1
        for place in range(side * side):
            if not weights[:, place].any():
                continue
            down, right = ((at - side // 2) * far for at in divmod(place, side))
            into_rows, rows = _inside(positions[0], down, height)
            into_columns, columns = _inside(positions[1], right, width)
            for kind in (VALUE, SIZE):
                each = weights[kind, place].astype(np.float32)
                near = self._near[kind][:, rows, columns, channels]
                part = sums[kind][:, into_rows, into_columns]
                part += near @ each if each.ndim == 2 else near * each


def _phases(scales: int) -> Iterator[tuple[int, int]]:
    """Phases after the first with their scales, coarse to fine."""
    for scale in reversed(range(scales)):
        for phase in range(1, len(PHASES)):
            yield phase, scale


def _inside(positions: slice, away: int, length: int) -> tuple[slice, slice]:
    """Of positions along a side: which have a neighbour so far away, and where those neighbours are.

    >>> _inside(slice(1, None, 2), 1, 6)
    (slice(0, 2, None), slice(2, 6, 2))
    """
    first, gap = positions.start, positions.step
    count = len(range(first, length, gap))
    low = max(0, -(-(-away - first) // gap))
    high = max(low, min(count, (length - 1 - away - first) // gap + 1))
    start = first + low * gap + away
    return slice(low, high), slice(start, start + (high - low) * gap, gap)
