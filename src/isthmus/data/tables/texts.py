"""Arrow's arrays of any type → texts: each cell as it stands there, to the last digit."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
SECONDS = " s"
"""Stands behind durations."""


def texts_of(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """large_string, null where nothing stands.

    >>> texts_of(pa.array([1.5, None, 3.0])).to_pylist(), texts_of(pa.array([b"a", b"\\xff"])).to_pylist()
    (['1.5', None, '3.0'], ['a', 'ff'])
    """
    values = bare(values)
    kind = values.type
    if pa.types.is_floating(kind):
        numbers = values.to_numpy(zero_copy_only=False)
        return pa.array(numbers.astype(str).tolist(), pa.large_string(), mask=np.isnan(numbers))
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        return _stamps(values)
    if pa.types.is_duration(kind):
        seconds = Decimal(1) / PER_SECOND[kind.unit]
        return _by(lambda count: f"{(count * seconds).normalize():f}{SECONDS}", values.cast(pa.int64()))
    if pa.types.is_fixed_size_binary(kind):
        return _by(bytes.hex, values)
    if pa.types.is_decimal(kind):
        return _by("{:f}".format, values)
    if is_bytes(kind):
        return _by(_text_or_hex, values)
    try:
        return values.cast(pa.large_string())
    except pa.ArrowNotImplementedError:  # lists, structs, maps, intervals
        return _nested(values)


def bare(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Without chunks, dictionaries, runs and extensions, which say in another way what the cells are."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        is_uuid = kind.extension_name == "arrow.uuid"
        return bare(_by(str, values) if is_uuid else values.storage)
    if pa.types.is_dictionary(kind):
        return bare(values.dictionary_decode())
    return bare(pc.run_end_decode(values)) if pa.types.is_run_end_encoded(kind) else values


def is_bytes(kind: pa.DataType) -> bool:
    """Whether its cells are bytes, of any length."""
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return any(test(kind) for test in tests)


def _by(text: Callable[[Any], str], values: pa.Array) -> pa.Array:
    cells = values.to_pylist()
    return pa.array([None if cell is None else text(cell) for cell in cells], pa.large_string())


def _text_or_hex(cell: bytes) -> str:
    """Files from before there were texts in Parquet hold them as bytes."""
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return cell.hex()


def _stamps(values: pa.Array) -> pa.Array:
    """As ISO 8601 has them, without a fraction that is 0."""
    try:
        texts = values.cast(pa.large_string())
    except pa.ArrowInvalid:  # a zone that this machine does not know
        texts = values.cast(pa.timestamp(values.type.unit, "UTC")).cast(pa.large_string())
    for pattern, by in (
        (r"\.0+(Z|[+-][0-9]{4})?$", r"\1"),
        ("Z$", "+0000"),
        (r"([+-][0-9]{2})([0-9]{2})$", r"\1:\2"),
    ):
        texts = pc.replace_substring_regex(texts, pattern, by)
    return texts


def _nested(values: pa.Array) -> pa.Array:
    try:
        return _by(str, values)
    except (OverflowError, ValueError):  # a stamp in it that Python has no date for
        each = (values.slice(row, 1) for row in range(len(values)))
        texts = [None if one.null_count else one.to_string(indent=0, skip_new_lines=True) for one in each]
        return pa.array(texts, pa.large_string())
