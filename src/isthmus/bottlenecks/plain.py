"""No bottleneck but the number of channels: the classical autoencoder."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.bottlenecks.base import Bottleneck, Coded, zeros_per_sample
from isthmus.config import require


class Plain(Bottleneck):
    """Pass the encoder's output on.

    Args:
        noise: deviation of Gaussian noise added while training, in units of the code; it keeps the
            decoder smooth enough to bear rounding later.
        tolerance: how much rounding may add to the squared error when the steps are chosen.
    """

    def __init__(self, channels: int, *, noise: float = 0.0, tolerance: float = 0.05) -> None:
        super().__init__(channels)
        require(noise >= 0, "bottleneck.noise", "at least 0", noise)
        require(tolerance > 0, "bottleneck.tolerance", "above 0", tolerance)
        self.noise = noise

    def forward(self, encoded: Tensor, *, values: int, progress: float) -> Coded:
        """Add the noise, if any; no penalty."""
        latent = encoded + self.noise * torch.randn_like(encoded) if self.noise else encoded
        return Coded(latent, zeros_per_sample(encoded))
