"""Gradients → smaller loss: the optimisers, clipping, and the learning rate at each step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import nn

from isthmus.config import TrainConfig


def build_optimiser(module: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW, Adam or SGD with momentum; decay spares vectors (biases, scales), as is usual."""
    decayed = [p for p in module.parameters() if p.requires_grad and (p.ndim > 1 or not config.weight_decay)]
    spared = [p for p in module.parameters() if p.requires_grad and p.ndim <= 1 and config.weight_decay]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]
    return OPTIMISERS[config.optimiser]([group for group in groups if group["params"]], config)


# fused: one pass over all weights instead of a dozen small ones per tensor.
OPTIMISERS: dict[str, Callable[[list[dict], TrainConfig], torch.optim.Optimizer]] = {
    "adamw": lambda groups, c: torch.optim.AdamW(
        groups, lr=c.learning_rate, betas=(c.momentum, c.momentum_2), fused=True
    ),
    "adam": lambda groups, c: torch.optim.Adam(
        groups, lr=c.learning_rate, betas=(c.momentum, c.momentum_2), fused=True
    ),
    "sgd": lambda groups, c: torch.optim.SGD(groups, lr=c.learning_rate, momentum=c.momentum, fused=True),
}


def clip_gradients(parameters: Iterable[torch.Tensor], config: TrainConfig) -> float:
    """Clip by value, then by norm; return the norm before it was clipped (0 if not asked for)."""
    if config.clip_value is None and config.clip_norm is None:
        return 0.0
    parameters = list(parameters)
    if config.clip_value is not None:
        nn.utils.clip_grad_value_(parameters, config.clip_value)
    if config.clip_norm is None:
        return 0.0
    return float(nn.utils.clip_grad_norm_(parameters, config.clip_norm))


def learning_rate(config: TrainConfig, *, step: int, steps: int, reductions: int = 0) -> float:
    """The rate for one step: a pure function, so that a resumed run needs no scheduler state.

    Args:
        config: names the schedule and the highest rate.
        step: counted from 0.
        steps: of the whole run.
        reductions: how often the held-out loss has stalled (used by "plateau").

    >>> [round(learning_rate(TrainConfig(warmup=0.0), step=s, steps=100), 6) for s in (0, 50, 99)]
    [0.001, 0.0005, 0.0]
    """
    warmup = max(config.warmup, 0.3) if config.schedule == "one-cycle" else config.warmup
    climb = warmup * steps
    if step < climb:
        return config.learning_rate * (step + 1) / (climb + 1)
    share = (step - climb) / max(1.0, steps - climb)
    return config.learning_rate * SCHEDULES[config.schedule](share, reductions)


def _constant(share: float, reductions: int) -> float:
    return 1.0


def _cosine(share: float, reductions: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * share))


def _plateau(share: float, reductions: int) -> float:
    return 0.5**reductions


SCHEDULES: dict[str, Callable[[float, int], float]] = {
    "constant": _constant,
    "cosine": _cosine,
    "one-cycle": _cosine,  # a long climb, then the same descent (Smith & Topin 2018, arXiv:1708.07120)
    "plateau": _plateau,
}
"""Share of the run after warm-up, and reductions so far → share of the highest rate."""


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every group this rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate
