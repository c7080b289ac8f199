"""Typed tables → Arrow's batches: Parquet, Arrow, JSON lines, DataFrames of pandas, polars and others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from isthmus.data.source import Skipped
from isthmus.errors import BadItem

ROWS = 1 << 16
"""Of one batch."""
MOST_BLOCK_BYTES = 1 << 28
"""Of JSON lines, parsed at once."""


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
    blocks = json.ReadOptions(block_size=size)
    table = json.read_json(path, blocks)
    stamps = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    if stamps:  # PyArrow takes texts for stamps; they are to stand as they are written
        texts = pa.schema([(name, pa.large_string()) for name in stamps])
        table = json.read_json(path, blocks, json.ParseOptions(explicit_schema=texts))
    yield from table.to_batches(ROWS)


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
