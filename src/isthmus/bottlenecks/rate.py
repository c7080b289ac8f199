"""A code trained for the bits it will cost.

Rounding has no gradient, so the net learns on a stand-in: uniform noise of the same width, and
later rounding itself with the gradient passed straight through. The width, one step per channel, is
learned too: the halves can then keep their signals at unit size, which they learn best with. A small
distribution per channel says how many bits each value will take; after training it is thrown away
and replaced by integer tables counted from the rounded latents.

Source: Ballé, Laparra & Simoncelli 2017, arXiv:1611.01704 (noise); Minnen & Singh 2020,
arXiv:2007.08739 (noise for the rate, straight-through rounding for the distortion).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from isthmus.bottlenecks.base import Bottleneck, Coded
from isthmus.bottlenecks.quantiser import Quantiser
from isthmus.config import require


class Rate(Bottleneck):
    """Distortion + rate_weight × bits per value is what training makes small.

    Args:
        rate_weight: the price of one bit per value in units of distortion. With mse on a 0..1
            scale, 1 / (65025 λ) for the λ that papers use with 255².
        switch: from this share of the training on, the decoder sees truly rounded values.
        components: logistic components in each channel's distribution.
        warm_up: the price climbs to its full height during this first share of the training.
    """

    def __init__(
        self,
        channels: int,
        *,
        rate_weight: float = 0.002,
        switch: float = 0.7,
        components: int = 3,
        warm_up: float = 0.1,
    ) -> None:
        super().__init__(channels)
        require(rate_weight > 0, "bottleneck.rate_weight", "above 0", rate_weight)
        require(0 <= switch <= 1, "bottleneck.switch", "0 to 1", switch)
        require(components >= 1, "bottleneck.components", "at least 1", components)
        require(0 <= warm_up < 1, "bottleneck.warm_up", "at least 0 and below 1", warm_up)
        self.rate_weight, self.switch, self.warm_up = rate_weight, switch, warm_up
        self.centre = nn.Parameter(torch.zeros(channels))
        self.log_step = nn.Parameter(torch.full((channels,), math.log(_FIRST_STEP) / PACE))
        self.means = nn.Parameter(torch.linspace(-1, 1, components).repeat(channels, 1) / PACE)
        self.log_scales = nn.Parameter(torch.zeros(channels, components))
        self.weights = nn.Parameter(torch.zeros(channels, components))

    def forward(self, encoded: Tensor, *, values: int, progress: float) -> Coded:
        """Noise or rounding for the decoder; bits per value × rate_weight as the penalty."""
        step, centre = (one.view(1, -1, *[1] * (encoded.ndim - 2)) for one in self._scale())
        scaled = (encoded - centre) / step
        noisy = scaled + torch.rand_like(scaled) - 0.5
        bits = self.bits(noisy).flatten(1).sum(1)
        rounded = scaled + (torch.round(scaled) - scaled).detach()
        latent = (noisy if progress < self.switch else rounded) * step + centre
        price = self.rate_weight * min(1.0, progress / self.warm_up) if self.warm_up else self.rate_weight
        return Coded(latent, price * bits / values, bits)

    def bits(self, scaled: Tensor) -> Tensor:
        """Bits of each value (batch, channel, *position), in steps from the centre."""
        by_channel = scaled.movedim(1, 0).flatten(1).unsqueeze(-1)  # (channel, value, 1)
        inverse_scale = torch.exp(-(PACE * self.log_scales).clamp(-6, 8)).unsqueeze(1)
        distance = by_channel - PACE * self.means.unsqueeze(1)
        upper, lower = (distance + 0.5) * inverse_scale, (distance - 0.5) * inverse_scale
        # log(σ(u) - σ(l)) as a sum: far out both are the same float, and their difference has no slope.
        log_mass = F.logsigmoid(upper) + F.logsigmoid(-lower) + torch.log(-torch.expm1(-inverse_scale))
        share = torch.log_softmax(PACE * self.weights, dim=1).unsqueeze(1)
        nats = -torch.logsumexp(log_mass + share, dim=-1)  # (channel, value)
        return (nats / math.log(2)).unflatten(1, _rest(scaled)).movedim(0, 1)

    def quantiser(self) -> Quantiser:
        """The learned steps and centres of rounding."""
        step, centre = (one.detach().float().cpu().numpy() for one in self._scale())
        return Quantiser(step, centre)

    def _scale(self) -> tuple[Tensor, Tensor]:
        """Step and centre of each channel, (channel,) each."""
        return torch.exp(PACE * self.log_step), PACE * self.centre


# Adam moves all weights at one pace, and a scale has ten times as far to go as a net's weight: stored
# a tenth as large, the distributions keep up with the latents they are to describe.
PACE = 10.0


_FIRST_STEP = 0.3  # against latents of unit size: a fine start, which the price makes coarser


def _rest(tensor: Tensor) -> tuple[int, ...]:
    batch, _, *positions = tensor.shape
    return (batch, *positions)
