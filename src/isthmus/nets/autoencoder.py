"""Both halves together: pads images to what the net needs, and gives back exactly the sample's shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from isthmus.config import NetConfig, PartConfig, require
from isthmus.errors import ConfigError
from isthmus.nets import NETS
from isthmus.nets.base import Net, Shape, check_options
from isthmus.spec import DataSpec

LINKS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "identity": lambda x: x,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: torch.softmax(x, dim=1),
}


def tensor_shape(spec: DataSpec) -> Shape:
    """The shape of one sample as nets see it: images channel first, arrays as they are.

    >>> tensor_shape(DataSpec(modality="image", axes=("height", "width"), shape=(28, 28), dtype="uint8"))
    (1, 28, 28)
    """
    return spec.tensor_shape


class Autoencoder(nn.Module):
    """An encoder, a decoder, and the link function behind it.

    Args:
        encoder: (batch, *sample) → (batch, heads·latent, …).
        decoder: (batch, *code_shape) → (batch, *sample).
        sample: shape of one sample in tensor layout; None where it varies.
        code_shape: shape of one code; None where it varies.
        stride: images are padded to multiples of it before encoding.
        heads: codes the encoder gives, one after the other on axis 1.
        link: what the decoder ends in: identity, sigmoid, or softmax over axis 1.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        *,
        sample: Shape,
        code_shape: Shape,
        stride: int = 1,
        heads: int = 1,
        link: str = "identity",
    ) -> None:
        super().__init__()
        require(link in LINKS, "link", f"one of {', '.join(LINKS)}", link)
        self.encoder, self.decoder = encoder, decoder
        self.sample, self.code_shape = sample, code_shape
        self.stride, self.heads, self.link = stride, heads, link

    @classmethod
    def build(
        cls, spec: DataSpec, config: NetConfig, *, heads: int = 1, told: int = 0, link: str = "identity"
    ) -> Autoencoder:
        """Build the net that `config` describes, for samples of `spec`.

        Weights are drawn from torch's global generator: seed it for the same net again.

        Args:
            heads: 2 where the bottleneck needs a mean and a log-variance.
            told: channels that the bottleneck adds to a code for the decoder.
            link: stands in for `net.output = "auto"`; give the loss's own `link`.
        Raises:
            ConfigError: an unknown option, halves that do not fit, or samples they cannot take.

        >>> spec = DataSpec(modality="image", axes=("height", "width"), shape=(28, 28), dtype="uint8")
        >>> net = Autoencoder.build(spec, NetConfig(latent=30))
        >>> code = net.encode(torch.rand(5, 1, 28, 28))
        >>> code.shape, net.decode(code).shape
        (torch.Size([5, 30]), torch.Size([5, 1, 28, 28]))
        """
        sample = tensor_shape(spec)
        encoders, decoders = _family(config.encoder), _family(config.decoder)
        check_options(encoders.encoder, config.encoder.options, "net.encoder")
        check_options(decoders.decoder, config.decoder.options, "net.decoder")
        _check_fit(sample, config)
        return cls(
            encoders.encoder(sample, config.latent, heads=heads, **config.encoder.options),
            decoders.decoder(sample, config.latent, told=told, **config.decoder.options),
            sample=sample,
            code_shape=encoders.code_shape(sample, config.latent, **config.encoder.options),
            stride=encoders.stride(**config.encoder.options),
            heads=heads,
            link=link if config.output == "auto" else config.output,
        )

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, *sample) → (batch, heads·latent, …)."""
        return self.encoder(pad_to_multiple(x, self.stride) if self.stride > 1 else x)

    def decode(self, code: torch.Tensor, size: tuple[int, ...] | None = None) -> torch.Tensor:
        """(batch, *code_shape) → (batch, *sample), through the link.

        Args:
            size: height and width to crop padded images to; None takes the sample's own, or all
                there is where they vary. Nets that pad nothing have no use for it.
        """
        return LINKS[self.link](self.decode_raw(code, size))

    def decode_raw(self, code: torch.Tensor, size: tuple[int, ...] | None = None) -> torch.Tensor:
        """As `decode`, but before the link: the logits that cross-entropies ask for."""
        output: torch.Tensor = self.decoder(code)
        if self.stride == 1:
            return output
        height, width = size or self.sample[-2:]
        return output[..., :height, :width]  # a side of None crops nothing

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Reconstruct: (batch, *sample) → the same shape. Of several heads, the first is decoded."""
        code = self.encode(x)
        first = code[:, : code.shape[1] // self.heads]
        return self.decode(first, tuple(x.shape[-2:]))


def pad_to_multiple(x: torch.Tensor, stride: int) -> torch.Tensor:
    """Repeat the last row and column until both sides are multiples of `stride`.

    Repeating costs the codec least: a flat border says nothing new.

    >>> pad_to_multiple(torch.zeros(1, 3, 100, 96), 8).shape
    torch.Size([1, 3, 104, 96])
    """
    height, width = x.shape[-2:]
    below, right = -height % stride, -width % stride
    return F.pad(x, (0, right, 0, below), mode="replicate") if below or right else x


def _family(part: PartConfig) -> type[Net]:
    family: type[Net] = NETS.find(part.name)
    return family


def _check_fit(sample: Shape, config: NetConfig) -> None:
    """Raise ConfigError unless the decoder takes the codes that the encoder makes."""
    made, taken = (_code(sample, config.latent, part) for part in (config.encoder, config.decoder))
    if made != taken:
        raise ConfigError(
            f"net.encoder and net.decoder must agree on the code; {config.encoder.name!r} makes {made}, "
            f"{config.decoder.name!r} takes {taken}. Use one net for both, with the same stride."
        )


def _code(sample: Shape, latent: int, part: PartConfig) -> tuple[Any, ...]:
    """What two halves must share: the code's shape, and the stride where a side varies."""
    family = _family(part)
    shape, stride = family.code_shape(sample, latent, **part.options), family.stride(**part.options)
    return tuple(f"side/{stride}" if length is None else length for length in shape)
