"""Open a table, a matrix or a file of numbers alone as a series: find its stamps and its channels."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.readers.npy import load_npy
from isthmus.data.series.numbers import holds_numbers, open_numbers
from isthmus.data.series.source import SeriesSource, Stamp
from isthmus.data.series.stamps import checked, first_stamps, is_ascending, read_stamps
from isthmus.data.source import Skipped
from isthmus.data.tables import Column, Schema, TableSource, is_table, open_table
from isthmus.errors import NoData, SpecMismatch

NAMES = (
    *("time", "timestamp", "timestamps", "time_stamp", "stamp", "date", "datetime", "date_time", "t", "ts"),
    *("epoch", "epoch_time", "unix", "unix_time", "unixtime", "event_time", "year", "month"),
)
"""Of a column of numbers that are stamps, in small letters, without units …"""
UNITS = ("ns", "us", "µs", "ms", "s", "sec", "secs", "seconds", "d", "days", "utc", "gmt")
"""… such as these: timestamp_ns, Time (s)."""


def is_series(
    source: Any,
    *,
    schema: Schema | None = None,
    ignore: Sequence[str] = (),
    header: bool | None = None,
) -> bool:
    """Whether a source is a series where nobody says so.

    It is one if its name and type say table, one column holds dates in ascending order (or numbers in
    ascending order under a name like "time"), and all others hold numbers; or if it holds but one column
    of numbers, or one axis. A matrix of two axes is a table.
    """
    source = _with_times(source)
    if isinstance(source, np.ndarray):
        return source.ndim == 1
    if isinstance(source, (str, Path)) and Path(source).suffix == ".npy" and Path(source).is_file():
        return load_npy(Path(source)).ndim == 1
    if isinstance(source, (str, Path)) and is_table(source) and holds_numbers(Path(source)):
        return True
    if not is_table(source):
        return False
    table = open_table(source, wishes=_wishes(schema), ignore=ignore, header=header, skip_bad=True)
    return is_series_of(table)


def is_series_of(table: TableSource) -> bool:
    """The same of a table that is open."""
    used = [column for column in table.schema if column.used]
    if len(used) == 1:
        return used[0].is_numeric and used[0].kind != "date"
    return ascending_stamps(table) is not None


def ascending_stamps(table: TableSource) -> Column | None:
    """The column that makes a table a series unasked: its stamps ascend, and all else is numbers."""
    used = [column for column in table.schema if column.used]
    worded = [column for column in used if not column.is_numeric]
    alone = [column for column in _candidates(used) if set(worded) <= {column}] if len(used) > 1 else []
    found = next((column for column in alone if is_ascending(_stamps(table, column))), None)
    _give_back()
    return found


def open_series(
    source: Any,
    *,
    stamp: str | None = None,
    schema: Schema | None = None,
    ignore: Sequence[str] = (),
    header: bool | None = None,
    skip_bad: bool = False,
) -> SeriesSource:
    """Open a series.

    Args:
        source: a path or frame as for `open_table`, of pandas also with times as its index; an array or
            .npy of shape (rows,) or (rows, channels); a .txt of numbers alone, one a line or all in one.
        stamp: the column that says when; None looks for it, and counts rows where there is none.
        schema: kinds of columns that are known better; those not used are left out.
        ignore: columns that are left out.
        header: whether a text file's first row names the columns; None looks.
        skip_bad: leave rows out that have too many or too few cells.
    Raises:
        NoData: nothing is there, no rows, or no channel of numbers.
        BadItem: a row that cannot be read, or has no stamp.
        SpecMismatch: the column of stamps is not there, or holds none.
    """
    source = _with_times(source)
    if (
        isinstance(source, np.ndarray)
        or _is_npy(source)
        or (_is_text(source) and holds_numbers(Path(source)))
    ):
        return open_numbers(source, ignore)
    table = open_table(source, wishes=_wishes(schema), ignore=ignore, header=header, skip_bad=skip_bad)
    used = [column for column in table.schema if column.used]
    found = _named(table, stamp) if stamp is not None else _stamp_column(table, used)
    channels = [column for column in used if column.is_numeric and column != found and column.kind != "date"]
    if not channels:
        raise NoData(
            f"{table.name} holds no channel of numbers: a series has one stamp a row, and numbers beside it."
        )
    return _opened(table, found, channels)


def _with_times(source: Any) -> Any:
    """A frame of pandas with an index of times as a column, and periods as when they begin; else as it is."""
    if type(source).__module__.partition(".")[0] != "pandas":
        return source
    import pandas as pd

    frame = source.to_frame(source.name or "value") if isinstance(source, pd.Series) else source
    if isinstance(frame.index, (pd.DatetimeIndex, pd.PeriodIndex, pd.TimedeltaIndex)):
        frame = frame.reset_index(names=frame.index.name or "time")
    periods = [name for name, kind in frame.dtypes.items() if isinstance(kind, pd.PeriodDtype)]
    return frame.assign(**{name: frame[name].dt.to_timestamp() for name in periods}) if periods else frame


@dataclass(frozen=True)
class _Columns:
    """Reads the channels of a table, part by part."""

    table: TableSource
    channels: Schema

    def __call__(self) -> Iterator[np.ndarray]:
        strays: dict[str, list[tuple[int, str]]] = {}
        start = 0
        for part in self.table.chunks(self.channels):
            for cells in part.columns:
                found = [(start + row, text) for row, text in cells.strays.items()]
                strays.setdefault(cells.column.name, []).extend(found)
            start += len(part)
            yield np.stack([cells.numbers for cells in part.columns], axis=1)  # type: ignore[misc]
        self.table.skipped.extend(_gaps(name, found) for name, found in strays.items() if found)
        _give_back()


def _gaps(name: str, strays: list[tuple[int, str]]) -> Skipped:
    """That some cells of a channel are no numbers."""
    row, text = strays[0]
    count = "1 cell that is no number" if len(strays) == 1 else f"{len(strays):,} cells that are no numbers"
    return Skipped(f"{count} in the column {name!r}", f"the first is {text!r} in row {row:,}; a gap each")


@dataclass(frozen=True)
class _Texts:
    """Reads one column as it stands."""

    table: TableSource
    name: str

    def __call__(self) -> Iterator[str]:
        from isthmus.data.tables.texts import texts_of

        for cells in self.table.column(self.name):
            yield from texts_of(cells).fill_null("").to_pylist()


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
        ignored=tuple(
            Skipped(each.name, f"{each.kind}, and a channel is numbers")
            for each in table.schema
            if each.used and each.name not in names
        ),
        notations={each.name: each.notation for each in channels if each.notation is not None},
        left_out=tuple(each.name for each in table.schema if not each.used),
        skipped=table.skipped,
    )
    if stamp is None:
        return opened
    found = checked(read_stamps(table, stamp), f"{table.name}'s column {stamp.name!r}")
    _give_back()
    is_date = found.values.dtype.kind == "M"
    return replace(
        opened,
        stamp=Stamp(stamp.name, "date" if is_date else "number", stamp.format if is_date else None),
        stamps=found.values,
        read_stamps=_Texts(table, stamp.name),
        order=found.order,
        moved=found.moved,
        notes=found.notes,
    )


def _candidates(used: list[Column]) -> list[Column]:
    """Columns that may be stamps: of dates, then those of telling names, then those that may be dates."""
    dates = [column for column in used if column.kind == "date"]
    told = [column for column in used if column not in dates and _tells_time(column.name)]
    worded = [column for column in used if column.kind in ("identifier", "category", "text")]
    return [*dates, *told, *(column for column in worded if column not in told)]


def _stamps(table: TableSource, column: Column) -> np.ndarray | None:
    """Of the first rows, if the column may be one of stamps: numbers are, if its name says so."""
    found = first_stamps(table, column)
    is_date = found is not None and found.dtype.kind == "M"
    return found if is_date or _tells_time(column.name) else None


def _tells_time(name: str) -> bool:
    """
    >>> [_tells_time(name) for name in ("Timestamp_ns", "time (s)", "Unix Time", "temperature", "ms")]
    [True, True, True, False, False]
    """
    words = re.findall(r"[^\W_]+", name.lower())
    return "_".join(word for word in words if word not in UNITS) in NAMES


def _stamp_column(table: TableSource, used: list[Column]) -> Column | None:
    """The first candidate that ascends; else the first that is no channel: its rows are put in order."""
    candidates = _candidates(used) if len(used) > 1 else []
    found = [(column, _stamps(table, column)) for column in candidates]
    ascending = (column for column, stamps in found if is_ascending(stamps))
    others = (
        column
        for column, stamps in found
        if column.kind == "date" or (not column.is_numeric and stamps is not None)
    )
    return next(ascending, next(others, None))


def _named(table: TableSource, name: str) -> Column:
    found = next((column for column in table.schema if column.name == name), None)
    if found is None:
        raise SpecMismatch(
            f"There is no column {name!r} of stamps; {table.name} has "
            f"{', '.join(map(repr, table.schema.names[:12]))}."
        )
    return found


def _wishes(schema: Schema | None) -> Mapping[str, Column]:
    return {} if schema is None else {column.name: column for column in schema}


def _is_npy(source: Any) -> bool:
    return isinstance(source, (str, Path)) and Path(source).suffix == ".npy"


def _is_text(source: Any) -> bool:
    return isinstance(source, (str, Path)) and is_table(source)
