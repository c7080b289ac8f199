"""Decoded symbols nearby → what to expect of the next ones, in whole numbers.

The channels of a grid are coded in groups, one after another, and the positions of a group in four
phases:

    0 2 0 2
    3 1 3 1
    0 2 0 2

So a symbol's neighbours in earlier groups are all known, and half of those in its own group on
average. Their weighted sum predicts its value, and the weighted sum of their magnitudes how far off
that may be; the latter chooses a table. All symbols of a phase are coded together.

Sources: contexts from weighted magnitudes of decoded coefficients: Wu 1997, High-order context
modeling and embedded conditional entropy coding of wavelet coefficients; groups of channels and phases
of positions: He et al. 2022, arXiv:2203.10886.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from isthmus.coding.latents.levels import MAX_QUALITY, interpolated

UNIT_BITS = 10
"""Weights and sums are told in units of 2**-10."""
REACH = 255
"""Larger magnitudes count as this one."""
EXACT = 1 << 24
"""float32 holds every whole number up to here."""
QUARTERS = 4
"""Tables per class: a predicted value lies 0, 1, 2 or 3 quarters above a whole number."""
PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))
"""The first row and column of each phase."""
VALUE, SIZE = range(2)


@dataclass(frozen=True, eq=False)
class Step:
    """Symbols that are coded together: one group of channels at one phase."""

    group: int
    phase: int
    channels: slice
    positions: tuple[slice, slice, slice]
    """Sample, row, column."""


@dataclass(frozen=True, eq=False)
class Group:
    """How a group of channels is predicted; sums are of VALUE (signed symbols) and SIZE (magnitudes)."""

    earlier: np.ndarray
    """int16 (2, side · side, earlier channels, channels): symbols around, in the groups before."""
    own: np.ndarray
    """int16 (2, phases, 9, channels, channels), or without the last axis where each channel looks at
    itself alone: symbols around, of phases before."""

    @property
    def channels(self) -> int:
        """In the group."""
        return int(self.own.shape[3])


@dataclass(frozen=True, eq=False)
class Neighbours:
    """What is expected of every symbol."""

    groups: tuple[Group, ...]
    bias: np.ndarray
    """int32 (2, anchors, channel): what each sum begins with, at qualities evenly spaced from 1 to 100."""
    thresholds: np.ndarray
    """int32, ascending: a symbol's class is how many of them the SIZE sum reaches."""

    def __post_init__(self) -> None:
        self._check()

    def _check(self) -> None:
        before = 0
        for group in self.groups:
            count = group.channels
            sides = group.earlier.shape[1] in (1, 9) and group.earlier.shape[2:] == (before, count)
            own = group.own.shape[:3] == (2, len(PHASES), 9) and group.own.shape[4:] in ((), (count,))
            if len(group.earlier) != 2 or not sides or not own or not count:
                raise ValueError("neighbours whose weights do not fit one another")
            before += count
        if self.bias.ndim != 3 or self.bias.shape[::2] != (2, before) or self.bias.shape[1] < 2:
            raise ValueError("neighbours without a beginning for each channel")
        if not 0 < len(self.thresholds) < 256 or (np.diff(self.thresholds) <= 0).any():
            raise ValueError("neighbours without classes")
        if self._largest() >= EXACT or np.abs(self.thresholds).max() >= EXACT:
            raise ValueError("neighbours whose sums outgrow float32")

    def _largest(self) -> float:
        """No sum, nor a part of one, is larger."""
        sums = [
            np.abs(group.earlier.astype(np.int64)).sum(axis=(1, 2)).max(initial=0)
            + np.abs(group.own.astype(np.int64)).sum(axis=(2, 3) if group.own.ndim == 5 else 2).max()
            for group in self.groups
        ]
        return float(max(sums)) * REACH + float(np.abs(self.bias.astype(np.int64)).max())

    @property
    def channels(self) -> int:
        """Of the latent."""
        return int(self.bias.shape[2])

    @property
    def tables(self) -> int:
        """How many tables its numbers name."""
        return QUARTERS * (len(self.thresholds) + 1)

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
        # One position around holds 0, so that every neighbour can be looked at.
        self._near = np.zeros((2, samples, height + 2, width + 2, channels), np.float32)
        self._bias = np.stack([interpolated(one, quality) for one in neighbours.bias]).astype(np.float32)
        self._sums = np.zeros(0, np.float32)

    def steps(self) -> Iterator[Step]:
        """In the order of coding."""
        ends = accumulate((group.channels for group in self._neighbours.groups), initial=0)
        for group, (start, stop) in enumerate(pairwise(ends)):
            self._sums = self._from_earlier(group, slice(start, stop))
            for phase, (row, column) in enumerate(PHASES):
                if row < self._size[1] and column < self._size[2]:
                    every = (slice(None), slice(row, None, 2), slice(column, None, 2))
                    yield Step(group, phase, slice(start, stop), every)

    def expected(self, step: Step) -> tuple[np.ndarray, np.ndarray]:
        """The number of each symbol's table, and the whole number to take from it first.

        Returns:
            Both int32, (sample, row, column, channel) of the step.
        """
        sums = self._sums[(slice(None), *step.positions)].copy()
        if step.phase:
            self._add_own(sums, step)
        quarters = np.floor(sums[VALUE] * np.float32(QUARTERS / (1 << UNIT_BITS)) + np.float32(0.5))
        whole = np.floor((quarters + 2) * np.float32(1 / QUARTERS))
        thresholds = self._neighbours.thresholds.astype(np.float32)
        number = np.searchsorted(thresholds, sums[SIZE], side="right") * QUARTERS
        return number + (quarters - QUARTERS * whole + 2).astype(np.int32), whole.astype(np.int32)

    def fill(self, step: Step, symbols: np.ndarray) -> None:
        """Put a step's symbols in their place; later ones look at them."""
        self.symbols[(*step.positions, step.channels)] = symbols
        reached = np.clip(symbols, -REACH, REACH).astype(np.float32)
        inner = self._near[:, :, 1:-1, 1:-1, step.channels][(slice(None), *step.positions)]
        inner[VALUE], inner[SIZE] = reached, np.abs(reached)

    def _from_earlier(self, group: int, channels: slice) -> np.ndarray:
        """float32 (2, sample, height, width, channel): whole numbers, so sums are exact in any order."""
        weights = self._neighbours.groups[group].earlier
        _, height, width = self._size
        sums = np.empty((2, *self._size, weights.shape[3]), np.float32)
        sums[:] = self._bias[:, None, None, None, channels]
        if not channels.start:
            return sums
        side = 3 if weights.shape[1] == 9 else 1
        for place in range(side * side):
            row, column = (place // 3, place % 3) if side == 3 else (1, 1)
            near = self._near[:, :, row : row + height, column : column + width, : channels.start]
            for kind in (VALUE, SIZE):
                if weights[kind, place].any():
                    sums[kind] += near[kind] @ weights[kind, place].astype(np.float32)
        return sums

    def _add_own(self, sums: np.ndarray, step: Step) -> None:
        weights = self._neighbours.groups[step.group].own[:, step.phase]
        first_row, first_column = PHASES[step.phase]
        _, height, width = self._size
        for place in range(9):
            if weights[:, place].any():
                rows = slice(first_row + place // 3, height + place // 3, 2)
                columns = slice(first_column + place % 3, width + place % 3, 2)
                near = self._near[:, :, rows, columns, step.channels]
                for kind in (VALUE, SIZE):
                    each = weights[kind, place].astype(np.float32)
                    sums[kind] += near[kind] @ each if each.ndim == 2 else near[kind] * each
