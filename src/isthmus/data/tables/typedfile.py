"""Files of Arrow's types ⇄ their rows in parts: Parquet, Arrow (which Feather is), streams of Arrow's.

A column of categories (a dictionary, to Arrow) has the same ones in the same order in all parts, whatever
each batch of the file lists: writers want that, and people compare by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from isthmus.data.tables.frames import batches_of, reading
from isthmus.data.tables.int96 import open_parquet
from isthmus.data.tables.typed import is_text
from isthmus.errors import BadItem

FORMS = PARQUET, FILE, STREAM = "parquet", "file", "stream"
"""The last two are Arrow's; of them only the file can be read from anywhere in it."""
ROWS, CELLS, BYTES = 1 << 17, 1 << 25, 1 << 28
"""Of a part at most, about; a row is never cut."""
LISTED_BYTES = 1 << 23
"""Of all categories that are listed once for all parts."""
ARROW_MAGIC = b"ARROW1"


@dataclass(frozen=True, eq=False)
class TypedTable:
    """A table whose columns have types; it is read anew as often as asked."""

    schema: pa.Schema
    count: int
    """Of its rows."""
    categories: Mapping[int, pa.Array]
    """All categories of a column in their order, by its place."""
    batches: Callable[[], Iterable[pa.RecordBatch]]

    def listed(self) -> dict[int, pa.Array]:
        """The categories that are worth listing once for all parts: texts, each once, not too many."""
        found, left = dict[int, pa.Array](), LISTED_BYTES
        for place, words in self.categories.items():
            if words.nbytes <= left and _are_texts(words):
                found[place], left = words, left - words.nbytes
        return found

    def parts(self, counts: Sequence[int] = ()) -> Iterator[pa.RecordBatch]:
        """All rows, in parts of many; every column of categories has all of these.

        Args:
            counts: of the rows of each part, where these must be so many; what is left is one more part.
        """
        alike = (_with(self.categories, batch) for batch in self.batches())
        if counts:
            return _cut_at(alike, counts)
        return _parts(alike, max(1, min(ROWS, CELLS // max(1, len(self.schema)))))


def open_typed(source: Path | pa.Table) -> TypedTable:
    """Look at the types, the categories and the number of rows.

    Raises:
        BadItem: it is no such file, or not whole.
    """
    if isinstance(source, pa.Table):
        schema, count, batches = source.schema, len(source), source.to_batches
    else:
        schema, count = _measured(source)
        batches = partial(batches_of, source)
    return TypedTable(schema, count, _categories(schema, batches), batches)


def form_of(path: Path) -> str:
    """PARQUET, FILE or STREAM."""
    if path.suffix.lower() not in (".arrow", ".feather"):
        return PARQUET
    with path.open("rb") as file:
        return FILE if file.read(len(ARROW_MAGIC)) == ARROW_MAGIC else STREAM


def write_file(file: BinaryIO, form: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Write all rows as a file of that form."""
    if form == PARQUET:
        writer = parquet.ParquetWriter(file, schema, compression="zstd")
    else:
        writer = (pa.ipc.new_file if form == FILE else pa.ipc.new_stream)(file, schema)
    with writer:
        for batch in batches:
            writer.write_batch(batch)


def read_bytes(data: bytes, form: str) -> pa.Table:
    """Undo `write_file`."""
    source = pa.BufferReader(data)
    if form == PARQUET:
        return parquet.ParquetFile(source).read()  # two columns of one name too, unlike `read_table`
    return (pa.ipc.open_file if form == FILE else pa.ipc.open_stream)(source).read_all()


def _measured(path: Path) -> tuple[pa.Schema, int]:
    with reading(path):
        if form_of(path) == PARQUET:
            with open_parquet(path) as table:
                return table.schema_arrow, int(table.metadata.num_rows)
        with pa.memory_map(str(path)) as file:
            if form_of(path) == FILE:
                reader = pa.ipc.open_file(file)
                batches = map(reader.get_batch, range(reader.num_record_batches))
            else:
                reader = batches = pa.ipc.open_stream(file)
            return reader.schema, sum(map(len, batches))


def _categories(schema: pa.Schema, batches: Callable[[], Iterable[pa.RecordBatch]]) -> dict[int, pa.Array]:
    """Of each such column, those of all batches; none where its indices cannot count so many."""
    found: dict[int, pa.Array] = {}
    left = {place for place, kind in enumerate(schema.types) if pa.types.is_dictionary(kind)}
    if not left:
        return found
    for batch in batches():
        for place in sorted(left):
            column = batch.column(place)
            try:
                found[place] = _union(found.get(place, column.dictionary), column)
            except pa.ArrowInvalid:
                left.remove(place)
                found.pop(place, None)
    return found


def _are_texts(categories: pa.Array) -> bool:
    """Whether each is another text, and all are Unicode."""
    if not is_text(categories.type) or categories.null_count:
        return False
    try:
        categories.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return len(pc.unique(categories.cast(pa.large_string()))) == len(categories)


def _union(categories: pa.Array, column: pa.DictionaryArray) -> pa.Array:
    return _unified(categories, column).dictionary


def _unified(categories: pa.Array, column: pa.DictionaryArray) -> pa.DictionaryArray:
    """A column that lists these categories first, then what else it lists."""
    if column.dictionary.equals(categories):
        return column
    kind = column.type
    none = pa.DictionaryArray.from_arrays(
        pa.array([], kind.index_type), categories, ordered=kind.ordered, safe=False
    )
    return pa.chunked_array([none, column]).unify_dictionaries().chunk(1)


def _with(categories: Mapping[int, pa.Array], batch: pa.RecordBatch) -> pa.RecordBatch:
    if not categories:
        return batch
    columns = [
        _unified(categories[place], column) if place in categories else column
        for place, column in enumerate(batch.columns)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _parts(batches: Iterable[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    held, rows, size = list[pa.RecordBatch](), 0, 0
    for batch in batches:
        held.append(batch)
        rows, size = rows + len(batch), size + batch.nbytes
        if rows >= most or size >= BYTES:
            yield from _cut(held, most)
            held, rows, size = [], 0, 0
    if rows:
        yield from _cut(held, most)


def _cut_at(batches: Iterable[pa.RecordBatch], counts: Sequence[int]) -> Iterator[pa.RecordBatch]:
    coming, held, rows = iter(batches), list[pa.RecordBatch](), 0
    for count in counts:
        while rows < count and (batch := next(coming, None)) is not None:
            held.append(batch)
            rows += len(batch)
        if rows < count:
            break
        table = pa.Table.from_batches(held)
        yield one_batch(table.slice(0, count))
        held, rows = table.slice(count).to_batches(), rows - count
    held += coming
    if sum(map(len, held)):
        yield one_batch(pa.Table.from_batches(held))


def one_batch(table: pa.Table) -> pa.RecordBatch:
    """All rows of a table.

    Raises:
        BadItem: two parts of a column list more categories than its indices can count.
    """
    try:
        columns = [column.combine_chunks() for column in table.columns]
    except pa.ArrowInvalid as wrong:
        raise BadItem(f"The rows of a table cannot be put together: {wrong}.") from wrong
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)


def _cut(batches: list[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    table = pa.Table.from_batches(batches)
    fitting = len(table) * BYTES // max(BYTES, table.nbytes)
    if len(batches) > 1:
        with suppress(
            pa.ArrowInvalid
        ):  # categories that cannot be counted together stay in parts of their own
            table = table.combine_chunks()
    yield from table.to_batches(max(1, min(most, fitting)))
