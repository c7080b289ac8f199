"""Rows → small denoising autoencoders, trained together for so many steps whatever the number of rows."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from isthmus.model.members import LAYERS, Members
from isthmus.nets.ensemble import Ensemble

BATCH = 128
LEARNING_RATE = 3e-3


@dataclass(frozen=True, kw_only=True)
class MembersPlan:
    """How they are trained."""

    members: int = 6
    steps: int = 300
    noise: float = 0.3
    """Standard deviation of what is added to every feature, in usual spreads."""
    masked: float = 0.15
    """Share of the features that are set to 0."""
    trimmed: float = 0.0
    """Share of each batch, its worst restored rows, that is left out: they may be the odd ones."""
    folds: int = 1
    """With more than 1, each member leaves one fold of the rows out."""
    budget_s: float | None = None
    """Stop after so many seconds, however few steps that were."""
    seed: int = 0


def train_members(matrix: np.ndarray, plan: MembersPlan) -> Members:
    """Train on float32 (rows, features); the fold of a row is its place % folds.

    Source: trimming of the worst restored rows: as in robust deep autoencoders, Zhou & Paffenroth 2017.
    """
    generator = torch.Generator().manual_seed(plan.seed)
    net = Ensemble(matrix.shape[1], plan.members, generator)
    rows, seen = torch.from_numpy(np.ascontiguousarray(matrix)), _seen(len(matrix), plan)
    optimiser = torch.optim.AdamW(net.parameters(), lr=LEARNING_RATE, foreach=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=plan.steps)
    started = time.monotonic()
    for _ in range(plan.steps):
        loss = _loss(net, rows[_drawn(seen, len(matrix), generator)], plan, generator)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), plan.members**0.5)
        optimiser.step()
        schedule.step()
        if plan.budget_s is not None and time.monotonic() - started > plan.budget_s:
            break
    return _members(net, plan)


def _seen(count: int, plan: MembersPlan) -> list[torch.Tensor]:
    """For each member, the rows that it learns from."""
    places = torch.arange(count)
    if plan.folds == 1:
        return [places] * plan.members
    return [places[places % plan.folds != member % plan.folds] for member in range(plan.members)]


def _drawn(seen: list[torch.Tensor], count: int, generator: torch.Generator) -> torch.Tensor:
    """(member, batch) places of rows."""
    size = (min(BATCH, max(count, 32)),)
    return torch.stack([mine[torch.randint(0, len(mine), size, generator=generator)] for mine in seen])


def _loss(net: Ensemble, rows: torch.Tensor, plan: MembersPlan, generator: torch.Generator) -> torch.Tensor:
    spoilt = rows + plan.noise * torch.randn(rows.shape, generator=generator)
    spoilt = spoilt * (torch.rand(rows.shape, generator=generator) >= plan.masked)
    errors = (net(spoilt) - rows).square().mean(dim=2)  # (member, batch)
    kept = max(1, round((1 - plan.trimmed) * errors.shape[1]))
    if kept < errors.shape[1]:
        errors = errors.topk(kept, dim=1, largest=False).values
    return errors.mean(dim=1).sum()


def _members(net: Ensemble, plan: MembersPlan) -> Members:
    weights = {layer: net.weights[layer].detach().numpy().copy() for layer in LAYERS}
    biases = {layer: net.biases[layer].detach().numpy()[:, 0].copy() for layer in LAYERS}
    return Members(weights, biases, np.array(net.latents), plan.folds)
