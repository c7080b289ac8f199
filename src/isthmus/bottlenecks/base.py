"""The contract of a bottleneck's training half."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from isthmus.bottlenecks.quantiser import Quantiser
from isthmus.coding.latents import Levels, Neighbours
from isthmus.exact.builder import Lowering


@dataclass(frozen=True)
class Coded:
    """What came through a bottleneck during training."""

    latent: Tensor
    """(batch, channel + told, *position): what the decoder is given."""
    penalty: Tensor
    """(batch,): to be added to the distortion, per value of the sample, already weighted."""
    rate_bits: Tensor | None = None
    """(batch,): estimated bits of each sample's code, where the bottleneck estimates them."""
    weight: Tensor | None = None
    """(batch,): what each sample's distortion counts, where not all count alike."""


class Bottleneck(nn.Module):
    """Stands between encoder and decoder while the net learns.

    Built with the number of latent channels and its own options. `heads` says how many channels
    the encoder must give for each one of the latent, `told` how many it adds for the decoder.
    """

    heads = 1
    told = 0

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, encoded: Tensor, *, values: int, progress: float) -> Coded:
        """Disturb, and price, what the encoder gave.

        Args:
            encoded: (batch, heads × channel, *position).
            values: numbers in one sample; penalties are per value, so that one weight suits all sizes.
            progress: how far training has come, 0 to 1.
        """
        raise NotImplementedError(f"{type(self).__name__} must define forward")

    def latent(self, encoded: Tensor) -> Tensor:
        """The latent without noise: what is stored, and what features are made of."""
        return encoded

    def lower(self, net: Lowering, value: int) -> int:
        """Append what `latent` does to the encoder's value as operations; return the number of its result."""
        if type(self).latent is not Bottleneck.latent:
            raise NotImplementedError(
                f"{type(self).__name__} changes latent() and must define lower() as well"
            )
        return value

    def levels(self) -> Levels | None:
        """The steps of every quality, if the code serves more than one; `neighbours` then goes with it."""
        return None

    def neighbours(self) -> Neighbours | None:
        """What decoded symbols tell of the next ones, if that was learned."""
        return None

    def price(self, quality: int) -> float:
        """Of a bit per value at a quality, in units of the distortion; only where there are levels."""
        raise NotImplementedError(f"{type(self).__name__} has no qualities")

    def context_parameters(self) -> Iterable[nn.Parameter]:
        """The weights that `context_loss` is to teach; none without levels."""
        return ()

    def context_loss(self, encoded: Tensor, place: Tensor) -> Tensor:
        """What `context_parameters` make small: bits of rounded symbols, each quality at its weight.

        Args:
            encoded: (batch, channel, height, width).
            place: (batch,) qualities, 0 to 1.
        """
        raise NotImplementedError(f"{type(self).__name__} has no qualities")

    def calm_contexts(self, share: float) -> None:
        """Take a share off what neighbours say of the spread of a symbol, between two steps of learning."""

    def quantiser(self) -> Quantiser | None:
        """Steps and offsets if they were learned; None leaves the choice to `choose_quantiser`."""
        return None


def zeros_per_sample(tensor: Tensor) -> Tensor:
    """(batch,) zeros, of the tensor's type and device."""
    return torch.zeros(len(tensor), dtype=tensor.dtype, device=tensor.device)
