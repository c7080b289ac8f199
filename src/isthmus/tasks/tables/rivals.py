"""Columns ⇄ a Parquet file by zstd at its strongest: what a block of a table is measured against."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np

from isthmus.coding.columns import Floats, Part, Whole, Words
from isthmus.errors import DamagedFile

LEVEL = 19
_KINDS: dict[str, Callable[[np.ndarray], Part]] = {"int64": Whole, "float": Floats, "double": Floats}


def to_parquet(parts: Sequence[Part]) -> bytes | None:
    """The columns as one file; None where a word is no Unicode."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = []
    for part in parts:
        try:
            columns.append(pa.array(part.texts() if isinstance(part, Words) else part.values))
        except (UnicodeEncodeError, pa.ArrowException):
            return None
    table = pa.table(columns, names=[str(number) for number in range(len(columns))])
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd", compression_level=LEVEL)
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
