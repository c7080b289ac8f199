"""Cells that are to be mended → the rows of a text file, or a table in memory, with nothing else changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.tables import TableSource
from isthmus.tasks.issue import Issue


def mended_rows(source: TableSource, changes: Iterable[Issue]) -> Iterator[list[str]]:
    """The rows as they are written, but for the cells that are mended."""
    places = _places(source)
    new: dict[int, dict[int, str]] = {}
    for issue in changes:
        new.setdefault(issue.row, {})[places[issue.column]] = issue.new or ""
    for row, texts in enumerate(source.written()):
        cells = list(texts)
        for place, text in new.get(row, {}).items():
            cells[place] = text
        yield cells


def mended_frame(given: Any, source: TableSource, changes: Sequence[Issue]) -> Any:
    """A copy of a table in memory with some cells mended; None for one that was opened from a file.

    Args:
        given: what the source was opened from.
        source: names the columns in their order.
        changes: what is mended; a value is that of the row that it is taken from, so types stay.
    Returns:
        A DataFrame of pandas, an array or a PyArrow table as `given` is; of other frames a PyArrow table.
    """
    if given is source or isinstance(given, (str, Path)):
        return None
    by_column: dict[int, list[Issue]] = {}
    places = _places(source)
    for issue in changes:
        by_column.setdefault(places[issue.column], []).append(issue)
    if isinstance(given, np.ndarray):
        return _mended_array(given, by_column)
    from isthmus.data.tables import frames

    if frames.is_pandas(given):
        return _mended_pandas(given, by_column)
    return _mended_arrow(frames.arrow_table(given), by_column)


def _places(source: TableSource) -> dict[str, int]:
    return {name: place for place, name in enumerate(source.schema.names)}


def _taken(rows: int, issues: Iterable[Issue]) -> np.ndarray:
    """int64 (rows,): the row from which each cell of a column comes, its own where nothing is mended."""
    taken = np.arange(rows)
    for issue in issues:
        taken[issue.row] = issue.row if issue.like is None else issue.like
    return taken


def _worked_out(issues: Iterable[Issue]) -> dict[int, str]:
    """By row: what should stand there, where no row holds it."""
    return {issue.row: issue.new or "" for issue in issues if issue.like is None}


def _mended_array(given: np.ndarray, by_column: dict[int, list[Issue]]) -> np.ndarray:
    made = np.array(given)
    for place, issues in by_column.items():
        made[:, place] = given[_taken(len(given), issues), place]
        for row, text in _worked_out(issues).items():
            made[row, place] = float(text)
    return made


def _mended_pandas(given: Any, by_column: dict[int, list[Issue]]) -> Any:
    made = given.copy()
    for place, issues in by_column.items():
        column = given.iloc[:, place]
        made.isetitem(place, column.array.take(_taken(len(given), issues)))
        for row, text in _worked_out(issues).items():
            made.iloc[row, place] = _typed(column, text)
    return made


def _typed(column: Any, text: str) -> Any:
    """A text as a value of a column of pandas; where it holds texts or several types, the text itself."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype):
        number = float(text)
        return number if pd.api.types.is_float_dtype(column.dtype) else round(number)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pd.Timestamp(text, tz=column.dt.tz)
    same = column[column.astype(str) == text]
    return same.iloc[0] if len(same) else text


def _mended_arrow(given: Any, by_column: dict[int, list[Issue]]) -> Any:
    import pyarrow as pa

    made = given
    for place, issues in by_column.items():
        field = given.schema.field(place)
        column = given.column(place).take(pa.array(_taken(len(given), issues)))
        worked_out = _worked_out(issues)
        if worked_out:
            values = [
                worked_out.get(row, value) for row, value in enumerate(column.cast("string").to_pylist())
            ]
            column = pa.array(values).cast(field.type)
        made = made.set_column(place, field, column)
    return made
