"""A run of frames as lanes that are told side by side: a lane is a stretch of neighbouring frames.

Every step tells one frame of each lane, so it is a few operations on whole arrays, and what a lane has
learned by then comes from its own past.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS, LONG_STEPS = 8192, 32768
"""Of a long run: quick, or slow and smaller."""
LEAST_STEPS = 2048
"""Where a run is short; a lane that is much shorter has hardly begun to learn."""
FEW_LANES, MOST_LANES = 16, 1024


@dataclass(frozen=True)
class Lanes:
    """Where the frames of a run stand.

    >>> lanes = Lanes(5, 2, 3)
    >>> lanes.spread(np.array([[1], [2], [3], [4], [5]]))[0].tolist()
    [[1, 4], [2, 5], [3, 0]]
    >>> [lanes.told(step) for step in range(3)]
    [2, 2, 1]
    """

    frames: int
    count: int
    steps: int

    @classmethod
    def of(cls, frames: int, steps: int = STEPS) -> Lanes:
        """Lanes of about so many steps, or of fewer where they would be few lanes."""
        count = max(frames // steps, min(FEW_LANES, frames // LEAST_STEPS), 1)
        count = min(count, MOST_LANES)
        return cls(frames, count, -(-frames // count))

    def told(self, step: int) -> int:
        """How many lanes have a frame left: all but some at the end."""
        return min(self.count, -(-(self.frames - step) // self.steps))

    def spread(self, samples: np.ndarray) -> np.ndarray:
        """(frame, channel) → (channel, step, lane); 0 where a lane has no frame left."""
        padded = np.zeros((self.count * self.steps, samples.shape[1]), samples.dtype)
        padded[: self.frames] = samples
        return np.ascontiguousarray(padded.reshape(self.count, self.steps, -1).transpose(2, 1, 0))

    def gather(self, spread: np.ndarray) -> np.ndarray:
        """Undo `spread`."""
        frames = spread.transpose(2, 1, 0).reshape(self.count * self.steps, -1)
        return np.ascontiguousarray(frames[: self.frames])
