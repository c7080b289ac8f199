"""What was chosen for each block ⇄ numbers: its motion, and the way it is predicted.

Blocks are told in wavefronts as samples are, each beside its neighbours in the frame and the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from isthmus.coding.video.telling import Guess, Tables, Teller, alphabet_of

_SLOPE, _LAG = 2, 1
_NEARBY = 5
"""Degrees of how far the motions beside a block differ."""
_UNKNOWN = np.nan


@dataclass(frozen=True)
class _Step:
    """Blocks told together, as places in an array with borders."""

    here: np.ndarray
    by_frame: int
    by_row: int

    @property
    def left(self) -> np.ndarray:
        return self.here - 1

    @property
    def above(self) -> np.ndarray:
        return self.here - self.by_row

    @property
    def corner(self) -> np.ndarray:
        return self.here - self.by_row + 1

    @property
    def then(self) -> np.ndarray:
        return self.here - self.by_frame


def _steps(frames: int, high: int, wide: int) -> Iterator[_Step]:
    by_row, by_frame = wide + 2, (high + 1) * (wide + 2)
    frame, row, column = (each.ravel() for each in np.indices((frames, high, wide)))
    steps = column + _SLOPE * row + _LAG * frame
    order = np.argsort(steps, kind="stable")
    places = ((frame + 1) * by_frame + (row + 1) * by_row + column + 1)[order]
    ends = np.cumsum(np.bincount(steps))
    for start, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True):
        yield _Step(places[start:end], by_frame, by_row)


def _bordered(values: np.ndarray | None, frames: int, high: int, wide: int) -> np.ndarray:
    found = np.zeros((frames + 1, high + 1, wide + 2), np.int64)
    if values is not None:
        found[1:, 1:, 1:-1] = values
    return found.ravel()


def _inside(flat: np.ndarray, frames: int, high: int, wide: int) -> np.ndarray:
    return flat.reshape(frames + 1, high + 1, wide + 2)[1:, 1:, 1:-1]


def tell_motion(
    teller: Teller, frames: int, high: int, wide: int, farthest: int, motion: np.ndarray | None
) -> np.ndarray:
    """Tell the motions of all blocks of some frames, or be told them; int64 (frame, row, column, 2)."""
    octaves = np.repeat([4.0, 6.0, 7.0, 8.0, 9.0], _NEARBY)
    tables = [Tables(alphabet_of(2 * farthest), (Guess(octaves, 0),)) for _ in range(2)]
    truth = [_bordered(None if motion is None else motion[..., axis], frames, high, wide) for axis in (0, 1)]
    found = [_bordered(None, frames, high, wide) for _ in (0, 1)]
    for step in _steps(frames, high, wide):
        apart = np.zeros(len(step.here), np.int64)
        before = np.zeros(len(step.here), np.int64)
        for each in found:
            apart += np.abs(each[step.left] - each[step.above]) + np.abs(each[step.above] - each[step.corner])
            before += np.abs(each[step.then] - each[step.left])
        context = _degree(apart) * _NEARBY + _degree(before)
        for axis, each in enumerate(found):
            expected = _median(each[step.left], each[step.above], each[step.corner])
            wanted = None if motion is None else truth[axis][step.here] - expected
            each[step.here] = teller.numbers(tables[axis], (context,), wanted) + expected
    return np.stack([_inside(each, frames, high, wide) for each in found], axis=-1)


def tell_ways(
    teller: Teller, frames: int, high: int, wide: int, count: int, ways: np.ndarray | None
) -> np.ndarray:
    """Tell the ways of all blocks, or be told them; int64 (frame, row, column), below `count`."""
    unknown = np.full(count, _UNKNOWN)
    tables = Tables(count, (Guess(unknown, 1), Guess(unknown, 2), Guess(unknown, 2)))
    truth = _bordered(ways, frames, high, wide)
    found = _bordered(None, frames, high, wide)
    for step in _steps(frames, high, wide):
        contexts = found[step.then], found[step.left], found[step.above]
        wanted = None if ways is None else truth[step.here]
        found[step.here] = teller.tokens(tables, contexts, wanted)
    return _inside(found, frames, high, wide)


def _degree(apart: np.ndarray) -> np.ndarray:
    return np.searchsorted([1, 3, 8, 24], apart, side="right")


def _median(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.maximum(low, np.minimum(high, third))
