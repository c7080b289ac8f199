"""A column of Arrow's types ⇄ whole numbers, words or floats, bit for bit.

A null, and of floats what is no decimal of few digits, is a mark.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from isthmus.data.tables.printing import MARK
from isthmus.errors import DamagedFile

INTEGERS, STORED, DECIMALS, FLOATS, STEPPED, TEXTS, OPAQUE, FILED = (
    "integers",
    "stored",
    "decimals",
    "floats",
    "stepped",
    "texts",
    "opaque",
    "filed",
)
"""What a column becomes; what is stored as a number but is no amount, such as a date, stands apart."""
MOST_FILED_BYTES = 1 << 30
MOST_DIGITS = 9
MOST_MARKS = 0.05
MOST_STRANGE = 0.25
"""Floats that are marks where the others are rounded, as a share of all: missing ones, mostly."""
"""Floats that are no decimals, as a share of all; more, and all are kept as floats."""


Kept = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Typed:
    """A column, taken apart; which of the fields there are depends on `way`."""

    way: str
    digits: int = 0
    """Of decimals."""
    marks: list[str] | None = None
    """Each row's text, or "" where it is a number, or null among texts."""
    numbers: np.ndarray | None = None
    """int64."""
    floats: np.ndarray | None = None
    opaque: bytes | None = None
    """An Arrow stream of the column alone; where it is "filed", a Parquet file of that."""
    step: float = 0.0
    """Of floats that were rounded to whole steps."""


def take_apart(
    column: pa.Array, like: tuple[str, int] | None = None, categories: pa.Array | None = None
) -> Typed:
    """A column of any type.

    Args:
        column: one chunk of it.
        like: the way and the digits of another chunk, which this one is to be like; None takes what suits.
        categories: all that the column lists, in their order, where its reader has them.

    >>> found = take_apart(pa.array([1.5, None, -0.25]))
    >>> found.way, found.digits, found.numbers.tolist(), found.marks
    ('decimals', 2, [150, 150, -25], ['', '!', ''])
    """
    kind = column.type
    if pa.types.is_dictionary(kind) and categories is not None and column.dictionary.equals(categories):
        column, kind = column.dictionary_decode(), kind.value_type
    if is_text(kind) and (texts := _texts(column)) is not None:
        return Typed(TEXTS, marks=["" if text is None else MARK + text for text in texts])
    nulls = column.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_float32(kind) or pa.types.is_float64(kind):
        return _floats(column, nulls, like)
    stored = _as_integers(column)
    if stored is None:
        return Typed(OPAQUE, opaque=stream_of(column))
    way = INTEGERS if pa.types.is_integer(kind) else STORED
    return Typed(way, marks=_null_marks(nulls), numbers=_filled(stored, nulls))


def put_together(typed: Typed, kind: pa.DataType, categories: pa.Array | None = None) -> pa.Array:
    """Undo `take_apart`, given the type and the categories.

    Raises:
        DamagedFile: they do not belong together.
    """
    try:
        if typed.way == TEXTS and pa.types.is_dictionary(kind):
            return _among(categories, _texts_back(typed, kind.value_type), kind)
        return _TOGETHER[typed.way](typed, kind)
    except (KeyError, TypeError, ValueError, pa.ArrowException) as wrong:
        raise DamagedFile(f"A column of {kind} is not told as one: {wrong}.") from wrong


def schema_bytes(schema: pa.Schema) -> bytes:
    """Arrow's own form of a schema, metadata included."""
    return schema.serialize().to_pybytes()


def read_schema(data: bytes) -> pa.Schema:
    """Undo `schema_bytes`."""
    try:
        return pa.ipc.read_schema(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as wrong:
        raise DamagedFile(f"The archive's table has no schema: {wrong}.") from wrong


def told_by_pandas(schema: pa.Schema) -> dict[str, Any]:
    """What pandas wrote into the metadata of a schema, so that it reads a frame again."""
    try:
        told = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def index_of(schema: pa.Schema) -> frozenset[str]:
    """The columns that are the index of a frame."""
    told = told_by_pandas(schema).get("index_columns", [])
    return (
        frozenset(name for name in told if isinstance(name, str)) if isinstance(told, list) else frozenset()
    )


def is_text(kind: pa.DataType) -> bool:
    """Whether its values are texts."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def is_amount(kind: pa.DataType) -> bool:
    """Whether its values are numbers that may be rounded."""
    return pa.types.is_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind)


def _texts(column: pa.Array) -> list[str | None] | None:
    """None where some are no Unicode, which Arrow does not look for when it reads a file."""
    try:
        return column.to_pylist()
    except UnicodeDecodeError:
        return None


def _null_marks(nulls: np.ndarray) -> list[str] | None:
    return [MARK if null else "" for null in nulls.tolist()] if nulls.any() else None


def _filled(numbers: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """The number before in place of what is none."""
    if not holes.any() or holes.all():
        return np.where(holes, 0, numbers)
    rows = np.where(holes, -1, np.arange(len(numbers)))
    rows = np.maximum.accumulate(rows)
    return numbers[np.where(rows < 0, np.argmin(holes), rows)]


def _as_integers(column: pa.Array) -> np.ndarray | None:
    """As Arrow stores them; None where 64 bits with a sign are no way to."""
    kind = column.type
    plain = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    if not (plain or pa.types.is_temporal(kind)) or pa.types.is_interval(kind):
        return None
    try:
        if pa.types.is_date32(kind) or pa.types.is_time32(kind):
            column = column.cast(pa.int32())
        elif pa.types.is_boolean(kind):
            column = column.cast(pa.int8())
        return pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    except pa.ArrowException:  # above 2**63
        return None


def _floats(column: pa.Array, nulls: np.ndarray, like: tuple[str, int] | None) -> Typed:
    values = pc.fill_null(column, 0.0).to_numpy(zero_copy_only=False)
    digits, numbers, exact = _decimals(values) if like is None else (like[1], *_scaled(values, like[1]))
    holes = ~exact | nulls
    if (~exact).mean() > MOST_MARKS if like is None else like[0] in (FLOATS, STEPPED):
        return Typed(FLOATS, marks=_null_marks(nulls), floats=values)
    if not holes.any():
        return Typed(DECIMALS, digits, numbers=numbers)
    marks = ["" if not hole else MARK if null else MARK + value.tobytes().hex()
             for hole, null, value in zip(holes.tolist(), nulls.tolist(), values, strict=True)]  # fmt: skip
    return Typed(DECIMALS, digits, marks, _filled(numbers, holes))


def _decimals(values: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """The fewest digits that make nearly all floats whole, the whole numbers, and which are exact."""
    best: tuple[int, np.ndarray, np.ndarray] = (
        0,
        np.zeros(len(values), np.int64),
        np.zeros(len(values), bool),
    )
    for digits in range(MOST_DIGITS + 1):
        numbers, exact = _scaled(values, digits)
        if exact.sum() > best[2].sum() or digits == 0:
            best = digits, numbers, exact
        if exact.mean() >= 1 - MOST_MARKS / 10:
            break
    return best


def _scaled(values: np.ndarray, digits: int) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.round(values.astype(np.float64) * 10.0**digits)
    usable = np.abs(scaled) < 2.0**50
    numbers = np.where(usable, scaled, 0).astype(np.int64)
    return numbers, usable & (
        _from_decimals(numbers, digits, values.dtype).view(f"u{values.itemsize}")
        == values.view(f"u{values.itemsize}")
    )


def _from_decimals(numbers: np.ndarray, digits: int, dtype: np.dtype) -> np.ndarray:
    # Both are whole numbers that float64 holds, so the division is rounded alike everywhere.
    return (numbers.astype(np.float64) / 10.0**digits).astype(dtype)


def stream_of(column: pa.Array) -> bytes:
    """A column alone as a stream of Arrow's."""
    sink = pa.BufferOutputStream()
    batch = pa.record_batch([column], ["column"])
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def _integers_back(typed: Typed, kind: pa.DataType) -> pa.Array:
    column = pa.array(typed.numbers, pa.int64(), mask=_mask(typed.marks))
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        return column.cast(pa.int32()).cast(kind)
    return column.cast(pa.int8()).cast(kind) if pa.types.is_boolean(kind) else column.cast(kind)


def _decimals_back(typed: Typed, kind: pa.DataType) -> pa.Array:
    dtype = np.dtype(kind.to_pandas_dtype())
    if typed.numbers is None:
        raise ValueError("it has no numbers")
    values = _from_decimals(typed.numbers, typed.digits, dtype)
    for row, mark in enumerate(typed.marks or ()):
        if len(mark) > len(MARK):
            values[row] = np.frombuffer(bytes.fromhex(mark[len(MARK) :]), dtype)[0]
    nulls = None if typed.marks is None else np.array([mark == MARK for mark in typed.marks])
    return pa.array(values, kind, mask=nulls, from_pandas=False)


def stepped(floats: np.ndarray, marks: list[str] | None, step: float, kept: Kept) -> Typed | None:
    """Floats as whole steps; what these would not keep within the bound is a mark. None: too many would be.

    Args:
        floats: of the column; what is finite has a magnitude of fewer than 2**52 steps.
        marks: of its nulls, or None.
        step: a little less than twice the bound.
        kept: which restored floats are near enough to their originals.
    """
    usable = np.where(np.isfinite(floats), floats, 0).astype(np.float64)
    numbers = np.rint(usable / step).astype(np.int64)
    nulls = np.zeros(len(floats), bool) if marks is None else np.array([bool(mark) for mark in marks])
    odd = ~kept(floats, _from_steps(numbers, step, floats.dtype)) & ~nulls
    if odd.mean() > MOST_STRANGE:
        return None
    holes = odd | nulls
    told = None
    if holes.any():
        told = [""] * len(floats)
        for row in np.flatnonzero(holes).tolist():
            told[row] = MARK if nulls[row] else MARK + floats[row].tobytes().hex()
    return Typed(STEPPED, 0, told, _filled(numbers, holes), step=step)


def floats_of(typed: Typed, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """The floats of a column of steps, and which are null; what stands there is anything."""
    if typed.numbers is None:
        raise ValueError("it has no numbers")
    values = _from_steps(typed.numbers, typed.step, dtype)
    nulls = np.zeros(len(values), bool)
    for row, mark in enumerate(typed.marks or ()):
        if mark:
            nulls[row] = mark == MARK
            values[row] = 0 if mark == MARK else np.frombuffer(bytes.fromhex(mark[len(MARK) :]), dtype)[0]
    return values, nulls


def _from_steps(numbers: np.ndarray, step: float, dtype: np.dtype) -> np.ndarray:
    with np.errstate(over="ignore"):
        return (numbers.astype(np.float64) * step).astype(dtype)


def _stepped_back(typed: Typed, kind: pa.DataType) -> pa.Array:
    values, nulls = floats_of(typed, np.dtype(kind.to_pandas_dtype()))
    return pa.array(values, kind, mask=nulls if typed.marks is not None else None, from_pandas=False)


def _floats_back(typed: Typed, kind: pa.DataType) -> pa.Array:
    return pa.array(typed.floats, kind, mask=_mask(typed.marks), from_pandas=False)


def _texts_back(typed: Typed, kind: pa.DataType) -> pa.Array:
    texts = [mark[len(MARK) :] if mark else None for mark in typed.marks or ()]
    return pa.array(texts, kind)


def _among(categories: pa.Array | None, texts: pa.Array, kind: pa.DataType) -> pa.Array:
    if categories is None:
        raise ValueError("its categories are missing")
    wide = pa.large_string()  # which `index_in` takes, unlike views
    places = pc.index_in(texts.cast(wide), value_set=categories.cast(wide))
    if places.null_count != texts.null_count:
        raise ValueError("it holds what is none of its categories")
    return pa.DictionaryArray.from_arrays(
        places.cast(kind.index_type), categories.cast(kind.value_type), ordered=kind.ordered
    )


def read_parquet(data: bytes) -> pa.Array:
    """The column of a Parquet file that has one."""
    with parquet.ParquetFile(pa.BufferReader(data)) as file:
        facts = file.metadata
        size = sum(facts.row_group(number).total_byte_size for number in range(facts.num_row_groups))
        if size > MOST_FILED_BYTES:
            raise ValueError(f"it says that it takes {size:,} bytes")
        return file.read().column(0).combine_chunks()


def _read_stream(data: bytes) -> pa.Array:
    with pa.ipc.open_stream(pa.BufferReader(data)) as reader:
        return reader.read_all().column(0).combine_chunks()


def _opaque_back(typed: Typed, kind: pa.DataType) -> pa.Array:
    if typed.opaque is None:
        raise ValueError("it has no bytes")
    column = (read_parquet if typed.way == FILED else _read_stream)(typed.opaque)
    if column.type != kind:
        raise ValueError(f"it holds {column.type}")
    return column


def _mask(marks: Sequence[str] | None) -> np.ndarray | None:
    return None if marks is None else np.array([bool(mark) for mark in marks], bool)


_TOGETHER: Mapping[str, Callable[[Typed, pa.DataType], pa.Array]] = {
    INTEGERS: _integers_back,
    STORED: _integers_back,
    DECIMALS: _decimals_back,
    FLOATS: _floats_back,
    STEPPED: _stepped_back,
    TEXTS: _texts_back,
    OPAQUE: _opaque_back,
    FILED: _opaque_back,
}
