"""Everything one training run needs, put together: learner, feed, plan, loop, artefact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState

from isthmus.config import Config, TrainConfig, require
from isthmus.data.source import Source
from isthmus.data.transforms import Transform
from isthmus.errors import ConfigError
from isthmus.model import Model
from isthmus.nets import NETS
from isthmus.nets.lowering import BOTTLENECK, DECODER, ENCODER
from isthmus.spec import DataSpec
from isthmus.training import CHECKPOINT
from isthmus.training.checkpoint import Checkpoint, load_checkpoint
from isthmus.training.feed import Feed, held_out_tensors
from isthmus.training.finish import to_model
from isthmus.training.interrupt import delayed_interrupt
from isthmus.training.loop import Trained, train
from isthmus.training.objective import Learner
from isthmus.training.plan import Plan, make_plan
from isthmus.training.progress import Watcher
from isthmus.training.rehearsal import Rehearsal


class Session:
    """One run over one source; `plan`, then `train`, then `to_model`.

    Args:
        source: where samples are read.
        config: all settings.
        transform: fitted on training samples.
        train_indices, held_indices: the split.
        folder: for history and checkpoints.
    """

    def __init__(
        self,
        source: Source,
        config: Config,
        transform: Transform,
        train_indices: np.ndarray,
        held_indices: np.ndarray,
        folder: Path,
    ) -> None:
        self._source, self._config, self._transform = source, config, transform
        self._train, self._held, self._folder = train_indices, held_indices, folder
        self.accelerator = make_accelerator(config.train)
        device = self.accelerator.device
        torch.manual_seed(config.train.seed)
        self.learner = Learner(transform.spec, config).to(device)
        share = (self.accelerator.process_index, self.accelerator.num_processes)
        self._feed = Feed(source, train_indices, transform, config, device=device, share=share)
        self._held_out = held_out_tensors(source, held_indices, transform, device=device)
        self._checkpoint: Checkpoint | None = None
        self._plan: Plan | None = None

    @property
    def done(self) -> int:
        """Steps that an earlier, interrupted run has taken already."""
        return 0 if self._checkpoint is None else self._checkpoint.progress.step

    def begin_from(self, model: Model) -> None:
        """Take over the weights of a model with the same net and bottleneck."""
        decoder = {DECODER + name: w.to_float() for name, w in model.decoder.program.weights.items()}
        mine = {n: w for n, w in model.encoder.items() if n.startswith((ENCODER, BOTTLENECK))}
        arrays = {**mine, **decoder}
        try:
            self.learner.load_state_dict({name: torch.from_numpy(w.copy()) for name, w in arrays.items()})
        except RuntimeError as unlike:
            raise ConfigError(
                "The settings must make the same net and bottleneck as those of the model to start from; "
                f"they do not ({str(unlike).splitlines()[-1].strip()}). "
                "Leave its settings as they are, or start without it."
            ) from unlike

    def plan(self, *, resume: bool, spent: float = 0.0) -> Plan:
        """Decide on the steps, or, resuming, take the interrupted run's decision over.

        Args:
            resume: whether there is such a run.
            spent: seconds of the budget that are gone already.
        """
        if resume:
            self._checkpoint = load_checkpoint(self._folder)
            self._checkpoint.require_identity(self._what_must_agree())
            self._plan = Plan(**self._checkpoint.identity["plan"])
            return self._plan
        self._plan = plan = make_plan(
            self._config.train,
            steps_per_epoch=self._feed.steps_per_epoch,
            rehearse=self._rehearse,
            spent=spent,
            refines=self.learner.bottleneck.levels() is not None,
        )
        if plan.step_s is not None:
            self.accelerator.free_memory()  # it would keep the rehearsal's copy
        return plan

    def _rehearse(self, seconds: float) -> Rehearsal:
        self._folder.mkdir(parents=True, exist_ok=True)
        return Rehearsal(
            self.learner,
            self._feed,
            self._held_out,
            self._config.train,
            accelerator=self.accelerator,
            folder=self._folder,
            seconds=seconds,
        )

    def train(self, plan: Plan, watcher: Watcher) -> Trained:
        """Run the loop; the learner then holds the best weights."""
        if self._checkpoint is None:  # an older run's must not be taken for this one's
            (self._folder / CHECKPOINT).unlink(missing_ok=True)
        with delayed_interrupt() as interrupt:
            return train(
                self.learner,
                self._feed,
                self._held_out,
                self._config.train,
                plan,
                accelerator=self.accelerator,
                folder=self._folder,
                identity={**self._what_must_agree(), "plan": plan.to_dict()},
                watcher=watcher,
                checkpoint=self._checkpoint,
                interrupt=interrupt,
            )

    def to_model(self, provenance: dict[str, Any]) -> Model:
        """Finish: integers, quantiser, contexts, tables, figures."""
        return to_model(
            self.learner,
            config=self._config,
            transform=self._transform,
            source=self._source,
            fitted_on=self._train,
            held_out=self._held,
            provenance=provenance,
            refining_steps=0 if self._plan is None else self._plan.refining_steps,
        )

    def _what_must_agree(self) -> dict[str, Any]:
        settings = self._config.to_dict()
        settings["train"] = {k: v for k, v in settings["train"].items() if k not in _FREE_TO_CHANGE}
        return {
            "settings": settings,
            "data": {"spec": self._source.spec.to_dict(), "samples": len(self._source)},
        }


def model_spec(spec: DataSpec, config: Config) -> DataSpec:
    """What a model trained on `spec` will accept: images of any size where the net keeps sides."""
    family = NETS.find(config.net.encoder.name)
    if spec.modality != "image" or family.stride(**config.net.encoder.options) == 1:
        return spec
    return replace(spec, shape=(None, None, *spec.shape[2:]))


_FREE_TO_CHANGE = ("checkpoint_every_s", "budget_s", "steps", "threads")  # the plan holds what was decided


def make_accelerator(config: TrainConfig) -> Accelerator:
    """Devices and precision as the settings ask; by itself, bfloat16 where the device computes in it."""
    cpu = config.device == "cpu" or not (torch.cuda.is_available() or torch.backends.mps.is_available())
    bfloat16 = config.precision == "bfloat16" or (config.precision == "auto" and has_bfloat16(cpu=cpu))
    # accelerate keeps one state a process and refuses to change it, but each run has its own settings.
    AcceleratorState._reset_state(reset_partial_state=PartialState().num_processes == 1)
    accelerator = Accelerator(cpu=cpu, mixed_precision="bf16" if bfloat16 else "no")
    found = accelerator.device.type
    require(
        config.device in ("auto", found), "train.device", f"auto or {found} on this machine", config.device
    )
    return accelerator


def has_bfloat16(*, cpu: bool) -> bool:
    """Whether matrix products in bfloat16 are done by the hardware; emulated ones are slower."""
    if not cpu:
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    # torch names these checks with an underscore; without them float32 is always right.
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in checks)
