"""Images of any size ⇄ codes: a linear transform of patches, with filters among pixels around it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from isthmus.nets.base import Net, Shape, whole
from isthmus.nets.blocks import Sum, activation_module, chain, convolution, quiet, residual_blocks
from isthmus.nets.cosines import analyse_cosines, synthesise_cosines
from isthmus.nets.residual import Residual, sample_depth


class Filtered(Net):
    """(channel, height, width) ⇄ (latent, height/stride, width/stride).

    The code is a linear map of each stride × stride patch, which starts as a cosine transform. Around it
    work convolutions at half the resolution: before it they help to say less, behind it they repair what
    rounding did. They treat every place alike, so they learn from little data what dense layers over
    patches need much data for.

    Source: filters behind a transform codec: Dai, Liu & Wu 2017, arXiv:1608.06690.

    Options of both halves:
        channels: channels of the filters.
        blocks: residual blocks in them; each lets a pixel see two pixels further.
        stride: 4, 8 or 16; must be the same in both halves.
        activation: relu, leaky_relu, gelu, silu, tanh or sigmoid.

    >>> Filtered.code_shape((3, 100, 200), 24)
    (24, 13, 25)
    """

    @classmethod
    def code_shape(cls, sample: Shape, latent: int, *, stride: int = 8, **options: Any) -> Shape:
        """(latent, height/stride, width/stride), rounded up; None where a side varies."""
        return Residual.code_shape(sample, latent, stride=stride)

    @classmethod
    def stride(cls, *, stride: int = 8, **options: Any) -> int:
        """The option of that name."""
        return Residual.stride(stride=stride)

    @classmethod
    def encoder(
        cls,
        sample: Shape,
        latent: int,
        *,
        heads: int = 1,
        channels: int = 24,
        blocks: int = 2,
        stride: int = 8,
        activation: str = "relu",
    ) -> nn.Module:
        """(batch, channel, height, width) → (batch, heads·latent, height/stride, width/stride)."""
        depth = sample_depth(sample)
        fine, patch = _FINE**2 * depth, Residual.stride(stride=stride) ** 2 * depth
        linear = nn.Conv2d(patch, heads * latent, 1)
        analyse_cosines(linear, depth, stride, outputs=latent)
        said = quiet(convolution(patch, heads * latent, side=1))
        coarser = nn.PixelUnshuffle(stride // _FINE)
        filters = chain(
            [
                ("fine", nn.PixelUnshuffle(_FINE)),
                ("centre", _centred(fine)),
                *_filters(fine, channels, blocks, activation),
                ("patches", coarser),
                ("said", said),
            ]
        )
        whole_way = chain([("space_to_depth", nn.PixelUnshuffle(stride)), ("code", linear)])
        return Sum(whole_way, filters)

    @classmethod
    def decoder(
        cls,
        sample: Shape,
        latent: int,
        *,
        channels: int = 32,
        blocks: int = 2,
        stride: int = 8,
        activation: str = "relu",
    ) -> nn.Module:
        """(batch, latent, height/stride, width/stride) → (batch, channel, height, width)."""
        depth = sample_depth(sample)
        fine, patch = _FINE**2 * depth, Residual.stride(stride=stride) ** 2 * depth
        linear = nn.Conv2d(latent, patch, 1)
        synthesise_cosines(linear, depth, stride, fine=_FINE)
        filters = _filters(fine, channels, blocks, activation)
        with torch.no_grad():
            # Pixels stay around 0, which is what convolutions see beyond the edge, up to the last layer.
            linear.bias.zero_()  # type: ignore[union-attr]
            filters[-1][1].bias.fill_(_MID_GREY)  # type: ignore[operator]
        return chain(
            [
                ("patches", linear),
                ("to_fine", nn.PixelShuffle(stride // _FINE)),
                ("both", Sum(nn.Identity(), chain(filters))),
                ("depth_to_space", nn.PixelShuffle(_FINE)),
            ]
        )


_FINE = 2
_MID_GREY = 0.5


def _filters(depth: int, channels: int, blocks: int, activation: str) -> list[tuple[str, nn.Module]]:
    """Named layers from `depth` channels to as many, which start out quiet."""
    whole(channels, "channels", least=1)
    return [
        ("stem", convolution(depth, channels, before=activation)),
        ("activation", activation_module(activation)),
        *residual_blocks(blocks, channels, activation, "fine"),
        ("last", activation_module(activation)),
        ("repair", quiet(convolution(channels, depth))),
    ]


@torch.no_grad()
def _centred(depth: int) -> nn.Conv2d:
    """A layer that starts as x - 1/2."""
    layer = nn.Conv2d(depth, depth, 1)
    layer.weight.copy_(torch.eye(depth)[..., None, None])
    layer.bias.fill_(-_MID_GREY)  # type: ignore[union-attr]
    return layer
