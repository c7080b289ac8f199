"""Settings and a stopwatch → how many steps, on how many threads, looked at how often.

Everything that depends on the clock is decided here, before the first step that counts; after
that a run is a function of its plan and its seed alone.
"""

from __future__ import annotations

import copy
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from isthmus.config import TrainConfig
from isthmus.training.objective import Learner
from isthmus.training.optimisers import build_optimiser

Batch = tuple[torch.Tensor, torch.Tensor]
"""Disturbed and clean tensors."""


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


def make_plan(
    learner: Learner,
    config: TrainConfig,
    *,
    steps_per_epoch: int,
    batches: Callable[[], Batch],
    evaluate: Callable[[Learner], object],
) -> Plan:
    """Decide on threads and steps; with a budget, by measuring on a copy of the learner.

    Args:
        learner: copied, never changed.
        config: of the run.
        steps_per_epoch: batches in the training data.
        batches: gives a batch at each call, as the loop would.
        evaluate: one look at the held-out data, timed too.
    """
    started = time.monotonic()
    steps = config.steps or config.epochs * steps_per_epoch
    threads = config.threads or (1 if config.budget_s is None else 0)
    step_s: float | None = None
    compiled, look_s = config.compile == "on", 0.0
    if config.budget_s is not None or config.threads is None:
        rehearsal = Rehearsal(learner, config, batches, seconds=_rehearsal_s(config))
        threads, step_s = rehearsal.best_threads(config.threads)
        if config.budget_s is not None:
            look_s = _time(lambda: evaluate(rehearsal.learner))
            if config.compile == "auto" and repays_compiling(config.budget_s):
                compiled, step_s = rehearsal.try_compiling(step_s)
    every = config.evaluate_every or _often_enough(steps_per_epoch, step_s, look_s)
    if config.budget_s is not None and config.steps is None and step_s is not None:
        left = _TRAINING_SHARE * config.budget_s - (time.monotonic() - started)
        steps = max(1, int(left / (step_s + look_s / every)))
    return Plan(steps, steps_per_epoch, min(every, steps), threads, compiled, step_s, config.budget_s)


_TRAINING_SHARE = 0.88  # the rest is for fitting tables, saving, and a machine that gets busier


def _rehearsal_s(config: TrainConfig) -> float:
    return 1.0 if config.budget_s is None else min(6.0, 0.06 * config.budget_s)


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


class Rehearsal:
    """Times training steps on a copy, so that the run itself starts from untouched weights."""

    def __init__(
        self, learner: Learner, config: TrainConfig, batches: Callable[[], Batch], *, seconds: float
    ) -> None:
        self.learner = copy.deepcopy(learner)
        self._call: Callable[..., Any] = self.learner
        self._optimiser = build_optimiser(self.learner, config)
        self._batches = batches
        self._seconds = seconds

    def best_threads(self, asked: int | None) -> tuple[int, float]:
        """The thread count that steps fastest right now, and its seconds a step."""
        choices = [asked] if asked else sorted({1, os.cpu_count() or 1})
        timed = {}
        for threads in choices:
            torch.set_num_threads(threads)
            timed[threads] = self.step_s(self._seconds / len(choices))
        best = min(timed, key=lambda threads: timed[threads])
        torch.set_num_threads(best)
        return best, timed[best]

    def try_compiling(self, eager_s: float) -> tuple[bool, float]:
        """Whether compiled steps are worth keeping, and the seconds of the better kind."""
        try:
            self._call = torch.compile(self.learner)
            self._step()  # compiles
            compiled_s = self.step_s(self._seconds / 2)
        except Exception:  # a broken compiler must not break the training
            return False, eager_s
        worth = compiled_s < 0.9 * eager_s
        return worth, compiled_s if worth else eager_s

    def step_s(self, seconds: float) -> float:
        """Mean seconds a step, over about `seconds` after two to warm up."""
        for _ in range(2):
            self._step()
        started, count = time.monotonic(), 0
        while count < 3 or time.monotonic() - started < seconds:
            self._step()
            count += 1
        return (time.monotonic() - started) / count

    def _step(self) -> None:
        disturbed, clean = self._batches()
        self._call(disturbed, clean, 0.5).total.backward()
        self._optimiser.step()
        self._optimiser.zero_grad()


def _time(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started
