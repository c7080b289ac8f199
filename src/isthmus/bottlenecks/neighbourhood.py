"""What the neighbours of a symbol say of it, while the net learns: the float twin of coding/latents.

`to_neighbours` rounds what was learned to the whole numbers that the coder goes by.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from isthmus.coding.latents.neighbours import PHASES, UNIT_BITS, Group, Neighbours

ANCHORS = 5
"""Qualities at which steps and beginnings are learned; those between lie on straight lines."""
FIRST_GROUPS = (1, 1, 2, 4, 8)
"""Channels of the first groups; each later one has as many as came before it, 64 at most."""
WIDE = 16
"""Groups up to this size look at one another's neighbours; larger ones only straight ahead."""
PACE = 10.0  # what must go far is stored a tenth as large: Adam moves all weights at one pace
CLASSES = 32
FINEST, COARSEST = 0.055, 48.0
"""Spread of the symbols in the first and the last class."""


def group_sizes(channels: int) -> list[int]:
    """Channels of each group.

    >>> group_sizes(40)
    [1, 1, 2, 4, 8, 16, 8]
    """
    sizes: list[int] = []
    while sum(sizes) < channels:
        wanted = FIRST_GROUPS[len(sizes)] if len(sizes) < len(FIRST_GROUPS) else min(64, sum(sizes))
        sizes.append(min(wanted, channels - sum(sizes)))
    return sizes


def spread_of(sums: Tensor) -> Tensor:
    """The scale of a logistic distribution from a sum of magnitudes: nearly the sum, but above 0."""
    return F.softplus(8 * sums) / 8 + _LEAST


_LEAST = 0.05


def sum_of(spread: float) -> float:
    """Undo `spread_of`."""
    return math.log(math.expm1(8 * (spread - _LEAST))) / 8


class Neighbourhood(nn.Module):
    """Expects each symbol's value and spread from those decoded before it.

    Args:
        channels: of the latent.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.sizes = group_sizes(channels)
        self.bias = nn.Parameter(torch.zeros(2, ANCHORS, channels))
        self.earlier, self.own = nn.ParameterList(), nn.ParameterList()
        before = 0
        for size in self.sizes:
            side = 3 if before <= WIDE else 1
            self.earlier.append(nn.Parameter(_START * torch.randn(2, size, before, side, side)))
            own = torch.zeros(2, len(PHASES) - 1, size, size if size <= WIDE else 1, 3, 3)
            own[1, :, range(size), range(size) if size <= WIDE else 0] = _OWN_START
            self.own.append(nn.Parameter(own))
            before += size
        self._before: Tensor
        self.register_buffer("_before", _phases_before(), persistent=False)

    def forward(self, symbols: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """The expected value and spread of each symbol, (batch, channel, height, width) both.

        Args:
            symbols: in steps; rounded, or disturbed in place of it.
            place: (batch,) qualities, 0 to 1.
        """
        kinds = torch.stack([symbols, symbols.abs()])
        begin = between(PACE * self.bias, place)[..., None, None]  # (2, batch, channel, 1, 1)
        shares = _phase_shares(symbols)
        sums, start = [], 0
        for size, earlier, own in zip(self.sizes, self.earlier, self.own, strict=True):
            mine = slice(start, start + size)
            sums.append(
                torch.stack(
                    [
                        begin[kind, :, mine]
                        + (_look(kinds[kind, :, :start], earlier[kind]) if start else 0)
                        + self._from_own(kinds[kind, :, mine], own[kind], shares)
                        for kind in (0, 1)
                    ]
                )
            )
            start += size
        value, spread = torch.cat(sums, dim=2)
        return value, spread_of(spread)

    def _from_own(self, symbols: Tensor, weights: Tensor, shares: Tensor) -> Tensor:
        groups = symbols.shape[1] if weights.shape[2] == 1 < symbols.shape[1] else 1
        total = torch.zeros_like(symbols)
        for phase in range(1, len(PHASES)):
            seen = weights[phase - 1] * self._before[phase]
            total = total + shares[phase] * F.conv2d(symbols, seen, padding=1, groups=groups)
        return total

    @torch.no_grad()
    def to_neighbours(self) -> Neighbours:
        """The same in whole numbers."""
        groups = []
        for earlier, own in zip(self.earlier, self.own, strict=True):
            seen = torch.cat([torch.zeros_like(own[:, :1]), own], dim=1) * self._before[:, None, None]
            if own.shape[2] > 1 and own.shape[3] == 1:
                mine = seen[:, :, :, 0].flatten(3).permute(0, 1, 3, 2)
            else:
                mine = seen.flatten(4).permute(0, 1, 4, 3, 2)
            groups.append(Group(_whole(earlier.flatten(3).permute(0, 3, 2, 1)), _whole(mine)))
        spreads = np.geomspace(FINEST, COARSEST, CLASSES - 1)
        thresholds = np.unique([round(sum_of(spread) * (1 << UNIT_BITS)) for spread in spreads])
        bias = np.rint((PACE * self.bias).cpu().double().numpy() * (1 << UNIT_BITS))
        bias = np.clip(bias, -_MOST_BIAS, _MOST_BIAS)
        return Neighbours(tuple(groups), bias.astype(np.int32), thresholds.astype(np.int32))


_START = 0.001
_OWN_START = 0.1
_MOST_BIAS = 1 << 20


def between(anchors: Tensor, place: Tensor) -> Tensor:
    """(…, anchor, channel) at places 0 to 1 → (…, batch, channel), on straight lines between anchors."""
    scaled = place * (anchors.shape[-2] - 1)
    low = scaled.floor().clamp(0, anchors.shape[-2] - 2).long()
    share = (scaled - low).unsqueeze(1)
    return anchors[..., low, :] * (1 - share) + anchors[..., low + 1, :] * share


def _look(symbols: Tensor, weights: Tensor) -> Tensor:
    return F.conv2d(symbols, weights, padding=weights.shape[-1] // 2)


def _phase_shares(like: Tensor) -> Tensor:
    """(phase, 1, 1, height, width): 1 at the phase's positions, 0 elsewhere."""
    shares = like.new_zeros(len(PHASES), 1, 1, *like.shape[2:])
    for phase, (row, column) in enumerate(PHASES):
        shares[phase, ..., row::2, column::2] = 1
    return shares


def _phases_before() -> Tensor:
    """(phase, 3, 3): 1 where the neighbour of a position of that phase is of an earlier one."""
    known = torch.zeros(len(PHASES), 3, 3)
    for phase, (row, column) in enumerate(PHASES):
        for down in range(3):
            for right in range(3):
                there = PHASES.index(((row + down - 1) % 2, (column + right - 1) % 2))
                known[phase, down, right] = there < phase
    return known


def _whole(weights: Tensor) -> np.ndarray:
    scaled = np.rint(weights.detach().cpu().double().numpy() * (1 << UNIT_BITS))
    return np.ascontiguousarray(np.clip(scaled, -(1 << 15) + 1, (1 << 15) - 1).astype(np.int16))
