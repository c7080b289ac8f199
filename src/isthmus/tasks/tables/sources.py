"""A table as its archive sees it: rows in chunks, and all that it takes to write them back as a file."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from isthmus.data.source import Skipped
from isthmus.data.tables.tablefile import TEXTS
from isthmus.errors import BadItem, DamagedFile, MissingExtra, NoData
from isthmus.tasks.tables.comparing import Differences, compare_batches, compare_texts
from isthmus.tasks.tables.rows import Rows, Taken, from_batch, from_lines, to_batch, to_lines

if TYPE_CHECKING:
    import pyarrow as pa

LINES = (*TEXTS, ".jsonl", ".ndjson")
SUFFIX = ".parquet"
TYPED_ROWS = 1 << 17


class TableForm(ABC):
    """How a table is written: `to_dict` is what an archive keeps of it."""

    name: str
    """Of the file."""
    columns: tuple[str, ...]

    def size_of(self, chunk: Any) -> int:
        """By which progress is told: of a chunk the bytes of text, or the rows."""
        return len(chunk)

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""

    @abstractmethod
    def rows_of(self, chunk: Any, like: Rows | None = None) -> Rows:
        """A chunk taken apart; in the same way as other rows, where these are given."""

    def text_of(self, chunk: Any) -> bytes | None:
        """A chunk as text, where it is one."""
        return None

    @abstractmethod
    def stored(self, chunk: Any) -> Rows:
        """A chunk as it stands, for where it would not come back as columns."""

    @abstractmethod
    def differences(self, chunk: Any, rows: Rows, bounds: Sequence[Fraction]) -> Differences:
        """What a person would not get as promised of a chunk, if a reader has these rows of it."""

    @abstractmethod
    def write(self, file: BinaryIO, rows: Iterator[Rows]) -> None:
        """Put a whole file together."""


class TextForm(TableForm):
    """CSV, TSV, JSON lines: byte for byte."""

    def __init__(self, name: str, form: Any) -> None:
        self.name, self.form, self.columns = name, form, form.names

    def to_dict(self) -> dict[str, Any]:
        """As the form tells it."""
        return {"kind": "text", "name": self.name, "columns": list(self.columns), **self.form.to_dict()}

    def rows_of(self, chunk: Any, like: Rows | None = None) -> Rows:
        """Numbers and dates as such, where most cells of a column are."""
        from isthmus.data.tables.lines import chunk_of

        return from_lines(chunk_of(chunk, self.form), like)

    def text_of(self, chunk: bytes) -> bytes:
        """The chunk itself."""
        return chunk

    def stored(self, chunk: bytes) -> Rows:
        """The bytes of the text."""
        from isthmus.data.tables.lines import chunk_of

        return Rows(len(chunk_of(chunk, self.form)), [], text=chunk)

    def differences(self, chunk: bytes, rows: Rows, bounds: Sequence[Fraction]) -> Differences:
        """Row by row and cell by cell."""
        from isthmus.data.tables.lines import chunk_of

        restored = self._bytes_of(rows)
        if restored == chunk:
            return Differences()
        return compare_texts(chunk_of(restored, self.form), chunk_of(chunk, self.form), bounds)

    def write(self, file: BinaryIO, rows: Iterator[Rows]) -> None:
        """What stood before the rows, then the rows."""
        file.write(self.form.start_bytes())
        for each in rows:
            file.write(self._bytes_of(each))

    def _bytes_of(self, rows: Rows) -> bytes:
        return self.form.to_bytes(to_lines(rows)) if rows.text is None else rows.text


class TypedForm(TableForm):
    """Parquet, Arrow and DataFrames: cell for cell."""

    def __init__(self, name: str, schema: pa.Schema) -> None:
        self.name, self.schema, self.columns = name, schema, tuple(schema.names)

    def to_dict(self) -> dict[str, Any]:
        """With Arrow's own form of the schema."""
        from isthmus.data.tables.typed import schema_bytes

        told = base64.b64encode(schema_bytes(self.schema)).decode()
        return {"kind": "typed", "name": self.name, "columns": list(self.columns), "schema": told}

    def rows_of(self, chunk: Any, like: Rows | None = None) -> Rows:
        """By the types of the columns."""
        return from_batch(chunk, like)

    def stored(self, chunk: pa.RecordBatch) -> Rows:
        """Each column as a stream of Arrow's."""
        from isthmus.data.tables import typed

        columns = [Taken({"way": typed.OPAQUE}, opaque=typed.stream_of(each)) for each in chunk.columns]
        return Rows(len(chunk), columns)

    def differences(self, chunk: pa.RecordBatch, rows: Rows, bounds: Sequence[Fraction]) -> Differences:
        """Cell by cell, as they are read from the file that would be written."""
        import pyarrow as pa

        file = BytesIO()
        try:
            self.write(file, iter([rows]))
            restored = self._read(file.getvalue()).cast(chunk.schema)
        except pa.ArrowException as wrong:
            raise BadItem(f"{self.name} could not be written again: {wrong}.") from wrong
        return compare_batches(_as_batch(restored), chunk, bounds)

    def _read(self, data: bytes) -> pa.Table:
        import pyarrow as pa
        from pyarrow import parquet

        source = pa.BufferReader(data)
        return pa.ipc.open_file(source).read_all() if self._is_arrow else parquet.read_table(source)

    @property
    def _is_arrow(self) -> bool:
        return Path(self.name).suffix in (".arrow", ".feather")

    def write(self, file: BinaryIO, rows: Iterator[Rows]) -> None:
        """As a Parquet file, or an Arrow file where the name says so."""
        import pyarrow as pa
        from pyarrow import parquet

        batches = (to_batch(each, self.schema) for each in rows)
        if self._is_arrow:
            with pa.ipc.new_file(file, self.schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
            return
        with parquet.ParquetWriter(file, self.schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)


def _as_batch(table: pa.Table) -> pa.RecordBatch:
    """All rows of a table, at least one."""
    import pyarrow as pa

    columns = [column.combine_chunks() for column in table.columns]
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)


def form_from_dict(values: Mapping[str, Any]) -> TableForm:
    """Undo `to_dict`; DamagedFile for what it does not write."""
    _require_extra()
    from isthmus.data.tables.lines import Form
    from isthmus.data.tables.typed import read_schema

    try:
        name, columns = values["name"], values["columns"]
        if Path(name).name != name or not all(isinstance(column, str) for column in columns):
            raise ValueError
        if values["kind"] == "text":
            return TextForm(name, Form.from_dict(values, columns))
        return TypedForm(name, read_schema(base64.b64decode(values["schema"], validate=True)))
    except (KeyError, TypeError, ValueError) as wrong:
        raise DamagedFile("The archive does not say how its table is written.") from wrong


class OpenTable:
    """A table to compress.

    Args:
        source: a path, or a DataFrame of pandas, polars or PyArrow.
        header: whether the first row of a text file names the columns; None looks.
    """

    skipped: tuple[Skipped, ...] = ()
    """Nothing ever is: rows that are not like the others are kept as they are."""
    ignored: tuple[Skipped, ...] = ()

    def __init__(self, source: Any, *, header: bool | None = None) -> None:
        _require_extra()
        from isthmus.data.tables import frames, lines, typed

        self.form: TableForm
        self.file_names: tuple[str, ...]
        if not isinstance(source, (str, Path)):
            table = frames.as_arrow(source)
            self.name, self.file_names = "table", ()
            self.file_bytes, self.size = table.nbytes, len(table)
            self.form = TypedForm(f"table{SUFFIX}", table.schema)
            self._chunks = lambda: typed.batches(table, TYPED_ROWS)[1]
            return
        path = Path(source)
        if not path.is_file():
            raise NoData(f"There is no table at {path}.")
        self.name, self.file_names = path.name.split(".")[0], (path.name,)
        self.file_bytes = path.stat().st_size
        if path.name.lower().endswith(LINES):
            form = lines.form_of(path, header=header)
            self.form = TextForm(path.name.removesuffix(".gz"), form)
            self.size = _text_bytes(path)
            self._chunks = lambda: lines.chunks_of(path, form)
        else:
            schema, _ = typed.batches(path, TYPED_ROWS)
            if not len(schema):
                raise NoData(f"{path} holds no rows. Give a table of at least one.")
            self.form, self.size = TypedForm(path.name, schema), typed.row_count(path)
            self._chunks = lambda: typed.batches(path, TYPED_ROWS)[1]

    @property
    def raw_bytes(self) -> int:
        """Of the text, also where it is packed; of a typed file itself, and of the columns of a frame."""
        return self.size if isinstance(self.form, TextForm) else self.file_bytes

    def chunks(self) -> Iterator[Any]:
        """Parts of a file of text, or batches of Arrow's, as `TableForm.rows_of` takes them."""
        return iter(self._chunks())


def _text_bytes(path: Path) -> int:
    """About: a .gz tells the size of what it holds in its last four bytes, of which there may be more."""
    if path.suffix.lower() != ".gz":
        return path.stat().st_size
    with path.open("rb") as file:
        file.seek(-4, 2)
        return max(path.stat().st_size, int.from_bytes(file.read(4), "little"))


def _require_extra() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as wrong:
        raise MissingExtra(
            "Tables are read with PyArrow, which is not installed: pip install 'isthmus[tables]'."
        ) from wrong
