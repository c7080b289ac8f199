"""Rows of a table ⇄ the payload of a block; numbers may be rounded within a bound for their column.

A payload begins with its head, a sized zstd of JSON: how each column is printed or stored, and the
rows that are not written like the others. Then come columns that are opaque, each sized, and the
block of all others.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from isthmus.coding.columns import Floats, Part, Whole, Words, decode_block, encode_block
from isthmus.coding.columns.lists import words_to_bytes
from isthmus.coding.squeeze import expand, squeeze
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.data.tables import printing
from isthmus.data.tables.lines import Chunk
from isthmus.errors import DamagedFile
from isthmus.limits import DEFAULT_LIMITS, Limits
from isthmus.tasks.compressed import Winner
from isthmus.tasks.tables.rivals import from_parquet, to_parquet

if TYPE_CHECKING:
    import pyarrow as pa

MOST_HEAD_BYTES = 1 << 28
ROUNDED = ("grid", "loose", "printed", "slack")
"""What a head says of how numbers of text were rounded, besides how they are printed."""
NEWER = ("loose", "printed", "slack", "step")
"""Of a head: what versions that only know the plans before `series` cannot read."""
COLUMNS, SERIES, PARQUET = "columns", "series", "parquet"
"""Plans of a block."""
AMOUNTS = (printing.NUMBER, "integers", "decimals")
"""What a column with numbers is called where these may be rounded."""
CELL_BYTES = 32
"""That a cell takes in memory while it is decoded, about."""
FIELDS = ("marks", "numbers", "floats")
"""What a column may be taken apart into, in the order in which a block has it."""


@dataclass(frozen=True)
class Taken:
    """A column, taken apart; `head` says how to put it together."""

    head: dict[str, Any]
    marks: list[str] | None = None
    numbers: np.ndarray | None = None
    floats: np.ndarray | None = None
    opaque: bytes | None = None
    float_bytes: int = 0
    """Of the floats that its decimals stand for; not kept."""

    def extremes(self) -> list[Fraction]:
        """The least and the greatest of its numbers, where it has some that are amounts."""
        if self.floats is not None:
            finite = self.floats[np.isfinite(self.floats)]
            return [Fraction(float(each)) for each in (finite.min(), finite.max())] if len(finite) else []
        if self.is_words and self.marks:
            return printing.extremes(self.marks)
        if self.numbers is None or not len(self.numbers) or not self.is_amount:
            return []
        unit = 10 ** int(self.head.get("digits", 0))
        return [Fraction(int(each), unit) for each in (self.numbers.min(), self.numbers.max())]

    @property
    def is_words(self) -> bool:
        """Whether it is one of texts alone, in a file of text."""
        return "way" not in self.head and self.head.get("kind", printing.WORDS) == printing.WORDS

    @property
    def is_amount(self) -> bool:
        """Whether its numbers are amounts, not dates."""
        kind = self.head.get("kind", self.head.get("way"))
        return self.numbers is not None and kind in AMOUNTS

    def take(self, at: np.ndarray) -> Taken:
        """Some rows; what is opaque stays behind."""
        marks = None if self.marks is None else [self.marks[row] for row in at.tolist()]
        numbers, floats = (None if a is None else a[at] for a in (self.numbers, self.floats))
        return replace(self, marks=marks, numbers=numbers, floats=floats, opaque=None)

    def parts(self) -> list[Part]:
        """What the block has of it."""
        found: list[Part] = []
        if self.marks is not None:
            found.append(Words.of(self.marks))
        if self.numbers is not None:
            found.append(Whole(self.numbers))
        if self.floats is not None:
            found.append(Floats(self.floats))
        return found


@dataclass(frozen=True)
class Rows:
    """Some rows of a table, taken apart."""

    count: int
    """Of all rows, odd ones too."""
    columns: list[Taken]
    odd: list[tuple[int, str]] = field(default_factory=list)
    is_bare: bool = False

    def stretches(self, most: int, count: int = 8) -> Rows:
        """Those written like the others, or so many of them, in stretches of neighbours."""
        regular = self.count - len(self.odd)
        if regular <= most:
            return replace(self, count=regular, odd=[], is_bare=False)
        starts = np.linspace(0, regular - most // count, count).astype(np.int64)
        at = (starts[:, None] + np.arange(most // count)).ravel()
        return Rows(len(at), [column.take(at) for column in self.columns])

    def nbytes(self) -> int:
        """About what the rows take in memory."""
        return sum(
            sum(map(len, column.marks or ()))
            + sum(a.nbytes for a in (column.numbers, column.floats) if a is not None)
            for column in self.columns
        )

    def crc(self) -> int:
        """CRC-32 of all that the rows say, told apart as the columns are."""
        crc = zlib.crc32(_head_bytes(self))
        for column in self.columns:
            for part in column.parts():
                data = words_to_bytes(part.texts()) if isinstance(part, Words) else _little(part.values)
                crc = zlib.crc32(data, crc)
            crc = zlib.crc32(column.opaque or b"", crc)
        return crc


def _little(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()


def from_lines(chunk: Chunk, like: Rows | None = None) -> Rows:
    """Rows of text → taken apart, in the styles of other rows or in those that suit."""
    columns = []
    for place, texts in enumerate(chunk.columns):
        columns.append(_from_texts(texts, None if like is None else like.columns[place]))
    return Rows(len(chunk), columns, chunk.odd, chunk.is_bare)


def _from_texts(texts: list[str], like: Taken | None) -> Taken:
    """As another column was taken apart before it was rounded, if one is given."""
    if like is None:
        found = printing.take_apart(texts)
    elif "loose" in like.head:
        found = printing.loosely(texts, style_of(like).digits)
    elif "printed" in like.head:
        style, digits = printing.Style.from_dict(like.head["printed"]), style_of(like).digits
        found = printing.take_apart(texts, style)
        if found.numbers is not None and style.digits < digits:
            found = replace(found, numbers=found.numbers * 10 ** (digits - style.digits))
    else:
        found = printing.take_apart(texts, style_of(like))
    return Taken(found.style.to_dict(), found.marks, found.numbers)


def to_lines(rows: Rows) -> Chunk:
    """Undo `from_lines`."""
    columns = [printing.put_together(style_of(c), c.marks, c.numbers) for c in rows.columns]
    return Chunk(columns, rows.odd, rows.is_bare)


def style_of(column: Taken) -> printing.Style:
    """How a column of text is printed."""
    told = {key: value for key, value in column.head.items() if key not in ROUNDED}
    return printing.Style.from_dict(told)


def from_batch(batch: pa.RecordBatch, like: Rows | None = None) -> Rows:
    """Rows of Arrow's types → taken apart, by the ways of other rows or by those that suit."""
    from isthmus.data.tables import typed

    columns = []
    for place, values in enumerate(batch.columns):
        head = None if like is None else like.columns[place].head
        found = typed.take_apart(values, None if head is None else (head["way"], head.get("digits", 0)))
        head = {"way": found.way} | ({"digits": found.digits} if found.digits else {})
        size = values.type.bit_width // 8 if found.way == typed.DECIMALS else 0
        columns.append(Taken(head, found.marks, found.numbers, found.floats, found.opaque, size))
    return Rows(len(batch), columns)


def to_batch(rows: Rows, schema: pa.Schema) -> pa.RecordBatch:
    """Undo `from_batch`."""
    import pyarrow as pa

    from isthmus.data.tables import typed

    if len(rows.columns) != len(schema):
        raise DamagedFile("A block of a table has not its columns.")
    columns = []
    for column, kind in zip(rows.columns, schema.types, strict=True):
        way, digits = column.head.get("way"), column.head.get("digits", 0)
        if not isinstance(way, str) or type(digits) is not int or not 0 <= digits <= typed.MOST_DIGITS:
            raise DamagedFile("A column of a table is stored in a way that cannot be.")
        step = column.head.get("step", 0.0)
        if not (isinstance(step, float) and math.isfinite(step)):
            raise DamagedFile("A column of a table was rounded in a way that cannot be.")
        told = typed.Typed(way, digits, column.marks, column.numbers, column.floats, column.opaque, step)
        columns.append(typed.put_together(told, kind))
    try:
        return pa.RecordBatch.from_arrays(columns, schema=schema)
    except pa.ArrowException as wrong:
        raise DamagedFile(f"A block of a table does not fit its schema: {wrong}.") from wrong


def on_grid(places: np.ndarray, low: int, width: int, high: int) -> np.ndarray:
    """The numbers at places of a grid."""
    return np.minimum(low + places * width, high)


@dataclass(frozen=True)
class CodedRows:
    """The payload of a block of rows."""

    plan: str
    payload: bytes
    coders: dict[str, Winner]
    """By coder: the columns that it told, or parts of such."""
    parquet_bytes: int
    """Had Parquet and zstd told the columns."""
    crc: int
    """Of the rows as a reader will have them."""


def encode_rows(rows: Rows, known: Rows | None = None) -> CodedRows:
    """Rows → a payload, by whichever plan takes fewer bytes.

    Args:
        rows: taken apart.
        known: rows of the same columns that the reader has already.
    """
    rows, known_parts = _alike(rows, known)
    opaque = [zipped(column.opaque) for column in rows.columns if column.opaque is not None]
    sized = [squeeze(_head_bytes(rows)), *opaque]
    start = b"".join(write_varint(len(data)) + data for data in sized)
    parts = [part for column in rows.columns for part in _on_places(column).parts()]
    coders = {"zstd": Winner(len(opaque), sum(map(len, opaque)))} if opaque else {}
    if not parts or not len(parts[0]):
        return CodedRows(COLUMNS, start, coders, 0, rows.crc())
    block, rival = encode_block(parts, known_parts), to_parquet(parts)
    is_newer = any(key in column.head for column in rows.columns for key in NEWER) or any(
        column.head.get("zeros") == printing.SINGLE for column in rows.columns
    )
    if rival is not None and not is_newer and len(rival) < len(block.payload):
        coders[PARQUET] = Winner(len(parts), len(rival))
        return CodedRows(PARQUET, start + rival, coders, len(rival), rows.crc())
    for name, size in zip(block.coder_of, block.bytes_of, strict=True):
        won = coders.get(name, Winner(0, 0))
        coders[name] = Winner(won.blocks + 1, won.bytes + size)
    plan = SERIES if block.has_series or is_newer else COLUMNS
    parquet_bytes = len(block.payload if rival is None else rival)
    return CodedRows(plan, start + block.payload, coders, parquet_bytes, rows.crc())


def decode_rows(
    plan: str, payload: bytes, known: Rows | None = None, *, limits: Limits = DEFAULT_LIMITS
) -> Rows:
    """Undo `encode_rows`.

    Raises:
        DamagedFile: the bytes are no such rows.
        TooLarge: they would take more than `limits` allow.
    """
    if plan not in (COLUMNS, SERIES, PARQUET):
        raise DamagedFile(
            "A block is coded in a way this version does not know. Update with `pip install -U isthmus`."
        )
    fields = ByteReader(payload, "A block of a table")
    count, heads, odd, is_bare = _read_head(fields.sized())
    limits.require("block_bytes", CELL_BYTES * count * len(heads), "A block of a table")
    opaque = [unzipped(fields.sized()) if "opaque" in told else None for _, told in heads]
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


def _alike(rows: Rows, known: Rows | None) -> tuple[Rows, list[Part] | None]:
    """Both with the same parts: no marks are a mark for each row that says nothing."""
    if known is None:
        return rows, None
    columns = []
    for column, old in zip(rows.columns, known.columns, strict=True):
        needs = column.marks is None and old.marks is not None
        columns.append(
            replace(column, marks=[""] * len(column.numbers))
            if needs and column.numbers is not None
            else column
        )
    rows = replace(rows, columns=columns)
    return rows, _known_parts(known, [_told(column) for column in columns])


def _known_parts(known: Rows, wanted: Sequence[Sequence[str]]) -> list[Part]:
    parts: list[Part] = []
    for column, told in zip(known.columns, wanted, strict=True):
        values = column.floats if column.numbers is None else column.numbers
        if "marks" in told and column.marks is None and values is not None:
            column = replace(column, marks=[""] * len(values))
        if "marks" not in told:
            column = replace(column, marks=None)
        parts += column.parts()
    return parts


def _told(column: Taken) -> list[str]:
    named = (*FIELDS, "opaque")
    return [name for name in named if getattr(column, name) is not None]


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


def _head_bytes(rows: Rows) -> bytes:
    columns = [[column.head, _told(column)] for column in rows.columns]
    values = {"rows": rows.count, "columns": columns, "odd": rows.odd, "bare": rows.is_bare}
    return json.dumps(values, separators=(",", ":"), sort_keys=True).encode()


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


def zipped(data: bytes | None) -> bytes:
    """Bytes nobody looks into, by zstd."""
    return squeeze(data or b"")


def unzipped(data: bytes) -> bytes:
    """Undo `zipped`."""
    return expand(data, 1 << 30, "An opaque column")
