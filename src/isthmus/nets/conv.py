"""Convolutions that halve height and width level by level, then one dense layer to the code."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any

from torch import nn

from isthmus.nets.base import Net, Shape, fixed, image, widths
from isthmus.nets.blocks import Crop, activation_module, chain, convolution, linear, residual_blocks

Steps = list[tuple[str, nn.Module]]


class Conv(Net):
    """Images of one size → (latent,), and the mirror image; odd sides are met exactly.

    Options of both halves:
        channels: channels of each level, listed from the sample towards the code.
        blocks: residual blocks after each level's convolution.
        activation: relu, leaky_relu, gelu, silu, tanh or sigmoid.

    A side of 28 goes 28 → 14 → 7 → 4, and on the way back 4 → 7 → 14 → 28: the decoder
    doubles and crops.
    """

    @classmethod
    def code_shape(cls, sample: Shape, latent: int, **options: Any) -> Shape:
        """(latent,)."""
        fixed(image(sample, "conv"), "conv")
        return (latent,)

    @classmethod
    def encoder(
        cls,
        sample: Shape,
        latent: int,
        *,
        heads: int = 1,
        channels: int | Sequence[int] = (16, 32, 64),
        blocks: int = 0,
        activation: str = "relu",
    ) -> nn.Module:
        """(batch, channel, height, width) → (batch, heads·latent)."""
        levels = _levels(sample, channels)
        steps: Steps = []
        for number, ((inputs, *_), (outputs, *_)) in enumerate(pairwise(levels), 1):
            active = activation_module(activation)
            steps.append((f"halve_{number}", convolution(inputs, outputs, stride=2, before=activation)))
            steps.append((f"activation_{number}", active))
            steps += residual_blocks(blocks, outputs, activation, f"level_{number}")
        return chain([*steps, ("flatten", nn.Flatten()), ("code", linear(prod(levels[-1]), heads * latent))])

    @classmethod
    def decoder(
        cls,
        sample: Shape,
        latent: int,
        *,
        told: int = 0,
        channels: int | Sequence[int] = (16, 32, 64),
        blocks: int = 0,
        activation: str = "relu",
    ) -> nn.Module:
        """(batch, latent + told) → (batch, channel, height, width)."""
        levels = _levels(sample, channels)
        smallest = levels[-1]
        steps: Steps = [
            ("dense", linear(latent + told, prod(smallest), before=activation)),
            ("unflatten", nn.Unflatten(1, smallest)),
        ]
        for number in range(len(levels) - 1, 0, -1):
            (inputs, *_), (outputs, height, width) = levels[number], levels[number - 1]
            # The last doubling makes the sample itself, so no activation stands behind it.
            behind = activation if number > 1 else None
            steps.append((f"activation_{number}", activation_module(activation)))
            steps += residual_blocks(blocks, inputs, activation, f"level_{number}")
            steps.append((f"double_{number}", convolution(inputs, 4 * outputs, before=behind)))
            steps.append((f"shuffle_{number}", nn.PixelShuffle(2)))
            steps.append((f"crop_{number}", Crop(height, width)))
        return chain(steps)


def _levels(sample: Shape, channels: int | Sequence[int]) -> list[tuple[int, int, int]]:
    """(channel, height, width) of the sample and behind each level; sides are halved, rounded up."""
    depth, height, width = fixed(image(sample, "conv"), "conv")
    levels = [(depth, height, width)]
    for depth in widths(channels, "channels"):
        height, width = (height + 1) // 2, (width + 1) // 2
        levels.append((depth, height, width))
    return levels
