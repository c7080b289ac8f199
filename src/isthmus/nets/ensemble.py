"""Small autoencoders for rows of numbers, side by side: every layer is one batched matrix product."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST_HIDDEN, MOST_HIDDEN = 32, 128


def code_sizes(features: int, members: int) -> list[int]:
    """How many numbers each member has for a row: half, a third, 0.7 of the features in turn, within limits.

    >>> code_sizes(12, 4)
    [6, 4, 8, 6]
    """
    sizes = [min(16, -(-features // 2)), min(24, features // 3), min(32, int(0.7 * features))]
    return [max(1, sizes[member % len(sizes)]) for member in range(members)]


class Ensemble(nn.Module):
    """Members that differ in their first weights and in how narrow they are.

    Args:
        features: of a row.
        members: how many.
        generator: of the first weights.
    """

    def __init__(self, features: int, members: int, generator: torch.Generator) -> None:
        super().__init__()
        hidden = min(MOST_HIDDEN, max(LEAST_HIDDEN, 2 * features))
        self.latents = code_sizes(features, members)
        most = max(self.latents)
        sides = {
            "in": (features, hidden),
            "code": (hidden, most),
            "out": (most, hidden),
            "back": (hidden, features),
        }
        self.weights = nn.ParameterDict(
            {
                layer: torch.randn(members, *shape, generator=generator) / math.sqrt(shape[0])
                for layer, shape in sides.items()
            }
        )
        self.biases = nn.ParameterDict(
            {layer: torch.zeros(members, 1, outputs) for layer, (_, outputs) in sides.items()}
        )
        open_ = torch.tensor([[[place < size for place in range(most)]] for size in self.latents])
        self.open: Tensor
        self.register_buffer("open", open_.float())

    def forward(self, rows: Tensor) -> Tensor:
        """(member, batch, features) → the same, as each member restores it."""
        code = self._layer("code", functional.relu(self._layer("in", rows))) * self.open
        return self._layer("back", functional.relu(self._layer("out", code)))

    def _layer(self, layer: str, rows: Tensor) -> Tensor:
        return torch.baddbmm(self.biases[layer], rows, self.weights[layer])
