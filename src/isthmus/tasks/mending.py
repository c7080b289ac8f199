"""Cells that are to be mended → the rows of a text file, or a table in memory, with nothing else changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from isthmus.data.tables import TableSource
from isthmus.tasks.issues import Issue


def as_written(source: TableSource, issues: Sequence[Issue]) -> list[Issue]:
    """What should stand in each cell, just as the row that it is taken from writes it."""
    places = _places(source)
    wanted = {(issue.like, places[issue.column]) for issue in issues if issue.like is not None}
    rows = {row for row, _ in wanted}
    texts: dict[tuple[int, int], str] = {}
    for row, cells in enumerate(source.written()) if rows else ():
        if row in rows:
            texts |= {
                (row, place): cell.strip() for place, cell in enumerate(cells) if (row, place) in wanted
            }
    return [
        issue if issue.like is None else replace(issue, new=texts[issue.like, places[issue.column]])
        for issue in issues
    ]


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
    if isinstance(given, np.ndarray):
        return _mended_array(given, _places(source), changes)
    if hasattr(given, "iloc"):
        return _mended_pandas(given, _places(source), changes)
    if hasattr(given, "__arrow_c_stream__") or hasattr(given, "__dataframe__"):
        return _mended_arrow(given, changes)
    return None


def _places(source: TableSource) -> dict[str, int]:
    return {name: place for place, name in enumerate(source.schema.names)}


def _mended_array(given: np.ndarray, places: dict[str, int], changes: Sequence[Issue]) -> np.ndarray:
    made = np.array(given)
    for issue in changes:
        place = places[issue.column]
        made[issue.row, place] = issue.new if issue.like is None else given[issue.like, place]
    return made


def _mended_pandas(given: Any, places: dict[str, int], changes: Sequence[Issue]) -> Any:
    made = given.copy()
    for place in {places[issue.column] for issue in changes}:
        column = given.iloc[:, place]
        mine = [issue for issue in changes if places[issue.column] == place]
        taken = [issue for issue in mine if issue.like is not None]
        if taken:
            values = column.iloc[[issue.like for issue in taken]].array
            made.iloc[[issue.row for issue in taken], place] = values
        for issue in mine:
            if issue.like is None:
                made.iloc[issue.row, place] = _typed(column, issue.new or "")
    return made


def _typed(column: Any, text: str) -> Any:
    """A text as a value of a column; of one of texts, or of mixed objects, the text itself."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype):
        number = pd.to_numeric(text)
        return number if pd.api.types.is_float_dtype(column.dtype) else round(float(number))
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pd.Timestamp(text, tz=getattr(column.dt, "tz", None))
    same = column[column.astype(str) == text]
    return same.iloc[0] if len(same) else text


def _mended_arrow(given: Any, changes: Sequence[Issue]) -> Any:
    import pyarrow as pa
    from pyarrow.interchange import from_dataframe

    made = pa.table(given) if hasattr(given, "__arrow_c_stream__") else from_dataframe(given)
    for name in {issue.column for issue in changes}:
        place = made.schema.get_field_index(name)
        values = made.column(place).to_pylist()
        for issue in changes:
            if issue.column == name:
                values[issue.row] = issue.new if issue.like is None else values[issue.like]
        kind = made.schema.field(place)
        made = made.set_column(place, kind, pa.array(values, kind.type, from_pandas=True))
    return made
