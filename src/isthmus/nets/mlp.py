"""Dense layers: any sample of fixed size is flattened to a row of numbers and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from torch import nn

from isthmus.config import require
from isthmus.nets.base import Net, Shape, fixed, widths
from isthmus.nets.blocks import activation_module, chain, linear

Steps = list[tuple[str, nn.Module]]


class MLP(Net):
    """sample → hidden layers → (latent,), and the mirror image.

    Options of both halves:
        hidden: widths of the hidden layers, listed from the sample towards the code.
        activation: relu, leaky_relu, gelu, silu, tanh or sigmoid.
        dropout: share of each hidden layer's outputs set to 0 in training.
    Option of the encoder only:
        norm: LayerNorm before each activation. The decoder has none, because it must be able
            to run in integers.

    >>> MLP.encoder((1, 28, 28), 30, hidden=(128,))
    Sequential(
      (flatten): Flatten(start_dim=1, end_dim=-1)
      (dense_1): Linear(in_features=784, out_features=128, bias=True)
      (activation_1): ReLU()
      (code): Linear(in_features=128, out_features=30, bias=True)
    )
    """

    @classmethod
    def code_shape(cls, sample: Shape, latent: int, **options: Any) -> Shape:
        """(latent,)."""
        fixed(sample, "mlp")
        return (latent,)

    @classmethod
    def encoder(
        cls,
        sample: Shape,
        latent: int,
        *,
        heads: int = 1,
        hidden: int | Sequence[int] = (512, 256),
        activation: str = "relu",
        dropout: float = 0.0,
        norm: bool = False,
    ) -> nn.Module:
        """(batch, *sample) → (batch, heads·latent)."""
        sizes = (prod(fixed(sample, "mlp")), *widths(hidden, "hidden"))
        steps = _hidden_layers(sizes, activation, dropout, norm)
        return chain([("flatten", nn.Flatten()), *steps, ("code", linear(sizes[-1], heads * latent))])

    @classmethod
    def decoder(
        cls,
        sample: Shape,
        latent: int,
        *,
        told: int = 0,
        hidden: int | Sequence[int] = (512, 256),
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> nn.Module:
        """(batch, latent + told) → (batch, *sample)."""
        shape = fixed(sample, "mlp")
        sizes = (latent + told, *reversed(widths(hidden, "hidden")))
        steps = _hidden_layers(sizes, activation, dropout, norm=False)
        return chain(
            [*steps, ("sample", linear(sizes[-1], prod(shape))), ("unflatten", nn.Unflatten(1, shape))]
        )


def _hidden_layers(sizes: Iterable[int], activation: str, dropout: float, norm: bool) -> Steps:
    is_share = isinstance(dropout, (int, float)) and 0 <= dropout < 1
    require(is_share, "dropout", "at least 0 and below 1", dropout)
    first, *rest = sizes
    steps: Steps = []
    for number, size in enumerate(rest, start=1):
        active = activation_module(activation)
        steps.append((f"dense_{number}", linear(first, size, before=activation)))
        if norm:
            steps.append((f"norm_{number}", nn.LayerNorm(size)))
        steps.append((f"activation_{number}", active))
        if dropout:
            steps.append((f"dropout_{number}", nn.Dropout(dropout)))
        first = size
    return steps
