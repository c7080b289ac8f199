"""Typed tables → Table: Parquet, Arrow, JSON lines, DataFrames of pandas, polars and others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from isthmus.data.source import Skipped
from isthmus.data.tables.kinds import cells_of, column_of
from isthmus.data.tables.schema import Column
from isthmus.data.tables.table import Cells
from isthmus.errors import BadItem

ROWS = 1 << 16
"""Of one batch."""
MOST_BLOCK_BYTES = 1 << 28
"""Of JSON lines, parsed at once."""
STAMP = "%Y-%m-%d %H:%M:%S"


def batches_of(path: Path) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet, Arrow or JSON-lines file in batches.

    Raises:
        BadItem: it is no such file, or not whole.
    """
    with reading(path):
        yield from _BATCHES[path.suffix.lower()](path)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say in one sentence what Arrow has against a file."""
    try:
        yield
    except (pa.ArrowException, OSError) as wrong:
        told = str(wrong).strip().split("\n")[0].rstrip(".")
        raise BadItem(f"{path} cannot be read as {path.suffix[1:]}: {told}.") from wrong


def _parquet(path: Path) -> Iterator[pa.RecordBatch]:
    from isthmus.data.tables.int96 import open_parquet

    with open_parquet(path) as file:
        yield from file.iter_batches(ROWS)


def _arrow(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(path)) as file:
        try:
            reader = pa.ipc.open_file(file)
        except pa.ArrowInvalid:
            file.seek(0)
            yield from pa.ipc.open_stream(file)
            return
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def _lines(path: Path) -> Iterator[pa.RecordBatch]:
    from pyarrow import json

    # The longest line must fit into a block; the whole table is in memory anyway.
    size = max(1 << 20, min(path.stat().st_size + 1, MOST_BLOCK_BYTES))
    yield from json.read_json(path, json.ReadOptions(block_size=size)).to_batches(ROWS)


_BATCHES = {
    ".parquet": _parquet,
    ".pq": _parquet,
    ".arrow": _arrow,
    ".feather": _arrow,
    ".jsonl": _lines,
    ".ndjson": _lines,
}


def is_pandas(frame: Any) -> bool:
    """Whether it is a DataFrame of pandas, or a kind of one."""
    return any(
        (each.__module__.partition(".")[0], each.__name__) == ("pandas", "DataFrame")
        for each in type(frame).__mro__
    )


def arrow_table(frame: Any) -> pa.Table:
    """A table in memory that is not of pandas, as PyArrow's.

    Raises:
        BadItem: it is no table.
    """
    if isinstance(frame, pa.Table):
        return frame
    try:
        if isinstance(frame, pa.RecordBatch):
            return pa.Table.from_batches([frame])
        if hasattr(frame, "__arrow_c_stream__"):
            return pa.table(frame)
        from pyarrow.interchange import from_dataframe

        return from_dataframe(frame)
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError) as wrong:
        raise _no_table(frame) from wrong


def as_arrow(frame: Any) -> tuple[pa.Table, tuple[Skipped, ...]]:
    """A table in memory as PyArrow's, to be looked at; and what is not looked at, an index of pandas.

    Cells that Arrow has no type for, and columns of several types, become texts.
    """
    if not is_pandas(frame):
        return arrow_table(frame), ()
    columns = [_as_column(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return pa.table(columns, names=[*map(str, frame.columns)]), _index_of(frame)


def _as_column(values: Any) -> pa.Array:
    import pandas as pd

    if isinstance(values.dtype, pd.SparseDtype):
        values = values.sparse.to_dense()
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        gaps = values.isna()
        return pa.array(
            [None if gap else str(v) for v, gap in zip(values, gaps, strict=True)], pa.large_string()
        )


def _index_of(frame: Any) -> tuple[Skipped, ...]:
    """An index that says more than the number of a row."""
    index = frame.index
    if type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1:
        return ()
    names = ", ".join(repr(name) for name in index.names if name is not None)
    return (Skipped(f"the index {names}".strip(), "not looked at; reset_index() makes it a column"),)


def _no_table(frame: Any) -> BadItem:
    kind = f"{type(frame).__module__.partition('.')[0]}'s {type(frame).__name__}"
    return BadItem(
        f"{kind} is no table of columns: give a DataFrame of pandas or polars, or a PyArrow table."
    )


def typed_column(name: str, values: pa.ChunkedArray) -> Column:
    """The kind of column that holds these values."""
    kind = values.type
    if pa.types.is_boolean(kind):
        return Column(name=name, kind="boolean")
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        return Column(name=name, kind="date", format=STAMP)
    if pa.types.is_integer(kind):
        return Column(name=name, kind="integer")
    if pa.types.is_decimal(kind):
        return Column(name=name, kind="decimal", digits=max(0, kind.scale))
    if pa.types.is_floating(kind) or pa.types.is_duration(kind):
        return Column(name=name, kind="number")
    return column_of(name, _texts(values))


def typed_cells(column: Column, values: pa.ChunkedArray) -> Cells:
    """The values of a column of that kind."""
    kind = values.type
    if column.is_numeric and not _is_worded(kind):
        return Cells(column, numbers=_numbers(values))
    return cells_of(column, _texts(values))


def _is_worded(kind: pa.DataType) -> bool:
    plain = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_dictionary)
    return any(of(kind) for of in plain) or pa.types.is_nested(kind) or pa.types.is_binary(kind)


def _numbers(values: pa.ChunkedArray) -> np.ndarray:
    kind = values.type
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        if pa.types.is_time(kind):
            seconds = values.cast(pa.time64("us")).cast(pa.int64())
        else:
            seconds = values.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        values = pc.divide(seconds.cast(pa.float64()), 1e6)
    elif pa.types.is_duration(kind):
        values = values.cast(pa.int64())
    return pc.fill_null(values.cast(pa.float64(), safe=False), math.nan).to_numpy()


def _texts(values: pa.ChunkedArray) -> pa.Array:
    kind = values.type
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
    if pa.types.is_nested(kind) or pa.types.is_null(kind) or pa.types.is_binary(kind):
        told = [None if value is None else str(value) for value in values.to_pylist()]
        return pa.array(told, pa.large_string())
    return values.cast(pa.large_string())
