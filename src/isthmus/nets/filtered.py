"""Images of any size ⇄ codes: the cosine transform of patches, and a filter that mends what rounding did."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from isthmus.config import require
from isthmus.nets.base import Net, Shape, image, whole
from isthmus.nets.blocks import Fixed, Sum, activation_module, chain, convolution, quiet, residual_blocks
from isthmus.nets.cosines import MID_GREY, analyse_cosines, synthesise_cosines
from isthmus.nets.residual import sample_depth


class Filtered(Net):
    """(channel, height, width) ⇄ (latent, height/stride, width/stride).

    The code holds the cosine coefficients of each stride × stride patch. The transform is orthonormal and
    stays as it is: one step suits all coefficients, and no training leaks the large ones into the small
    ones. Behind it a filter of residual blocks, at half the resolution, learns what images of this kind
    look like, and takes away what rounding left: edges of patches, ringing, lost detail.

    Source: filters behind a transform codec: Dai, Liu & Wu 2017, arXiv:1608.06690.

    Options of both halves:
        stride: 2, 4, 8, 16 or 32; must be the same in both halves.
        level: the pixel value that is told as 0; must be the same in both halves.
    Options of the decoder:
        channels: of the filter.
        blocks: residual blocks in it; each lets a pixel see two pixels further.
        activation: relu, leaky_relu, gelu, silu, tanh or sigmoid.

    >>> Filtered.code_shape((3, 100, 200), 24)
    (24, 13, 25)
    """

    @classmethod
    def code_shape(cls, sample: Shape, latent: int, *, stride: int = 8, **options: Any) -> Shape:
        """(latent, height/stride, width/stride), rounded up; None where a side varies."""
        _, *sides = image(sample, "filtered")
        stride = cls.stride(stride=stride)
        return (latent, *(None if side is None else -(-side // stride) for side in sides))

    @classmethod
    def stride(cls, *, stride: int = 8, **options: Any) -> int:
        """The option of that name."""
        require(stride in STRIDES, "stride", "2, 4, 8, 16 or 32", stride)
        return stride

    @classmethod
    def encoder(
        cls, sample: Shape, latent: int, *, heads: int = 1, stride: int = 8, level: float = MID_GREY
    ) -> nn.Module:
        """(batch, channel, height, width) → (batch, heads·latent, height/stride, width/stride)."""
        depth = sample_depth(sample)
        code = Fixed(cls.stride(stride=stride) ** 2 * depth, heads * latent)
        analyse_cosines(code, depth, stride, outputs=latent, even=EVEN, level=level)
        return chain([("patches", nn.PixelUnshuffle(stride)), ("code", code)])

    @classmethod
    def decoder(
        cls,
        sample: Shape,
        latent: int,
        *,
        told: int = 0,
        channels: int = 32,
        blocks: int = 2,
        stride: int = 8,
        level: float = MID_GREY,
        activation: str = "relu",
    ) -> nn.Module:
        """(batch, latent + told, height/stride, width/stride) → (batch, channel, height, width)."""
        depth = sample_depth(sample)
        fine = _FINE**2 * depth
        patches = Fixed(latent + told, (fine + told) * (cls.stride(stride=stride) // _FINE) ** 2)
        synthesise_cosines(patches, depth, stride, inputs=latent, fine=_FINE, even=EVEN)
        pixels = Fixed(fine + told, fine)
        with torch.no_grad():
            # Up to the last layer the level is 0, which is what convolutions see beyond the edge.
            patches.bias.zero_()
            patches.weight[fine * (stride // _FINE) ** 2 :, latent:] = 1  # what is told, to every place
            pixels.weight.copy_(torch.eye(fine, fine + told)[..., None, None])
            pixels.bias.fill_(level)
        return chain(
            [
                ("patches", patches),
                ("to_fine", nn.PixelShuffle(stride // _FINE)),
                ("mended", Sum(pixels, _filter(fine + told, fine, channels, blocks, activation))),
                ("depth_to_space", nn.PixelShuffle(_FINE)),
            ]
        )


EVEN = 6.4
"""Of the coefficients of pixels 0 to 1: brings steps that people want to between 1 and 1/30."""
STRIDES = (2, 4, 8, 16, 32)
_FINE = 2


def _filter(inputs: int, outputs: int, channels: int, blocks: int, activation: str) -> nn.Module:
    """It starts out all but silent: most of what it could say would be wrong."""
    whole(channels, "channels", least=1)
    return chain(
        [
            ("stem", convolution(inputs, channels, before=activation)),
            ("activation", activation_module(activation)),
            *residual_blocks(blocks, channels, activation, "fine"),
            ("repair", quiet(quiet(convolution(channels, outputs)))),
        ]
    )
