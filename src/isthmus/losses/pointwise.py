"""Losses that look at each value by itself: squared, absolute, and squared near zero only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F

from isthmus.config import require
from isthmus.losses.base import Loss, mean_per_sample


class MeanSquaredError(Loss):
    """(output − target)²; right where noise is normal, and what PSNR measures.

    >>> MeanSquaredError()(torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2))
    tensor([2.])
    """

    unit: ClassVar[str] = "squared error per value"

    def per_sample(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(batch, …) → (batch,)."""
        return mean_per_sample(F.mse_loss(output, target, reduction="none"))


class MeanAbsoluteError(Loss):
    """|output − target|; one wild value pulls less than in `mse`.

    >>> MeanAbsoluteError()(torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2))
    tensor([1.])
    """

    unit: ClassVar[str] = "absolute error per value"

    def per_sample(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(batch, …) → (batch,)."""
        return mean_per_sample(F.l1_loss(output, target, reduction="none"))


@dataclass(frozen=True, kw_only=True)
class Huber(Loss):
    """Squared error up to `delta`, straight on from there: e²/2, then delta·(|e| − delta/2).

    Args:
        delta: where the two meet, in units of the scaled data; 0.1 is a tenth of the range
            under the transform `unit`.

    Source: Huber 1964, doi:10.1214/aoms/1177703732.

    >>> Huber(delta=1.0)(torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2))
    tensor([0.7500])
    """

    delta: float = 0.1
    unit: ClassVar[str] = "huber loss per value"

    def __post_init__(self) -> None:
        require(self.delta > 0, "delta", "above 0", self.delta)

    def per_sample(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(batch, …) → (batch,)."""
        return mean_per_sample(F.huber_loss(output, target, reduction="none", delta=self.delta))
