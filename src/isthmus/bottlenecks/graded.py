"""One code for all qualities: rounded in finer or coarser steps, priced by what its neighbours say.

Each sample of a batch is given a quality at random, and with it a price of the bit and the steps of
its channels. So one net learns to serve a whole range, and the steps learn what each price asks for.

Sources: variable rate by scaling the latent: Cui et al. 2021, arXiv:2003.02012; rounding with the
gradient passed straight through, noise for the rate: Minnen & Singh 2020, arXiv:2007.08739.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from isthmus.bottlenecks.base import Bottleneck, Coded, zeros_per_sample
from isthmus.bottlenecks.neighbourhood import ANCHORS, PACE, Neighbourhood, between
from isthmus.bottlenecks.quantiser import Quantiser
from isthmus.coding.latents import DEFAULT_QUALITY, MAX_QUALITY, Levels, Neighbours
from isthmus.config import require


class Graded(Bottleneck):
    """Where encoder and code learn together, (distortion + price × bits per value) / √price is made small.

    Args:
        highest_price: of a bit per value, in units of distortion, at quality 1. With mse on a 0..1
            scale, 1 / (65025 λ) for the λ that papers use with 255².
        lowest_price: at quality 100; those between lie on a straight line of logarithms.
        warm_up: the price climbs to its full height during this first share of the training.
        joint: without it the steps stay as they are, only the distortion is made small, each quality's
            beside what is usual there, and what neighbours say is left to training/refining.py. That is
            right for a net whose encoder is fixed, such as `filtered`.
    """

    told = 1

    def __init__(
        self,
        channels: int,
        *,
        highest_price: float = 8e-3,
        lowest_price: float = 9e-6,
        warm_up: float = 0.1,
        joint: bool = True,
    ) -> None:
        super().__init__(channels)
        falling = highest_price > lowest_price > 0
        require(falling, "bottleneck.highest_price", "above the lowest, above 0", highest_price)
        require(0 <= warm_up < 1, "bottleneck.warm_up", "at least 0 and below 1", warm_up)
        self.prices, self.warm_up, self.joint = (highest_price, lowest_price), warm_up, joint
        first = torch.linspace(math.log(_FIRST_STEPS[0]), math.log(_FIRST_STEPS[1]), ANCHORS)
        self.log_step = nn.Parameter(first[:, None].repeat(1, channels) / PACE)
        self.neighbourhood = Neighbourhood(channels)
        if not joint:
            self.requires_grad_(False)

    def forward(self, encoded: Tensor, *, values: int, progress: float) -> Coded:
        """Each sample at a quality of its own; bits per value × price as the penalty."""
        place = self._places(encoded)
        steps = self._steps(place).unflatten(1, (-1, *[1] * (encoded.ndim - 2)))
        scaled = encoded / steps
        if not self.joint:
            usual = _USUAL * self._price(place) + _LEAST
            return Coded(
                _told(rounded_down(scaled) * steps, place), zeros_per_sample(encoded), weight=1 / usual
            )
        rounded = scaled + (torch.round(scaled) - scaled).detach()
        bits = self._bits(scaled, rounded, place)
        price = self._price(place)
        weight = _EVEN / price.sqrt()
        rising = min(1.0, _FIRST_PRICE + progress / self.warm_up) if self.warm_up else 1.0
        return Coded(_told(rounded * steps, place), rising * price * weight * bits / values, bits, weight)

    def context_parameters(self) -> Iterable[nn.Parameter]:
        """Those of the neighbourhood."""
        return self.neighbourhood.parameters()

    def context_loss(self, encoded: Tensor, place: Tensor) -> Tensor:
        """Bits per symbol of a latent as it is rounded, weighted as in `forward`."""
        with torch.no_grad():
            symbols = rounded_down(encoded / self._steps(place)[..., None, None])
            weight = self._price(place).sqrt()
        bits = symbol_bits(symbols, *self.neighbourhood(symbols, place)).flatten(1).mean(1)
        return (bits * weight).mean() / weight.mean()

    def calm_contexts(self, share: float) -> None:
        """See Neighbourhood."""
        self.neighbourhood.calm(share)

    @torch.no_grad()
    def bits_at(self, encoded: Tensor, quality: int) -> float:
        """Bits of a latent (batch, channel, height, width) at a quality, 1 to 100."""
        place = torch.full((len(encoded),), (quality - 1) / (MAX_QUALITY - 1))
        symbols = rounded_down(encoded / self._steps(place)[..., None, None])
        return float(symbol_bits(symbols, *self.neighbourhood(symbols, place)).sum())

    def _steps(self, place: Tensor) -> Tensor:
        """(batch, channel) at qualities 0 to 1."""
        return torch.exp(between(PACE * self.log_step, place))

    def _price(self, place: Tensor) -> Tensor:
        high, low = self.prices
        return high * (low / high) ** place

    def _bits(self, scaled: Tensor, rounded: Tensor, place: Tensor) -> Tensor:
        """(batch,): what neighbours say is learned of rounded symbols, as they will be coded; what a latent
        costs is told to the encoder with noise in place of rounding, since steps have no slope."""
        grid = (*scaled.shape, *[1] * (4 - scaled.ndim))  # a code without positions is a grid of one
        with torch.autocast(scaled.device.type, enabled=False):  # bfloat16 cannot tell 256 from 257
            value, spread = self.neighbourhood(rounded.reshape(grid), place)
            true = symbol_bits(rounded.detach().reshape(grid), value, spread)
            if self.training:
                noisy = (scaled + torch.rand_like(scaled) - 0.5).reshape(grid)
                sloped = symbol_bits(noisy, value.detach(), spread.detach())
                true = true + (sloped - sloped.detach())
        return true.flatten(1).sum(1)

    def _places(self, encoded: Tensor) -> Tensor:
        """Qualities, 0 to 1: drawn while learning, evenly spread when it is judged."""
        count = len(encoded)
        if self.training:
            return torch.rand(count, dtype=encoded.dtype, device=encoded.device)
        return (torch.arange(count, dtype=encoded.dtype, device=encoded.device) + 0.5) / count

    @torch.no_grad()
    def levels(self) -> Levels:
        """The learned steps."""
        return Levels.nearest((PACE * self.log_step / math.log(2)).cpu().double().numpy())

    def price(self, quality: int) -> float:
        """Of a bit per value, in units of distortion."""
        return float(self._price(torch.tensor((quality - 1) / (MAX_QUALITY - 1), dtype=torch.float64)))

    def neighbours(self) -> Neighbours:
        """What was learned of neighbours, in whole numbers."""
        return self.neighbourhood.to_neighbours()

    def quantiser(self) -> Quantiser:
        """The steps of the middle quality; every symbol 0 stands for a latent of 0."""
        steps = self.levels().steps(DEFAULT_QUALITY)
        return Quantiser(steps, 0 * steps)


def _told(latent: Tensor, place: Tensor) -> Tensor:
    """With one more channel: -1/2 at quality 1 to 1/2 at 100 (coding/latents/levels.py)."""
    plane = (place - 0.5).reshape(-1, *[1] * (latent.ndim - 1))
    return torch.cat([latent, plane.expand(-1, 1, *latent.shape[2:])], dim=1)


_FIRST_STEPS = (1.2, 0.04)  # at quality 1 and 100; of a level of 255: 48 and 1.6 (nets/filtered.py)
_FIRST_PRICE = 0.2
_EVEN = 0.03  # brings the loss to about unit size
_USUAL, _LEAST = 1 / 15, 2e-5  # the distortion of cosine coefficients at a price, about


def rounded_down(scaled: Tensor) -> Tensor:
    """To whole numbers, and to the smaller one where it is not far: about what coding/latents/thrift.py does.

    >>> rounded_down(torch.tensor([0.6, 0.7, -1.6, 2.6, 2.2])).tolist()
    [0.0, 1.0, -2.0, 3.0, 2.0]
    """
    size = scaled.abs()
    threshold = torch.where(size < 1.5, _FIRST_THRESHOLD, _THRESHOLD)
    return scaled.sign() * (size + (1 - threshold)).floor()


_FIRST_THRESHOLD, _THRESHOLD = 0.65, 0.58
"""Above 0, and above every other whole number: from where on the next one is taken."""


def symbol_bits(symbols: Tensor, value: Tensor, spread: Tensor) -> Tensor:
    """Bits of each symbol under a logistic distribution of that middle and scale."""
    inverse = 1 / spread
    distance = symbols - value
    upper, lower = (distance + 0.5) * inverse, (distance - 0.5) * inverse
    # log(σ(u) - σ(l)) as a sum: far out both are the same float, and their difference has no slope.
    log_mass = F.logsigmoid(upper) + F.logsigmoid(-lower) + torch.log(-torch.expm1(-inverse))
    return -log_mass / math.log(2)
