"""Files that are not what their names say, and objects that are no data: each is refused in a sentence."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import isthmus
from isthmus.errors import IsthmusError
from reports import member

SUFFIXES = (
    ".csv .csv.gz .tsv .jsonl .parquet .arrow .feather .npy .npz .png .jpg .tif .webp .wav .flac .ogg .mp3 "
    ".aiff .mp4 .mkv .nc .h5 .zarr .zip .isz .ism .txt .idx .gz .xlsx"
)
CONTENTS = {
    "text": b"hello, this is no such file\n" * 5,
    "zeros": bytes(3000),
    "empty": b"",
    "ff": b"\xff" * 500,
}
SETTINGS = ("train.steps=2", "train.threads=1")


def files(folder: Path) -> Iterator[str]:
    """Every content under every suffix, empty folders, and what is not there."""
    for suffix in SUFFIXES.split():
        for name, data in CONTENTS.items():
            (folder / f"{name}{suffix}").write_bytes(data)
            yield f"{name}{suffix}"
    for name in ("folder", "folder.zarr"):
        (folder / name).mkdir()
        yield name
    yield from ("missing.csv", "missing.wav", "missing.png", "missing")


def objects() -> Iterator[Any]:
    """What people hand over by mistake, and types that libraries refuse."""
    yield from (None, 5, {"a": 1}, {1}, np.ones(5, complex), np.array([1, "a", None], object))
    yield from (np.array(["a", "b"]), np.zeros(3, [("a", int)]), np.array(["2020-01-01"], "M8[D]"))
    yield from (np.ones(4, np.longdouble), np.zeros((0, 3)), pd.Series([1, 2, 3]), pd.DataFrame())
    columns = (
        pd.interval_range(0, 4),
        pd.period_range("2020", periods=4, freq="M"),
        np.ones(4, complex),
        pd.arrays.SparseArray([0, 0, 1, 2]),
        [1, "x", None, (1, 2)],
    )
    yield from (pd.DataFrame({"a": column}) for column in columns)
    yield pd.DataFrame([[1, 2]], columns=["a", "a"])
    yield pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")]))


def raise_only_our_errors(call: Callable[[Any], Any], sources: Iterator[Any]) -> None:
    """Call with each; whatever is refused must be so in words of ours."""
    wrong = []
    for source in sources:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                call(source)
        except IsthmusError:
            pass
        except Exception as error:
            wrong.append(f"{source!r:.60}: {type(error).__name__}: {error!s:.100}")
    assert not wrong, "\n".join(wrong)


@member("P01", everyday=True)
def archives_and_models_that_are_none_are_refused(folder: Path) -> None:
    names = list(files(folder))
    for call in (isthmus.verify, isthmus.load, isthmus.info):
        raise_only_our_errors(call, iter(names))


@member("P01", everyday=True)
def odd_objects_are_compressed_or_refused(folder: Path) -> None:
    raise_only_our_errors(lambda source: isthmus.compress(source, "o.isz", force=True), objects())


@member("P01")
def files_under_wrong_names_are_compressed_or_refused(folder: Path) -> None:
    raise_only_our_errors(lambda source: isthmus.compress(source, "o.isz", force=True), files(folder))


@member("P01")
def files_under_wrong_names_are_not_restored(folder: Path) -> None:
    raise_only_our_errors(lambda source: isthmus.decompress(source, "out", force=True), files(folder))


@member("P01")
def detect_refuses_junk_in_a_sentence(folder: Path) -> None:
    raise_only_our_errors(isthmus.detect, files(folder))
    raise_only_our_errors(isthmus.detect, objects())
    raise_only_our_errors(isthmus.detect_series, objects())


@member("P01")
def clean_refuses_junk_in_a_sentence(folder: Path) -> None:
    raise_only_our_errors(lambda source: isthmus.clean(source, None), files(folder))
    raise_only_our_errors(lambda source: isthmus.clean(source, None), objects())


@member("P01")
def fit_refuses_junk_in_a_sentence(folder: Path) -> None:
    def learn(source: Any) -> None:
        isthmus.fit(source, "m.ism", force=True, settings=SETTINGS, quiet=True)

    raise_only_our_errors(learn, files(folder))
    raise_only_our_errors(learn, objects())
