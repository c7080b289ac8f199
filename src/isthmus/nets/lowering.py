"""PyTorch modules → operations.

`lower` knows every module our nets are made of. A module of your own says what it does by
`lower.register`:

    @lower.register
    def _(module: Twice, net: Lowering, value: int, name: str) -> int:
        return net.add("add", value, value)

Each adds operations to a `Lowering` and returns the number of the value that is its result.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

from torch import nn

from isthmus.bottlenecks.base import Bottleneck
from isthmus.errors import ConfigError
from isthmus.exact.builder import Lowering
from isthmus.exact.ops import Op
from isthmus.nets.autoencoder import Autoencoder
from isthmus.nets.blocks import Crop, ResidualBlock, Sum

ENCODER, BOTTLENECK, DECODER = "net.encoder.", "bottleneck.", "net.decoder."
"""Prefixes under which a learner's state dict keeps the three parts."""
QUANTISER = "quantiser"
"""The name of the quantiser's tensors among the decoder's."""


@singledispatch
def lower(module: nn.Module, net: Lowering, value: int, name: str) -> int:
    """Append what `module` does to a value, and return the number of its result.

    Args:
        module: one of the modules that nets are made of.
        net: takes the operations.
        value: the number of the module's input.
        name: of the module in its net's state dict, with a dot behind it unless it is the net.
    Raises:
        ConfigError: nobody has said how to lower such a module.
    """
    raise ConfigError(
        f"A net must be made of modules that can be written as operations; {type(module).__name__} cannot. "
        "Use those of isthmus.nets.blocks, or register how it is done: isthmus.nets.lowering.lower.register."
    )


def encoder_ops(net: Autoencoder, bottleneck: Bottleneck) -> tuple[Op, ...]:
    """From a tensor to the latent that is stored: padding, the encoder, the bottleneck's latent."""
    made = Lowering()
    value = made.add("pad", 0, numbers=(net.stride,)) if net.stride > 1 else 0
    bottleneck.lower(made, lower(net.encoder, made, value, ENCODER))
    return tuple(made.ops)


def decoder_ops(net: Autoencoder) -> tuple[Op, ...]:
    """From symbols to a tensor, not yet cropped: rounding undone, the decoder, its link."""
    made = Lowering()
    value = lower(net.decoder, made, made.add("dequantise", 0, weight=QUANTISER), "")
    if net.link != "identity":
        made.add(net.link, value)
    return tuple(made.ops)


@lower.register
def _(module: nn.Sequential, net: Lowering, value: int, name: str) -> int:
    for child_name, child in module.named_children():
        value = lower(child, net, value, f"{name}{child_name}.")
    return value


@lower.register
def _(module: Sum, net: Lowering, value: int, name: str) -> int:
    short = lower(module.linear, net, value, f"{name}linear.")
    return net.sum_of(short, lower(module.deep, net, value, f"{name}deep."))


@lower.register
def _(module: ResidualBlock, net: Lowering, value: int, name: str) -> int:
    return net.sum_of(value, lower(module.branch, net, value, f"{name}branch."))


@lower.register
def _(module: nn.Linear, net: Lowering, value: int, name: str) -> int:
    _require(module.bias is not None, module)
    return net.add("linear", value, weight=name[:-1])


@lower.register
def _(module: nn.Conv2d, net: Lowering, value: int, name: str) -> int:
    side, stride = module.kernel_size[0], module.stride[0]
    square = (module.kernel_size, module.stride) == ((side, side), (stride, stride)) and side % 2 == 1
    plain = module.groups == 1 and module.dilation == (1, 1) and module.padding_mode == "zeros"
    _require(
        square and plain and module.padding == (side // 2, side // 2) and module.bias is not None, module
    )
    return net.add("conv", value, weight=name[:-1], numbers=(stride,))


@lower.register
def _(module: nn.Conv1d, net: Lowering, value: int, name: str) -> int:
    side, apart = module.kernel_size[0], module.dilation[0]
    plain = module.groups == 1 and module.stride == (1,) and module.padding_mode == "zeros" and side % 2 == 1
    _require(plain and module.padding == (side // 2 * apart,) and module.bias is not None, module)
    return net.add("line", value, weight=name[:-1], numbers=(apart,))


@lower.register
def _(module: nn.LayerNorm, net: Lowering, value: int, name: str) -> int:
    _require(len(module.normalized_shape) == 1 and module.eps == 1e-5 and module.bias is not None, module)
    return net.add("norm", value, weight=name[:-1])


@lower.register
def _(module: nn.Flatten, net: Lowering, value: int, name: str) -> int:
    _require((module.start_dim, module.end_dim) == (1, -1), module)
    return net.add("flatten", value)


@lower.register
def _(module: nn.Unflatten, net: Lowering, value: int, name: str) -> int:
    _require(module.dim == 1, module)
    return net.add("reshape", value, numbers=tuple(int(side) for side in module.unflattened_size))


@lower.register
def _(module: nn.PixelShuffle, net: Lowering, value: int, name: str) -> int:
    return net.add("shuffle", value, numbers=(module.upscale_factor,))


@lower.register
def _(module: nn.PixelUnshuffle, net: Lowering, value: int, name: str) -> int:
    return net.add("unshuffle", value, numbers=(module.downscale_factor,))


@lower.register
def _(module: Crop, net: Lowering, value: int, name: str) -> int:
    return net.add("crop", value, numbers=(module.height, module.width))


@lower.register(nn.Dropout)
@lower.register(nn.Identity)
def _(module: nn.Module, net: Lowering, value: int, name: str) -> int:
    return value  # outside of training they pass everything on


@lower.register
def _(module: nn.LeakyReLU, net: Lowering, value: int, name: str) -> int:
    _require(module.negative_slope == 0.01, module)
    return net.add("leaky_relu", value)


@lower.register
def _(module: nn.GELU, net: Lowering, value: int, name: str) -> int:
    _require(module.approximate == "none", module)
    return net.add("gelu", value)


_ACTIVATIONS: Mapping[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.SiLU: "silu",
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
}


@lower.register(nn.ReLU)
@lower.register(nn.SiLU)
@lower.register(nn.Sigmoid)
@lower.register(nn.Tanh)
def _(module: nn.Module, net: Lowering, value: int, name: str) -> int:
    kind = next(kind for family, kind in _ACTIVATIONS.items() if isinstance(module, family))
    return net.add(kind, value)


def _require(possible: bool, module: nn.Module) -> None:
    if not possible:
        raise ConfigError(
            f"{module} has options that no operation has. Use its usual form: a bias, whole square windows "
            "padded to keep the size, no groups, the default slope or ε."
        )
