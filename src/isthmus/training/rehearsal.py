"""A learner and a stopwatch → seconds a step: the very steps and looks of the loop, on a copy."""

from __future__ import annotations

import copy
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from accelerate import Accelerator

from isthmus.config import TrainConfig
from isthmus.training.feed import Batch, Feed
from isthmus.training.loop import Run
from isthmus.training.objective import Learner
from isthmus.training.plan import Plan
from isthmus.training.refining import refine

_REFINED = 5


class Rehearsal:
    """Times training steps on a copy, so that the run itself starts from untouched weights.

    Args:
        learner: copied, never changed.
        feed: gives the batches, as it will in the run.
        held_out: what is looked at.
        config: of the run.
        accelerator: brings the run's device and precision.
        folder: of the run; a look writes its history into a folder in it that is gone afterwards.
        seconds: how long timing the steps may take.
    """

    def __init__(
        self,
        learner: Learner,
        feed: Feed,
        held_out: list[torch.Tensor],
        config: TrainConfig,
        *,
        accelerator: Accelerator,
        folder: Path,
        seconds: float,
    ) -> None:
        self._folder, self._seconds = folder, seconds
        self._batches: Iterator[Batch] = feed.from_step(0)
        endless = Plan(10**9, feed.steps_per_epoch, 10**9, torch.get_num_threads(), False, None, None)
        copied = copy.deepcopy(learner)
        self._run = Run(copied, config, endless, accelerator, folder, {}, held_out, feed.batch_size)

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

    def look_s(self) -> float:
        """Seconds that one look at the held-out data takes, its row in the history included."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            self._run.folder = Path(folder)
            started = time.monotonic()
            self._run.look(self._run.progress.step)
            return time.monotonic() - started

    def refine_s(self) -> float:
        """Seconds of one step of refining, on codes of held-out samples."""
        run, seen = self._run, self._run.held_out[0] if self._run.held_out else next(self._batches)[0]
        with torch.inference_mode():
            latents = run.learner.net.encode(seen).float().cpu().numpy()
        refine(run.learner.bottleneck, [latents], steps=1)
        started = time.monotonic()
        refine(run.learner.bottleneck, [latents], steps=_REFINED)
        return (time.monotonic() - started) / _REFINED

    def try_compiling(self, eager_s: float) -> tuple[bool, float]:
        """Whether compiled steps are worth keeping, and the seconds of the better kind."""
        try:
            self._run.call = torch.compile(self._run.call)
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
        self._run.meter.means()  # waits for the device
        started, count = time.monotonic(), 0
        while count < 3 or time.monotonic() - started < seconds:
            self._step()
            count += 1
        self._run.meter.means()
        return (time.monotonic() - started) / count

    def _step(self) -> None:
        self._run.step(next(self._batches))
