"""Rows of a table ⇄ the payload of a block; numbers may be rounded within a bound for their column.

A payload begins with its head, a sized zstd of JSON: how each column is printed or stored, and the
rows that are not written like the others. Then come columns that are opaque, each sized, and the
block of all others. Rows whose text as it stands takes fewer bytes are their number and that text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import zstandard

from isthmus.coding.columns import Floats, Part, Whole, Words, decode_block, encode_block
from isthmus.coding.columns.lists import pack, unpack
from isthmus.coding.squeeze import expand, squeeze
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.data.tables import printing
from isthmus.errors import DamagedFile
from isthmus.limits import DEFAULT_LIMITS, Limits
from isthmus.tasks.tables.rivals import from_parquet, parquet_bytes, to_parquet
from isthmus.tasks.tables.rows import FIELDS, Rows, Taken, head_bytes, on_grid

if TYPE_CHECKING:
    import pyarrow as pa

FILED = "filed"
"""How a column of a table with types is kept that is opaque: as `typed.FILED` says, which needs PyArrow."""
MOST_HEAD_BYTES = 1 << 28
MOST_OPAQUE_BYTES = 1 << 30
MOST_TEXT_BYTES = 1 << 28
CELL_BYTES = 32
"""That a cell takes in memory while it is decoded, about."""
COLUMNS, SERIES, PARQUET, TEXT = "columns", "series", "parquet", "text"
"""Plans of a block."""
SMALL_BYTES = 1 << 18
"""Of a text that always competes with its columns. A larger one takes seconds, and does so where …"""
QUICK_LEVEL, PROMISING = 9, 0.5
"""… columns take more than this share of what zstd makes of it at this level; xz takes 0.6 to 1 of that."""


@dataclass(frozen=True)
class CodedRows:
    """The payload of a block of rows."""

    rows: int
    plan: str
    payload: bytes
    coders: Sequence[Mapping[str, int]]
    """Of each column: the bytes of it that each coder wrote, about."""
    parquet_bytes: int | None
    """Had Parquet and zstd coded the rows; None where they cannot."""
    crc: int
    """Of the rows as a reader will have them."""


def encode_rows(
    rows: Rows, known: Rows | None = None, *, text: bytes | None = None, table: pa.RecordBatch | None = None
) -> CodedRows:
    """Rows → a payload, by whichever plan takes fewer bytes.

    Args:
        rows: taken apart, or `text` alone.
        known: rows of the same columns that the reader has already.
        text: the rows as they stand, where a reader may get them so.
        table: the rows as Arrow has them, where they have types.
    """
    if rows.text is not None:
        return _text_coded(rows.text, rows)
    coded = _columns_coded(rows, known)
    if table is not None:
        return replace(coded, parquet_bytes=parquet_bytes(table))
    if text is None or not _may_be_smaller(text, len(coded.payload)):
        return coded
    whole = _text_coded(text, rows)
    smaller = whole if len(whole.payload) < len(coded.payload) else coded
    return replace(smaller, parquet_bytes=coded.parquet_bytes)


def _text_coded(text: bytes, rows: Rows) -> CodedRows:
    payload, plain = write_varint(rows.count) + pack([text]), Rows(rows.count, [], text=text)
    coders = [{TEXT: len(payload) // len(rows.columns)} for _ in rows.columns]
    return CodedRows(rows.count, TEXT, payload, coders, None, plain.crc())


def _may_be_smaller(text: bytes, most: int) -> bool:
    """Whether the best of zstd and xz is worth its time."""
    if len(text) <= SMALL_BYTES:
        return True
    how = zstandard.ZstdCompressionParameters.from_level(QUICK_LEVEL, enable_ldm=True, window_log=23)
    return PROMISING * len(zstandard.ZstdCompressor(compression_params=how).compress(text)) < most


def _columns_coded(rows: Rows, known: Rows | None) -> CodedRows:
    rows, known_parts = _alike(rows, known)
    opaque = [
        (column.head.get("way"), squeeze(column.opaque))
        for column in rows.columns
        if column.opaque is not None
    ]
    sized = [squeeze(head_bytes(rows)), *(data for _, data in opaque)]
    start = b"".join(write_varint(len(data)) + data for data in sized)
    parts = [part for column in rows.columns for part in _on_places(column).parts()]
    sizes = iter(opaque)
    coders = [{} if column.opaque is None else _opaque_coder(*next(sizes)) for column in rows.columns]
    # What no Parquet file of columns can hold, it would have beside them.
    beside = len(squeeze(json.dumps(rows.odd).encode())) if rows.odd else 0
    if not parts or not len(parts[0]):
        return CodedRows(rows.count, COLUMNS, start, coders, beside, rows.crc())
    block, rival = encode_block(parts, known_parts), to_parquet(parts)
    alone = None if rival is None else len(rival) + beside
    is_newer = any("step" in c.head or c.head.get("zeros") == printing.SINGLE for c in rows.columns)
    if rival is not None and not is_newer and len(rival) < len(block.payload):
        each = len(rival) // len(rows.columns)
        coders = [told or {PARQUET: each} for told in coders]
        return CodedRows(rows.count, PARQUET, start + rival, coders, alone, rows.crc())
    found = zip(block.coder_of, block.bytes_of, strict=True)
    for column, told in zip(rows.columns, coders, strict=True):
        for name, size in islice(found, len(column.parts())):
            told[name] = told.get(name, 0) + size
    plan = SERIES if block.has_series or is_newer else COLUMNS
    return CodedRows(rows.count, plan, start + block.payload, coders, alone, rows.crc())


def _opaque_coder(way: Any, data: bytes) -> dict[str, int]:
    return {PARQUET if way == FILED else "zstd": len(data)}


def decode_rows(
    plan: str, payload: bytes, known: Rows | None = None, *, limits: Limits = DEFAULT_LIMITS
) -> Rows:
    """Undo `encode_rows`.

    Raises:
        DamagedFile: the bytes are no such rows.
        TooLarge: they would take more than `limits` allow.
    """
    if plan == TEXT:
        return _read_text(payload, limits)
    if plan not in (COLUMNS, SERIES, PARQUET):
        raise DamagedFile(
            "A block is coded in a way this version does not know. Update with `pip install -U isthmus`."
        )
    fields = ByteReader(payload, "A block of a table")
    count, heads, odd, is_bare = _read_head(fields.sized())
    limits.require("block_bytes", CELL_BYTES * count * len(heads), "A block of a table")
    opaque = [
        expand(fields.sized(), MOST_OPAQUE_BYTES, "An opaque column") if "opaque" in told else None
        for _, told in heads
    ]
    regular = count - len(odd)
    wanted = [told for _, told in heads]
    rest = fields.rest()
    parts: Iterator[Part] = iter(())
    if regular and any(told for told in wanted if set(told) & set(FIELDS)):
        before = None if known is None else _known_parts(known, wanted)
        parts = iter(from_parquet(rest) if plan == PARQUET else decode_block(rest, before))
    columns = []
    for (head, told), blob in zip(heads, opaque, strict=True):
        columns.append(_off_places(_read_taken(head, told, blob, parts, regular)))
    if next(parts, None) is not None or any(len(part) != regular for c in columns for part in c.parts()):
        raise DamagedFile("A block of a table has other columns than it says.")
    return Rows(count, columns, odd, is_bare)


def _read_text(payload: bytes, limits: Limits) -> Rows:
    fields = ByteReader(payload, "A block of a table")
    count = fields.varint()
    (text,) = unpack(fields.rest(), 1, most=min(MOST_TEXT_BYTES, limits.block_bytes))
    return Rows(count, [], text=text)


def _alike(rows: Rows, known: Rows | None) -> tuple[Rows, list[Part] | None]:
    """Both with the same parts: no marks are a mark for each row that says nothing."""
    if known is None:
        return rows, None
    pairs = zip(rows.columns, known.columns, strict=True)
    columns = [column if old.marks is None else column.marked() for column, old in pairs]
    rows = replace(rows, columns=columns)
    return rows, _known_parts(known, [column.told() for column in columns])


def _known_parts(known: Rows, wanted: Sequence[Sequence[str]]) -> list[Part]:
    parts: list[Part] = []
    for column, told in zip(known.columns, wanted, strict=True):
        parts += (column.marked() if "marks" in told else replace(column, marks=None)).parts()
    return parts


def _on_places(column: Taken) -> Taken:
    """The numbers of a grid as their places."""
    if "grid" not in column.head or column.numbers is None:
        return column
    low, width, _ = column.head["grid"]
    return replace(column, numbers=-((low - column.numbers) // width))


def _off_places(column: Taken) -> Taken:
    if "grid" not in column.head or column.numbers is None:
        return column
    grid = column.head["grid"]
    if not (
        isinstance(grid, list) and len(grid) == 3 and all(type(g) is int and abs(g) < 2**62 for g in grid)
    ):
        raise DamagedFile("A column of a table was rounded in a way that cannot be.")
    low, width, high = grid
    limit = (high - low) // max(1, width) + 1
    if width < 1 or (len(column.numbers) and not 0 <= column.numbers.min() <= column.numbers.max() <= limit):
        raise DamagedFile("A column of a table was rounded in a way that cannot be.")
    return replace(column, numbers=on_grid(column.numbers, low, width, high))


def _read_head(
    data: bytes,
) -> tuple[int, list[tuple[dict[str, Any], list[str]]], list[tuple[int, str]], bool]:
    try:
        values = json.loads(expand(data, MOST_HEAD_BYTES, "The head of a block of a table"))
        heads = [(dict(head), [str(name) for name in told]) for head, told in values["columns"]]
        odd = [(int(place), str(text)) for place, text in values["odd"]]
        count, is_bare = int(values["rows"]), bool(values["bare"])
    except (ValueError, KeyError, TypeError) as wrong:
        raise DamagedFile(f"The head of a block of a table cannot be read: {wrong}.") from wrong
    places = [place for place, _ in odd]
    if not (places == sorted(set(places)) and len(odd) <= count and all(0 <= p < count for p in places)):
        raise DamagedFile("A block of a table has rows where none can be.")
    return count, heads, odd, is_bare


def _read_taken(
    head: dict[str, Any], told: Sequence[str], opaque: bytes | None, parts: Iterator[Part], regular: int
) -> Taken:
    found: dict[str, Any] = {}
    kinds: dict[str, type[Words | Whole | Floats]] = {"marks": Words, "numbers": Whole, "floats": Floats}
    for name in FIELDS:
        if name not in told:
            continue
        part = next(parts, None) if regular else _NONE[name]
        if not isinstance(part, kinds[name]):
            raise DamagedFile("A block of a table has other columns than it says.")
        found[name] = part.texts() if isinstance(part, Words) else part.values
    return Taken(head, opaque=opaque, **found)


_NONE: Mapping[str, Part] = {
    "marks": Words((), np.zeros(0, np.int64)),
    "numbers": Whole(np.zeros(0, np.int64)),
    "floats": Floats(np.zeros(0)),
}
