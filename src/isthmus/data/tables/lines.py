"""A text file of rows ⇄ cells, byte for byte: CSV and its like, and JSON lines.

Every row is pieces of text with cells between them; the pieces are the same in all rows of a file, and
a row where they are not is odd and stands as it is. Cells keep their quotes and spaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.data.tables.splitting import joined, key_of, rows_in, split_json, splitter
from isthmus.errors import DamagedFile, NoData

READ_BYTES = 8 << 20
MOST_ROWS = 1 << 17
"""Of a part, about."""
MOST_ROW_BYTES = 1 << 26
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
            _decoded(b"", form.encoding)
            texts = all(isinstance(piece, str) for piece in (*pieces, form.start))
        except (KeyError, TypeError, ValueError, LookupError) as wrong:
            raise DamagedFile("The archive does not say how its table is written.") from wrong
        if not texts or len(pieces) != len(names) + 1 or form.encoding not in ENCODINGS:
            raise DamagedFile("The archive does not say how its table is written.")
        return form

    @property
    def has_quotes(self) -> bool:
        """Whether a row may go on behind the end of a line, between quotes; JSON's do not."""
        return not self.pieces[0]

    def to_bytes(self, chunk: Chunk) -> bytes:
        """A chunk as it stood in the file."""
        rows, odd = iter(joined(self.pieces, chunk.columns)), dict(chunk.odd)
        text = "".join(odd[place] if place in odd else next(rows) for place in range(len(chunk)))
        text = text[: -len(self.pieces[-1])] if chunk.is_bare else text
        return text.encode(self.encoding, ERRORS[self.encoding])


ENCODINGS = ("utf-8", "latin-1", "utf-16-le", "utf-16-be")
ERRORS = {
    "utf-8": "surrogateescape",
    "latin-1": "strict",
    "utf-16-le": "surrogatepass",
    "utf-16-be": "surrogatepass",
}


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
    from isthmus.data.tables.csvs import dialect_of, opened

    with opened(path) as file:
        sample = file.read(READ_BYTES)
    if not sample.strip():
        raise NoData(f"{path} holds no rows. Give a table of at least one.")
    if path.name.lower().endswith(JSON_LINES):
        text = sample.decode("utf-8", "surrogateescape")
        split = next(
            (found for row in rows_in(text, quotes=False)[:100] if (found := split_json(row)) is not None),
            None,
        )
        pieces = split[0] if split else ("", "\n")
        names = tuple(key_of(piece, place) for place, piece in enumerate(pieces[:-1]))
        return Form("utf-8", pieces, "", names)
    dialect = dialect_of(path, header=header)
    encoding = _encoding(sample, dialect.encoding)
    text = _decoded(sample, encoding)
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    rows = rows_in(text[len(mark) :], quotes=True)
    start = mark + (rows[0] if dialect.header else "")
    ends = [row[len(row.rstrip("\r\n")) :] for row in rows[:100]]
    end = max(ends, key=ends.count) or "\n"
    return Form(encoding, ("", *[dialect.delimiter] * (len(dialect.names) - 1), end), start, dialect.names)


def parts_of(path: Path, form: Form) -> Iterator[bytes]:
    """A file behind what stands before its rows, in parts of some megabytes that end with a row.

    Where rows end is told by their quotes, as far as these can be trusted.
    """
    from isthmus.data.tables.csvs import opened

    end, quotes = "\n".encode(form.encoding), form.has_quotes
    with opened(path) as file:
        file.read(len(form.start.encode(form.encoding, ERRORS[form.encoding])))
        rest = file.read(READ_BYTES)
        while data := file.read(READ_BYTES):
            rest += data
            cut = _last_end(rest, end, quotes=quotes)
            if not cut and len(rest) >= MOST_ROW_BYTES:
                cut = len(rest) // len(end) * len(end)
            yield from _few_rows(rest[:cut], end, quotes=quotes)
            rest = rest[cut:]
        yield from _few_rows(rest, end, quotes=quotes)


def chunk_of(part: bytes, form: Form) -> Chunk:
    """The rows in a part of a file."""
    rows, split, end = (
        rows_in(_decoded(part, form.encoding), quotes=form.has_quotes),
        splitter(form.pieces),
        form.pieces[-1],
    )
    is_bare = not rows[-1].endswith("\n") and split(rows[-1] + end) is not None
    cells, odd = [], []
    for place, row in enumerate(rows):
        found = split(row + end if is_bare and place == len(rows) - 1 else row)
        if found is None:
            odd.append((place, row))
        else:
            cells.append(found)
    columns = [list(column) for column in zip(*cells, strict=True)] if cells else [[] for _ in form.names]
    return Chunk(columns, odd, is_bare)


def _few_rows(part: bytes, end: bytes, *, quotes: bool) -> Iterator[bytes]:
    """The same in parts of about MOST_ROWS rows at most."""
    count = part.count(end) // MOST_ROWS + 1
    start = 0
    for number in range(1, count):
        cut = start + _last_end(part[start : len(part) * number // count], end, quotes=quotes)
        if cut > start:
            yield part[start:cut]
            start = cut
    if start < len(part):
        yield part[start:]


def _last_end(data: bytes, end: bytes, *, quotes: bool) -> int:
    """Where the last row ends; with quotes, one with an even number of them before its end. 0: none does."""
    count, cut = data.count(b'"') if quotes else 0, len(data)
    while cut > 0:
        found = data.rfind(end, 0, cut)
        if found < 0:
            return 0
        count -= data.count(b'"', found, cut) if quotes else 0
        if count % 2 == 0 and found % len(end) == 0:
            return found + len(end)
        cut = found
    return 0


def _encoding(sample: bytes, told: str) -> str:
    if told != "utf-16":
        return told if told in ENCODINGS else "latin-1"
    return "utf-16-le" if sample.startswith(b"\xff\xfe") else "utf-16-be"


def _decoded(data: bytes, encoding: str) -> str:
    return data.decode(encoding, ERRORS[encoding])


def _runs(pieces: Sequence[str]) -> list[list[Any]]:
    """Equal neighbours once, with their number."""
    runs: list[list[Any]] = []
    for piece in pieces:
        if runs and runs[-1][0] == piece:
            runs[-1][1] += 1
        else:
            runs.append([piece, 1])
    return runs
