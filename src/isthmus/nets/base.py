"""The contract of a net family: a sample's shape in, two matching halves out.

Shapes are those of one sample in tensor layout, without the batch axis: images are
(channel, height, width), arrays keep their own axes. None stands for a length that varies.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from isthmus.config import require
from isthmus.errors import ConfigError

Shape = tuple[int | None, ...]


class Net(ABC):
    """A way to build an encoder and the decoder that undoes it.

    A family is never instantiated; its options are the keyword arguments of `encoder` and
    `decoder`. `code_shape` and `stride` are given the same options and use what they need.
    Nets that reach a model are made of modules that `isthmus.nets.lowering` can write as operations
    (linear and convolution layers, activations, reshapes, sums): no batch statistics.
    """

    @classmethod
    @abstractmethod
    def code_shape(cls, sample: Shape, latent: int, **options: Any) -> Shape:
        """The shape of one code; raise ConfigError for samples this family cannot take."""

    @classmethod
    @abstractmethod
    def encoder(cls, sample: Shape, latent: int, *, heads: int = 1) -> nn.Module:
        """A module from (batch, *sample) to (batch, heads·latent, …).

        Two heads, one after the other on axis 1, are what a variational bottleneck reads as
        mean and log-variance.
        """

    @classmethod
    @abstractmethod
    def decoder(cls, sample: Shape, latent: int, *, told: int = 0) -> nn.Module:
        """A module from (batch, *code) to (batch, *sample).

        The code then has `told` further channels, in which a bottleneck says how it was rounded.
        """

    @classmethod
    def stride(cls, **options: Any) -> int:
        """What the sides of an image must be a multiple of; the caller pads and crops."""
        return 1


def check_options(make: Callable[..., Any], options: Mapping[str, Any], name: str) -> None:
    """Raise ConfigError if `make` has no keyword argument for one of `options`.

    Args:
        make: a family's `encoder` or `decoder`.
        options: the options somebody asked for.
        name: the setting they stand under, for the message ("net.encoder").
    """
    known = option_names(make)
    for option in options:
        require(option in known, f"An option of {name}", f"one of {', '.join(known)}", option)


def option_names(make: Callable[..., Any]) -> list[str]:
    """The keyword arguments a user may set, in the order they are written.

    >>> option_names(lambda sample, latent, *, heads=1, hidden=(512, 256): None)
    ['hidden']
    """
    parameters = inspect.signature(make).parameters.values()
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in ("heads", "told")]


def fixed(sample: Shape, family: str) -> tuple[int, ...]:
    """`sample` itself, known to have no varying length; else ConfigError says what to use instead."""
    lengths = tuple(length for length in sample if length is not None)
    if len(lengths) < len(sample):
        raise ConfigError(
            f"The net {family!r} needs samples that all have one size; these vary. "
            "Use the net 'residual', which takes images of any height and width."
        )
    return lengths


def image(sample: Shape, family: str) -> Shape:
    """`sample` itself, known to be an image; else ConfigError says what to use instead."""
    if len(sample) != 3 or sample[0] is None:
        raise ConfigError(
            f"The net {family!r} takes images; these samples are arrays of shape {sample}. Use the net 'mlp'."
        )
    return sample


def whole(value: Any, name: str, *, least: int) -> int:
    """`value` itself, known to be a whole number and not below `least`."""
    # bool counts as int in Python, but `blocks = true` in a recipe is a slip.
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    require(is_whole and value >= least, name, f"a whole number, at least {least}", value)
    return int(value)


def widths(values: int | Sequence[int], name: str) -> tuple[int, ...]:
    """Layer widths as a tuple; a recipe file gives them as a list, or as one number for one layer.

    >>> widths([512, 256], "hidden"), widths(64, "hidden")
    ((512, 256), (64,))
    """
    several = values if isinstance(values, (list, tuple)) else [values]
    return tuple(whole(width, f"each of {name}", least=1) for width in several)
