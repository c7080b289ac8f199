"""A run folder, an .ism file or a Model → what a report is made from.

The figures of a report come from samples that the model never saw. This module finds them: in
the data the run names, in data named by the caller, or in the few that the run kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.config import Config
from isthmus.data import Source, open_source, split
from isthmus.data.grouping import some
from isthmus.data.samples import Samples, pick
from isthmus.errors import DataError, NoData, Offline
from isthmus.model import Model
from isthmus.reports.codes import Latents, encode
from isthmus.reports.pictures import SMALL_SIDE, WHOLE_SIDE
from isthmus.tasks.evaluate import EvaluateResult, evaluate
from isthmus.tasks.matches import Match, matches
from isthmus.tasks.rates import AT_LEAST, Rates, has_curve, measure_rates, representative
from isthmus.tasks.runs import RECORD, RunRecord, read_kept, read_run
from isthmus.tasks.sizes import before
from isthmus.training.history import Row, read_history

MOST_SAMPLES = 2000
MOST_BYTES = 10_000_000  # a minute or so, of which the rivals take most


@dataclass(frozen=True)
class Gathered:
    """Everything the page shows, before it is drawn."""

    name: str
    """Of the model's file, without its suffix."""
    model: Model
    samples: Samples
    """What it is measured on."""
    measured_on: str
    """A sentence that says which samples these are."""
    evaluation: EvaluateResult
    rates: Rates | None
    """Curves over all qualities; None where the model has one, or the samples are no images."""
    matches: tuple[Match, ...]
    """Some images at equal bytes; none where there are no curves."""
    latents: Latents
    rows: tuple[Row, ...]
    """The history; empty where the run is not to be found."""
    record: RunRecord | None


@dataclass(frozen=True)
class _Found:
    name: str
    model: Model
    folder: Path | None = None
    record: RunRecord | None = None


def gather(run_or_model: Path | Model, source: Any = None) -> Gathered:
    """Find the model, its run and held-out samples, and measure.

    Raises:
        NoData: there is no such run or model, or no samples to measure on.
        SpecMismatch: `source` holds data of another kind than the model's.
    """
    found = _find(run_or_model)
    if found.record is not None and found.record.model_hash != found.model.hash:
        found = _Found(found.name, found.model)  # the model was replaced since: the run is of another one
    samples, measured_on = _samples(found, source)
    found.model.require_fits(samples.spec)
    curved = has_curve(samples.spec, found.model)
    return Gathered(
        name=found.name,
        model=found.model,
        samples=samples,
        measured_on=measured_on,
        evaluation=evaluate(samples, found.model),
        rates=_rates(samples, found.model) if curved else None,
        matches=_matches(samples, found.model) if curved else (),
        latents=encode(samples, found.model),
        rows=tuple(_rows(found)),
        record=found.record,
    )


def _rates(samples: Samples, model: Model) -> Rates:
    return measure_rates(samples, model, values=_CURVE_VALUES, images=_CURVE_IMAGES, thorough=False)


def _matches(samples: Samples, model: Model) -> tuple[Match, ...]:
    """Those of a row of small images, or of a few large ones, of which as much as is shown."""
    small = all(max(shape[:2]) <= SMALL_SIDE for shape in samples.shapes())
    values = AT_LEAST * samples.spec.channels * WHOLE_SIDE**2
    few, _ = representative(samples, model, values, _MATCHED_SMALL if small else _MATCHED_LARGE)
    return matches(few, model)


_CURVE_VALUES, _CURVE_IMAGES = 2**20, 128  # half a minute, most of it AVIF's
_MATCHED_SMALL, _MATCHED_LARGE = 9, 3


def _find(run_or_model: Path | Model) -> _Found:
    if isinstance(run_or_model, Model):
        return _Found("model", run_or_model)
    path = Path(run_or_model)
    if path.is_dir():
        record = read_run(path)
        file = _model_file(path, record)
        return _Found(file.stem, Model.load(file), path, record)
    model, folder = Model.load(path), path.with_suffix(".run")
    if not (folder / RECORD).is_file():
        return _Found(path.stem, model)
    return _Found(path.stem, model, folder, read_run(folder))


def _model_file(folder: Path, record: RunRecord) -> Path:
    """The model a run made: where it was put, else beside the folder."""
    places = [folder / record.model] if record.model else []
    places.append(folder.absolute().with_suffix(".ism"))
    for place in places:
        if place.is_file():
            return place.resolve()
    raise NoData(f"The model of {folder} is not at {places[0]}. Give the .ism file itself.")


def _rows(found: _Found) -> list[Row]:
    if found.folder is None or not (found.folder / "history.jsonl").is_file():
        return []
    return read_history(found.folder)


def _samples(found: _Found, source: Any) -> tuple[Samples, str]:
    """The samples to measure on, and the sentence about them."""
    if source is not None:
        opened = source if isinstance(source, Source) else open_source(source)
        return _from(opened, found)
    record = found.record
    if record is None:
        raise NoData(
            f"{found.name} comes without its run, so its held-out samples are not known. "
            "Name the data with --source."
        )
    opened_again = _open_again(record)
    if opened_again is not None:
        return _from(opened_again, found)
    assert found.folder is not None, "a record comes from a folder"
    kept = read_kept(found.folder, record)
    why = "the data were given in Python" if record.source is None else "the data are gone or have changed"
    kind = "held-out" if record.held_out else "training"
    these = counted(len(kept), f"{kind} sample")
    return kept, f"Measured on {these} that the run kept, because {why}."


def _open_again(record: RunRecord) -> Source | None:
    """The data of the run, if they are still there and still the same."""
    if record.source is None:
        return None
    try:
        opened = open_source(record.source, skip_bad=record.skip_bad)
    except (DataError, Offline):
        return None
    return opened if _same(opened, record.samples, record.raw_bytes) else None


def _same(source: Source, samples: int, raw_bytes: int) -> bool:
    return (len(source), source.raw_bytes) == (samples, raw_bytes)


def _from(source: Source, found: _Found) -> tuple[Samples, str]:
    """Held-out samples of `source` if the model was trained on it, else all; capped."""
    config, made_on = found.model.config, found.model.provenance.get("trained_on", {})
    train, held = _split(source, config)
    trained_here = (len(train), source.raw_bytes) == (made_on.get("samples"), made_on.get("raw_bytes"))
    if not trained_here:
        indices, which = (
            np.arange(len(source)),
            f"of {source.name}, which the model was not trained on",
        )
    elif len(held):
        indices, which = held, "held out of training, which the model never saw"
    else:
        indices, which = train, "it was trained on, because nothing was held out: these figures flatter"
    chosen = _capped(source, indices)
    many = counted(len(indices), "sample")
    if len(chosen) < len(indices):
        many = f"{len(chosen):,} of {many}"
    samples = pick(source, chosen)
    return samples, f"Measured on {many} {which} ({before(samples.file_bytes, samples.raw_bytes)})."


def counted(count: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "sample"), counted(1200, "sample")
    ('1 sample', '1,200 samples')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _split(source: Source, config: Config) -> tuple[np.ndarray, np.ndarray]:
    data = config.data
    return split(len(source), data.held_out, config.train.seed, last=data.held_out_last)


def _capped(source: Source, indices: np.ndarray) -> list[int]:
    itemsize = np.dtype(source.spec.dtype).itemsize
    few = some(indices, source, values=MOST_BYTES // itemsize)
    count = min(len(few), MOST_SAMPLES)
    return [few[position * len(few) // count] for position in range(count)]
