"""Images that are spoilt, and how much at each pixel → the images as they were."""

from __future__ import annotations

import torch
from torch import nn

from isthmus.config import require
from isthmus.nets.blocks import Fixed, Sum, activation_module, chain, convolution, quiet, residual_blocks

FINENESS = 2
"""The net works on pixels taken together in squares of this side: a quarter of the work."""


def denoising_net(planes: int, *, told: int = 1, channels: int = 64, blocks: int = 8) -> nn.Module:
    """(batch, planes + told, height, width) → (batch, planes, height, width), sides even.

    The last planes tell how unreliable each pixel is; the net says what has to be taken away.

    Args:
        planes: of the images.
        told: 1 for all planes, or one for each.
        channels: of the net.
        blocks: residual blocks; each lets a pixel see two pixels further in each direction.

    Source: noise told as a plane, pixels taken together: Zhang, Zuo & Zhang 2018, FFDNet, arXiv:1710.04026.

    >>> denoising_net(1, channels=8, blocks=1)(torch.zeros(2, 2, 6, 4)).shape
    torch.Size([2, 1, 6, 4])
    """
    require(channels >= 1 and blocks >= 0, "channels and blocks", "at least 1 and 0", (channels, blocks))
    cells = FINENESS**2
    seen, made = cells * (planes + told), cells * planes
    kept = Fixed(seen, made)
    with torch.no_grad():
        kept.weight.copy_(torch.eye(made, seen)[..., None, None])
        kept.bias.zero_()
    deep = chain(
        [
            ("stem", convolution(seen, channels, before="relu")),
            ("activation", activation_module("relu")),
            *residual_blocks(blocks, channels, "relu", "look"),
            ("noise", quiet(convolution(channels, made))),
        ]
    )
    return chain(
        [
            ("to_coarse", nn.PixelUnshuffle(FINENESS)),
            ("mended", Sum(kept, deep)),
            ("to_fine", nn.PixelShuffle(FINENESS)),
        ]
    )
