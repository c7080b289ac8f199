"""A column of a table → stamps: numbers that ascend, or a sentence that says why not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isthmus.data.tables import Column, Schema, TableSource
from isthmus.errors import BadItem, SpecMismatch

MOST_SORTED = 1 << 26
"""Rows that are put into order where they are not."""


@dataclass(frozen=True, eq=False)
class Checked:
    """Stamps in ascending order."""

    values: np.ndarray
    order: np.ndarray | None
    """int64: which row comes when; None where they were in order."""
    notes: tuple[str, ...]
    """What was found, and done about it."""


def stamps_of(table: TableSource, column: Column, *, first: bool = False) -> np.ndarray | None:
    """float64 (rows,): seconds since 1970, or the numbers that stand there; NaN where none does.

    Args:
        table: holds the column.
        column: of dates, of numbers, or of words that may be ISO 8601 times of any form.
        first: only of the first part, and None where words are no times.
    Raises:
        SpecMismatch: words that are no times.
    """
    found = []
    for part in table.chunks(Schema((column,))):
        cells = part.columns[0]
        if cells.numbers is not None:
            found.append(cells.numbers)
        else:
            seconds = _iso_seconds([cells.text(row) for row in range(len(cells))])
            if seconds is None and first:
                return None
            if seconds is None:
                raise SpecMismatch(
                    f"The column {column.name!r} of {table.name} must hold stamps, ISO dates or numbers; "
                    f"it holds {cells.text(0)!r}. Name another column."
                )
            found.append(seconds)
        if first:
            break
    return np.concatenate(found)


def checked(stamps: np.ndarray | None, what: str) -> Checked:
    """Stamps in order, and what was done for it.

    Rows whose stamps do not ascend are put into order, those of one stamp in the order of the file.

    >>> found = checked(np.array([3.0, 1.0, 1.0]), "the column 't'")
    >>> found.order.tolist(), len(found.notes)
    ([1, 2, 0], 2)

    Raises:
        BadItem: a row without a stamp.
    """
    assert stamps is not None
    lacking = np.flatnonzero(~np.isfinite(stamps))
    if len(lacking):
        raise BadItem(
            f"Every row of a series must have a stamp; in {what}, row {lacking[0]:,} has none "
            "(rows count from 0). Repair or remove it, or treat the file as a table: --as table."
        )
    notes, order = [], None
    backward = np.flatnonzero(np.diff(stamps) < 0)
    if len(backward):
        if len(stamps) > MOST_SORTED:
            raise BadItem(f"{what} does not ascend at row {backward[0] + 1:,}: sort the rows by it.")
        order = np.argsort(stamps, kind="stable")
        stamps = stamps[order]
        notes.append(f"rows were put in the order of their stamps: row {backward[0] + 1:,} came too late")
    doubled = int((np.diff(stamps) == 0).sum())
    if doubled:
        notes.append(f"{doubled:,} rows have the stamp of the row before; all are kept, in their order")
    return Checked(stamps, order, tuple(notes))


def _iso_seconds(texts: list[str | None]) -> np.ndarray | None:
    """Of times in any form of ISO 8601; None where one is none."""
    import pyarrow as pa

    for kind in (pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        try:
            micros = pa.array(texts, pa.large_string()).cast(kind).cast(pa.int64())
        except pa.ArrowInvalid:
            continue
        return micros.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False) / 1e6
    return None
