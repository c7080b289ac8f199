"""Rows of a table, taken apart: columns as marks, whole numbers, floats, and how to put them together."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from isthmus.coding.columns import Floats, Part, Whole, Words
from isthmus.coding.columns.lists import words_to_bytes
from isthmus.coding.squeeze import squeeze
from isthmus.data.tables import printing
from isthmus.data.tables.lines import Chunk
from isthmus.errors import DamagedFile
from isthmus.tasks.tables.rivals import as_parquet

if TYPE_CHECKING:
    import pyarrow as pa

    from isthmus.data.tables.typed import Typed

AMOUNTS = (printing.NUMBER, "integers", "decimals")
"""What a column with numbers is called where these may be rounded."""
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
    """Of the floats that its decimals stand for; not kept, nor is …"""
    slack: float = 0.0
    """… how far numbers may be from what they stand for, in units."""

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

    def told(self) -> list[str]:
        """The names of what it has."""
        return [name for name in (*FIELDS, "opaque") if getattr(self, name) is not None]

    def is_like(self, known: Taken) -> bool:
        """Whether the other has all parts that this has; marks may be made, where there are values."""
        values = [(each.numbers is None, each.floats is None) for each in (self, known)]
        is_marked = self.marks is None or known.marked().marks is not None
        return values[0] == values[1] and is_marked

    def marked(self) -> Taken:
        """With marks: where there are none, one for each row that says nothing."""
        values = self.floats if self.numbers is None else self.numbers
        if self.marks is not None or values is None:
            return self
        return replace(self, marks=[""] * len(values))

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
    text: bytes | None = None
    """The rows as they stand in their file, where nothing else is said of them."""

    def stretches(self, most: int, count: int = 8) -> Rows:
        """Those written like the others, or so many of them, in stretches of neighbours."""
        regular = self.count - len(self.odd)
        if regular <= most:
            return replace(self, count=regular, odd=[], is_bare=False)
        starts = np.linspace(0, regular - most // count, count).astype(np.int64)
        at = (starts[:, None] + np.arange(most // count)).ravel()
        return Rows(len(at), [column.take(at) for column in self.columns])

    def first_unlike(self, known: Rows) -> int | None:
        """The place of the first column that rows which the reader has are no help for."""
        pairs = enumerate(zip(self.columns, known.columns, strict=True))
        return next((place for place, (mine, theirs) in pairs if not mine.is_like(theirs)), None)

    def nbytes(self) -> int:
        """About what the rows take in memory."""
        if self.text is not None:
            return len(self.text)
        return sum(
            sum(map(len, column.marks or ()))
            + sum(a.nbytes for a in (column.numbers, column.floats) if a is not None)
            for column in self.columns
        )

    def crc(self) -> int:
        """CRC-32 of all that the rows say, told apart as the columns are."""
        if self.text is not None:
            return zlib.crc32(self.text)
        crc = zlib.crc32(head_bytes(self))
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
    """As another column was taken apart, if one is given."""
    found = printing.take_apart(texts, None if like is None else style_of(like))
    return Taken(found.style.to_dict(), found.marks, found.numbers)


def to_lines(rows: Rows) -> Chunk:
    """Undo `from_lines`."""
    columns = [printing.put_together(style_of(c), c.marks, c.numbers) for c in rows.columns]
    return Chunk(columns, rows.odd, rows.is_bare)


def style_of(column: Taken) -> printing.Style:
    """How a column of text is printed."""
    told = {key: value for key, value in column.head.items() if key != "grid"}
    return printing.Style.from_dict(told)


def from_batch(
    batch: pa.RecordBatch, like: Rows | None = None, categories: Mapping[int, pa.Array] = MappingProxyType({})
) -> Rows:
    """Rows of Arrow's types → taken apart, by the ways of other rows or by those that suit.

    Args:
        batch: the rows.
        like: other rows of such a table.
        categories: of columns that have some, by their place.
    """
    from isthmus.data.tables import typed

    columns = []
    for place, values in enumerate(batch.columns):
        head = None if like is None else like.columns[place].head
        told = None if head is None else (head["way"], head.get("digits", 0))
        found = typed.take_apart(values, told, categories.get(place))
        if found.opaque is not None:
            found = _smaller(found, values)
        head = {"way": found.way} | ({"digits": found.digits} if found.digits else {})
        size = values.type.bit_width // 8 if found.way == typed.DECIMALS else 0
        columns.append(Taken(head, found.marks, found.numbers, found.floats, found.opaque, size))
    return Rows(len(batch), columns)


def _smaller(found: Typed, values: pa.Array) -> Typed:
    """A column as a file of its own, where that takes fewer bytes than its stream."""
    from isthmus.data.tables import typed

    file = as_parquet(values)
    if file is None or found.opaque is None or len(file) >= len(squeeze(found.opaque)):
        return found
    return typed.Typed(typed.FILED, opaque=file)


def to_batch(
    rows: Rows, schema: pa.Schema, categories: Mapping[int, pa.Array] = MappingProxyType({})
) -> pa.RecordBatch:
    """Undo `from_batch`."""
    import pyarrow as pa

    from isthmus.data.tables import typed

    if len(rows.columns) != len(schema):
        raise DamagedFile("A block of a table has not its columns.")
    columns = []
    for place, (column, kind) in enumerate(zip(rows.columns, schema.types, strict=True)):
        way, digits = column.head.get("way"), column.head.get("digits", 0)
        if not isinstance(way, str) or type(digits) is not int or not 0 <= digits <= typed.MOST_DIGITS:
            raise DamagedFile("A column of a table is stored in a way that cannot be.")
        step = column.head.get("step", 0.0)
        if not (isinstance(step, float) and math.isfinite(step)):
            raise DamagedFile("A column of a table was rounded in a way that cannot be.")
        told = typed.Typed(way, digits, column.marks, column.numbers, column.floats, column.opaque, step)
        columns.append(typed.put_together(told, kind, categories.get(place)))
    try:
        return pa.RecordBatch.from_arrays(columns, schema=schema)
    except pa.ArrowException as wrong:
        raise DamagedFile(f"A block of a table does not fit its schema: {wrong}.") from wrong


def on_grid(places: np.ndarray, low: int, width: int, high: int) -> np.ndarray:
    """The numbers at places of a grid."""
    return np.minimum(low + places * width, high)


def head_bytes(rows: Rows) -> bytes:
    """How each column is printed or stored, and the rows that are not like the others: JSON."""
    columns = [[column.head, column.told()] for column in rows.columns]
    values = {"rows": rows.count, "columns": columns, "odd": rows.odd, "bare": rows.is_bare}
    return json.dumps(values, separators=(",", ":"), sort_keys=True).encode()
