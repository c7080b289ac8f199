"""Data → model."""

from __future__ import annotations

import importlib.metadata
import json
import math
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isthmus._version import __version__
from isthmus.config import Config, require
from isthmus.data import Source, fit_transform, open_source, split
from isthmus.errors import NoData
from isthmus.files import refuse_existing, write_bytes
from isthmus.model import Model
from isthmus.recipes import load_recipe, recipe_for
from isthmus.tasks.learning import require_training
from isthmus.tasks.results import Result, notices_of
from isthmus.tasks.runs import RunRecord, model_reference, source_reference, write_run
from isthmus.tasks.sizes import before

if TYPE_CHECKING:
    from isthmus.training.progress import Watcher


@dataclass(frozen=True)
class FitResult(Result):
    """What `fit` made."""

    model_path: Path | None
    run: Path
    """Folder with the history, the settings and the last checkpoint."""
    recipe: str
    samples: int
    held_out: int
    steps: int
    best_step: int
    stopped: str
    seconds: float
    figures: dict[str, float]
    """Of the finished model on held-out samples, or on training samples where none were held out:
    mse, psnr_db, bits_per_value."""
    model: Model = field(repr=False)

    def summary(self) -> str:
        """One line for a terminal."""
        where = f" → {self.model_path}" if self.model_path else ""
        return (
            f"Trained {self.steps:,} steps in {self.seconds:.0f} s on {self.samples:,} samples{where}: "
            f"{self.figures['psnr_db']:.1f} dB at {self.figures['bits_per_value']:.3f} bits per value "
            f"on {f'{self.held_out:,} held-out' if self.held_out else 'training'} samples"
        )


def fit(
    source: Any,
    output: str | Path | None = None,
    *,
    recipe: str | None = None,
    settings: Sequence[str] = (),
    budget_s: float | None = None,
    purpose: str | None = None,
    start: Model | None = None,
    resume: bool = False,
    skip_bad: bool = False,
    force: bool = False,
    run: Path | None = None,
    config: Config | None = None,
    quiet: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> FitResult:
    """Train an autoencoder on `source` and save it as `output`.

    Args:
        source: a path, a name ("mnist", "digits"), an array, or an opened Source.
        output: the .ism file; None keeps the model in memory.
        recipe: settings to start from; None takes what suits the data.
        settings: "key=value" strings on top of the recipe.
        budget_s: seconds to train; replaces the recipe's number of steps.
        purpose: "lossy", "bounded" or "lossless": what the model will be used for most. It moves
            the time between its parts, and forbids nothing.
        start: a model whose weights to begin with (and whose settings, unless `recipe` is given).
        resume: go on from the checkpoint in the run folder.
        skip_bad: leave unreadable items out and name them.
        force: replace an existing output.
        run: folder for history and checkpoints; default: beside the output, NAME.run.
        config: complete settings, instead of recipe and settings.
        quiet: no progress display.
        say: told in one line each what was seen and what is planned.
    Raises:
        MissingExtra: PyTorch is not installed.
        Diverged: the loss became NaN or infinite.
    """
    require_training("torch", "accelerate")
    started = time.monotonic()
    output = None if output is None else Path(output)
    if output is not None and not resume:
        refuse_existing(output, force=force)
    reference = source_reference(source)
    source = source if isinstance(source, Source) else open_source(source, skip_bad=skip_bad)
    name, config = _settle(source, recipe, settings, budget_s, start, config, purpose)
    train_indices, held = split(
        len(source), config.data.held_out, config.train.seed, last=config.data.held_out_last
    )
    if len(train_indices) == 0:
        raise NoData(f"{source.name} holds no samples to train on. Give data with at least one.")
    folder = run or _run_folder(output)
    say(f"{describe(source)}; recipe {name}")
    config = _with_patches(config, source, train_indices, folder, resume=resume)
    trained, model = _train(
        source,
        config,
        train_indices,
        held,
        folder,
        start=start,
        resume=resume,
        started=started,
        quiet=quiet,
        say=say,
    )
    if output is not None:
        model.save(output, force=True)
    seconds = time.monotonic() - started
    record = RunRecord(
        model=model_reference(output, folder),
        model_hash=model.hash,
        source=reference,
        source_name=source.name,
        skip_bad=skip_bad,
        spec=source.spec.to_dict(),
        samples=len(source),
        raw_bytes=source.raw_bytes,
        held_out=len(held),
        recipe=name,
        seconds=round(seconds, 2),
    )
    write_run(folder, record, source, held if len(held) else train_indices)
    return FitResult(
        model_path=output,
        run=folder,
        recipe=name,
        samples=len(train_indices),
        held_out=len(held),
        notices=notices_of(source),
        steps=trained.progress.step,
        best_step=trained.progress.best_step,
        stopped=trained.stopped,
        seconds=seconds,
        figures={k: v for k, v in model.provenance["held_out"].items() if k not in ("samples", "kind")},
        model=model,
    )


def describe(source: Source) -> str:
    """What was seen, for people: "1,240 samples: 300×300 grey image, uint8, 111 MB"."""
    return f"{len(source):,} samples: {source.spec.summary()}, {before(source.file_bytes, source.raw_bytes)}"


def _settle(
    source: Source,
    recipe: str | None,
    settings: Sequence[str],
    budget_s: float | None,
    start: Model | None,
    config: Config | None,
    purpose: str | None,
) -> tuple[str, Config]:
    """The recipe's name and the settings that follow from everything the caller said."""
    if config is None and recipe is None and start is not None:
        name, config = "as before", start.config
    elif config is None:
        name = recipe or recipe_for(source.spec)
        config = load_recipe(name)
    else:
        name = recipe or "custom"
    if {setting.partition("=")[0].strip() for setting in settings} & {"train.epochs", "train.budget_s"}:
        config = config.with_train(steps=None)  # the recipe's steps must not outvote what was typed
    config = config.with_settings([*_moved(purpose, config), *settings])
    return name, config if budget_s is None else config.with_train(budget_s=budget_s, steps=None)


PURPOSES = {"lossy": (0.1, 0.5), "bounded": (0.1, 0.5), "lossless": (0.8, 2.0)}
"""For each purpose: the share of a budget that contexts get, and their trees, times the recipe's."""


def _moved(purpose: str | None, config: Config) -> list[str]:
    """The settings that a purpose changes."""
    if purpose is None:
        return []
    require(purpose in PURPOSES, "--for", f"one of {', '.join(PURPOSES)}", purpose)
    share, times = PURPOSES[purpose]
    return [f"contexts.share={share}", f"contexts.trees={round(times * config.contexts.trees)}"]


def _with_patches(
    config: Config, source: Source, indices: np.ndarray, folder: Path, *, resume: bool
) -> Config:
    """The settings with what they leave open of patches of images; a resumed run has decided already."""
    from isthmus.training.patches import is_open, with_patches

    if not is_open(config):
        return config
    begun = folder / _SETTINGS
    if resume and begun.is_file():
        return replace(config, net=Config.from_dict(json.loads(begun.read_text())).net)
    return with_patches(config, source, indices)


_SETTINGS = "config.json"


def checkpoint_of(output: Path) -> Path:
    """Where `fit` saves the state of the run that is to make `output`, for --resume."""
    from isthmus.training import CHECKPOINT

    return _run_folder(output) / CHECKPOINT


def _run_folder(output: Path | None) -> Path:
    if output is not None:
        return output.with_suffix(".run")
    return Path(tempfile.mkdtemp(prefix="isthmus-"))


def _train(
    source: Source,
    config: Config,
    train_indices: np.ndarray,
    held: np.ndarray,
    folder: Path,
    *,
    start: Model | None,
    resume: bool,
    started: float,
    quiet: bool,
    say: Callable[[str], None],
) -> tuple[Any, Model]:
    from isthmus.training.contexts import learnable
    from isthmus.training.progress import watcher_for
    from isthmus.training.session import Session, model_spec

    learns = config.contexts.trees > 0 and learnable(source.spec)
    for_net = _without_share(config) if learns else config
    folder.mkdir(parents=True, exist_ok=True)
    few = train_indices[:: max(1, len(train_indices) // 2000)]
    transform = fit_transform(config.data.transform, model_spec(source.spec, config), source.read(few))
    session = Session(source, for_net, transform, train_indices, held, folder)
    if start is not None:
        start.require_fits(source.spec)
        session.begin_from(start)
    plan = session.plan(resume=resume, spent=time.monotonic() - started)
    say(f"plan: {plan.summary()} on {plan.threads} thread{'s' * (plan.threads > 1)}")
    write_bytes(folder / _SETTINGS, _json(config.to_dict()))
    watcher: Watcher = watcher_for(quiet=quiet)
    watcher.start(plan.steps, session.done)
    try:
        trained = session.train(plan, watcher)
    finally:
        watcher.stop()
    provenance = _provenance(source, train_indices, plan.to_dict(), trained)
    model = replace(session.to_model(provenance), config=config)
    if learns:
        say("now learning contexts for lossless coding")
        left = _left(config, time.monotonic() - started)
        model = _with_contexts(model, source, train_indices, held, left)
    return trained, model


def _without_share(config: Config) -> Config:
    """The settings with the net's part of the budget alone."""
    budget, share = config.train.budget_s, config.contexts.share
    return config if budget is None else config.with_train(budget_s=budget * (1 - share))


def _left(config: Config, elapsed: float) -> float:
    """Seconds for contexts: what is left of the budget, but, if the net took longer, half their share."""
    budget, share = config.train.budget_s, config.contexts.share
    return math.inf if budget is None else max(_MOST * budget - elapsed, budget * share / 2)


_MOST = 0.95  # of the budget; the rest is for measuring and saving


def _with_contexts(
    model: Model, source: Source, train: np.ndarray, held: np.ndarray, seconds: float
) -> Model:
    """The model with contexts, and what they make of samples held out: bits per value."""
    from isthmus.training.contexts import bits_per_value, contexts_for

    config = model.config
    contexts = contexts_for(source, train, config.contexts, seconds=seconds, seed=config.train.seed)
    if contexts is None:
        return model
    bits = bits_per_value(contexts, source, held if len(held) else train)
    figures = {**model.provenance["held_out"], "lossless_bits_per_value": bits}
    return replace(model, contexts=contexts, provenance={**model.provenance, "held_out": figures})


def _provenance(source: Source, train: np.ndarray, plan: dict[str, Any], trained: Any) -> dict[str, Any]:
    return {
        "isthmus": __version__,
        "torch": importlib.metadata.version("torch"),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "trained_on": {"name": source.name, "samples": len(train), "raw_bytes": source.raw_bytes},
        "plan": plan,
        "best_step": trained.progress.best_step,
        "stopped": trained.stopped,
    }


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
