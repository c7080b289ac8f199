"""Open a table, a matrix or a file of numbers alone as a series: find its stamps and its channels."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.readers.npy import load_npy
from isthmus.data.series.numbers import holds_numbers, open_numbers
from isthmus.data.series.source import SeriesSource, Stamp
from isthmus.data.series.stamps import checked, stamps_of
from isthmus.data.tables import Column, Schema, TableSource, is_table, open_table
from isthmus.data.tables.tablefile import KINDS_FROM
from isthmus.errors import NoData, SpecMismatch

NAMES = ("time", "timestamp", "timestamps", "stamp", "date", "datetime", "epoch", "t", "ts", "unix_time")
"""Of a column of numbers that are stamps, in small letters."""
LEAST_ROWS = 32
"""For a table to be taken for a series unasked …"""
ASCENDING = 0.99
"""… and the share of its stamps that must not lie before the one above."""


def is_series(source: Any, *, schema: Schema | None = None, header: bool | None = None) -> bool:
    """Whether a source is a series where nobody says so.

    It is one if its name and type say table, one column holds dates in ascending order (or numbers in
    ascending order under a name like "time"), and all others hold numbers; or if it holds but one column
    of numbers, or one axis. A matrix of two axes is a table.
    """
    if isinstance(source, np.ndarray):
        return source.ndim == 1
    if isinstance(source, (str, Path)) and Path(source).suffix == ".npy" and Path(source).is_file():
        return load_npy(Path(source)).ndim == 1
    if isinstance(source, (str, Path)) and is_table(source) and holds_numbers(Path(source)):
        return True
    if not is_table(source):
        return False
    table = open_table(source, wishes=_wishes(schema), header=header, skip_bad=True)
    used = [column for column in table.schema if column.used]
    if not all(column.is_numeric for column in used):
        return False
    if len(used) == 1 and used[0].kind != "date":
        return True
    stamp = _stamp_column(table, used)
    _give_back()
    return stamp is not None and len(used) > 1 and _is_ascending(table, stamp)


def open_series(
    source: Any,
    *,
    stamp: str | None = None,
    schema: Schema | None = None,
    header: bool | None = None,
    skip_bad: bool = False,
) -> SeriesSource:
    """Open a series.

    Args:
        source: a path or frame as for `open_table`; an array or .npy of shape (rows,) or (rows, channels);
            a .txt of numbers alone, one a line or all in one.
        stamp: the column that says when; None looks for it, and counts rows where there is none.
        schema: kinds of columns that are known better; those not used are left out.
        header: whether a text file's first row names the columns; None looks.
        skip_bad: leave rows out that have too many or too few cells.
    Raises:
        NoData: nothing is there, no rows, or no channel of numbers.
        BadItem: a row that cannot be read, or has no stamp.
        SpecMismatch: the column of stamps is not there, or holds none.
    """
    if (
        isinstance(source, np.ndarray)
        or _is_npy(source)
        or (_is_text(source) and holds_numbers(Path(source)))
    ):
        return open_numbers(source)
    table = open_table(source, wishes=_wishes(schema), header=header, skip_bad=skip_bad)
    used = [column for column in table.schema if column.used]
    found = _named(table, stamp) if stamp is not None else _stamp_column(table, used)
    channels = [column for column in used if column.is_numeric and column != found and column.kind != "date"]
    if not channels:
        raise NoData(
            f"{table.name} holds no channel of numbers: a series has one stamp a row, and numbers beside it."
        )
    return _opened(table, found, channels)


@dataclass(frozen=True)
class _Columns:
    """Reads the channels of a table, part by part."""

    table: TableSource
    channels: Schema

    def __call__(self) -> Iterator[np.ndarray]:
        for part in self.table.chunks(self.channels):
            yield np.stack([cells.numbers for cells in part.columns], axis=1)  # type: ignore[misc]
        _give_back()


@dataclass(frozen=True)
class _Texts:
    """Reads one column as it stands."""

    table: TableSource
    name: str

    def __call__(self) -> Iterator[str]:
        worded = Schema((Column(name=self.name, kind="identifier"),))
        for part in self.table.chunks(worded):
            cells = part.columns[0]
            yield from ("" if code < 0 else cells.labels[code] for code in cells.codes)  # type: ignore[union-attr]


def _give_back() -> None:
    """Memory that PyArrow keeps for the next time it reads: a third of a gigabyte where columns are many."""
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()


def _opened(table: TableSource, stamp: Column | None, channels: list[Column]) -> SeriesSource:
    names = {column.name for column in channels} | ({stamp.name} if stamp else set())
    opened = SeriesSource(
        name=table.name,
        channels=tuple(column.name for column in channels),
        stamp=None,
        stamps=None,
        read=_Columns(table, Schema(tuple(channels))),
        read_stamps=None,
        left_out=tuple(f"{c.name} ({_told(c)})" for c in table.schema if c.name not in names),
        skipped=table.skipped,
    )
    if stamp is None:
        return opened
    stamps = checked(stamps_of(table, stamp), f"{table.name}'s column {stamp.name!r}")
    _give_back()
    return replace(
        opened,
        stamp=Stamp(stamp.name, _stamp_kind(stamp), stamp.format),
        stamps=stamps.values,
        read_stamps=_Texts(table, stamp.name),
        order=stamps.order,
        notes=stamps.notes,
    )


def _stamp_kind(column: Column) -> str:
    return "number" if column.is_numeric and column.kind != "date" else "date"


def _told(column: Column) -> str:
    return column.kind if column.used else "as the schema says"


def _stamp_column(table: TableSource, used: list[Column]) -> Column | None:
    """The first that holds dates; else numbers under a telling name."""
    dates = [column for column in used if column.kind == "date"]
    if dates:
        return dates[0]
    worded = [column for column in used if column.kind in ("identifier", "category", "text")]
    for column in worded:
        if column.name.strip().lower() in NAMES and stamps_of(table, column, first=True) is not None:
            return column
    named = [column for column in used if column.is_numeric and column.name.strip().lower() in NAMES]
    return next((column for column in named if len(used) > 1 and _is_ascending(table, column)), None)


def _named(table: TableSource, name: str) -> Column:
    found = next((column for column in table.schema if column.name == name), None)
    if found is None:
        raise SpecMismatch(
            f"There is no column {name!r} of stamps; {table.name} has "
            f"{', '.join(map(repr, table.schema.names[:12]))}."
        )
    return found


def _is_ascending(table: TableSource, column: Column) -> bool:
    """Whether the first rows are stamped in ascending order, none without a stamp."""
    stamps = stamps_of(table, column, first=True)
    if stamps is None or len(stamps) < LEAST_ROWS or not np.isfinite(stamps).all():
        return False
    steps = np.diff(stamps[:KINDS_FROM])
    # a clock that was set back once, or rows of one stamp, make no table of it
    return bool((steps >= 0).mean() >= ASCENDING and (steps > 0).mean() > 0.5)


def _wishes(schema: Schema | None) -> Mapping[str, Column]:
    return {} if schema is None else {column.name: column for column in schema}


def _is_npy(source: Any) -> bool:
    return isinstance(source, (str, Path)) and Path(source).suffix == ".npy"


def _is_text(source: Any) -> bool:
    return isinstance(source, (str, Path)) and is_table(source)
