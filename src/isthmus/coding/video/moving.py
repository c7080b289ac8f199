"""A frame moved block by block, by quarters of a sample: what the next one is expected to be.

Between samples stand weighted sums of four (cubic, R. Keys 1981), in whole numbers. All sixteen places
between samples are made of the whole frame at once, and each block takes from one of them.
"""

from __future__ import annotations

import numpy as np

from isthmus.coding.video.motion import BLOCK, find_motion

QUARTERS = 4
PAD = 4
"""Samples beyond the frame, which repeat its edge."""
_WEIGHTS = np.array([[0, 64, 0, 0], [-5, 56, 15, -2], [-4, 36, 36, -4], [-2, 15, 56, -5]], np.int32)
_BITS = 6
_AROUND = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))
_WORTH = 20
"""A move by parts of a sample must bring a block this much nearer to be worth telling."""


class Moved:
    """All places between the samples of a plane.

    Args:
        plane: uint8 (row, column).
    """

    def __init__(self, plane: np.ndarray) -> None:
        self.height, self.width = plane.shape
        side = PAD + 2
        padded = np.pad(plane, side, "edge").astype(np.int32)
        rows = [self._between(padded, weights, 0) for weights in _WEIGHTS]
        self._wide = self.width + 2 * PAD
        found = np.empty((QUARTERS, QUARTERS, self.height + 2 * PAD, self._wide), np.uint8)
        for y, row in enumerate(rows):
            for x, weights in enumerate(_WEIGHTS):
                sums = self._between(row, weights, 1)
                found[y, x] = np.clip((sums + (1 << (2 * _BITS - 1))) >> (2 * _BITS), 0, 255)
        self._flat = found.ravel()
        self._phase = found[0, 0].size

    def _between(self, values: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
        count = (self.height, self.width)[axis] + 2 * PAD
        whole = np.zeros_like(np.take(values, range(count), axis))
        for tap, weight in enumerate(weights.tolist()):
            if weight:
                part = slice(1 + tap, 1 + tap + count)
                whole += weight * (values[part] if axis == 0 else values[:, part])
        return whole

    def taken(self, motion: np.ndarray, block: int) -> np.ndarray:
        """The plane as its blocks move: uint8 (row, column).

        Args:
            motion: int64 (row of blocks, column of blocks, 2), in quarters; no block leaves the padded frame.
            block: rows and columns of a block.
        """
        whole, part = motion >> 2, motion & 3
        shifts = (part[..., 0] * QUARTERS + part[..., 1]) * self._phase + whole[..., 0] * self._wide
        spread = np.repeat(np.repeat(shifts + whole[..., 1], block, 0), block, 1)[: self.height, : self.width]
        places = (np.arange(self.height)[:, None] + PAD) * self._wide + np.arange(self.width) + PAD
        return self._flat.take(places + spread)


def scaled(motion: np.ndarray, down: int, over: int) -> np.ndarray:
    """The motion of a plane of which a sample covers so many rows and columns of the first."""
    return np.stack([motion[..., 0] // down, motion[..., 1] // over], axis=-1)


def is_inside(motion: np.ndarray, height: int, width: int) -> bool:
    """Whether no block leaves the frame by a sample or more."""
    top, left = np.arange(motion.shape[0])[:, None] * BLOCK, np.arange(motion.shape[1]) * BLOCK
    low, right = np.minimum(top + BLOCK, height), np.minimum(left + BLOCK, width)
    down, over = motion[..., 0], motion[..., 1]
    return bool(
        (QUARTERS * top + down > -QUARTERS).all()
        and (QUARTERS * left + over > -QUARTERS).all()
        and (QUARTERS * low + down < QUARTERS * (height + 1)).all()
        and (QUARTERS * right + over < QUARTERS * (width + 1)).all()
    )


def find_quarters(frame: np.ndarray, before: np.ndarray, moved: Moved) -> np.ndarray:
    """The motion of each block of a frame, in quarters: by whole samples, then halves, then quarters."""
    found = find_motion(frame.astype(np.int16), before.astype(np.int16)) * QUARTERS
    cost = _cost(frame, moved, found)
    for step in (2, 1):
        centre = found.copy()
        for y, x in _AROUND:
            tried = centre + np.array([y, x]) * step
            costs = _cost(frame, moved, tried) + _WORTH
            better = costs < cost
            found[better], cost[better] = tried[better], costs[better]
    return found


def _cost(frame: np.ndarray, moved: Moved, motion: np.ndarray) -> np.ndarray:
    apart = np.abs(frame.astype(np.int16) - moved.taken(motion, BLOCK))
    rows, columns = motion.shape[:2]
    padded = np.zeros((rows * BLOCK, columns * BLOCK), np.int16)
    padded[: frame.shape[0], : frame.shape[1]] = apart
    return padded.reshape(rows, BLOCK, columns, BLOCK).sum(axis=(1, 3), dtype=np.int64)
