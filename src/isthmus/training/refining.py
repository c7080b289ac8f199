"""A trained code → what its neighbours say of it, learned to the end.

Contexts go on learning long after the net stands still, and alone they are cheap to teach: no pixel is
touched. So they get some steps of their own, on whole samples and on the symbols that will be coded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from isthmus.bottlenecks.base import Bottleneck
from isthmus.coding.latents.grades import as_grid

SHARE = 0.5
"""Of the time that a budget leaves for training."""
STEPS_SHARE = 0.25
"""Steps, to one of the training before, where there is no budget."""
SYMBOLS = 3 << 18
"""In a step, about."""
WIDEST = 64
"""Larger codes are cut to squares of this side."""
_RATE = 2e-3
_CALM = 3.0
"""Times the rate: decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101) of magnitudes."""


def refine(bottleneck: Bottleneck, latents: Sequence[np.ndarray], *, steps: int, seed: int = 0) -> None:
    """Teach a bottleneck with qualities what to expect of rounded symbols.

    Args:
        bottleneck: its steps stay, its neighbourhood learns; one without qualities is left alone.
        latents: float32 (sample, channel, *position), in stacks of one shape each.
        steps: how many.
        seed: of the order and the qualities.
    """
    if bottleneck.levels() is None or not steps:
        return
    parameters = [parameter.requires_grad_(True) for parameter in bottleneck.context_parameters()]
    device = parameters[0].device
    optimiser = torch.optim.Adam(parameters, betas=(0.9, 0.99))
    random = np.random.default_rng((seed, steps))
    shares = np.array([stack.size for stack in latents], np.float64)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = _RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        chosen = _some(latents[random.choice(len(latents), p=shares / shares.sum())], random)
        place = torch.from_numpy(random.random(len(chosen), np.float32)).to(device)
        bottleneck.context_loss(torch.from_numpy(chosen).to(device), place).backward()
        optimiser.step()
        optimiser.zero_grad()
        bottleneck.calm_contexts(_CALM * optimiser.param_groups[0]["lr"])


def _some(stack: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Samples of a stack, or squares from them: about SYMBOLS of their codes."""
    grid = as_grid(stack)
    height, width = (min(side, WIDEST) for side in grid.shape[2:])
    top, left = (int(random.integers(side - most + 1)) for side, most in
                 zip(grid.shape[2:], (height, width), strict=True))  # fmt: skip
    count = max(1, min(len(grid), SYMBOLS // (grid.shape[1] * height * width)))
    rows = random.choice(len(grid), count, replace=False)
    return np.ascontiguousarray(grid[rows, :, top : top + height, left : left + width])
