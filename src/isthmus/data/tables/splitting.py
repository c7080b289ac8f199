"""A row of text ⇄ its cells: by a delimiter, or as JSON; quotes are heeded, and cells keep them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence


def rows_in(text: str, *, quotes: bool) -> list[str]:
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


def splitter(pieces: Sequence[str]) -> Callable[[str], list[str] | None]:
    """What finds the cells of a row that is written with these pieces; None of one that is not."""
    if pieces[0]:

        def by_json(row: str) -> list[str] | None:
            found = split_json(row)
            return found[1] if found is not None and found[0] == tuple(pieces) else None

        return by_json
    end, width, delimiter = pieces[-1], len(pieces) - 1, pieces[1] if len(pieces) > 2 else ""

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


def split_json(row: str) -> tuple[tuple[str, ...], list[str]] | None:
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


def key_of(piece: str, place: int) -> str:
    """The name in `, "name": `."""
    try:
        return str(_DECODER.raw_decode(piece, piece.index('"'))[0])
    except ValueError:
        return f"column_{place}"


def joined(pieces: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
    """Cells by column → rows of text."""
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
