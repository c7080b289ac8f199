"""A table as its archive sees it: rows in chunks, and all that it takes to write them back as a file."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

from isthmus.data.source import Skipped
from isthmus.data.tables.tablefile import TEXTS
from isthmus.errors import BadItem, DamagedFile, MissingExtra, NoData
from isthmus.tasks.results import size
from isthmus.tasks.tables.comparing import Differences, compare_batches, compare_schemas, compare_texts
from isthmus.tasks.tables.rows import Rows, Taken, from_batch, from_lines, to_batch, to_lines

if TYPE_CHECKING:
    import pyarrow as pa

    from isthmus.data.tables.typedfile import TypedTable

LINES = (*TEXTS, ".jsonl", ".ndjson")
SUFFIX = ".parquet"
MOST_SCHEMA_BYTES = 1 << 24
"""Of names, types and metadata: the index of an archive holds them, and its size has a limit."""


class TableForm(ABC):
    """How a table is written: `to_dict` is what an archive keeps of it."""

    kind: str
    name: str
    """Of the file."""
    columns: tuple[str, ...]
    index: frozenset[str] = frozenset()
    """Columns that name the rows of a frame, and are no data."""

    def size_of(self, chunk: Any) -> int:
        """By which progress is told: of a chunk the bytes of text, or the rows."""
        return len(chunk)

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""

    @abstractmethod
    def rows_of(self, chunk: Any, like: Rows | None = None) -> Rows:
        """A chunk taken apart; in the same way as other rows, where these are given."""

    def no_bound(self, name: str) -> str | None:
        """Why the cells of a column are never rounded, where that is known of its type."""
        return None

    def text_of(self, chunk: Any) -> bytes | None:
        """A chunk as text, where it is one."""
        return None

    def table_of(self, rows: Rows) -> pa.RecordBatch | None:
        """Rows as Arrow has them, where their columns have types."""
        return None

    @abstractmethod
    def stored(self, chunk: Any) -> Rows:
        """A chunk as it stands, for where it would not come back as columns."""

    @abstractmethod
    def differences(self, chunk: Any, rows: Rows, bounds: Sequence[Fraction]) -> Differences:
        """What a person would not get as promised of a chunk, if a reader has these rows of it."""

    def unlike(self, other: TableForm) -> str | None:
        """What another table says otherwise beside its rows, as a part of a sentence."""
        mine, theirs = ({**form.to_dict(), "name": None} for form in (self, other))
        return None if mine == theirs else "the original has other columns, or is written in another way"

    @abstractmethod
    def write(self, file: BinaryIO, rows: Iterator[Rows]) -> None:
        """Put a whole file together."""


class TextForm(TableForm):
    """CSV, TSV, JSON lines: byte for byte."""

    kind = "text"

    def __init__(self, name: str, form: Any) -> None:
        self.name, self.form, self.columns = name, form, form.names

    def to_dict(self) -> dict[str, Any]:
        """As the form tells it."""
        return {"kind": self.kind, "name": self.name, "columns": list(self.columns), **self.form.to_dict()}

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

    kind = "typed"

    def __init__(
        self,
        name: str,
        schema: pa.Schema,
        categories: Mapping[int, pa.Array] = MappingProxyType({}),
        form: str = "parquet",
    ) -> None:
        from isthmus.data.tables.typed import index_of, is_amount, read_schema, schema_bytes

        # Arrow's message does not hold all that its memory does, as how the parts of a map are called.
        self.name, self.schema = name, read_schema(schema_bytes(schema))
        self.columns, self.categories, self.form = tuple(schema.names), dict(categories), form
        self.index = index_of(self.schema)
        self._no_amounts = {each.name: f"is {each.type}" for each in schema if not is_amount(each.type)}

    def to_dict(self) -> dict[str, Any]:
        """With Arrow's own form of the schema."""
        from isthmus.data.tables.typed import schema_bytes

        told = base64.b64encode(schema_bytes(self.schema)).decode()
        listed = [[place, words.to_pylist()] for place, words in self.categories.items()]
        return {
            "kind": self.kind, "name": self.name, "columns": list(self.columns), "schema": told,
            "form": self.form, "categories": listed,
        }  # fmt: skip

    def rows_of(self, chunk: Any, like: Rows | None = None) -> Rows:
        """By the types of the columns."""
        return from_batch(chunk, like, self.categories)

    def no_bound(self, name: str) -> str | None:
        """What it is, if neither of whole numbers nor of floats of 32 or 64 bits."""
        return self._no_amounts.get(name)

    def table_of(self, rows: Rows) -> pa.RecordBatch:
        """Rows put together."""
        return to_batch(rows, self.schema, self.categories)

    def unlike(self, other: TableForm) -> str | None:
        """Of the columns and what else the schema says; in which kind of file they stand is no matter."""
        assert isinstance(other, TypedForm)
        for place, mine in self.categories.items():
            theirs = other.categories.get(place)
            if theirs is not None and not mine.equals(theirs):
                return f"the categories of the column {self.columns[place]!r} are others, or in another order"
        return compare_schemas(self.schema, other.schema)

    def stored(self, chunk: pa.RecordBatch) -> Rows:
        """Each column as a stream of Arrow's."""
        from isthmus.data.tables import typed

        columns = [Taken({"way": typed.OPAQUE}, opaque=typed.stream_of(each)) for each in chunk.columns]
        return Rows(len(chunk), columns)

    def differences(self, chunk: pa.RecordBatch, rows: Rows, bounds: Sequence[Fraction]) -> Differences:
        """Cell by cell, as they are read from the file that would be written."""
        import pyarrow as pa

        from isthmus.data.tables.typedfile import one_batch, read_bytes

        file = BytesIO()
        try:
            self.write(file, iter([rows]))
            restored = read_bytes(file.getvalue(), self.form)
        except (pa.ArrowException, OSError) as wrong:
            raise BadItem(f"{self.name} could not be written again: {wrong}.") from wrong
        return compare_batches(one_batch(restored), chunk, bounds)

    def write(self, file: BinaryIO, rows: Iterator[Rows]) -> None:
        """As the kind of file that it was, a frame as a Parquet file."""
        from isthmus.data.tables.typedfile import write_file

        write_file(file, self.form, self.schema, map(self.table_of, rows))


def form_from_dict(values: Mapping[str, Any]) -> TableForm:
    """Undo `to_dict`; DamagedFile for what it does not write."""
    _require_extra()
    import pyarrow as pa

    from isthmus.data.tables.lines import Form
    from isthmus.data.tables.typed import read_schema

    try:
        name, columns = values["name"], values["columns"]
        if Path(name).name != name or not all(isinstance(column, str) for column in columns):
            raise ValueError
        if values["kind"] == TextForm.kind:
            return TextForm(name, Form.from_dict(values, columns))
        schema = read_schema(base64.b64decode(values["schema"], validate=True))
        return TypedForm(name, schema, _categories(values["categories"], schema), _form(values["form"]))
    except (IndexError, KeyError, TypeError, ValueError, pa.ArrowException) as wrong:
        raise DamagedFile("The archive does not say how its table is written.") from wrong


def _categories(listed: Any, schema: pa.Schema) -> dict[int, pa.Array]:
    import pyarrow as pa

    return {place: pa.array(words, schema.field(place).type.value_type) for place, words in listed}


def _form(name: Any) -> str:
    from isthmus.data.tables.typedfile import FORMS

    if name not in FORMS:
        raise ValueError
    return str(name)


class OpenTable:
    """A table to compress.

    Args:
        source: a path, or a DataFrame of pandas, polars or PyArrow.
        header: whether the first row of a text file names the columns; None looks.
    """

    skipped: tuple[Skipped, ...] = ()
    """Nothing ever is: rows that are not like the others are kept as they are."""
    ignored: tuple[Skipped, ...] = ()
    """What a Parquet file cannot keep of a frame."""
    form: TableForm
    file_names: tuple[str, ...]
    size: int
    _chunks: Callable[[Sequence[int]], Iterator[Any]]

    def __init__(self, source: Any, *, header: bool | None = None) -> None:
        _require_extra()
        if not isinstance(source, (str, Path)):
            self._of_frame(source)
            return
        path = Path(source)
        if not path.is_file():
            raise NoData(f"There is no table at {path}.")
        self.name, self.file_names = path.name.split(".")[0], (path.name,)
        self.file_bytes = path.stat().st_size
        if path.name.lower().endswith(LINES):
            self._of_lines(path, header)
        else:
            self._of_types(path)

    def _of_frame(self, frame: Any) -> None:
        from isthmus.data.tables import kept_frames, typedfile

        arrow, self.ignored = kept_frames.through_parquet(frame)
        self.name, self.file_names, self.file_bytes = "table", (), arrow.nbytes
        self._typed(f"table{SUFFIX}", typedfile.open_typed(arrow), typedfile.PARQUET)

    def _of_types(self, path: Path) -> None:
        from isthmus.data.tables import typedfile

        self._typed(path.name, typedfile.open_typed(path), typedfile.form_of(path))

    def _typed(self, name: str, table: TypedTable, form: str) -> None:
        if table.schema.serialize().size > MOST_SCHEMA_BYTES:
            raise BadItem(
                f"What {name} says of its columns must take at most {size(MOST_SCHEMA_BYTES)}; it takes "
                f"{size(table.schema.serialize().size)}. Shorten its metadata, such as a frame's attrs."
            )
        self.size, self._chunks = table.count, table.parts
        self.form = TypedForm(name, table.schema, table.listed(), form)

    def _of_lines(self, path: Path, header: bool | None) -> None:
        from isthmus.data.tables import lines

        form = lines.form_of(path, header=header)
        self.form = TextForm(path.name.removesuffix(".gz"), form)
        self.size, self._chunks = _text_bytes(path), lambda counts: lines.chunks_of(path, form)

    @property
    def raw_bytes(self) -> int:
        """Of the text, also where it is packed; of a typed file itself, and of the columns of a frame."""
        return self.size if isinstance(self.form, TextForm) else self.file_bytes

    def chunks(self, counts: Sequence[int] = ()) -> Iterator[Any]:
        """Parts of a file of text, or batches of Arrow's, as `TableForm.rows_of` takes them.

        Args:
            counts: of rows, where batches must have so many each.
        """
        return self._chunks(counts)


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
