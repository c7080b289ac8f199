"""A finished run ⇄ its folder: what it takes to look at the run again later.

`fit` leaves in NAME.run, beside the history and the settings, run.json (which model, which data)
and held_out.npz (a few of the samples held out, for the day when the data are gone).
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data import Source
from isthmus.data.samples import Samples
from isthmus.errors import DamagedFile, NoData
from isthmus.files import write_bytes
from isthmus.spec import DataSpec

RECORD, HELD_OUT = "run.json", "held_out.npz"
KEPT_BYTES = 2_000_000


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One finished run."""

    model: str | None
    """The .ism file, relative to the run folder; None where it was not saved."""
    model_hash: str
    source: str | None
    """An absolute path or a known name; None for data given in Python."""
    source_name: str
    skip_bad: bool
    spec: dict[str, Any]
    """Of the data, see DataSpec."""
    samples: int
    """Of the whole source; with the settings' seed and share, the split follows."""
    raw_bytes: int
    held_out: int
    """How many of them were held out."""
    recipe: str
    seconds: float
    """From the call to the finished model."""

    @property
    def data_spec(self) -> DataSpec:
        """The spec as an object."""
        return DataSpec.from_dict(self.spec)


def source_reference(source: object) -> str | None:
    """How to find `source` again: an absolute path, a name such as "digits", or None."""
    if not isinstance(source, (str, Path)):
        return None
    path = Path(source).expanduser()
    return str(path.resolve()) if path.exists() else str(source)


def model_reference(model: Path | None, folder: Path) -> str | None:
    """The model as seen from its run folder, so that both may move together."""
    if model is None:
        return None
    try:
        return Path(os.path.relpath(model, folder)).as_posix()
    except ValueError:  # another drive of Windows
        return model.resolve().as_posix()


def write_run(folder: Path, record: RunRecord, source: Source, held: np.ndarray) -> None:
    """Write run.json, and held_out.npz with as many of the samples at `held` as KEPT_BYTES hold."""
    file = io.BytesIO()
    kept = _few(source, held)
    arrays: dict[str, Any] = {f"sample_{i}": sample for i, sample in enumerate(source.read(kept))}
    np.savez_compressed(file, **arrays)
    write_bytes(folder / HELD_OUT, file.getvalue())
    write_bytes(folder / RECORD, (json.dumps(asdict(record), indent=2) + "\n").encode())


def _few(source: Source, held: np.ndarray) -> list[int]:
    """Evenly spaced members of `held` whose raw bytes, as the average sample has them, fit."""
    each = max(1, source.raw_bytes // len(source))
    count = min(len(held), KEPT_BYTES // each, _MOST)
    return [int(held[position * len(held) // count]) for position in range(count)]


_MOST = 2000  # an .npz file spends about 200 bytes on the name and place of each sample


def read_run(folder: Path) -> RunRecord:
    """Undo `write_run`.

    Raises:
        NoData: the folder holds no finished run.
        DamagedFile: run.json is not one that `fit` writes.
    """
    path = folder / RECORD
    if not path.is_file():
        raise NoData(
            f"{folder} holds no finished run: {RECORD} is missing. Give the folder NAME.run that "
            "`isthmus fit` left beside NAME.ism; finish an interrupted run with `isthmus fit … --resume`."
        )
    try:
        record = RunRecord(**json.loads(path.read_text()))
        record.data_spec  # noqa: B018 - a damaged spec shows here
    except (TypeError, ValueError, AttributeError) as wrong:
        raise DamagedFile(f"{path} is damaged ({wrong}). Train again, or give the .ism file.") from wrong
    return record


def read_kept(folder: Path, record: RunRecord) -> Samples:
    """The held-out samples kept in the run folder.

    Raises:
        NoData: none were kept, or they are gone.
        DamagedFile: the file is not one that `fit` writes.
    """
    path = folder / HELD_OUT
    spec = record.data_spec
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            samples = [kept[f"sample_{i}"] for i in range(len(kept.files))]
    except FileNotFoundError:
        samples = []
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as wrong:
        raise DamagedFile(f"{path} is damaged ({wrong}). Name the data with --source.") from wrong
    if not samples:
        raise NoData(f"{path} holds no samples, and the data are not to be found. Name them with --source.")
    return Samples(
        [sample.astype(spec.dtype, copy=False) for sample in samples], spec, name=record.source_name
    )
