"""What training makes small: distortion + the bottleneck's price + penalties."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from isthmus.bottlenecks import BOTTLENECKS
from isthmus.config import Config, LossConfig, PartConfig, require
from isthmus.errors import ConfigError
from isthmus.losses import LOSSES
from isthmus.losses import penalties as penalty
from isthmus.nets.autoencoder import Autoencoder
from isthmus.nets.base import Shape
from isthmus.registry import Registry
from isthmus.spec import DataSpec


@dataclass(frozen=True)
class Losses:
    """One batch's figures, each a 0-D tensor."""

    total: Tensor
    """What is differentiated."""
    distortion: Tensor
    """Mean over the batch, in the distortion's own unit."""
    rate_bits: Tensor
    """Estimated bits per value of the sample; 0 where the bottleneck estimates none."""


class Learner(nn.Module):
    """Both halves of the net, the bottleneck between them, and the price of a reconstruction.

    Args:
        spec: the kind of sample.
        config: the whole run's settings.
    """

    def __init__(self, spec: DataSpec, config: Config) -> None:
        super().__init__()
        self.weights_of = config.loss
        self.distortion = build_part(LOSSES, config.loss.distortion)
        bottleneck = BOTTLENECKS.find(config.bottleneck.name)
        self.net = Autoencoder.build(
            spec, config.net, heads=bottleneck.heads, told=bottleneck.told, link=self.distortion.link
        )
        if self.net.link == "softmax":
            _require_classes(self.net.sample)
        self.bottleneck = build_part(BOTTLENECKS, config.bottleneck, config.net.latent)

    def forward(self, disturbed: Tensor, clean: Tensor, progress: float) -> Losses:
        """Encode `disturbed`, reconstruct `clean` (both in tensor layout, float32)."""
        encoded = self.net.encode(disturbed)
        coded = self.bottleneck(encoded.float(), values=clean[0].numel(), progress=progress)
        each = self._distortion(coded.latent, clean)
        distortion = each.mean()
        weighted = distortion if coded.weight is None else (each * coded.weight).mean()
        penalties = code_and_weight_penalties(self.net, coded.latent, self.weights_of)
        bits = coded.rate_bits if coded.rate_bits is not None else distortion.new_zeros(())
        return Losses(
            total=weighted + coded.penalty.mean() + penalties,
            distortion=distortion.detach(),
            rate_bits=(bits.mean() / clean[0].numel()).detach(),
        )

    def _distortion(self, latent: Tensor, clean: Tensor) -> Tensor:
        """(batch,): of each sample."""
        size = tuple(clean.shape[2:])
        raw = self.distortion.takes == "logits"
        output = self.net.decode_raw(latent, size) if raw else self.net.decode(latent, size)
        return self.distortion(output.float(), clean)


def _require_classes(sample: Shape) -> None:
    require(
        sample[0] != 1,
        "The axis that a softmax runs over",
        "at least 2 long: channels, or numbers of an array",
        1,
    )


def code_and_weight_penalties(net: nn.Module, latent: Tensor, weights: LossConfig) -> Tensor:
    """The sum of the penalties whose weight is above 0."""
    total = latent.new_zeros(())
    if weights.weights_l1:
        total = total + weights.weights_l1 * penalty.weights_l1(net)
    if weights.weights_l2:
        total = total + weights.weights_l2 * penalty.weights_l2(net)
    if weights.code_l1:
        total = total + weights.code_l1 * penalty.code_l1(latent)
    if weights.code_kl:
        total = total + weights.code_kl * penalty.code_kl(latent, target=weights.code_target)
    return total


def build_part(registry: Registry, part: PartConfig, *arguments: object) -> Any:
    """Build a registered part with its options; an option it does not take is a ConfigError."""
    family = registry.find(part.name)
    known = [p.name for p in inspect.signature(family).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option in part.options:
        if option not in known:
            raise ConfigError(
                f"The {registry.kind} {part.name!r} has no option {option!r}. "
                f"Known: {', '.join(known) or 'none'}."
            )
    try:
        return family(*arguments, **part.options)
    except TypeError as wrong:
        raise ConfigError(
            f"The {registry.kind} {part.name!r} does not take {dict(part.options)}: {wrong}."
        ) from wrong
