"""Settings and a stopwatch → how many steps, on how many threads, looked at how often.

Everything that depends on the clock is decided here, before the first step that counts; after
that a run is a function of its plan and its seed alone.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from isthmus.config import TrainConfig
from isthmus.training.refining import SHARE, STEPS_SHARE


@dataclass(frozen=True)
class Plan:
    """What was decided before training began; kept in the checkpoint and the model."""

    steps: int
    steps_per_epoch: int
    evaluate_every: int
    threads: int
    compiled: bool
    step_s: float | None
    """Measured seconds a step, when a budget made it necessary."""
    budget_s: float | None
    refining_steps: int = 0
    """Of what neighbours say, after the net (training/refining.py)."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def summary(self) -> str:
        """One phrase: "1,200 steps (3.5 epochs), about 4 min"."""
        epochs = self.steps / self.steps_per_epoch
        about = "" if self.step_s is None else f", about {duration(self.steps * self.step_s)}"
        return f"{self.steps:,} steps ({epochs:.1f} epochs){about}"


def duration(seconds: float) -> str:
    """Seconds for people: "45 s", "14 min", "1 h 5 min"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


class Stopwatch(Protocol):
    """What rehearsal.Rehearsal measures."""

    def best_threads(self, asked: int | None) -> tuple[int, float]:
        """The thread count that steps fastest right now, and its seconds a step."""

    def look_s(self) -> float:
        """Seconds that one look at the held-out data takes."""

    def refine_s(self) -> float:
        """Seconds of one step of refining."""

    def try_compiling(self, eager_s: float) -> tuple[bool, float]:
        """Whether compiled steps are worth keeping, and the seconds of the better kind."""


def make_plan(
    config: TrainConfig,
    *,
    steps_per_epoch: int,
    rehearse: Callable[[float], Stopwatch],
    spent: float = 0.0,
    refines: bool = False,
) -> Plan:
    """Decide on threads and steps; with a budget, by measuring.

    Args:
        config: of the run.
        steps_per_epoch: batches in the training data.
        rehearse: called, with the seconds it may take, only if something must be measured.
        spent: seconds of the budget that are gone already.
        refines: whether contexts are refined after the net; they get their share of a budget, or of the
            steps.
    """
    started = time.monotonic()
    steps = config.steps or config.epochs * steps_per_epoch
    threads, step_s, look_s = config.threads or 1, None, 0.0
    refining_steps = math.ceil(STEPS_SHARE * steps) if refines else 0
    compiled = config.compile == "on"
    if config.budget_s is not None or config.threads is None:
        rehearsal = rehearse(1.0 if config.budget_s is None else min(6.0, 0.06 * config.budget_s))
        threads, step_s = rehearsal.best_threads(config.threads)
        if config.budget_s is not None:
            look_s = rehearsal.look_s()
            if config.compile == "auto" and repays_compiling(config.budget_s):
                compiled, step_s = rehearsal.try_compiling(step_s)
    every = config.evaluate_every or _often_enough(steps_per_epoch, step_s, look_s)
    if config.budget_s is not None and config.steps is None and step_s is not None:
        refine_s = rehearsal.refine_s() if refines else 0.0
        left = _TRAINING_SHARE * config.budget_s - spent - (time.monotonic() - started)
        share = SHARE if refines else 0.0
        steps = max(1, int((1 - share) * left / (step_s + look_s / every)))
        refining_steps = max(1, int(share * left / refine_s)) if refines else 0
    return Plan(
        steps, steps_per_epoch, min(every, steps), threads, compiled, step_s, config.budget_s, refining_steps
    )


_TRAINING_SHARE = 0.88  # the rest is for fitting tables, saving, and a machine that gets busier


def _often_enough(steps_per_epoch: int, step_s: float | None, look_s: float) -> int:
    """Once an epoch, but never so often that looking takes more than a tenth of the time."""
    least = int(10 * look_s / step_s) if step_s else 0
    return max(steps_per_epoch, least, _LEAST_STEPS_BETWEEN_LOOKS)


_LEAST_STEPS_BETWEEN_LOOKS = 50


def repays_compiling(budget_s: float) -> bool:
    """Whether torch.compile may be tried: a C++ compiler is there and the run is long."""
    found = any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "clang++"))
    return found and budget_s >= _COMPILE_WORTH_S


_COMPILE_WORTH_S = 240.0  # compiling takes 20 to 40 s here; a fifth faster repays that in 3 minutes
