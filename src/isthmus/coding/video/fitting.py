"""How the blocks of a plane are predicted: a few ways, each a weight for every tap, and who goes which.

Only the writer runs this: ways and choices are told. Ways and blocks are fitted in turn, as k-means does it:
each way by least squares on its blocks, then each block takes the way that misses it least.

Source: I. Matsuda et al. 2005, Lossless coding using variable block-size adaptive prediction optimized for
each image (MRP); here with taps in the frames before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isthmus.coding.video.scan import BEFORE, PAD, blocks_of
from isthmus.coding.video.taps import BLOCK, Shifts, Sight

WEIGHT_BITS = 10
"""Of a weight behind the point."""
STILL, COPY = 0, 1
"""Blocks whose samples all are what was there before, so that nothing is told of them; the way that expects
just that of blocks of which it is not quite true."""
_ROUNDS = 4
_SAMPLE_FRAMES, _SAMPLE_BLOCKS = 8, 1 << 14
"""From which ways are fitted, at most."""
_AT_ONCE = 1 << 12
_RIDGE = 2.0
_CHANGE, _LEAST = 2.0, 0.1
"""Bits that another way than in the frame before takes, and the magnitude that takes none, about."""
MOST_WEIGHT = 1 << (WEIGHT_BITS + 3)


@dataclass(frozen=True)
class Ways:
    """How blocks are predicted."""

    weights: np.ndarray
    """int64 (way - 1, tap), in units of 2**-WEIGHT_BITS; STILL has none."""
    chosen: np.ndarray
    """The way of each block, int64 (frame, row of blocks, column of blocks)."""


def _bits(missed: np.ndarray) -> np.ndarray:
    """About what the samples of a block take."""
    return BLOCK * BLOCK * np.log2(missed / (BLOCK * BLOCK) + _LEAST)


def find_ways(
    sight: Sight, planes: np.ndarray, shifts: Shifts, *, first: int, later: int, still: bool
) -> Ways:
    """Ways for a plane.

    Args:
        planes: the plane and its guides, flat and padded, one behind the other.
        shifts: of its blocks.
        first, later: how many ways the blocks of the first frame have, and those of later ones.
        still: whether blocks may be STILL: only where samples come back as they are.
    """
    return _Fit(sight, planes, shifts).run(first, later, still)


class _Fit:
    def __init__(self, sight: Sight, planes: np.ndarray, shifts: Shifts) -> None:
        self._sight, self._planes, self._shifts = sight, planes, shifts
        self._high, self._wide = blocks_of(sight.shape, BLOCK)
        rows = np.minimum(np.arange(self._high * BLOCK), sight.shape.height - 1)
        columns = np.minimum(np.arange(self._wide * BLOCK), sight.shape.width - 1)
        by_frame, by_row, _ = sight.shape.strides
        places = (rows[:, None] + PAD) * by_row + columns + PAD
        blocked = places.reshape(self._high, BLOCK, self._wide, BLOCK).swapaxes(1, 2)
        self._places = blocked.reshape(-1, BLOCK * BLOCK)  # (block, sample), of a frame
        self._by_frame = by_frame
        self._count = sight.count
        self._looks = [*sight.now, *sight.then, *sight.before]

    def run(self, first: int, later: int, still: bool) -> Ways:
        frames, blocks = self._sight.shape.frames, len(self._places)
        chosen = np.zeros((frames, blocks), np.int64)
        weights = np.zeros((2 + first + later, self._sight.count), np.int64)
        weights[COPY, len(self._sight.now)] = 1 << WEIGHT_BITS
        for start, count, some in ((2, first, range(1)), (2 + first, later, range(1, frames))):
            if len(some):
                weights[start : start + count] = self._fitted(some, count)
                usable = np.r_[[COPY] * (some.start > 0), start : start + count].astype(int)
                for frame in some:
                    for part in self._parts():
                        terms = self._features(frame, part)
                        bits = _bits(self._missed(terms, weights[usable]))
                        bits += _CHANGE * (usable[:, None] != chosen[frame - 1, part])
                        found = usable[bits.argmin(axis=0)]
                        if frame and still:
                            found[(terms[len(self._sight.now)] == terms[-1]).all(axis=1)] = STILL
                        chosen[frame, part] = found
        used = np.union1d(np.unique(chosen), [STILL])
        places = np.searchsorted(used, chosen)
        return Ways(weights[used[1:]], places.reshape(frames, self._high, self._wide))

    def _parts(self) -> list[np.ndarray]:
        """The blocks of a frame, as many at a time as memory shall hold."""
        blocks = np.arange(len(self._places))
        return np.array_split(blocks, -(-len(blocks) // _AT_ONCE))

    def _fitted(self, frames: range, count: int) -> np.ndarray:
        sample = frames[:: max(1, len(frames) // _SAMPLE_FRAMES)]
        apart = -(-len(sample) * len(self._places) // _SAMPLE_BLOCKS)
        blocks = [np.arange(number % apart, len(self._places), apart) for number in range(len(sample))]
        terms = [self._features(*each) for each in zip(sample, blocks, strict=True)]
        weights = self._least_squares(terms, [np.zeros(len(each), int) for each in blocks], 1)
        missed = np.concatenate([self._missed(each, weights)[0] for each in terms])
        ranks = missed.argsort(kind="stable").argsort(kind="stable") * count // len(missed)
        chosen = np.split(ranks, np.cumsum([len(each) for each in blocks])[:-1])
        for turn in range(_ROUNDS):
            weights = self._least_squares(terms, chosen, count)
            if turn + 1 < _ROUNDS:
                chosen = [self._missed(each, weights).argmin(axis=0) for each in terms]
        return weights

    def _features(self, frame: int, part: np.ndarray) -> np.ndarray:
        """(tap + 1, block, sample), float32: what the taps see, less a neighbour; the truth last."""
        here = self._places[part] + (frame + BEFORE) * self._by_frame
        blocks = frame * len(self._places) + part
        looks = self._looks if frame else self._looks[: len(self._sight.now)]
        then, before = (here + each[blocks, None] for each in (self._shifts.then, self._shifts.before))
        near, past = len(self._sight.now), len(self._sight.now) + len(self._sight.then)
        found = np.zeros((self._count + 1, *here.shape), np.float32)
        for number, look in enumerate(looks):
            found[number] = self._planes[
                (here if number < near else then if number < past else before) + look
            ]
        found[-1] = self._planes[here]
        found[-1] -= found[0]
        for group, _ in self._sight.groups:
            reference = found[group[0]].copy()
            for number in group[group < len(looks)]:
                found[number] -= reference
        return found

    def _missed(self, terms: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """By each way, how far it misses the samples of each block: float32 (way, block)."""
        count = len(terms) - 1
        flat = terms.reshape(count + 1, -1)
        guess = (weights / (1 << WEIGHT_BITS)).astype(np.float32) @ flat[:-1]
        guess -= flat[-1]
        return np.abs(guess).reshape(len(weights), -1, BLOCK * BLOCK).sum(axis=2)

    def _least_squares(self, terms: list[np.ndarray], chosen: list[np.ndarray], count: int) -> np.ndarray:
        size = len(terms[0])
        sums = np.zeros((count, size, size))
        for each, ways in zip(terms, chosen, strict=True):
            for way in range(count):
                flat = each[:, ways == way].reshape(size, -1)
                sums[way] += flat @ flat.T
        found = np.empty((count, size - 1), np.int64)
        for way in range(count):
            square = sums[way, :-1, :-1] + np.eye(size - 1) * (_RIDGE + 1e-5 * np.trace(sums[way]) / size)
            exact = np.linalg.solve(square, sums[way, :-1, -1]) * (1 << WEIGHT_BITS)
            found[way] = np.clip(np.rint(exact), -MOST_WEIGHT, MOST_WEIGHT)
        for group, total in self._sight.groups:  # what is seen less a neighbour says nothing of the level
            found[:, group[0]] = total * (1 << WEIGHT_BITS) - found[:, group[1:]].sum(axis=1)
        return found
