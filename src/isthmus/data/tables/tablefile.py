"""Open a table: find its columns and their kinds, and read it chunk by chunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isthmus.config import require
from isthmus.data.readers.npy import load_npy
from isthmus.data.source import Skipped
from isthmus.data.tables.schema import Column, Schema
from isthmus.data.tables.table import Cells, Table
from isthmus.errors import MissingExtra, NoData, SpecMismatch

if TYPE_CHECKING:
    import pyarrow as pa

TEXTS = (".csv", ".tsv", ".txt", ".data", ".csv.gz", ".tsv.gz")
FRAMES = (".parquet", ".pq", ".arrow", ".feather", ".jsonl", ".ndjson")
KINDS_FROM = 50_000
"""Rows from which the kinds of columns are told."""
CHUNK_CELLS = 1 << 22


@dataclass(frozen=True)
class TableSource:
    """A table that is read anew, from its beginning, as often as asked."""

    name: str
    schema: Schema
    read: Callable[[Schema], Iterator[Table]] = field(repr=False)
    """Chunks, every column as the schema says."""
    written: Callable[[], Iterator[tuple[str, ...]]] = field(repr=False)
    """Row after row, each cell as it stands there, to the last digit and space; "" where nothing does."""
    read_column: Callable[[str], Iterator[pa.Array]] = field(repr=False)
    """See `column`."""
    skipped: list[Skipped] = field(default_factory=list)
    """Rows that were left out while reading."""
    ignored: tuple[Skipped, ...] = ()

    def chunks(self, schema: Schema | None = None) -> Iterator[Table]:
        """All rows in order, in parts of some megabytes.

        Args:
            schema: of a model; None takes that of the table itself.
        Raises:
            SpecMismatch: the table lacks a column.
            BadItem: a row that cannot be read.
        """
        self.skipped.clear()
        return self.read(self.schema if schema is None else self.schema.reading(schema))

    def column(self, name: str) -> Iterator[pa.Array]:
        """One column as it stands there, in chunks: texts of a text file, else values of its own type."""
        self.skipped.clear()
        return self.read_column(name)

    def whole(self, schema: Schema | None = None) -> Table:
        """All rows at once."""
        return joined(list(self.chunks(schema)))


def is_table(source: object) -> bool:
    """Whether `open_table` is the way to open it, judged by its name or type."""
    if isinstance(source, (str, Path)):
        return Path(source).name.lower().endswith((*TEXTS, *FRAMES)) and Path(source).is_file()
    return not isinstance(source, np.ndarray) and any(
        hasattr(source, name) for name in ("__arrow_c_stream__", "__dataframe__")
    )


def open_table(
    source: Any,
    *,
    wishes: Mapping[str, Column] | None = None,
    like: Schema | None = None,
    ignore: Sequence[str] = (),
    header: bool | None = None,
    skip_bad: bool = False,
) -> TableSource:
    """Open a table.

    Args:
        source: a path (.csv, .tsv, .txt, .parquet, .arrow, .jsonl; .npy of two axes), a matrix, a
            DataFrame of pandas, polars or PyArrow.
        wishes: columns whose kind is known better; the others are looked at.
        like: the columns of a model, which say what may be meant where cells can be read in several ways.
        ignore: columns that are not looked at.
        header: whether the first row of a text file names the columns; None looks.
        skip_bad: leave rows out that have too many or too few cells.
    Raises:
        NoData: nothing is there, or no rows.
        BadItem: a row that cannot be read.
        MissingExtra: PyArrow is not installed.
        SpecMismatch: a column to ignore that is not there.
    """
    opened = _opened(source, wishes or {}, like, header, skip_bad)
    return replace(opened, schema=opened.schema.ignoring(ignore)) if ignore else opened


def _opened(
    source: Any, wishes: Mapping[str, Column], like: Schema | None, header: bool | None, skip_bad: bool
) -> TableSource:
    if isinstance(source, np.ndarray):
        return _of_array(source, "array", wishes)
    if not isinstance(source, (str, Path)):
        return _of_frame(source, wishes, like)
    path = Path(source)
    if not path.is_file():
        raise NoData(f"There is no table at {path}. Give a file: {', '.join((*TEXTS, *FRAMES))}.")
    if path.suffix == ".npy":
        return _of_array(load_npy(path), path.stem, wishes)
    if path.name.lower().endswith(FRAMES):
        return _of_typed(path, wishes, like)
    return _of_text(path, wishes, like, header, skip_bad)


def joined(tables: list[Table]) -> Table:
    """Chunks one after another."""
    if len(tables) == 1:
        return tables[0]
    return Table(tuple(map(_joined, zip(*(table.columns for table in tables), strict=True))))


def _joined(parts: tuple[Cells, ...]) -> Cells:
    column = parts[0].column
    starts = np.cumsum([0, *map(len, parts)])
    strays = {
        int(start) + row: text
        for start, part in zip(starts, parts, strict=False)
        for row, text in part.strays.items()
    }
    if column.is_numeric:
        numbers = np.concatenate([part.numbers for part in parts])
        return Cells(column, numbers, strays=strays, written=_one([part.written for part in parts]))
    labels = np.array(sorted({word for part in parts for word in part.labels}), object)
    return Cells(column, codes=np.concatenate([part.coded_by(labels) for part in parts]), labels=labels)


def _one(parts: list[Any]) -> Any:
    """Arrays one after another."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    import pyarrow as pa

    return pa.chunked_array(parts)


def _of_array(values: np.ndarray, name: str, wishes: Mapping[str, Column]) -> TableSource:
    if values.ndim != 2 or values.dtype.kind not in "biuf" or 0 in values.shape:
        raise NoData(
            f"{name} is no table: it must be numbers along two axes, rows and columns; "
            f"got {values.dtype} of shape {values.shape}."
        )
    found = Table.of_array(values[:1]).schema
    schema = found.changed_by(wishes)
    worded = [column.name for column in schema if not column.is_numeric]
    if worded:
        raise SpecMismatch(f"{name} holds numbers alone, and the schema calls {worded[0]!r} something else.")
    rows = max(1, CHUNK_CELLS // values.shape[1])

    def read(schema: Schema) -> Iterator[Table]:
        places = [found.names.index(column.name) for column in schema]
        for start in range(0, len(values), rows):
            part = np.asarray(values[start : start + rows])
            numbers = part.astype(np.float64, copy=False)
            columns = zip(schema, places, strict=True)
            yield Table(tuple(Cells(column, numbers[:, at], written=part[:, at]) for column, at in columns))

    def written() -> Iterator[tuple[str, ...]]:
        return (tuple("" if cell != cell else str(cell) for cell in row) for row in values)

    def column(name: str) -> Iterator[pa.Array]:
        import pyarrow as pa

        yield pa.array(values[:, found.names.index(name)])

    return TableSource(name, schema, read, written, column)


def _of_frame(frame: Any, wishes: Mapping[str, Column], like: Schema | None) -> TableSource:
    frames = _frames()
    table, ignored = frames.as_arrow(frame)
    source = _of_batches("table", lambda: iter(table.to_batches(frames.ROWS)), wishes, like)
    return replace(source, ignored=ignored)


def _of_typed(path: Path, wishes: Mapping[str, Column], like: Schema | None) -> TableSource:
    frames = _frames()
    return _of_batches(path.stem, lambda: frames.batches_of(path), wishes, like)


def _of_batches(
    name: str,
    batches: Callable[[], Iterator[pa.RecordBatch]],
    wishes: Mapping[str, Column],
    like: Schema | None,
) -> TableSource:
    from isthmus.data.tables.arrow_columns import typed_cells, typed_column

    found = _columns(_first(batches(), name), like, typed_column)

    def read(schema: Schema) -> Iterator[Table]:
        for batch in batches():
            yield Table(tuple(typed_cells(column, batch.column(column.name)) for column in schema))

    return TableSource(name, found.changed_by(wishes), read, lambda: _rows(batches()), _column_of(batches))


def _of_text(
    path: Path, wishes: Mapping[str, Column], like: Schema | None, header: bool | None, skip_bad: bool
) -> TableSource:
    csvs, kinds = _csvs()
    dialect, skipped = csvs.dialect_of(path, header=header), list[Skipped]()

    def batches() -> Iterator[pa.RecordBatch]:
        return csvs.rows_of(path, dialect, skip_bad=skip_bad, skipped=skipped)

    found = _columns(_first(batches(), path.name), like, kinds.column_of)

    def read(schema: Schema) -> Iterator[Table]:
        for batch in batches():
            yield Table(tuple(kinds.cells_of(column, batch.column(column.name)) for column in schema))

    name, schema = path.name.split(".")[0], found.changed_by(wishes)
    return TableSource(name, schema, read, lambda: _rows(batches()), _column_of(batches), skipped)


def _column_of(batches: Callable[[], Iterator[pa.RecordBatch]]) -> Callable[[str], Iterator[pa.Array]]:
    return lambda name: (batch.column(name) for batch in batches())


def _columns(first: pa.Table, like: Schema | None, column_of: Callable[..., Column]) -> Schema:
    _, kinds = _csvs()
    twice = sorted(name for name, count in Counter(first.schema.names).items() if count > 1)
    require(not twice, "column names", "different from one another", twice)
    return kinds.columns_of(dict(zip(first.schema.names, first.columns, strict=True)), like, column_of)


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, ...]]:
    from isthmus.data.tables.texts import texts_of

    for batch in batches:
        columns = (texts_of(column).fill_null("").to_pylist() for column in batch.columns)
        yield from zip(*columns, strict=True)


def _first(batches: Iterable[pa.RecordBatch], name: str) -> pa.Table:
    """So many of the first rows as tell the kinds of the columns."""
    import pyarrow as pa

    kept, rows = [], 0
    for batch in batches:
        kept.append(batch)
        rows += len(batch)
        if rows >= KINDS_FROM:
            break
    if not rows:
        raise NoData(f"{name} holds no rows. Give a table of at least one.")
    return pa.Table.from_batches(kept)


def _frames() -> Any:
    try:
        from isthmus.data.tables import frames
    except ImportError as wrong:
        raise _missing() from wrong
    return frames


def _csvs() -> tuple[Any, Any]:
    try:
        from isthmus.data.tables import csvs, kinds
    except ImportError as wrong:
        raise _missing() from wrong
    return csvs, kinds


def _missing() -> MissingExtra:
    return MissingExtra(
        "Tables are read with PyArrow, which is not installed: pip install 'isthmus[tables]'."
    )
