"""Parquet's old stamps of 96 bits: days and nanoseconds, which reach further than nanoseconds of 64 bits.

PyArrow reads them as nanoseconds unless it is told otherwise, and 9999-12-31 comes out as a day of 1816.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from isthmus.errors import BadItem

MOST_US = (1 << 63) // 1000 - 1
"""Microseconds since 1970 that 64 bits hold as nanoseconds."""


def open_parquet(path: Path) -> parquet.ParquetFile:
    """A Parquet file, whose stamps of 96 bits are read in a unit that holds them all.

    Raises:
        BadItem: no unit does.
    """
    facts = path.stat()
    return parquet.ParquetFile(
        path, coerce_int96_timestamp_unit=_unit(path, facts.st_mtime_ns, facts.st_size)
    )


@lru_cache(maxsize=64)
def _unit(path: Path, changed_ns: int, size: int) -> str:
    """Nanoseconds where these reach, else microseconds; found once for each state of a file."""
    with (
        parquet.ParquetFile(path) as fine,
        parquet.ParquetFile(path, coerce_int96_timestamp_unit="us") as coarse,
    ):
        leaves = [fine.schema.column(number) for number in range(len(fine.schema))]
        names = [leaf.path for leaf in leaves if leaf.physical_type == "INT96"]
        if not names:
            return "ns"
        batches = [map(_stamps, file.iter_batches(columns=names)) for file in (fine, coarse)]
        found = [_compared(*pair) for pair in zip(*batches, strict=True)]
    are_far, are_fine = any(far for far, _ in found), any(fine for _, fine in found)
    if are_far and are_fine:
        raise BadItem(
            f"{path} holds stamps of 96 bits beyond the year 2262 and others of single nanoseconds: no "
            "type of Arrow holds both. Write it again with stamps of 64 bits."
        )
    return "us" if are_far else "ns"


def _stamps(batch: pa.RecordBatch) -> pa.Array:
    """All stamps of some columns, however nested, as whole numbers."""
    found = [leaf for column in batch.columns for leaf in _leaves(column)]
    return pa.concat_arrays([pa.array([], pa.int64()), *(leaf.cast(pa.int64()) for leaf in found)])


def _leaves(column: pa.Array) -> list[pa.Array]:
    if pa.types.is_timestamp(column.type):
        return [column]
    inner = column.flatten() if hasattr(column, "flatten") else []
    return [leaf for each in (inner if isinstance(inner, list) else [inner]) for leaf in _leaves(each)]


def _compared(fine: pa.Array, coarse: pa.Array) -> tuple[bool, bool]:
    """Whether some are out of reach of nanoseconds, and whether others say more than microseconds do."""
    near = pc.less_equal(pc.abs(coarse), MOST_US)
    says_more = pc.and_(near, pc.not_equal(fine, pc.multiply(pc.if_else(near, coarse, 0), 1000)))
    return bool(pc.any(pc.invert(near)).as_py()), bool(pc.any(says_more).as_py())
