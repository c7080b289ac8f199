"""Series without stamps: arrays, .npy, and text files of numbers alone, as the UCR archive has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from isthmus.data.readers.npy import load_npy
from isthmus.data.series.source import SeriesSource
from isthmus.data.tables.schema import Column, Schema
from isthmus.errors import BadItem, NoData

ROWS = 1 << 17
FIRST_BYTES = 1 << 16


def open_numbers(source: np.ndarray | str | Path, ignore: Sequence[str] = ()) -> SeriesSource:
    """Open an array of shape (rows,) or (rows, channels), a .npy of one, or a text of numbers alone.

    Args:
        source: the array, or its path.
        ignore: channels that are left out: channel_0 is the first.

    Raises:
        NoData: nothing is there, or it holds no numbers along one or two axes.
        BadItem: it cannot be read.
    """
    if isinstance(source, np.ndarray):
        return _of_array(source, "array", ignore)
    path = Path(source)
    if not path.is_file():
        raise NoData(f"There is no series at {path}.")
    values = load_npy(path) if path.suffix == ".npy" else _numbers(path)
    return _of_array(values, path.name.split(".")[0], ignore)


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


def _of_array(values: np.ndarray, name: str, ignore: Sequence[str]) -> SeriesSource:
    if values.ndim not in (1, 2) or values.dtype.kind not in "biuf" or 0 in values.shape:
        raise NoData(
            f"{name} is no series: it must be numbers of shape (rows,) or (rows, channels); "
            f"got {values.dtype} of shape {values.shape}."
        )
    columns = values[:, None] if values.ndim == 1 else values
    count = columns.shape[1]
    names = ("value",) if count == 1 else tuple(f"channel_{number}" for number in range(count))
    schema = Schema(tuple(Column(name=each, kind="number") for each in names)).ignoring(ignore)
    places = [place for place, column in enumerate(schema) if column.used]
    if not places:
        raise NoData(f"No channel of {name} is left to look at. Ignore fewer.")

    def read() -> Iterator[np.ndarray]:
        for start in range(0, len(columns), ROWS):
            part = columns[start : start + ROWS]
            yield np.asarray(part if len(places) == count else part[:, places], np.float64)

    channels = tuple(names[place] for place in places)
    left_out = tuple(column.name for column in schema if not column.used)
    return SeriesSource(name, channels, None, None, read, None, left_out=left_out)


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
