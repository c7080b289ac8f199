"""Noisy time series → series without noise, gaps filled on request: `fit_denoiser` and `denoise` for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from isthmus._version import __version__
from isthmus.config import require
from isthmus.data.noise import NoiseModel
from isthmus.data.series import SeriesSource, open_series
from isthmus.errors import UseError
from isthmus.files import refuse_existing
from isthmus.model import as_kind
from isthmus.model.series_denoiser import SeriesDenoiser
from isthmus.tasks.learning import Say, TaughtResult, model_path, require_training
from isthmus.tasks.orders import Progress
from isthmus.tasks.outputs import folder_and_names
from isthmus.tasks.results import Result, refuse_notices
from isthmus.tasks.series.detect import notices_of_series
from isthmus.tasks.series.rewriting import rewrite

USUAL_STEPS = 2000
LEAST_ROWS = 64


@dataclass(frozen=True, kw_only=True)
class SeriesDenoiserResult(TaughtResult):
    """What `fit_series_denoiser` made."""

    rows: int
    channels: int
    denoiser: SeriesDenoiser = field(repr=False)

    @property
    def learned_from(self) -> str:
        """For people."""
        return f"{self.rows:,} rows of {self.channels:,} channels"


@dataclass(frozen=True)
class SeriesDenoiseResult(Result):
    """What `denoise_series` made."""

    file: Path | None
    rows: int
    levels: Mapping[str, float]
    """Of the noise seen, or told, in each channel: a standard deviation in its own units."""
    gaps: int
    """Values that were missing."""
    filled: bool
    before: np.ndarray = field(repr=False)
    """float64 (rows, channels), in the order of the file."""
    after: np.ndarray = field(repr=False)

    def summary(self) -> str:
        """One line for a terminal."""
        where = f" → {self.file}" if self.file else ""
        told = ", ".join(f"{name} {level:.3g}" for name, level in list(self.levels.items())[:4])
        told += " …" if len(self.levels) > 4 else ""
        gaps = "" if not self.gaps else f"; {self.gaps:,} gaps {'filled' if self.filled else 'left (--fill)'}"
        return f"{self.rows:,} rows without noise of {told}{gaps}{where}"


def fit_series_denoiser(
    source: Any,
    output: str | Path | None = None,
    *,
    noise: str = "gaussian",
    levels: tuple[float, float] | None = None,
    from_noisy: bool = False,
    budget_s: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    force: bool = False,
    strict: bool = False,
    say: Say = lambda line: None,
    progress: Progress | None = None,
) -> SeriesDenoiserResult:
    """Learn to take noise from a series, and to fill its gaps.

    Args:
        source: a clean series, to which noise is added; or a noisy one, with `from_noisy`.
        output: the .ism file; None keeps the model in memory.
        noise: gaussian, poisson, salt_pepper, impulse, missing, blur or clipping.
        levels: the least and the greatest, as a share of each channel's range; None takes the usual ones.
        from_noisy: nobody has it clean: gaussian noise is split into two independent ones, other noise
            must be independent from row to row and have no mean.
        budget_s: seconds; replaces `steps`.
        steps: of training; None takes 2,000.
        seed: of everything random.
        skip_bad: leave rows out that have too many or too few cells.
        force: replace an existing output.
        strict: refuse where rows, cells or columns would be left out.
        say: told in a line each what is planned.
        progress: told how much is done, and of how much.
    Raises:
        MissingExtra: PyTorch is not installed.
        UseError: too few rows to learn from.
    """
    require(steps is None or steps >= 1, "steps", "at least 1", steps)
    path = model_path(output, force=force)
    require_training("torch")
    model = NoiseModel.of(noise, *(levels or (None, None)))
    opened = source if isinstance(source, SeriesSource) else open_series(source, skip_bad=skip_bad)
    values = opened.whole().values
    if len(values) < LEAST_ROWS:
        raise UseError(
            f"A series must have at least {LEAST_ROWS} rows to learn from; {opened.name} has {len(values)}."
        )
    refuse_notices(notices := notices_of_series(opened), strict=strict)
    from isthmus.training.series_denoising import SeriesPlan, train_series_denoiser

    say(f"{len(values):,} {'noisy ' if from_noisy else ''}rows of {opened.summary()}; noise: {noise}")
    plan = SeriesPlan(
        noise=model, from_noisy=from_noisy, steps=steps or USUAL_STEPS, budget_s=budget_s, seed=seed
    )
    made = {"isthmus": __version__, "trained_on": opened.name}
    denoiser = train_series_denoiser(
        values, opened.channels, plan, provenance=made, say=say, progress=progress
    )
    if path is not None:
        denoiser.save(path, force=force)
    told = denoiser.provenance
    return SeriesDenoiserResult(
        model_path=path, rows=len(values), channels=len(opened.channels), noise=noise,
        from_noisy=from_noisy, steps=told["steps"], seconds=told["seconds"], denoiser=denoiser,
        notices=notices,
    )  # fmt: skip


def denoise_series(
    source: Any,
    denoiser: Any,
    output: str | Path | None = None,
    *,
    level: float | None = None,
    fill: bool = False,
    skip_bad: bool = False,
    force: bool = False,
    strict: bool = False,
) -> SeriesDenoiseResult:
    """Take the noise from a series.

    Args:
        source: a path, a frame or an array, as for `open_series`.
        denoiser: made by `fit_series_denoiser`, or its path.
        output: a folder, in which the file keeps its name; or the file itself, with the ending that the
            source has. Stamps, words and the order of rows stay as they are. None writes nothing.
        level: of the noise, as a share of each channel's range; None looks.
        fill: put what is likely into gaps.
        skip_bad: leave rows out that have too many or too few cells.
        force: replace an existing file.
        strict: refuse where rows or cells would not be denoised, or values are none that the model saw.
    Raises:
        SpecMismatch: it has other channels than the model.
        UseError: `output` names a file of another kind.
        OutputExists: nothing was written.
    """
    require(level is None or level >= 0, "level", "at least 0", level)
    target = _target(source, output)
    if target is not None:
        refuse_existing(target, force=force)
    opened = open_series(source, skip_bad=skip_bad)
    denoiser = as_kind(denoiser, SeriesDenoiser)
    denoiser.require_channels(opened.channels)
    part = opened.whole()
    notices = (*_not_denoised(opened), *_outside(opened, denoiser, part.values, level))
    refuse_notices(notices, strict=strict)
    made = denoiser.denoise(part.values, level, fill=fill)
    before, after = np.empty_like(made), np.empty_like(made)
    before[part.rows], after[part.rows] = part.values, made
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        rewrite(Path(source), target, opened.channels, opened.notations, before, after, force=force)
    spans = np.array(denoiser.highs) - np.array(denoiser.lows)
    seen = denoiser.levels_of(part.values) if level is None else level * spans
    return SeriesDenoiseResult(
        file=target,
        rows=len(made),
        levels=dict(zip(opened.channels, np.asarray(seen).tolist(), strict=True)),
        gaps=int((~np.isfinite(before)).sum()),
        filled=fill,
        before=before,
        after=after,
        notices=notices,
    )


def _not_denoised(series: SeriesSource) -> tuple[str, ...]:
    """Rows and cells that stay in the file as they stand."""
    return tuple(f"not denoised: {each}" for each in series.skipped)


def _outside(
    series: SeriesSource, denoiser: SeriesDenoiser, values: np.ndarray, level: float | None
) -> tuple[str, ...]:
    """That channels hold values which the denoiser never saw."""
    counts = denoiser.outside(values, level)
    return tuple(
        f"{series.name}: {count:,} of {len(values):,} values of {name!r} lie outside of what the model "
        f"learned, {low:.4g} to {high:.4g}"
        for name, count, low, high in zip(
            series.channels, counts.tolist(), denoiser.lows, denoiser.highs, strict=True
        )
        if count
    )


def _target(source: Any, output: str | Path | None) -> Path | None:
    if output is None:
        return None
    if not isinstance(source, (str, Path)):
        raise UseError("A frame or an array has no file to write: leave the output out, and take `after`.")
    folder, (name,) = folder_and_names(Path(output), [Path(source).name.removesuffix(".gz")])
    return folder / name
