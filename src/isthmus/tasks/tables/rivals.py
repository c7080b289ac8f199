"""Columns ⇄ a Parquet file by zstd at its strongest: what a block of a table is measured against.

It also keeps columns that nobody takes apart, such as lists, where that takes fewer bytes than their stream.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from isthmus.coding.columns import Floats, Part, Whole, Words
from isthmus.errors import DamagedFile
from isthmus.tasks.tables.comparing import same_cells

if TYPE_CHECKING:
    import pyarrow as pa

LEVEL = 19
_KINDS: dict[str, Callable[[np.ndarray], Part]] = {"int64": Whole, "float": Floats, "double": Floats}


def to_parquet(parts: Sequence[Part]) -> bytes | None:
    """The columns as one file; None where a word is no Unicode."""
    import pyarrow as pa

    columns = []
    for part in parts:
        try:
            columns.append(pa.array(part.texts() if isinstance(part, Words) else part.values))
        except (UnicodeEncodeError, pa.ArrowException):
            return None
    return _file(pa.table(columns, names=[str(number) for number in range(len(columns))]), store_schema=False)


def parquet_bytes(table: pa.RecordBatch) -> int | None:
    """What a Parquet file takes of a table with types; None where it cannot hold it.

    What schemas say beside names and types is not counted: our archives have that beside their blocks.
    """
    import pyarrow as pa

    try:
        return len(_file(pa.Table.from_batches([table]).replace_schema_metadata(None), store_schema=False))
    except (pa.ArrowException, OSError):
        return None


def as_parquet(column: pa.Array) -> bytes | None:
    """A column of any type as a file; None where it would not come back to the last bit."""
    import pyarrow as pa

    from isthmus.data.tables import typed

    table = pa.table([column], names=["column"])
    try:
        for store_schema in (False, True):  # most types come back without it
            data = _file(table, store_schema=store_schema)
            if same_cells(typed.read_parquet(data), column):
                return data
    except (pa.ArrowException, OSError, ValueError):
        pass
    return None


def _file(table: pa.Table, *, store_schema: bool) -> bytes:
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd", compression_level=LEVEL, store_schema=store_schema)
    return file.getvalue()


def from_parquet(data: bytes) -> list[Part]:
    """Undo `to_parquet`; DamagedFile for what it does not write."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as wrong:
        raise DamagedFile(f"A block of a table cannot be read as Parquet: {wrong}.") from wrong
    parts: list[Part] = []
    for column in table.columns:
        if pa.types.is_string(column.type):
            parts.append(Words.of(column.to_pylist()))
        elif (kind := _KINDS.get(str(column.type))) is not None and column.null_count == 0:
            parts.append(kind(np.array(column.to_numpy())))
        else:
            raise DamagedFile(f"A block of a table holds {column.type}.")
    return parts
