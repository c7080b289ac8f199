"""Images of any size ⇄ codes, over several resolutions: few channels where fine, many where coarse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from isthmus.config import require
from isthmus.nets.base import Net, Shape, image, whole
from isthmus.nets.blocks import Sum, activation_module, chain, convolution, quiet, residual_blocks
from isthmus.nets.cosines import analyse_cosines, synthesise_cosines
from isthmus.nets.residual import sample_depth


class Pyramid(Net):
    """(channel, height, width) ⇄ (latent, height/stride, width/stride).

    Residual blocks work at a quarter of the resolution, then at half of that, and so on down to the
    code's: a block at a coarse level costs as much as one at a fine level and sees twice as far. Beside
    them goes the cosine transform of whole patches, which stays as it is: orthonormal, so that one step suits
    all its coefficients, and no step of training leaks the large ones into the small ones.

    Options of both halves:
        channels: of the blocks of each level, finest first.
        blocks: how many blocks each level has.
        activation: relu, leaky_relu, gelu, silu, tanh or sigmoid.

    >>> Pyramid.code_shape((3, 100, 200), 24, channels=[32, 64, 128])
    (24, 7, 13)
    """

    @classmethod
    def code_shape(
        cls, sample: Shape, latent: int, *, channels: Sequence[int] = (32, 64, 128), **options: Any
    ) -> Shape:
        """(latent, height/stride, width/stride), rounded up; None where a side varies."""
        _, *sides = image(sample, "pyramid")
        stride = cls.stride(channels=channels)
        return (latent, *(None if side is None else -(-side // stride) for side in sides))

    @classmethod
    def stride(cls, *, channels: Sequence[int] = (32, 64, 128), **options: Any) -> int:
        """4 for one level, twice as much for each further one."""
        return _FINEST << (len(_levels(channels)) - 1)

    @classmethod
    def encoder(
        cls,
        sample: Shape,
        latent: int,
        *,
        heads: int = 1,
        channels: Sequence[int] = (32, 64, 128),
        blocks: Sequence[int] = (1, 2, 2),
        activation: str = "relu",
    ) -> nn.Module:
        """(batch, channel, height, width) → (batch, heads·latent, height/stride, width/stride)."""
        depth, stride, levels = sample_depth(sample), cls.stride(channels=channels), _counts(channels, blocks)
        steps: list[tuple[str, nn.Module]] = [
            ("fine", nn.PixelUnshuffle(_FINEST)),
            ("stem", convolution(_FINEST**2 * depth, channels[0], before=activation)),
            ("activation", activation_module(activation)),
        ]
        for level, (width, count) in enumerate(zip(channels, levels, strict=True)):
            if level:
                steps.append((f"coarser_{level}", nn.PixelUnshuffle(2)))
                steps.append((f"enter_{level}", convolution(4 * channels[level - 1], width, side=1)))
            steps += residual_blocks(count, width, activation, f"level_{level}")
        steps.append(("said", quiet(convolution(channels[-1], heads * latent, side=1))))
        linear = nn.Conv2d(stride**2 * depth, heads * latent, 1)
        analyse_cosines(linear, depth, stride, outputs=latent, even=_EVEN)
        linear.requires_grad_(False)
        whole_way = chain([("patches", nn.PixelUnshuffle(stride)), ("code", linear)])
        return Sum(whole_way, chain(steps))

    @classmethod
    def decoder(
        cls,
        sample: Shape,
        latent: int,
        *,
        channels: Sequence[int] = (32, 64, 128),
        blocks: Sequence[int] = (1, 2, 2),
        activation: str = "relu",
    ) -> nn.Module:
        """(batch, latent, height/stride, width/stride) → (batch, channel, height, width)."""
        depth, stride, levels = sample_depth(sample), cls.stride(channels=channels), _counts(channels, blocks)
        steps: list[tuple[str, nn.Module]] = [("heard", convolution(latent, channels[-1], side=1))]
        for level in reversed(range(len(channels))):
            steps += residual_blocks(levels[level], channels[level], activation, f"level_{level}")
            if level:
                leave = convolution(channels[level], 4 * channels[level - 1], side=1)
                steps += [(f"leave_{level}", leave), (f"finer_{level}", nn.PixelShuffle(2))]
        steps += [
            ("activation", activation_module(activation)),
            ("pixels", quiet(convolution(channels[0], _FINEST**2 * depth))),
        ]
        linear = nn.Conv2d(latent, stride**2 * depth, 1)
        synthesise_cosines(linear, depth, stride, fine=_FINEST, even=_EVEN)
        linear.requires_grad_(False)
        whole_way = chain([("patches", linear), ("fine", nn.PixelShuffle(stride // _FINEST))])
        return chain([("both", Sum(whole_way, chain(steps))), ("depth_to_space", nn.PixelShuffle(_FINEST))])


_EVEN = 6.4
"""Of the coefficients of pixels 0 to 1: brings steps that people want to between 1 and 1/30."""
_FINEST = 4
"""Pixels to a side of the finest level's positions."""


def _levels(channels: Sequence[int]) -> Sequence[int]:
    require(
        isinstance(channels, Sequence) and 1 <= len(channels) <= 4, "channels", "a list of 1 to 4", channels
    )
    for width in channels:
        whole(width, "channels", least=1)
    return channels


def _counts(channels: Sequence[int], blocks: Sequence[int]) -> Sequence[int]:
    matched = isinstance(blocks, Sequence) and len(blocks) == len(channels)
    require(matched, "blocks", "as long a list as channels", blocks)
    return blocks
