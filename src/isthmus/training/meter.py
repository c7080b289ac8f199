"""What happened since the last look at the held-out data."""

from __future__ import annotations

import time

import torch

from isthmus.training.objective import Losses


class Meter:
    """Sums since the last look, in float64: stored in a checkpoint and taken up again exactly."""

    def __init__(self, clip_norm: float | None, values: list[float] | None = None) -> None:
        self._clip_norm = clip_norm
        *sums, norm, clipped, steps = values or [0.0] * 6
        self._sums = torch.tensor(sums, dtype=torch.float64)
        self.largest_norm, self._clipped, self._steps = norm, clipped, steps
        self._started, self._steps_then = time.monotonic(), steps

    def add(self, losses: Losses, norm: float) -> None:
        """Take in one step: its losses, and its gradient's norm before clipping."""
        figures = torch.stack([losses.total.detach(), losses.distortion, losses.rate_bits])
        self._sums = self._sums.to(figures.device) + figures  # a tensor, so that no step waits for it
        self.largest_norm = max(self.largest_norm, norm)
        self._clipped += self._clip_norm is not None and norm > self._clip_norm
        self._steps += 1

    def means(self) -> tuple[float, float, float]:
        """Of objective, distortion and bits per value."""
        total, distortion, bits = (self._sums / max(1.0, self._steps)).tolist()
        return total, distortion, bits

    @property
    def clipped(self) -> float:
        """Share of the steps whose gradient was clipped by norm."""
        return self._clipped / max(1.0, self._steps)

    @property
    def steps_per_s(self) -> float:
        """Since this meter was made, not counting what a checkpoint brought."""
        return (self._steps - self._steps_then) / max(1e-9, time.monotonic() - self._started)

    def values(self) -> list[float]:
        """Everything, as a checkpoint stores it."""
        return [*self._sums.tolist(), self.largest_norm, float(self._clipped), float(self._steps)]
