"""Arrow's arrays of any type → what kind of column they are, and their cells."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from isthmus.data.tables.kinds import MOST_DIGITS, cells_of, column_of
from isthmus.data.tables.schema import Column, Notation
from isthmus.data.tables.table import Cells
from isthmus.data.tables.texts import PER_SECOND, SECONDS, bare, texts_of

STAMP = "%Y-%m-%d %H:%M:%S"
SECONDS_A_DAY = 86_400


def typed_column(
    name: str, values: pa.Array | pa.ChunkedArray, *, like: Column | None = None, decimal: str = "."
) -> Column:
    """The kind of column that holds these values; `like` and `decimal` as for `column_of`."""
    values = bare(values)
    kind = values.type
    if pa.types.is_boolean(kind):
        return Column(name=name, kind="boolean")
    if pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind):
        return Column(name=name, kind="date", format=_format(kind))
    if pa.types.is_duration(kind):
        return Column(name=name, kind="number", notation=Notation(suffix=SECONDS))
    if pa.types.is_integer(kind):
        return Column(name=name, kind="integer")
    if pa.types.is_decimal(kind) and kind.scale <= MOST_DIGITS:
        return Column(name=name, kind="decimal", digits=max(0, kind.scale))
    if pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        return Column(name=name, kind="number")
    return column_of(name, texts_of(values), like=like, decimal=decimal)


def typed_cells(column: Column, values: pa.Array) -> Cells:
    """The values of a column of that kind."""
    values = bare(values)
    numbers = _numbers(values) if column.is_numeric else None
    if numbers is None:
        return cells_of(column, texts_of(values))
    return Cells(column, numbers=numbers, written=values)


def _format(kind: pa.DataType) -> str:
    if pa.types.is_time(kind):
        return "%H:%M:%S"
    if pa.types.is_date(kind):
        return "%Y-%m-%d"
    return STAMP if kind.tz is None else f"{STAMP}+00:00"


def _numbers(values: pa.Array) -> np.ndarray | None:
    """float64, of stamps and durations seconds; NaN where nothing stands; None of what is no number."""
    kind = values.type
    if pa.types.is_date32(kind):
        return _floats(values.cast(pa.int32())) * SECONDS_A_DAY
    if pa.types.is_date64(kind):
        return _floats(values.cast(pa.int64())) / PER_SECOND["ms"]
    if pa.types.is_time32(kind):
        return _floats(values.cast(pa.int32())) / PER_SECOND[kind.unit]
    if pa.types.is_time64(kind) or pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        return _floats(values.cast(pa.int64())) / PER_SECOND[kind.unit]
    numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return _floats(values) if numbers else None


def _floats(values: pa.Array) -> np.ndarray:
    floats = pc.fill_null(values.cast(pa.float64(), safe=False), math.nan)
    return floats.to_numpy(zero_copy_only=False)
