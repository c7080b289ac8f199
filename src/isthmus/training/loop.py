"""The training loop: one screen, and the few things it leans on.

A step is a function of (weights, seed, step): its batch, its noise and its learning rate follow
from them. So a run killed at any moment and resumed ends in the same bits as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from isthmus.config import TrainConfig
from isthmus.errors import Diverged
from isthmus.training.average import WeightAverage
from isthmus.training.checkpoint import Checkpoint, Progress, save_checkpoint
from isthmus.training.feed import Batch, Feed
from isthmus.training.history import Row, write_history
from isthmus.training.interrupt import Interrupt
from isthmus.training.meter import Meter
from isthmus.training.objective import Learner, Losses
from isthmus.training.optimisers import build_optimiser, clip_gradients, learning_rate, set_learning_rate
from isthmus.training.plan import Plan
from isthmus.training.progress import Watcher


@dataclass(frozen=True)
class Trained:
    """What a run leaves: the learner holds the best weights."""

    progress: Progress
    stopped: str
    """Why it ended: "all steps", "early", "budget"."""


def train(
    learner: Learner,
    feed: Feed,
    held_out: list[torch.Tensor],
    config: TrainConfig,
    plan: Plan,
    *,
    accelerator: Accelerator,
    folder: Path,
    identity: dict[str, Any],
    watcher: Watcher,
    checkpoint: Checkpoint | None = None,
    interrupt: Interrupt | None = None,
) -> Trained:
    """Train `learner` in place as `plan` says, and leave the best weights in it.

    Raises:
        Diverged: the loss became NaN or infinite; the message names the step and what to lower.
        KeyboardInterrupt: Ctrl-C was pressed; the checkpoint holds everything up to the last whole step.
    """
    run = Run(learner, config, plan, accelerator, folder, identity, held_out, feed.batch_size)
    if checkpoint is not None:
        run.restore(checkpoint)
    batches = feed.from_step(run.progress.step, steps=plan.steps)
    while not run.progress.stopped:
        step = run.step(next(batches))
        watcher.step(step)
        run.progress.stopped = run.why_stop()
        if run.progress.stopped or step % plan.evaluate_every == 0:
            watcher.row(run.look(step))
            run.progress.stopped = run.why_stop()
        run.save_if_due()
        if interrupt is not None and interrupt.asked:
            run.save()
            raise KeyboardInterrupt
    run.finish()
    return Trained(run.progress, run.progress.stopped)


_OVERRUN = 1.0  # of the budget, for training alone: with all that follows it stays within 1.1


class Run:
    """The moving parts of one run."""

    def __init__(
        self,
        learner: Learner,
        config: TrainConfig,
        plan: Plan,
        accelerator: Accelerator,
        folder: Path,
        identity: dict[str, Any],
        held_out: list[torch.Tensor],
        samples_per_step: int,
    ) -> None:
        self.learner, self.config, self.plan, self.accelerator = learner, config, plan, accelerator
        self.folder, self.identity, self.held_out = folder, identity, held_out
        self._samples_per_step = samples_per_step
        torch.set_num_threads(plan.threads)
        self.optimiser = build_optimiser(learner, config)
        prepared, self._stepper = accelerator.prepare(learner, self.optimiser)
        self.call: Callable[..., Losses] = torch.compile(prepared) if plan.compiled else prepared
        self.parameters = [p for p in learner.parameters() if p.requires_grad]
        self.average = WeightAverage(learner, config.ema_decay)
        self.progress = Progress()
        self.best: dict[str, torch.Tensor] = {}
        self.meter = Meter(config.clip_norm)
        self._started = self._saved = time.monotonic()
        self._before = 0.0

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on where the checkpoint was written."""
        self.best = checkpoint.restore(self.learner, self.optimiser, self.average.values)
        self.progress = checkpoint.progress
        self.meter = Meter(self.config.clip_norm, checkpoint.progress.meter)
        self._before = checkpoint.progress.seconds

    def step(self, batch: Batch) -> int:
        """Take one step; return how many that makes."""
        step = self.progress.step
        seed_step(self.config.seed, step, self.accelerator.process_index)
        set_learning_rate(self.optimiser, self.rate(step))
        losses = self.call(*batch, step / self.plan.steps)
        self.accelerator.backward(losses.total)
        self.meter.add(losses, clip_gradients(self.parameters, self.config))
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.average.update(step)
        self.progress.step = step + 1
        return step + 1

    def seconds(self) -> float:
        """Spent so far, over all resumptions."""
        return self._before + time.monotonic() - self._started

    def why_stop(self) -> str:
        """ "all steps", "early", "budget", or "" to go on."""
        if self.progress.step >= self.plan.steps:
            return "all steps"
        if self.config.patience is not None and self.progress.since_best >= self.config.patience:
            return "early"
        spent = self.plan.budget_s is not None and self.seconds() > _OVERRUN * self.plan.budget_s
        return "budget" if spent else ""

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return learning_rate(
            self.config, step=step, steps=self.plan.steps, reductions=self.progress.reductions
        )

    def look(self, step: int) -> Row:
        """Evaluate the averaged weights, note a row, keep them if they are the best."""
        meter, progress = self.meter, self.progress
        train_loss, train_distortion, train_bits = meter.means()
        self._require_finite(train_loss, step)
        rate = self.rate(step - 1)
        with self.average.in_place():
            held = evaluate(self.learner, self.held_out)
            judged = train_loss if held is None else held[0]
            self._require_finite(judged, step)
            best = judged < progress.best_loss
            if best:
                self.best = {n: t.detach().clone() for n, t in self.learner.state_dict().items()}
        self._count(judged, best, step)
        row = Row(
            step=step,
            epoch=step / self.plan.steps_per_epoch,
            seconds=self.seconds(),
            train_loss=train_loss,
            train_distortion=train_distortion,
            held_out_loss=None if held is None else held[0],
            held_out_distortion=None if held is None else held[1],
            rate_bits=train_bits if held is None else held[2],
            learning_rate=rate,
            gradient_norm=meter.largest_norm,
            clipped=meter.clipped,
            samples_per_s=meter.steps_per_s * self._samples_per_step,
            best=best,
        )
        progress.rows.append(row)
        if self.accelerator.is_main_process:
            write_history(progress.rows, self.folder)
        self.meter = Meter(self.config.clip_norm)
        return row

    def _count(self, judged: float, best: bool, step: int) -> None:
        progress = self.progress
        if best:
            progress.best_loss, progress.best_step, progress.since_best = judged, step, 0
            return
        progress.since_best += 1
        stalls = self.config.schedule == "plateau" and progress.since_best % _PLATEAU_LOOKS == 0
        progress.reductions += stalls

    def _require_finite(self, loss: float, step: int) -> None:
        # The loss of a step is that of the weights before it, so they are looked at too.
        if not math.isfinite(loss) or not all(bool(p.isfinite().all()) for p in self.parameters):
            raise Diverged(
                f"The loss must stay finite; by step {step} it was {loss:g}, or a weight was not finite. No "
                "model was written; lower "
                f"train.learning_rate (it was {self.config.learning_rate:g}) or train.clip_norm, or look for "
                "extreme values in the data."
            )

    def save_if_due(self) -> None:
        """Write the checkpoint if the last one is old enough."""
        if time.monotonic() - self._saved >= self.config.checkpoint_every_s:
            self.save()

    def save(self) -> None:
        """Write the checkpoint, unless it would hold NaN; only the first process does."""
        self._require_finite(self.meter.means()[0], self.progress.step)
        self.progress.seconds, self.progress.meter = self.seconds(), self.meter.values()
        if self.accelerator.is_main_process:
            save_checkpoint(
                self.folder,
                identity=self.identity,
                progress=self.progress,
                learner=self.learner,
                optimiser=self.optimiser,
                average=self.average.values,
                best=self.best,
            )
        self._saved = time.monotonic()

    def finish(self) -> None:
        """Save once more, then put the best weights in place."""
        self.save()
        if self.best:
            self.learner.load_state_dict(self.best)


_PLATEAU_LOOKS = 3  # looks without a better loss before the plateau schedule halves the rate


@torch.inference_mode()
def evaluate(learner: Learner, held_out: list[torch.Tensor]) -> tuple[float, float, float] | None:
    """Objective, distortion and bits per value on held-out batches; None if there are none.

    The noise of the bottleneck is the same at every look, so two looks differ by their weights only.
    """
    if not held_out:
        return None
    learner.eval()
    seed_step(0, 0)
    sums, count = torch.zeros(3, dtype=torch.float64), 0
    for batch in held_out:
        losses = learner(batch, batch, 1.0)
        figures = torch.stack([losses.total, losses.distortion, losses.rate_bits])
        sums += len(batch) * figures.double().cpu()
        count += len(batch)
    learner.train()
    total, distortion, bits = (sums / count).tolist()
    return total, distortion, bits


def seed_step(seed: int, step: int, rank: int = 0) -> None:
    """Seed this step's noise and dropout, on every device in use.

    `torch.manual_seed` would do, but it also looks for devices nobody has: 0.1 ms a call.
    """
    mixed = (seed * 1_000_003 + step) * 64 + rank
    torch.default_generator.manual_seed(mixed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(mixed)
    elif torch.backends.mps.is_available():
        torch.mps.manual_seed(mixed)
