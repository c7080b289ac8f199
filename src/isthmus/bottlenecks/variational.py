"""A code drawn from a normal distribution: Kingma & Welling 2014, arXiv:1312.6114."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.bottlenecks.base import Bottleneck, Coded
from isthmus.config import require
from isthmus.exact.builder import Lowering


class Variational(Bottleneck):
    """The encoder gives mean and log-variance; the decoder sees a sample of that normal.

    Args:
        beta: weight of the divergence from the standard normal (nats per value of the sample);
            above the noise level of the data the code gets simpler (Higgins et al. 2017).
        tolerance: how much rounding may add to the squared error when the steps are chosen.
    """

    heads = 2

    def __init__(self, channels: int, *, beta: float = 0.01, tolerance: float = 0.05) -> None:
        super().__init__(channels)
        require(beta >= 0, "bottleneck.beta", "at least 0", beta)
        require(tolerance > 0, "bottleneck.tolerance", "above 0", tolerance)
        self.beta = beta

    def forward(self, encoded: Tensor, *, values: int, progress: float) -> Coded:
        """Sample by the reparametrisation trick; the penalty is beta × divergence / values."""
        mean, log_variance = self._split(encoded)
        latent = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).flatten(1).sum(1)
        return Coded(latent, self.beta * divergence / values, divergence / torch.log(torch.tensor(2.0)))

    def latent(self, encoded: Tensor) -> Tensor:
        """The mean."""
        return self._split(encoded)[0]

    def lower(self, net: Lowering, value: int) -> int:
        """The mean: the first half of the channels."""
        return net.add("take", value, numbers=(self.channels,))

    @staticmethod
    def _split(encoded: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = encoded.chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 8)  # exp() stays finite whatever the encoder says
