"""A frame in memory → the table that a Parquet file of it gives back, and what such a file cannot keep.

pandas writes its index, the kinds of its columns and `attrs` into the metadata of the schema, and reads them
from there again: whoever restores the table gets a frame, not columns alone.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from isthmus.data.source import Skipped
from isthmus.data.tables.frames import arrow_table, is_pandas
from isthmus.errors import BadItem, NoData

if TYPE_CHECKING:
    import pandas as pd

ATTRS = b"PANDAS_ATTRS"
"""Where pandas looks for `attrs`."""
CANNOT = (pa.ArrowException, OSError, OverflowError, TypeError, ValueError)
"""What Arrow and pandas raise where a column has no place in a file."""


def through_parquet(frame: Any) -> tuple[pa.Table, tuple[Skipped, ...]]:
    """What a Parquet file of a frame gives back, and what of the frame that is not.

    Args:
        frame: a DataFrame of pandas or polars, a table of PyArrow, or anything else of columns.
    Raises:
        BadItem: a column that no Parquet file can hold.
        NoData: it has no columns.
    """
    lost: tuple[Skipped, ...] = ()
    if is_pandas(frame):
        table, lost = _of_pandas(frame)
    else:
        table = arrow_table(frame)
    if not table.num_columns:
        raise NoData("The frame has no columns. Give a table of at least one.")
    file = _file_of(table)
    kept = parquet.ParquetFile(pa.BufferReader(file)).read()
    if is_pandas(frame):
        return kept, (*lost, *_changes_of_frame(frame, _read_by_pandas(file)))
    return kept, tuple(_changes_of_types(table.schema, kept.schema))


def _of_pandas(frame: pd.DataFrame) -> tuple[pa.Table, tuple[Skipped, ...]]:
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise BadItem(f"Two columns of the frame are called {twice[0]!r}: give each a name of its own.")
    try:
        with _quietly():
            table = pa.Table.from_pandas(frame)
    except CANNOT as wrong:
        raise BadItem(_why_not(frame, wrong)) from wrong
    if not frame.attrs:
        return table, ()
    told, lost = _attrs(frame.attrs)
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **told}), lost


def _attrs(attrs: Mapping[Any, Any]) -> tuple[dict[bytes, str], tuple[Skipped, ...]]:
    """As pandas writes them, which is JSON."""
    try:
        text = json.dumps(attrs)
    except (TypeError, ValueError):
        return {}, (Skipped("the frame's attrs", "they cannot be written as JSON"),)
    changed = () if json.loads(text) == attrs else (Skipped("the frame's attrs", "JSON changes them"),)
    return {ATTRS: text}, changed


def _why_not(frame: pd.DataFrame, wrong: Exception) -> str:
    """A sentence on the first column that Arrow does not take, or on the index."""
    for place, name in enumerate(frame.columns):
        try:
            pa.Table.from_pandas(frame.iloc[:, [place]], preserve_index=False)
        except CANNOT as reason:
            column = frame.iloc[:, place]
            return f"The column {name!r} cannot be kept: {_kind_of(column, reason)}"
    index = frame.index
    told = f"{_in_line(wrong)}." if index.nlevels > 1 else _kind_of(index.to_series(), wrong)
    return f"The index cannot be kept: {told}"


def _kind_of(values: pd.Series, wrong: Exception) -> str:
    kinds = {type(value).__name__ for value in values.dropna()} if values.dtype == object else set()
    if len(kinds) > 1:
        return (
            f"it holds values of several types ({', '.join(sorted(kinds))}), and a column of a Parquet file "
            "holds one. Make them one type, as by astype(str)."
        )
    what = f"{kinds.pop()} objects" if kinds else f"dtype {values.dtype}"
    return f"Parquet does not know {what} ({_in_line(wrong)}). Convert the column, or leave it out."


def _in_line(wrong: Exception) -> str:
    """What a library says, as part of a sentence."""
    told = wrong.args[0] if wrong.args else wrong
    return str(told).strip().split("\n")[0].rstrip(".")


def _file_of(table: pa.Table) -> pa.Buffer:
    try:
        return _written(table)
    except CANNOT as wrong:
        raise BadItem(_not_written(table, wrong)) from wrong


def _written(table: pa.Table) -> pa.Buffer:
    file = pa.BufferOutputStream()
    parquet.write_table(table, file)
    return file.getvalue()


def _not_written(table: pa.Table, wrong: Exception) -> str:
    for place, name in enumerate(table.column_names):
        try:
            _written(table.select([place]))
        except CANNOT as reason:
            kind = table.schema.field(place).type
            return f"The column {name!r} of {kind} cannot be kept in a Parquet file: {_in_line(reason)}."
    return f"The table cannot be kept in a Parquet file: {_in_line(wrong)}."


def _read_by_pandas(file: pa.Buffer) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(io.BytesIO(file))
    except CANNOT as wrong:
        raise BadItem(
            f"pandas cannot read this frame from a Parquet file again: {_in_line(wrong)}. "
            "Give it as a table of PyArrow: pyarrow.Table.from_pandas(frame)."
        ) from wrong


def _changes_of_frame(frame: pd.DataFrame, back: pd.DataFrame) -> Iterator[Skipped]:
    """What pandas finds otherwise in the file."""
    if not _same_index(frame.columns, back.columns):
        yield Skipped("names of the columns", f"they come back as {_some(back.columns)}")
    if not _same_index(frame.index, back.index):
        yield Skipped("the index", f"it comes back as {_some(back.index)} ({back.index.dtype})")
    for place, name in enumerate(frame.columns):
        mine, theirs = frame.iloc[:, place], back.iloc[:, place]
        if mine.dtype != theirs.dtype:
            was, now = _dtypes(mine, theirs)
            yield Skipped(f"the type of the column {name!r}", f"{was} comes back as {now}")
        elif not _same_kinds(mine, theirs):
            yield Skipped(
                f"categories of the column {name!r}", "they come back otherwise from a Parquet file"
            )
        elif not _same_column(mine, theirs):
            yield Skipped(f"cells of the column {name!r}", "some come back otherwise from a Parquet file")


def _same_index(mine: pd.Index, theirs: pd.Index) -> bool:
    """All but a frequency, which pandas finds from the stamps."""
    kinds = [list(each.dtypes) if each.nlevels > 1 else [each.dtype] for each in (mine, theirs)]
    named = [*mine.names] == [*theirs.names] and kinds[0] == kinds[1]
    return named and _same_kinds(mine, theirs) and bool(mine.equals(theirs))


def _same_kinds(mine: Any, theirs: Any) -> bool:
    """The same categories in the same order, if any; types of unordered ones are equal in any order."""
    listed = [getattr(each.dtype, "categories", None) for each in (mine, theirs)]
    return listed[0] is None or bool(listed[0].equals(listed[1]))


def _same_column(mine: pd.Series, theirs: pd.Series) -> bool:
    if mine.dtype != object:
        return bool(mine.reset_index(drop=True).equals(theirs.reset_index(drop=True)))
    return all(map(_same_cell, mine.array, theirs.array))


def _same_cell(mine: Any, theirs: Any) -> bool:
    """A list may come back as an array, and NaN as None; but no set as a list, nor a dict with other keys."""
    import pandas as pd

    rows = (list, tuple, np.ndarray)
    if isinstance(mine, rows) and isinstance(theirs, rows):
        return len(mine) == len(theirs) and all(map(_same_cell, mine, theirs))
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return mine.keys() == theirs.keys() and all(_same_cell(mine[key], theirs[key]) for key in mine)
    if any(isinstance(each, (*rows, dict, set)) for each in (mine, theirs)):
        return False
    gaps = [bool(pd.isna(each)) for each in (mine, theirs)]
    return all(gaps) or (not any(gaps) and bool(mine == theirs))


@contextmanager
def _quietly() -> Iterator[None]:
    """Without warnings: what they tell is found here anyway, or, as of None in place of NaN, is nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _dtypes(*columns: pd.Series) -> list[str]:
    """For people, so that different ones look different."""
    shown = [str(column.dtype) for column in columns]
    if len(set(shown)) == 1:
        return [repr(column.dtype) for column in columns]
    kinds = [getattr(column.dtype, "categories", None) for column in columns]
    return [
        text if kind is None else f"category of {kind.dtype}" for text, kind in zip(shown, kinds, strict=True)
    ]


def _some(names: pd.Index) -> str:
    return ", ".join(map(repr, names[:3].tolist())) + (" …" if len(names) > 3 else "")


def _changes_of_types(before: pa.Schema, after: pa.Schema) -> Iterator[Skipped]:
    for was, now in zip(before, after, strict=True):
        if was.type != now.type:
            yield Skipped(f"the type of the column {was.name!r}", f"{was.type} comes back as {now.type}")
