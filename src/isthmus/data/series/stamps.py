"""A column of a table → stamps: moments or numbers that ascend, or a sentence that says why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isthmus.data.tables import Column, TableSource
from isthmus.data.tables.dates import form_of, iso_form, moments_alike
from isthmus.data.tables.schema import MISSING
from isthmus.errors import BadItem, SpecMismatch

if TYPE_CHECKING:
    import pyarrow as pa

MOST_SORTED = 1 << 26
"""Rows that are put into order where they are not."""
LEAST_ROWS = 32
"""For a table to be taken for a series unasked …"""
ASCENDING = 0.99
"""… and the share of its stamps that must not lie before the one above."""
FIRST_TEXTS = 100
"""Of a column, that must be dates for it to be one of dates in several forms."""
REGULAR, ABOUT, HOLE = 0.9, 0.1, 1.9
"""Where this share of steps is that near to the usual one, a step of so many of them is a hole."""
_NUMBERS = "numbers"
"""In place of a form: texts that are numbers."""
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


@dataclass(frozen=True, eq=False)
class Checked:
    """Stamps in ascending order."""

    values: np.ndarray
    order: np.ndarray | None
    """int64: which row comes when; None where they were in order."""
    moved: tuple[str, ...]
    """That rows were put in order, if they were."""
    notes: tuple[str, ...]
    """What else was found: doubled stamps, and holes."""


def read_stamps(table: TableSource, column: Column, *, first: bool = False) -> np.ndarray:
    """A column as stamps, whichever way they are written; the only reader of them.

    Args:
        table: holds the column.
        column: of moments, of numbers, or of texts that are either: dates and times of any of
            `tables.dates.FORMATS`, seconds or nanoseconds as whole numbers of 19 digits.
        first: only its first part.
    Returns:
        (rows,): datetime64 of moments; int64, uint64 or float64 of numbers.
    Raises:
        SpecMismatch: a column of something else.
        BadItem: a row without a stamp.
    """
    form = column.format if column.kind == "date" else None
    found: list[np.ndarray] = []
    start = 0
    for cells in table.column(column.name):
        values, form = _values(cells, form)
        if values is None:
            raise SpecMismatch(
                f"The column {column.name!r} of {table.name} must hold stamps, dates or numbers; "
                f"it holds {_shown(cells)!r}. Name another column."
            )
        _refuse_lacking(values, cells, f"{table.name}'s column {column.name!r}", start)
        found.append(values)
        start += len(values)
        if first:
            break
    if any(values.dtype == np.dtype("datetime64[us]") for values in found):
        found = [values.astype("datetime64[us]") for values in found]
    return np.concatenate(found)


def first_stamps(table: TableSource, column: Column) -> np.ndarray | None:
    """The stamps of the first rows; None where the column holds none, or lacks one."""
    try:
        return read_stamps(table, column, first=True)
    except (SpecMismatch, BadItem):
        return None


def is_ascending(stamps: np.ndarray | None) -> bool:
    """Whether these are the stamps of a series."""
    if stamps is None or len(stamps) < LEAST_ROWS:
        return False
    # a clock that was set back once, or rows of one stamp, make no table of it
    before, behind = stamps[:-1], stamps[1:]
    return bool((behind >= before).mean() >= ASCENDING and (behind > before).mean() > 0.5)


def checked(stamps: np.ndarray, what: str) -> Checked:
    """Stamps in order, and what was done for it.

    Rows whose stamps do not ascend are put into order, those of one stamp in the order of the file.

    >>> found = checked(np.array([3.0, 1.0, 1.0]), "the column 't'")
    >>> found.order.tolist(), len(found.moved), len(found.notes)
    ([1, 2, 0], 1, 1)
    """
    moved: tuple[str, ...] = ()
    order = None
    backward = np.flatnonzero(stamps[1:] < stamps[:-1])
    if len(backward):
        if len(stamps) > MOST_SORTED:
            raise BadItem(f"{what} does not ascend at row {backward[0] + 1:,}: sort the rows by it.")
        order = np.argsort(stamps, kind="stable")
        stamps = stamps[order]
        moved = (f"rows were put in the order of their stamps: row {backward[0] + 1:,} came too late",)
    return Checked(stamps, order, moved, (*_doubled(stamps, order), *_holes(stamps, order)))


def _values(cells: pa.Array, form: str | None) -> tuple[np.ndarray | None, str | None]:
    """Stamps with NaT or NaN for what is none, and the form of texts; None where it is no such column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    kind = cells.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _of_texts(cells.cast(pa.large_string()), form)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return cells.to_numpy(zero_copy_only=False), form
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        cells = cells.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
    elif pa.types.is_decimal(kind) or pa.types.is_float16(kind):
        cells = cells.cast(pa.float64())
    elif not pa.types.is_integer(kind) and not pa.types.is_floating(kind):
        return None, form
    if cells.null_count and pa.types.is_integer(cells.type):
        cells = pc.cast(cells, pa.float64(), safe=False)
    return cells.to_numpy(zero_copy_only=False), form


def _of_texts(cells: pa.Array, form: str | None) -> tuple[np.ndarray | None, str | None]:
    import pyarrow as pa
    import pyarrow.compute as pc

    from isthmus.data.tables.notation import NUMBER, STRAYS

    trimmed = pc.utf8_trim_whitespace(cells)
    lacking = pc.is_in(trimmed, value_set=pa.array([*MISSING], pa.large_string()))
    trimmed = pc.if_else(lacking, None, trimmed)
    present = trimmed.drop_null()
    if form == _NUMBERS or (form is None and len(present) and _all_match(present, NUMBER)):
        return _numbers(trimmed, NUMBER), _NUMBERS
    if form is None and len(present):
        form = form_of(present, STRAYS) or iso_form(present.slice(0, FIRST_TEXTS).to_pylist())
    if form is None:
        return None, None
    return moments_alike(trimmed, form).times(), form


def _numbers(cells: pa.Array, pattern: str) -> np.ndarray:
    """int64 where all are whole, as nanoseconds are too long for floats."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.replace_substring_regex(cells, r"^\+", "")
    try:
        return plain.cast(pa.int64()).to_numpy(zero_copy_only=not plain.null_count)
    except pa.ArrowInvalid:
        fits = pc.fill_null(pc.match_substring_regex(plain, pattern), False)
        return pc.if_else(fits, plain, None).cast(pa.float64()).to_numpy(zero_copy_only=False)


def _all_match(cells: pa.Array, pattern: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(cells, pattern)).as_py())


def _refuse_lacking(values: np.ndarray, cells: pa.Array, what: str, start: int) -> None:
    lacking = np.flatnonzero(~np.isfinite(values))
    if not len(lacking):
        return
    from isthmus.data.tables.texts import texts_of

    text = (texts_of(cells.slice(int(lacking[0]), 1))[0].as_py() or "").strip()
    has = "has none" if text in MISSING else f"has {text!r}, which is none like the others"
    raise BadItem(
        f"Every row of a series must have a stamp; in {what}, row {start + lacking[0]:,} {has} "
        "(rows count from 0). Repair or remove it, or treat the file as a table: --as table."
    )


def _shown(cells: pa.Array) -> str:
    """The first cell that is not empty."""
    return next((str(each) for each in cells.slice(0, 1000).to_pylist() if each not in (None, "")), "")


def _doubled(stamps: np.ndarray, order: np.ndarray | None) -> tuple[str, ...]:
    places = np.flatnonzero(stamps[1:] == stamps[:-1]) + 1
    if not len(places):
        return ()
    are = "1 row has" if len(places) == 1 else f"{len(places):,} rows have"
    first = _row(places[0], order)
    return (f"{are} the stamp of the row before, first row {first:,}; all are kept, in their order",)


def _holes(stamps: np.ndarray, order: np.ndarray | None) -> tuple[str, ...]:
    """Where steps are regular but for some that are much longer."""
    is_time = stamps.dtype.kind == "M"
    steps = (
        np.diff(stamps).astype("timedelta64[ns]").astype(np.float64) / 1e9
        if is_time
        else np.diff(stamps.astype(np.float64))
    )
    usual = float(np.median(steps)) if len(steps) else 0.0
    if usual <= 0 or (np.abs(steps - usual) <= ABOUT * usual).mean() < REGULAR:
        return ()
    holes = np.flatnonzero(steps >= HOLE * usual)
    if not len(holes):
        return ()
    at = holes[np.argmax(steps[holes])]
    longest, step = (_duration(s) if is_time else f"{s:.6g}" for s in (float(steps[at]), usual))
    are = "1 hole" if len(holes) == 1 else f"{len(holes):,} holes"
    row = _row(at + 1, order)
    return (
        f"{are} in the stamps, the longest before row {row:,}: {longest} where a step is {step}; "
        "windows count rows",
    )


def _row(place: Any, order: np.ndarray | None) -> int:
    return int(place if order is None else order[place])


def _duration(seconds: float) -> str:
    """
    >>> [_duration(seconds) for seconds in (111600.0, 172800.0, 0.002, 1e7 / 3)]
    ['31 h', '2 d', '2 ms', '38.58 d']
    """
    fitting = [each for each in _UNITS if seconds >= each[0]] or [_UNITS[-1]]
    whole = (each for each in fitting[:2] if abs(seconds / each[0] - round(seconds / each[0])) < 1e-9)
    size, unit = next(whole, fitting[0])
    return f"{seconds / size:.4g} {unit}"
