"""Which patches suit some images: each size is tried for a moment, on the images themselves.

Smooth images want large patches of a cosine transform, drawings and digits small ones. Contexts are taught
a little for each size, and what they and the rounding then cost at a few qualities decides.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from isthmus.bottlenecks.graded import Graded, rounded_down
from isthmus.config import Config, TrainConfig, require
from isthmus.data import Source, fit_transform
from isthmus.data.grouping import by_shape, some
from isthmus.errors import ConfigError
from isthmus.nets.autoencoder import pad_to_multiple
from isthmus.nets.filtered import EVEN, STRIDES, Filtered
from isthmus.training.refining import refine

MOST_CHANNELS = 512
"""More patterns of a patch than this are not worth the decoder's time."""
_LEAST_SHARE = 0.5
"""Of its patterns that a patch must keep, to be good enough at high quality."""
_QUALITIES = (10, 35, 60, 85)
_SIDE = 256
"""Larger images are judged by their middle."""
_JUDGED = 4
"""One image in so many is judged by, and not learned from."""


@dataclass(frozen=True)
class Patches:
    """How a net is to cut images up."""

    stride: int
    channels: int

    @classmethod
    def of(cls, stride: int, depth: int) -> Patches:
        """Patches of that stride, with all their patterns or the smoothest ones."""
        return cls(stride, min(MOST_CHANNELS, depth * stride**2))


def is_open(config: Config) -> bool:
    """Whether the settings leave the latent or the stride, 0, to what suits the images."""
    return config.net.latent == 0 or config.net.encoder.options.get("stride") == 0


def with_patches(config: Config, source: Source, indices: np.ndarray) -> Config:
    """The settings with a stride, a level and a latent that suit some images of `source`."""
    given = config.net.encoder.options.get("stride")
    if source.spec.modality != "image":
        raise ConfigError(
            f"These settings cut images into patches; each sample is an {source.spec.summary()}. "
            "Leave --recipe out, or name one for arrays."
        )
    require(given is not None, "net.latent", "at least 1", 0)
    transform = fit_transform(config.data.transform, source.spec, source.read(indices[:1]))
    few = some(indices, source, values=_TRIED)
    tensors = [transform.forward(samples) for _, samples in by_shape(source, few)]
    if given:
        latent = config.net.latent or Patches.of(given, source.spec.channels).channels
        return config.with_settings([f"net.latent={latent}"])
    level = level_of(tensors)
    budget = config.train.budget_s
    found = choose_patches(
        tensors,
        level=level,
        steps=_steps(config.train),
        seed=config.train.seed,
        seconds=math.inf if budget is None else _SHARE * budget,
    )
    options = [("stride", found.stride), ("level", level)]
    halves = [f"net.{half}.{name}={value}" for half in ("encoder", "decoder") for name, value in options]
    return config.with_settings([f"net.latent={config.net.latent or found.channels}", *halves])


_TRIED = 2_000_000  # values
_SHARE = 0.15  # of a budget: no new stride is tried after that


def _steps(config: TrainConfig) -> int:
    """That contexts learn for each stride: fewer where little is asked of the whole training."""
    if config.budget_s is not None:
        return min(_STEPS, max(_LEAST_STEPS, round(config.budget_s * _STEPS_A_SECOND)))
    return _STEPS if config.steps is None else min(_STEPS, max(1, config.steps // _STEPS_IN_ALL))


_STEPS, _LEAST_STEPS, _STEPS_A_SECOND, _STEPS_IN_ALL = 100, 40, 0.35, 80
_UNTOLD = 0.03
"""By how much a larger patch ends better than a moment tells, each time its side doubles."""


def level_of(tensors: Sequence[np.ndarray]) -> float:
    """The value in the middle of all, in 256ths: what pixels are told as a difference to."""
    return round(256 * float(np.median(np.concatenate([each.ravel()[::7] for each in tensors])))) / 256


def choose_patches(
    tensors: Sequence[np.ndarray], *, level: float, steps: int, seed: int, seconds: float = math.inf
) -> Patches:
    """The best of all strides, or of those that there was time for.

    Args:
        tensors: images (sample, channel, height, width), float32, in stacks of one shape.
        level: see `level_of`.
        steps: that contexts learn for each stride.
        seed: of what is drawn.
        seconds: after which no further stride is tried.
    """
    started = time.monotonic()
    middles = [_middle(stack) for stack in tensors]
    depth, least = middles[0].shape[1], min(min(stack.shape[2:]) for stack in middles)
    fitting = [Patches.of(stride, depth) for stride in STRIDES if stride <= max(least, STRIDES[0])]
    ladder = [each for each in fitting if each.channels >= _LEAST_SHARE * depth * each.stride**2]

    def cost(patches: Patches) -> float:
        costs = _cost(middles, patches, level=level, steps=steps, seed=seed)
        return costs - _UNTOLD * math.log2(patches.stride)

    return _lowest(ladder, cost, lambda: time.monotonic() - started > seconds)


def _lowest(ladder: Sequence[Patches], cost: Callable[[Patches], float], late: Callable[[], bool]) -> Patches:
    """The one from which costs rise in both directions, met on the way from the middle."""
    best = len(ladder) // 2
    known = {best: cost(ladder[best])}
    while near := [at for at in (best - 1, best + 1) if 0 <= at < len(ladder) and at not in known]:
        if late():
            break
        known[near[0]] = cost(ladder[near[0]])
        best = min(known, key=lambda at: (known[at], at))
    return ladder[best]


def _cost(tensors: Sequence[np.ndarray], patches: Patches, *, level: float, steps: int, seed: int) -> float:
    """The mean, over qualities, of the logarithm of distortion + price × bits a value."""
    torch.manual_seed(seed)
    encoder = Filtered.encoder(
        tensors[0].shape[1:], patches.channels, stride=patches.stride, level=level
    ).eval()
    bottleneck = Graded(patches.channels, joint=False)
    with torch.inference_mode():
        padded = [pad_to_multiple(torch.from_numpy(stack), patches.stride) for stack in tensors]
        codes = [encoder(stack).numpy() for stack in padded]
    learned = [code[np.arange(len(code)) % _JUDGED > 0] for code in codes]
    teach = [code for code in learned if len(code)] or codes
    refine(bottleneck, teach, steps=steps, seed=seed)
    costs = [
        _of_stack(bottleneck, torch.from_numpy(code[::_JUDGED]), stack[::_JUDGED] - level)
        for code, stack in zip(codes, padded, strict=True)
    ]
    return float(np.log(np.sum(costs, axis=0) / sum(stack[::_JUDGED].numel() for stack in padded)).mean())


@torch.no_grad()
def _of_stack(bottleneck: Graded, code: torch.Tensor, centred: torch.Tensor) -> list[float]:
    """Summed over all values, at each quality."""
    lost = float((centred**2).sum()) - float((code**2).sum()) / EVEN**2  # by leaving patterns out
    costs = []
    for quality in _QUALITIES:
        step = float(bottleneck.levels().steps(quality)[0])
        error = float(((rounded_down(code / step) * step - code) ** 2).sum()) / EVEN**2
        costs.append(max(0.0, lost) + error + bottleneck.price(quality) * bottleneck.bits_at(code, quality))
    return costs


def _middle(stack: np.ndarray) -> np.ndarray:
    height, width = stack.shape[2:]
    top, left = max(0, (height - _SIDE) // 2), max(0, (width - _SIDE) // 2)
    return np.ascontiguousarray(stack[:, :, top : top + _SIDE, left : left + _SIDE])
