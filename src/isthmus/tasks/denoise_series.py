"""Noisy time series → series without noise, gaps filled on request: `fit_denoiser` and `denoise` for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus._version import __version__
from isthmus.config import require
from isthmus.data.noise import NoiseModel
from isthmus.data.series import SeriesSource, open_series
from isthmus.errors import SpecMismatch, UseError
from isthmus.files import atomic_write, refuse_existing
from isthmus.model import as_kind
from isthmus.model.series_denoiser import SeriesDenoiser
from isthmus.tasks.learning import Say, TaughtResult, model_path, require_training
from isthmus.tasks.orders import Progress
from isthmus.tasks.results import Result

USUAL_STEPS = 2000
LEAST_ROWS = 64
MORE_DIGITS = 2
"""Behind the point, than a column of text has."""


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
) -> SeriesDenoiseResult:
    """Take the noise from a series.

    Args:
        source: a path, a frame or an array, as for `open_series`.
        denoiser: made by `fit_series_denoiser`, or its path.
        output: the folder; the file keeps its name. Stamps, words and the order of rows stay as they are.
            None writes nothing.
        level: of the noise, as a share of each channel's range; None looks.
        fill: put what is likely into gaps.
        skip_bad: leave rows out that have too many or too few cells.
        force: replace an existing file.
    Raises:
        SpecMismatch: it has other channels than the model.
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
    made = denoiser.denoise(part.values, level, fill=fill)
    before, after = np.empty_like(made), np.empty_like(made)
    before[part.rows], after[part.rows] = part.values, made
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(Path(source), target, opened.channels, after, force=force)
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
    )


def _target(source: Any, output: str | Path | None) -> Path | None:
    if output is None:
        return None
    if not isinstance(source, (str, Path)):
        raise UseError("A frame or an array has no file to write: leave the output out, and take `after`.")
    return Path(output) / Path(source).name.removesuffix(".gz")


def _write(source: Path, target: Path, channels: tuple[str, ...], values: np.ndarray, *, force: bool) -> None:
    """The file with other numbers in its channels; where a number is as it was, so is its text."""
    with atomic_write(target, force=force) as file:
        if source.suffix == ".npy":
            like = np.load(source, mmap_mode="r", allow_pickle=False)
            kind = like.dtype if like.dtype.kind == "f" else np.dtype(np.float64)
            np.save(file, values.reshape(like.shape).astype(kind))
            return
        from isthmus.tasks.tables.sources import OpenTable, TextForm

        table = OpenTable(source)
        places = {name: place for place, name in enumerate(table.form.columns)}
        if not set(channels) <= set(places):
            raise SpecMismatch(
                f"{source.name} is written in a way that cannot be kept: save it as a .csv first."
            )
        wanted = {places[name]: values[:, number] for number, name in enumerate(channels)}
        if isinstance(table.form, TextForm):
            _write_text(file, table, wanted)
        else:
            _write_typed(file, table, wanted)


def _write_text(file: Any, table: Any, wanted: Mapping[int, np.ndarray]) -> None:
    from isthmus.data.tables.lines import chunk_of

    form, done = table.form.form, 0
    file.write(form.start_bytes())
    for part in table.chunks():
        chunk = chunk_of(part, form)
        odd = dict(chunk.odd)
        read = [place for place in range(len(chunk)) if place not in odd or form.is_row(odd[place])]
        regular = [done + number for number, place in enumerate(read) if place not in odd]
        columns = [
            _printed(texts, wanted[place][regular]) if place in wanted else texts
            for place, texts in enumerate(chunk.columns)
        ]
        done += len(read)
        file.write(form.to_bytes(replace(chunk, columns=columns)))


def _printed(texts: list[str], values: np.ndarray) -> list[str]:
    """Numbers in place of texts; a gap that stays one keeps its text."""
    digits = MORE_DIGITS + max((len(text.partition(".")[2]) for text in texts[:1000]), default=0)
    return [
        f"{value:.{min(digits, 12)}f}" if np.isfinite(value) else text
        for text, value in zip(texts, values.tolist(), strict=True)
    ]


def _write_typed(file: Any, table: Any, wanted: Mapping[int, np.ndarray]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    done, batches = 0, []
    for batch in table.chunks():
        columns, names = list(batch.columns), batch.schema.names
        for place, values in wanted.items():
            kind = columns[place].type if pa.types.is_floating(columns[place].type) else pa.float64()
            columns[place] = pa.array(values[done : done + len(batch)], from_pandas=True).cast(kind)
        done += len(batch)
        batches.append(pa.record_batch(columns, names))
    made = pa.Table.from_batches(batches)
    if Path(table.form.name).suffix in (".arrow", ".feather"):
        with pa.ipc.new_file(file, made.schema) as writer:
            writer.write_table(made)
        return
    parquet.write_table(made, file, compression="zstd")
