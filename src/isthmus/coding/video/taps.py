"""What a sample is predicted from: places near it in its frame, in frames before, in planes told already.

Places are told relative to the sample, those of a frame before relative to where its block was then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isthmus.coding.video.scan import SLOPE, Shape, blocks_of

_OWN = (
    (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0),
    (-1, -2), (-1, 2), (-2, -1), (-2, 1), (-2, -2), (-2, 2),
)  # fmt: skip
_AROUND = (
    (0, 0), (0, -1), (-1, 0), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1),
    (0, -2), (-2, 0), (0, 2), (2, 0),
)  # fmt: skip
FARTHEST_TAP = max(SLOPE * row + column for row, column in _AROUND)
"""Steps by which a place in the frame before may lie ahead."""
BLOCK = 8
"""Rows and columns that are predicted in one way."""


@dataclass(frozen=True)
class Taps:
    """How many places: in the plane itself, now, then and before that; in each guide, now and then."""

    own: int
    then: int
    before: int
    guide: int
    guide_then: int


FIRST_TAPS, GUIDED_TAPS = Taps(12, 13, 5, 0, 0), Taps(6, 9, 1, 5, 1)


@dataclass(frozen=True)
class Sight:
    """Places in flat padded arrays that stand one behind the other: the plane, then its guides.

    Args:
        shape: of each array.
        guides: how many planes, told already, stand behind the plane.
    """

    shape: Shape
    guides: int

    @property
    def taps(self) -> Taps:
        """How many of each kind."""
        return GUIDED_TAPS if self.guides else FIRST_TAPS

    @property
    def now(self) -> np.ndarray:
        """Relative to the sample: int64 (tap,); those of the plane itself come first."""
        near = [self.places(_OWN[: self.taps.own])]
        near += [self.places(_AROUND[: self.taps.guide], guide) for guide in range(1, self.guides + 1)]
        return np.concatenate(near)

    @property
    def then(self) -> np.ndarray:
        """Relative to where the block was in the frame before: int64 (tap,)."""
        near = [self.places(_AROUND[: self.taps.then])]
        near += [self.places(_AROUND[: self.taps.guide_then], guide) for guide in range(1, self.guides + 1)]
        return np.concatenate(near)

    @property
    def before(self) -> np.ndarray:
        """Relative to where it was before that: int64 (tap,)."""
        return self.places(_AROUND[: self.taps.before])

    @property
    def count(self) -> int:
        """Of all taps."""
        return len(self.now) + len(self.then) + len(self.before)

    @property
    def groups(self) -> list[tuple[np.ndarray, int]]:
        """The numbers of the taps in each plane, and what their weights add up to."""
        taps, now, then = self.taps, len(self.now), len(self.now) + len(self.then)
        own = [np.arange(taps.own), now + np.arange(taps.then), then + np.arange(taps.before)]
        found = [(np.concatenate(own), 1)]
        for guide in range(self.guides):
            here = taps.own + guide * taps.guide + np.arange(taps.guide)
            before = now + taps.then + guide * taps.guide_then + np.arange(taps.guide_then)
            found.append((np.concatenate([here, before]), 0))
        return found

    def places(self, around: tuple[tuple[int, int], ...], guide: int = 0) -> np.ndarray:
        """Places around a sample, of the plane or of a guide, relative to it: int64."""
        by_row = self.shape.strides[1]
        return np.array(
            [guide * self.shape.places + row * by_row + column for row, column in around], np.int64
        )


@dataclass(frozen=True)
class Shifts:
    """For each block of all frames: what to add to a place to be where it was; int64 (block,)."""

    then: np.ndarray
    before: np.ndarray


def shifts_of(shape: Shape, motion: np.ndarray) -> Shifts:
    """Motions of blocks → shifts of places.

    Args:
        motion: int64 (frame, row of blocks, column of blocks, 2); of the first frame not looked at.
    """
    by_frame, by_row, _ = shape.strides
    moved = motion[..., 0] * by_row + motion[..., 1]
    then, before = moved - by_frame, 2 * (moved - by_frame)
    before[:2] = then[:2]  # before the second frame there is only the first
    size = shape.frames * blocks_of(shape, BLOCK)[0] * blocks_of(shape, BLOCK)[1]
    return Shifts(then.reshape(size), before.reshape(size))


def lag_of(motion: np.ndarray) -> int:
    """Steps between two frames, so that whatever a sample looks at is told by then."""
    ahead = SLOPE * motion[..., 0] + motion[..., 1]
    return max(1, int(ahead.max(initial=0)) + FARTHEST_TAP + 1)
