"""What the neighbours of a symbol say of it, while the net learns: the float twin of coding/latents.

`to_neighbours` rounds what was learned to the whole numbers that the coder goes by.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from isthmus.coding.latents.neighbours import PHASES, SIZE, UNIT_BITS, Group, Neighbours

ANCHORS = 5
"""Qualities at which steps and beginnings are learned; those between lie on straight lines."""
FIRST_GROUPS = (1, 1, 2, 4, 8)
"""Channels of the first groups; each later one has as many as came before it, 64 at most."""
WIDE = 16
"""Groups up to this size look at one another's neighbours; larger ones only straight ahead."""
SCALES = 4
"""The first DEEP channels go from coarse to fine, from neighbours 2**(SCALES - 1) away down to next ones."""
DEEP = 16
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
            before += size
            self.own.append(nn.Parameter(_first_own(size, SCALES if before <= DEEP else 1)))
        with torch.no_grad():
            self.own[0][0] = _mean_of_known()
            self.own[0][1] = 0.0
            self.bias[1, :, 0] = torch.linspace(_FIRST_SIZES[0], _FIRST_SIZES[1], ANCHORS) / PACE
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
        where = _places_of_phases(symbols)
        sums, start = [], 0
        for size, earlier, own in zip(self.sizes, self.earlier, self.own, strict=True):
            mine = slice(start, start + size)
            sums.append(
                torch.stack(
                    [
                        begin[kind, :, mine]
                        + (_look(kinds[kind, :, :start], earlier[kind]) if start else 0)
                        + self._from_own(kinds[kind, :, mine], own[kind], where)
                        for kind in (0, 1)
                    ]
                )
            )
            start += size
        value, spread = torch.cat(sums, dim=2)
        return value, spread_of(spread)

    def _from_own(self, symbols: Tensor, weights: Tensor, where: Tensor) -> Tensor:
        groups = symbols.shape[1] if weights.shape[3] == 1 < symbols.shape[1] else 1
        total = torch.zeros_like(symbols)
        for scale, of_scale in enumerate(weights):
            far = 1 << scale
            for phase, seen in enumerate(of_scale * self._before[:, None, None]):
                near = F.conv2d(symbols, seen, padding=far, dilation=far, groups=groups)
                total = total + where[scale, phase] * near
        return total

    @torch.no_grad()
    def calm(self, share: float) -> None:
        """Take a share off the weights of magnitudes: their noise adds up where steps are fine."""
        for weights in (*self.earlier, *self.own):
            weights[SIZE] *= 1 - share

    @torch.no_grad()
    def to_neighbours(self) -> Neighbours:
        """The same in whole numbers."""
        groups = []
        for earlier, own in zip(self.earlier, self.own, strict=True):
            seen = (own * self._before[:, None, None]).flatten(5)  # (kind, scale, phase, out, in, place)
            alone = own.shape[3] > 1 and own.shape[4] == 1
            mine = seen[:, :, :, :, 0].transpose(3, 4) if alone else seen.permute(0, 1, 2, 5, 4, 3)
            groups.append(Group(_whole(earlier.flatten(3).permute(0, 3, 2, 1)), _whole(mine)))
        spreads = np.geomspace(FINEST, COARSEST, CLASSES - 1)
        thresholds = np.unique([round(sum_of(spread) * (1 << UNIT_BITS)) for spread in spreads])
        bias = np.rint((PACE * self.bias).cpu().double().numpy() * (1 << UNIT_BITS))
        bias = np.clip(bias, -_MOST_BIAS, _MOST_BIAS)
        return Neighbours(tuple(groups), bias.astype(np.int32), thresholds.astype(np.int32))


_START = 0.001
_OWN_START = 0.1
_FIRST_SIZES = (0.5, 4.0)
"""Of the smoothest channel: it is foretold by its neighbours' values, and not by their magnitudes."""
_MOST_BIAS = 1 << 20


def _first_own(size: int, scales: int) -> Tensor:
    """(kind, scale, phase, channel, channels seen, 3, 3): magnitudes are alike among neighbours."""
    wide = size > WIDE
    own = torch.zeros(2, scales, len(PHASES) - 1, size, 1 if wide else size, 3, 3)
    own[1, :, :, range(size), 0 if wide else range(size)] = _OWN_START
    return own


def _mean_of_known() -> Tensor:
    """(phase, 1, 1, 3, 3): the middle of a square from its corners, others from the four next to them."""
    mean = torch.zeros(len(PHASES) - 1, 1, 1, 3, 3)
    mean[0, ..., ::2, ::2] = 0.25
    mean[1:, ..., 1, ::2] = mean[1:, ..., ::2, 1] = 0.25
    return mean


def between(anchors: Tensor, place: Tensor) -> Tensor:
    """(…, anchor, channel) at places 0 to 1 → (…, batch, channel), on straight lines between anchors."""
    scaled = place * (anchors.shape[-2] - 1)
    low = scaled.floor().clamp(0, anchors.shape[-2] - 2).long()
    share = (scaled - low).unsqueeze(1)
    return anchors[..., low, :] * (1 - share) + anchors[..., low + 1, :] * share


def _look(symbols: Tensor, weights: Tensor) -> Tensor:
    return F.conv2d(symbols, weights, padding=weights.shape[-1] // 2)


def _places_of_phases(like: Tensor) -> Tensor:
    """(scale, phase, height, width): 1 at the positions of each phase after the first, 0 elsewhere."""
    where = like.new_zeros(SCALES, len(PHASES) - 1, *like.shape[2:])
    for scale in range(SCALES):
        for phase, (row, column) in enumerate(PHASES[1:]):
            where[scale, phase, row << scale :: 2 << scale, column << scale :: 2 << scale] = 1
    return where


def _phases_before() -> Tensor:
    """(phase, 3, 3): 1 where the neighbour of a position of that phase is of an earlier one."""
    known = torch.zeros(len(PHASES) - 1, 3, 3)
    for phase, (row, column) in enumerate(PHASES[1:]):
        for down in range(3):
            for right in range(3):
                there = PHASES.index(((row + down - 1) % 2, (column + right - 1) % 2))
                known[phase, down, right] = there < phase + 1
    return known


def _whole(weights: Tensor) -> np.ndarray:
    scaled = np.rint(weights.detach().cpu().double().numpy() * (1 << UNIT_BITS))
    return np.ascontiguousarray(np.clip(scaled, -(1 << 15) + 1, (1 << 15) - 1).astype(np.int16))
