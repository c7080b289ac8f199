"""An exponential moving average of weights: a smoother model than the last step's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class WeightAverage:
    """Follows a module's floating-point weights; with decay None it is the weights themselves.

    Args:
        module: the module that is trained.
        decay: share of the old average kept at each step; it starts lower, so that the first
            random weights are soon forgotten.
    """

    def __init__(self, module: nn.Module, decay: float | None) -> None:
        self._live: list[torch.Tensor] = list(module.parameters())
        self._decay = decay
        self.values = [p.detach().clone() for p in self._live] if decay is not None else self._live

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after `step` (counted from 0)."""
        if self._decay is not None:
            decay = min(self._decay, (1 + step) / (10 + step))
            torch._foreach_lerp_(self.values, self._live, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """While inside, the module computes with the averaged weights."""
        if self._decay is None:
            yield
            return
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for average, live in zip(self.values, self._live, strict=True):
            average.data, live.data = live.data, average.data
