"""A text file of rows ⇄ cells, byte for byte: CSV and its like, and JSON lines.

Every row is pieces of text with cells between them; the pieces are the same in all rows of a file, and
a row where they are not is odd and stands as it is. Cells keep their quotes and spaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.data.tables.splitting import Splitter, joined, key_of, row_splitter, split_json, without_ends
from isthmus.data.tables.textfile import ERRORS, READ_BYTES, as_bytes, as_text, blocks_of, lossless, parts_of
from isthmus.errors import DamagedFile, NoData

JSON_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class Form:
    """How a file writes its rows."""

    encoding: str
    pieces: tuple[str, ...]
    """Before the first cell, between cells, and behind the last, where the row ends."""
    start: str
    """What stands before the first row: a byte order mark, the names of the columns."""
    names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` undoes it. Names stand beside it."""
        return {"encoding": self.encoding, "pieces": _runs(self.pieces), "start": self.start}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], names: Sequence[str]) -> Form:
        """Undo `to_dict`; DamagedFile for what it does not write."""
        try:
            pieces = tuple(
                piece for piece, count in values["pieces"] for _ in range(min(count, len(names) + 1))
            )
            form = cls(values["encoding"], pieces, values["start"], tuple(names))
            texts = all(isinstance(piece, str) for piece in (*pieces, form.start))
        except (KeyError, TypeError, ValueError, LookupError) as wrong:
            raise DamagedFile("The archive does not say how its table is written.") from wrong
        if not texts or len(pieces) != len(names) + 1 or form.encoding not in ERRORS:
            raise DamagedFile("The archive does not say how its table is written.")
        return form

    @property
    def splitter(self) -> Splitter:
        """What finds its rows and, but for JSON lines, its cells."""
        if self.pieces[0]:
            return Splitter("", quotes=False)
        return Splitter(self.pieces[1] if len(self.names) > 1 else "", len(self.names))

    def is_row(self, odd: str) -> bool:
        """Whether who reads cells has a row that is not written like the others."""
        cells = self.splitter.cells(without_ends(odd))
        return not self.pieces[0] and len(cells) == len(self.names)

    def start_bytes(self) -> bytes:
        """What stands before the first row, as it stands there."""
        return as_bytes(self.start, self.encoding)

    def to_bytes(self, chunk: Chunk) -> bytes:
        """A chunk as it stood in the file."""
        rows, odd = iter(joined(self.pieces, chunk.columns)), dict(chunk.odd)
        text = "".join(odd[place] if place in odd else next(rows) for place in range(len(chunk)))
        text = text[: -len(self.pieces[-1])] if chunk.is_bare else text
        return as_bytes(text, self.encoding)


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file."""

    columns: list[list[str]]
    """The cells of the rows that are written like the others."""
    odd: list[tuple[int, str]]
    """The place in the chunk and the text of each other row, its end included."""
    is_bare: bool = False
    """Whether the last row, one like the others, lacks its end."""

    def __len__(self) -> int:
        return len(self.columns[0]) + len(self.odd)


def form_of(path: Path, *, header: bool | None = None) -> Form:
    """Find out how a file writes its rows.

    Raises:
        NoData: it holds none.
        BadItem: it is no text.
    """
    if path.name.lower().endswith(JSON_LINES):
        text = as_text(next(blocks_of(path, READ_BYTES), b""), "utf-8")
        if not text.strip():
            raise NoData(f"{path} holds no rows. Give a table of at least one.")
        rows = Splitter("", quotes=False).rows(text)[:100]
        split = next((found for row in rows if (found := split_json(row)) is not None), None)
        pieces = split[0] if split else ("", "\n")
        names = tuple(key_of(piece, place) for place, piece in enumerate(pieces[:-1]))
        return Form("utf-8", pieces, "", names)
    from isthmus.data.tables.csvs import dialect_of

    dialect = dialect_of(path, header=header)
    pieces = ("", *[dialect.delimiter] * (len(dialect.names) - 1), dialect.end)
    start = as_text(dialect.start, dialect.encoding)
    return Form(lossless(dialect.encoding), pieces, start, dialect.names)


def chunks_of(path: Path, form: Form) -> Iterator[bytes]:
    """A file behind what stands before its rows, in parts of some megabytes, each of whole rows."""
    return parts_of(path, form.encoding, form.splitter, len(form.start_bytes()))


def chunk_of(part: bytes, form: Form) -> Chunk:
    """The rows in a part of a file."""
    rows, split = form.splitter.rows(as_text(part, form.encoding)), row_splitter(form.pieces, form.splitter)
    end = form.pieces[-1]
    is_bare = rows[-1] == rows[-1].rstrip("\r\n") and split(rows[-1] + end) is not None
    cells, odd = [], []
    for place, row in enumerate(rows):
        found = split(row + end if is_bare and place == len(rows) - 1 else row)
        if found is None:
            odd.append((place, row))
        else:
            cells.append(found)
    columns = [list(column) for column in zip(*cells, strict=True)] if cells else [[] for _ in form.names]
    return Chunk(columns, odd, is_bare)


def _runs(pieces: Sequence[str]) -> list[list[Any]]:
    """Equal neighbours once, with their number."""
    runs: list[list[Any]] = []
    for piece in pieces:
        if runs and runs[-1][0] == piece:
            runs[-1][1] += 1
        else:
            runs.append([piece, 1])
    return runs
