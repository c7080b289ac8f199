"""Series without stamps: arrays, .npy, and text files of numbers alone, as the UCR archive has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from isthmus.data.readers.npy import load_npy
from isthmus.data.series.source import SeriesSource
from isthmus.errors import BadItem, NoData

ROWS = 1 << 17
FIRST_BYTES = 1 << 16


def open_numbers(source: np.ndarray | str | Path) -> SeriesSource:
    """Open an array of shape (rows,) or (rows, channels), a .npy of one, or a text of numbers alone.

    Raises:
        NoData: nothing is there, or it holds no numbers along one or two axes.
        BadItem: it cannot be read.
    """
    if isinstance(source, np.ndarray):
        return _of_array(source, "array")
    path = Path(source)
    if not path.is_file():
        raise NoData(f"There is no series at {path}.")
    return _of_array(load_npy(path) if path.suffix == ".npy" else _numbers(path), path.name.split(".")[0])


def holds_numbers(path: Path) -> bool:
    """Whether a text file holds numbers alone, parted by spaces, tabs or line ends, one a line or all in one.

    Rows of several numbers are a table.
    """
    if path.suffix.lower() not in (".txt", ".data", ".csv") or not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(FIRST_BYTES)
    lines = [line.split() for line in start.splitlines() if line.strip()]
    lines = lines[:-1] if len(start) == FIRST_BYTES and len(lines) > 1 else lines
    if not lines or (len(lines) > 1 and max(map(len, lines)) > 1):
        return False
    words = lines[0][:-1] if len(lines) == 1 and len(start) == FIRST_BYTES else lines[0]
    return all(map(_is_number, words if len(lines) == 1 else [line[0] for line in lines]))


def _of_array(values: np.ndarray, name: str) -> SeriesSource:
    if values.ndim not in (1, 2) or values.dtype.kind not in "biuf" or 0 in values.shape:
        raise NoData(
            f"{name} is no series: it must be numbers of shape (rows,) or (rows, channels); "
            f"got {values.dtype} of shape {values.shape}."
        )
    columns = values[:, None] if values.ndim == 1 else values

    def read() -> Iterator[np.ndarray]:
        for start in range(0, len(columns), ROWS):
            yield np.asarray(columns[start : start + ROWS], np.float64)

    channels = tuple(f"channel_{number}" for number in range(columns.shape[1]))
    channels = ("value",) if len(channels) == 1 else channels
    return SeriesSource(name, channels, None, None, read, None)


def _numbers(path: Path) -> np.ndarray:
    words = path.read_bytes().split()
    try:
        return np.array(words, np.float64)
    except ValueError:
        row, word = next((row, word) for row, word in enumerate(words) if not _is_number(word))
        raise BadItem(
            f"{path} must hold numbers alone; number {row:,} (from 0) is {word.decode(errors='replace')!r}."
        ) from None


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
