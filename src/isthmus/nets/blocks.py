"""The bricks of all nets: named chains, layers that keep the signal's size, residual blocks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TypeVar

import torch
from torch import nn

from isthmus.config import require
from isthmus.nets.base import whole

Layer = TypeVar("Layer", nn.Linear, nn.Conv1d, nn.Conv2d)

# Beside each activation: the gain at which a layer before it passes on a signal of unit size,
# 1 / sqrt(E f(x)²) for normal x. For sigmoid this would let gradients die, so it gets Glorot's 4.
ACTIVATIONS: dict[str, tuple[type[nn.Module], float]] = {
    "relu": (nn.ReLU, 1.414),
    "leaky_relu": (nn.LeakyReLU, 1.414),
    "gelu": (nn.GELU, 1.534),
    "silu": (nn.SiLU, 1.677),
    "tanh": (nn.Tanh, 1.593),
    "sigmoid": (nn.Sigmoid, 4.0),
}


def activation_module(name: str) -> nn.Module:
    """The activation called `name`; raise ConfigError if there is none.

    >>> activation_module("relu")
    ReLU()
    """
    require(name in ACTIVATIONS, "activation", f"one of {', '.join(ACTIVATIONS)}", name)
    return ACTIVATIONS[name][0]()


def chain(steps: Iterable[tuple[str, nn.Module]]) -> nn.Sequential:
    """Named modules, one after the other; the names are those of the stored weights."""
    return nn.Sequential(OrderedDict(steps))


def linear(inputs: int, outputs: int, *, before: str | None = None) -> nn.Linear:
    """A dense layer; `before` names the activation that follows it, None for a layer without one."""
    return initialised(nn.Linear(inputs, outputs), before)


def convolution(
    inputs: int, outputs: int, *, side: int = 3, stride: int = 1, before: str | None = None
) -> nn.Conv2d:
    """A convolution that keeps height and width, or divides them by `stride` and rounds up.

    >>> convolution(1, 8, stride=2)(torch.zeros(1, 1, 7, 10)).shape
    torch.Size([1, 8, 4, 5])
    """
    layer = nn.Conv2d(inputs, outputs, side, stride=stride, padding=side // 2)
    return initialised(layer, before)


def initialised(layer: Layer, before: str | None) -> Layer:
    """Draw weights so that the signal keeps its size through `layer` and what follows; biases are 0.

    Source: He et al. 2015, arXiv:1502.01852, equation 10, with the gain of each activation.
    """
    gain = 1.0 if before is None else ACTIVATIONS[before][1]
    inputs = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=gain / inputs**0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def quiet(layer: Layer) -> Layer:
    """Make a layer start near 0, but not at it: every weight shall have a gradient from the first step on."""
    with torch.no_grad():
        layer.weight.mul_(0.1)
    return layer


class Fixed(nn.Conv2d):
    """A 1×1 convolution that training leaves as it is, always computed in float32."""

    bias: torch.Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 1)
        self.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channel, height, width) → the same with other channels."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


class Sum(nn.Module):
    """A short way plus a long one: linear(x) + deep(x).

    The short way carries the signal itself, so it is always computed in float32: bfloat16 is off by half
    a level of 255. The long way adds something small to it.
    """

    def __init__(self, linear: nn.Module, deep: nn.Module) -> None:
        super().__init__()
        self.linear, self.deep = linear, deep

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Both see the same input; their outputs have one shape."""
        deep = self.deep(x)
        with torch.autocast(x.device.type, enabled=False):
            return self.linear(x.float()) + deep.float()


class ResidualBlock(nn.Module):
    """x + f(x): f looks around with a 3×3 convolution, then mixes channels with a 1×1.

    It keeps the shape (batch, channel, height, width), and starts close to the identity, so
    that deep stacks train without normalisation layers.
    """

    def __init__(self, channels: int, activation: str = "relu") -> None:
        super().__init__()
        mix = quiet(convolution(channels, channels, side=1))
        look = convolution(channels, channels, before=activation)
        self.branch = chain([("look", look), ("activation", activation_module(activation)), ("mix", mix)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same shape in and out."""
        return x + self.branch(x)


def residual_blocks(count: int, channels: int, activation: str, prefix: str) -> list[tuple[str, nn.Module]]:
    """`count` named residual blocks, for `chain`: prefix_block_1, prefix_block_2, …"""
    whole(count, "blocks", least=0)
    return [(f"{prefix}_block_{i + 1}", ResidualBlock(channels, activation)) for i in range(count)]


class Crop(nn.Module):
    """Keep the top left `height` × `width` of an image."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = height, width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channel, any, any) → (batch, channel, height, width)."""
        return x[..., : self.height, : self.width]

    def extra_repr(self) -> str:
        """What `print(net)` shows of it."""
        return f"{self.height}×{self.width}"
