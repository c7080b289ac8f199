"""Windows of a recording, each told by many numbers → what to make of each, seen with those around it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from isthmus.config import require
from isthmus.nets.blocks import ResidualBlock, activation_module, chain, initialised, quiet

APART = (1, 2, 4, 8, 1, 2, 4, 8)
"""Windows between the neighbours that a block looks at, block by block."""


class TimeBlock(ResidualBlock):
    """x + f(x): f looks at a window and two others, so far before and behind, then mixes channels.

    It keeps the shape (batch, channel, windows).
    """

    def __init__(self, channels: int, apart: int) -> None:
        nn.Module.__init__(self)
        look = nn.Conv1d(channels, channels, 3, padding=apart, dilation=apart)
        self.branch = chain(
            [
                ("look", initialised(look, "relu")),
                ("activation", activation_module("relu")),
                ("mix", quiet(initialised(nn.Conv1d(channels, channels, 1), None))),
            ]
        )


def sound_net(planes: int, made: int, *, channels: int = 192, apart: Sequence[int] = APART) -> nn.Module:
    """(batch, planes, windows) → (batch, made, windows): all frequencies of a window at once.

    Args:
        planes: numbers that tell a window.
        made: numbers that are wanted for each.
        channels: of the net.
        apart: of each block, how many windows lie between those that it looks at.

    Source: neighbours ever further apart, Bai, Kolter & Koltun 2018, arXiv:1803.01271; here both ways.

    >>> import torch
    >>> sound_net(10, 4, channels=8, apart=(1, 2))(torch.zeros(2, 10, 7)).shape
    torch.Size([2, 4, 7])
    """
    require(
        channels >= 1 and min(apart, default=1) >= 1, "channels and apart", "at least 1", (channels, apart)
    )
    blocks = [(f"block_{number}", TimeBlock(channels, each)) for number, each in enumerate(apart, 1)]
    return chain(
        [
            ("stem", initialised(nn.Conv1d(planes, channels, 1), "relu")),
            *blocks,
            ("activation", activation_module("relu")),
            ("gains", quiet(initialised(nn.Conv1d(channels, made, 1), None))),
        ]
    )
