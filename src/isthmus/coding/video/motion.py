"""Where each block of a frame was in the frame before: the writer's search, whose finds are told.

Source: block matching, first coarsely in pictures of a fourth of the size, then finely; neighbours hand on
what they found (G. de Haan et al. 1993).
"""

from __future__ import annotations

import numpy as np

BLOCK = 16
"""Rows and columns that move together."""
FARTHEST = 32
"""Rows or columns that a block may move."""
_COARSE = 4
_NEAR = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))
_FAR = tuple((y, x) for y in range(-2, 3) for x in range(-2, 3) if (y, x) != (0, 0))
_STILL = 24
"""A move must bring a block this much nearer, in sums of differences, to be worth telling."""


def find_motion(frame: np.ndarray, before: np.ndarray, farthest: int = FARTHEST) -> np.ndarray:
    """How far away the content of each block was in the frame before.

    Args:
        frame, before: (row, column), of whole numbers.
    Returns:
        int64 (row of blocks, column of blocks, 2): rows and columns to add; no block leaves the frame.
    """
    search = _Search(frame, before, farthest)
    found, cost = search.zero()
    search.try_all(_coarse(frame, before, farthest, search.blocks), found, cost)
    for _ in range(2):
        for axis, turn in ((0, 1), (0, -1), (1, 1), (1, -1)):
            search.try_all(np.roll(found, turn, axis), found, cost)
    for steps in (_FAR, _NEAR, _NEAR):
        centre = found.copy()
        for step in steps:
            search.try_all(centre + np.array(step), found, cost)
    return found


class _Search:
    def __init__(self, frame: np.ndarray, before: np.ndarray, farthest: int) -> None:
        height, width = frame.shape
        self.blocks = -(-height // BLOCK), -(-width // BLOCK)
        padding = [(0, self.blocks[0] * BLOCK - height), (0, self.blocks[1] * BLOCK - width)]
        self._frame = np.pad(frame, padding, "edge").astype(np.int16)
        self._before = np.pad(before, padding, "edge").astype(np.int16).ravel()
        self._width = self._frame.shape[1]
        top = np.arange(self.blocks[0])[:, None] * BLOCK
        left = np.arange(self.blocks[1])[None, :] * BLOCK
        low = np.stack(np.broadcast_arrays(-top, -left), axis=-1)
        high = np.stack(
            np.broadcast_arrays(
                height - np.minimum(top + BLOCK, height), width - np.minimum(left + BLOCK, width)
            ),
            axis=-1,
        )
        self._low, self._high = np.maximum(low, -farthest), np.minimum(high, farthest)
        self._places = np.arange(self._frame.size).reshape(self._frame.shape)

    def zero(self) -> tuple[np.ndarray, np.ndarray]:
        """No motion, and what it costs."""
        found = np.zeros((*self.blocks, 2), np.int64)
        return found, self._cost(found)

    def try_all(self, moves: np.ndarray, found: np.ndarray, cost: np.ndarray) -> None:
        """Take the moves of those blocks that they bring nearer."""
        held = np.clip(moves, self._low, self._high)
        costs = self._cost(held) + _STILL * held.any(axis=-1)
        better = costs < cost
        found[better], cost[better] = held[better], costs[better]

    def _cost(self, moves: np.ndarray) -> np.ndarray:
        shift = moves[..., 0] * self._width + moves[..., 1]
        wide = np.repeat(np.repeat(shift, BLOCK, axis=0), BLOCK, axis=1)
        apart = np.abs(self._frame - self._before.take(self._places + wide, mode="clip"))
        rows, columns = self.blocks
        return apart.reshape(rows, BLOCK, columns, BLOCK).sum(axis=(1, 3), dtype=np.int64)


def _coarse(frame: np.ndarray, before: np.ndarray, farthest: int, blocks: tuple[int, int]) -> np.ndarray:
    """By full search in pictures of a fourth of the size, whose blocks overlap."""
    small, past = _shrunk(frame, blocks), _shrunk(before, blocks)
    reach = farthest // _COARSE
    padded = np.pad(past, reach, "edge")
    high, wide = small.shape
    best, found = np.full(blocks, np.inf), np.zeros((*blocks, 2), np.int64)
    moves = [(y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)]
    for y, x in sorted(moves, key=lambda move: move[0] ** 2 + move[1] ** 2):
        apart = np.abs(small - padded[reach + y : reach + y + high, reach + x : reach + x + wide])
        sums = apart.reshape(blocks[0], -1, blocks[1], BLOCK // _COARSE).sum(axis=(1, 3))
        around = np.pad(sums, 1, "edge")
        sums = 2 * sums + around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]
        better = sums < best
        best[better], found[better] = sums[better], (_COARSE * y, _COARSE * x)
    return found


def _shrunk(frame: np.ndarray, blocks: tuple[int, int]) -> np.ndarray:
    padding = [(0, count * BLOCK - size) for count, size in zip(blocks, frame.shape, strict=True)]
    whole = np.pad(frame, padding, "edge")
    high, wide = whole.shape[0] // _COARSE, whole.shape[1] // _COARSE
    return whole.reshape(high, _COARSE, wide, _COARSE).mean(axis=(1, 3), dtype=np.float32)
