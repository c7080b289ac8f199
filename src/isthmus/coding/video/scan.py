"""The order in which the samples of some frames are told: in wavefronts through rows and time.

A sample may look at all before it in its row, at REACH to its right in the rows above, and at a whole
neighbourhood in the frames before, moved by the motion of its block. All samples of one step, column +
SLOPE·row + lag·frame, are then independent of one another and are told together as one array.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REACH = 2
"""How far to the right a sample may look in the rows above."""
SLOPE = REACH + 1
PAD = 3
"""Columns and rows of border."""
BEFORE = 2
"""Frames of zeros in front of the first."""


@dataclass(frozen=True)
class Shape:
    """Of a plane through some frames.

    >>> Shape(2, 3, 4).strides
    (90, 10, 1)
    """

    frames: int
    height: int
    width: int

    @property
    def strides(self) -> tuple[int, int, int]:
        """Places from one frame, row and column to the next in a padded array."""
        return (self.height + 2 * PAD) * (self.width + 2 * PAD), self.width + 2 * PAD, 1

    @property
    def places(self) -> int:
        """Of a padded array."""
        return (self.frames + BEFORE) * self.strides[0]

    def padded(self, dtype: np.dtype) -> np.ndarray:
        """An empty padded array, flat."""
        return np.zeros(self.places, dtype)

    def inside(self, flat: np.ndarray) -> np.ndarray:
        """The samples of a padded array, (frame, row, column): a view."""
        return self.framed(flat)[BEFORE:, PAD:-PAD, PAD:-PAD]

    def framed(self, flat: np.ndarray) -> np.ndarray:
        """A padded array with its borders: a view."""
        return flat.reshape(self.frames + BEFORE, self.height + 2 * PAD, self.width + 2 * PAD)


def with_borders(shape: Shape, samples: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """(frame, row, column) → a padded array, with the borders that `Fronts.close` leaves; flat."""
    flat = shape.padded(dtype)
    whole = shape.framed(flat)[BEFORE:]
    whole[:, PAD:-PAD, PAD:-PAD] = samples
    whole[:, PAD + 1 : -PAD + 1, :PAD] = samples[:, :, :1]
    whole[:, PAD:-PAD, -PAD:] = samples[:, :, -1:]
    whole[:, :PAD, PAD + SLOPE :] = samples[:, :1, : samples.shape[2] + PAD - SLOPE]
    whole[:, -PAD:, PAD:-PAD] = samples[:, -1:]
    return flat


@dataclass(frozen=True)
class Front:
    """Samples told together."""

    places: np.ndarray
    """In a padded array; int64."""
    blocks: np.ndarray
    """The number of the block of each; int64."""


class Fronts:
    """All wavefronts of a plane, in order; each sample is in exactly one.

    Args:
        shape: of the plane.
        lag: steps between the same sample of two frames.
        block: rows and columns of a block.
    """

    def __init__(self, shape: Shape, lag: int, block: int) -> None:
        self._shape, self._block = shape, block
        frame, row = (np.ravel(each) for each in np.indices((shape.frames, shape.height)))
        starts = SLOPE * row + lag * frame
        order = np.argsort(starts, kind="stable")
        self._starts = starts[order]
        frame, row = frame[order], row[order]
        by_frame, by_row, _ = shape.strides
        self._rows = (frame + BEFORE) * by_frame + (row + PAD) * by_row + PAD - self._starts
        high, wide = blocks_of(shape, block)
        self._row_blocks = (frame * high + row // block) * wide
        self._top = np.flatnonzero(row == 0)
        self._bottom = np.flatnonzero(row == shape.height - 1)
        self.steps = int(self._starts[-1]) + shape.width

    def __len__(self) -> int:
        return self.steps

    def front(self, step: int) -> Front:
        """The samples of a step."""
        lanes = self._lanes(step)
        columns = step - self._starts[lanes]
        return Front(self._rows[lanes] + step, self._row_blocks[lanes] + columns // self._block)

    def close(self, step: int, padded: np.ndarray) -> None:
        """Write the borders that follow from the samples of a step."""
        width, by_row = self._shape.width, self._shape.strides[1]
        lanes = self._lanes(step)
        begun = self._rows[self._starts.searchsorted(step) : lanes.stop] + step
        ended = self._rows[lanes.start : self._starts.searchsorted(step - width + 1, "right")] + step
        for away in range(1, PAD + 1):
            padded[begun + by_row - away] = padded[begun]
            padded[ended + away] = padded[ended]
        for rows, sign, shift in ((self._top, -1, SLOPE), (self._bottom, 1, 0)):
            some = rows[rows.searchsorted(lanes.start) : rows.searchsorted(lanes.stop)]
            if len(some):
                here = self._rows[some] + step
                if shift:
                    here = here[step - self._starts[some] < width + PAD - shift]
                for away in range(1, PAD + 1):
                    padded[here + sign * away * by_row + shift] = padded[here]

    def _lanes(self, step: int) -> slice:
        first, last = self._starts.searchsorted([step - self._shape.width, step], "right")
        return slice(int(first), int(last))


def blocks_of(shape: Shape, block: int) -> tuple[int, int]:
    """Rows and columns of blocks of a frame."""
    return -(-shape.height // block), -(-shape.width // block)
