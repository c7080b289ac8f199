"""A text file of rows ⇄ cells, byte for byte: CSV and its like, and JSON lines.

Every row is pieces of text with cells between them; the pieces are the same in all rows of a file, and
a row where they are not is odd and stands as it is. Cells keep their quotes and spaces.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        rows, odd = iter(_joined(self.pieces, chunk.columns)), dict(chunk.odd)
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
            (found for row in _rows(text, quotes=False)[:100] if (found := _split_json(row)) is not None),
            None,
        )
        pieces = split[0] if split else ("", "\n")
        names = tuple(_key(piece, place) for place, piece in enumerate(pieces[:-1]))
        return Form("utf-8", pieces, "", names)
    dialect = dialect_of(path, header=header)
    encoding = _encoding(sample, dialect.encoding)
    text = _decoded(sample, encoding)
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    rows = _rows(text[len(mark) :], quotes=True)
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
        _rows(_decoded(part, form.encoding), quotes=form.has_quotes),
        _splitter(form),
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


def _rows(text: str, *, quotes: bool) -> list[str]:
    """Rows with their ends; one between quotes is none."""
    lines = text.split("\n")
    rows = [line + "\n" for line in lines[:-1]]
    if lines[-1]:
        rows.append(lines[-1])
    if not quotes or '"' not in text:
        return rows
    merged, open_rows = [], ""
    for row in rows:
        open_rows += row
        if open_rows.count('"') % 2 == 0:
            merged.append(open_rows)
            open_rows = ""
    return [*merged, open_rows] if open_rows else merged


def _splitter(form: Form) -> Callable[[str], list[str] | None]:
    if form.pieces[0]:

        def by_json(row: str) -> list[str] | None:
            found = _split_json(row)
            return found[1] if found is not None and found[0] == form.pieces else None

        return by_json
    end, width, delimiter = form.pieces[-1], len(form.names), form.pieces[1] if len(form.names) > 1 else ""

    def by_delimiter(row: str) -> list[str] | None:
        if not row.endswith(end) or (end == "\n" and row.endswith("\r\n")):
            return None
        body = row[: -len(end)]
        cells = body.split(delimiter) if delimiter else [body]
        if '"' in body:
            cells = _merged(cells, delimiter)
        return cells if len(cells) == width else None

    return by_delimiter


def _merged(cells: Sequence[str], delimiter: str) -> list[str]:
    """Cells whose delimiter stood between quotes put together again."""
    found: list[str] = []
    is_open = False
    for cell in cells:
        if is_open:
            found[-1] += delimiter + cell
        else:
            found.append(cell)
        is_open ^= cell.count('"') % 2 == 1
    return found


def _split_json(row: str) -> tuple[tuple[str, ...], list[str]] | None:
    """An object on a line → the pieces around its values, and the values as they stand there."""
    pieces, cells, at, start = [], [], 0, 0
    try:
        if not row.startswith("{"):
            return None
        at = 1
        while True:
            at = _space(row, at)
            _, at = _DECODER.raw_decode(row, at)
            at = _space(row, at)
            if row[at] != ":":
                return None
            at = _space(row, at + 1)
            pieces.append(row[start:at])
            _, end = _DECODER.raw_decode(row, at)
            cells.append(row[at:end])
            start, at = end, _space(row, end)
            if row[at] == "}":
                return (*pieces, row[start:]), cells
            if row[at] != ",":
                return None
            at += 1
    except (ValueError, IndexError, RecursionError):
        return None


_DECODER = json.JSONDecoder()


def _space(text: str, at: int) -> int:
    while text[at] in " \t":
        at += 1
    return at


def _key(piece: str, place: int) -> str:
    """The name in `, "name": `."""
    try:
        return str(_DECODER.raw_decode(piece, piece.index('"'))[0])
    except ValueError:
        return f"column_{place}"


def _joined(pieces: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
    first, *between, last = pieces
    if not first and len(set(between)) <= 1:
        delimiter = between[0] if between else ""
        return [delimiter.join(cells) + last for cells in zip(*columns, strict=True)]
    slots = [part for piece in between for part in (piece, "")]
    rows = []
    for cells in zip(*columns, strict=True):
        slots[1::2] = cells[1:]
        rows.append(first + cells[0] + "".join(slots) + last)
    return rows


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
