"""Fully convolutional: images of any height and width ⇄ codes that keep both, made smaller by a stride."""

from __future__ import annotations

from typing import Any

from torch import nn

from isthmus.config import require
from isthmus.nets.base import Net, Shape, image, whole
from isthmus.nets.blocks import Sum, activation_module, chain, convolution, quiet, residual_blocks
from isthmus.nets.cosines import analyse_cosines, synthesise_cosines


class Residual(Net):
    """(channel, height, width) ⇄ (latent, height/stride, width/stride).

    Each stride × stride patch becomes one pixel with many channels (space to depth), so all
    the work is done at low resolution, where it is cheap and sees far. Each half is a linear map,
    which starts as a cosine transform, plus a deep one, which starts near 0 and learns the rest.

    Options of both halves:
        channels: channels of the residual blocks.
        blocks: how many there are; each lets a pixel of the code see one code pixel further.
        stride: 4, 8 or 16; must be the same in both halves.
        activation: relu, leaky_relu, gelu, silu, tanh or sigmoid.

    >>> Residual.code_shape((3, 100, 200), 24)
    (24, 13, 25)
    """

    @classmethod
    def code_shape(cls, sample: Shape, latent: int, *, stride: int = 8, **options: Any) -> Shape:
        """(latent, height/stride, width/stride), rounded up; None where a side varies."""
        _, *sides = image(sample, "residual")
        stride = cls.stride(stride=stride)
        return (latent, *(None if side is None else -(-side // stride) for side in sides))

    @classmethod
    def stride(cls, *, stride: int = 8, **options: Any) -> int:
        """The option of that name."""
        require(stride in (4, 8, 16), "stride", "4, 8 or 16", stride)
        return stride

    @classmethod
    def encoder(
        cls,
        sample: Shape,
        latent: int,
        *,
        heads: int = 1,
        channels: int = 96,
        blocks: int = 3,
        stride: int = 8,
        activation: str = "relu",
    ) -> nn.Module:
        """(batch, channel, height, width) → (batch, heads·latent, height/stride, width/stride)."""
        patch = _patch_values(sample, stride, channels)
        active = activation_module(activation)
        deep = chain(
            [
                ("stem", convolution(patch, channels, before=activation)),
                ("activation", active),
                *residual_blocks(blocks, channels, activation, "low"),
                ("code", quiet(convolution(channels, heads * latent))),
            ]
        )
        linear = nn.Conv2d(patch, heads * latent, 1)
        analyse_cosines(linear, sample_depth(sample), stride, outputs=latent)
        return chain([("space_to_depth", nn.PixelUnshuffle(stride)), ("both", Sum(linear, deep))])

    @classmethod
    def decoder(
        cls,
        sample: Shape,
        latent: int,
        *,
        told: int = 0,
        channels: int = 96,
        blocks: int = 3,
        stride: int = 8,
        activation: str = "relu",
    ) -> nn.Module:
        """(batch, latent + told, height/stride, width/stride) → (batch, channel, height, width)."""
        patch = _patch_values(sample, stride, channels)
        active = activation_module(activation)
        deep = chain(
            [
                ("stem", convolution(latent + told, channels, before=activation)),
                ("activation", active),
                *residual_blocks(blocks, channels, activation, "low"),
                ("patches", quiet(convolution(channels, patch))),
            ]
        )
        linear = nn.Conv2d(latent + told, patch, 1)
        synthesise_cosines(linear, sample_depth(sample), stride, inputs=latent)
        return chain([("both", Sum(linear, deep)), ("depth_to_space", nn.PixelShuffle(stride))])


def _patch_values(sample: Shape, stride: int, channels: int) -> int:
    """Values in one stride × stride patch of the sample."""
    depth = sample_depth(sample)
    whole(channels, "channels", least=1)
    return depth * Residual.stride(stride=stride) ** 2


def sample_depth(sample: Shape) -> int:
    """Channels of the images."""
    depth = image(sample, "residual")[0]
    assert depth is not None, "`image` has checked it"
    return depth
