"""Text ⇄ rows ⇄ cells: the one way in which every reader of a text file parts it.

A row ends with LF, CR LF or CR, and with the blank lines behind it. A cell may stand between quotes: then it
holds delimiters, line ends, and quotes written twice. A quote that opens no such cell, because none closes
it in front of a delimiter or a line end, is a letter like others.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

MOST_QUOTED = 1 << 22
"""Letters of a row of several lines; one of more is several rows, of which one has a quote."""
SWALLOWED = 8
"""Delimiters in lines between two quotes, each line as wide as the table, that make these two strays."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_QUOTED = r'"[^"]*+(?:""[^"]*+)*+"'
_VALUE = re.compile(_QUOTED)


def lines_in(text: str) -> list[str]:
    """Lines with their ends.

    >>> lines_in("a\\nb\\r\\nc\\rd")
    ['a\\n', 'b\\r\\n', 'c\\r', 'd']
    """
    if text.count("\r") != text.count("\r\n"):
        return _LINE.findall(text)
    *lines, last = text.split("\n")
    return [line + "\n" for line in lines] + ([last] if last else [])


def without_ends(row: str) -> str:
    """A row without the line ends around it."""
    return row.strip("\r\n")


@dataclass(frozen=True)
class Splitter:
    """Parts text into rows, and rows into cells.

    Args:
        delimiter: between cells; "" where every row is one.
        width: how many cells a row has, if that is known; blank lines are rows where it is one.
        quotes: whether cells may stand between quotes.
    """

    delimiter: str
    width: int | None = None
    quotes: bool = True

    def rows(self, text: str) -> list[str]:
        """All rows, with their ends.

        >>> Splitter(",", 2).rows('1,"two\\nlines"\\n\\n2,19" rack\\n')
        ['1,"two\\nlines"\\n\\n', '2,19" rack\\n']
        """
        return self._with_blank_lines(self._rows(text, is_all=True))

    def rows_begun(self, text: str) -> tuple[list[str], str]:
        """The same of text that goes on: its rows, and what more text may add to.

        >>> Splitter(",", 2).rows_begun("1,2\\n3,4\\n")
        (['1,2\\n'], '3,4\\n')
        """
        rows = self._with_blank_lines(self._rows(text, is_all=False))[:-1]
        return rows, text[sum(map(len, rows)) :]

    def cells(self, row: str) -> list[str]:
        """The cells of a row without its ends; they keep quotes and spaces.

        >>> Splitter(",").cells('1,"a,""b", "c",19" rack')
        ['1', '"a,""b"', ' "c"', '19" rack']
        """
        if not self.delimiter:
            return [row]
        if not self.quotes or '"' not in row:
            return row.split(self.delimiter)
        return _patterns(self.delimiter).cell.findall(row)

    def _rows(self, text: str, *, is_all: bool) -> Iterator[str]:
        """Rows, blank lines among them; where that is not all of the text, the last one may not be whole."""
        lines = lines_in(text)
        if not self.quotes or '"' not in text:
            yield from lines
            return
        starts, number, whole = [0, *accumulate(map(len, lines))], 0, _patterns(self.delimiter).row
        while number < len(lines):
            start, end, after = starts[number], starts[number + 1], number + 1
            if '"' in lines[number]:
                row = whole.match(text, start)
                assert row is not None  # it matches anything
                is_open = row.lastindex is not None and not is_all
                if is_open and len(text) - start < MOST_QUOTED:
                    yield text[start:]
                    return
                after = bisect_left(starts, row.end())
                if after > number + 1 and not self._are_strays(lines[number:after], row.end() - start):
                    end = row.end()
                else:
                    after = number + 1
            yield text[start:end]
            number = after

    def _are_strays(self, lines: Sequence[str], length: int) -> bool:
        """Whether the quotes that hold lines together as one row are no pair."""
        if length > MOST_QUOTED:
            return True
        if self.width is None or not self._is_wide(lines[0]):
            return False
        inner = [line for line in lines[1:-1] if without_ends(line)]
        return not self._is_wide("".join(lines)) or (
            len(inner) * (self.width - 1) >= SWALLOWED and all(map(self._is_wide, inner))
        )

    def _is_wide(self, row: str) -> bool:
        return len(self.cells(without_ends(row))) == self.width

    def _with_blank_lines(self, rows: Iterator[str]) -> list[str]:
        """Rows with the blank lines behind them, the first with those before it too."""
        if self.width == 1:
            return list(rows)
        found: list[str] = []
        for row in rows:
            if found and not (without_ends(row) and without_ends(found[-1])):
                found[-1] += row
            else:
                found.append(row)
        return found


class _Patterns(NamedTuple):
    """Of cells parted by one delimiter."""

    cell: re.Pattern[str]
    row: re.Pattern[str]
    """It has a group where a quote opens a cell that no quote behind it closes."""


@lru_cache
def _patterns(delimiter: str) -> _Patterns:
    between, stop = re.escape(delimiter), re.escape(delimiter) + r"\r\n"
    is_end = rf"(?={between}|[\r\n]|\Z)" if delimiter else r"(?=[\r\n]|\Z)"
    quoted, plain = rf" *+{_QUOTED} *+{is_end}", rf"[^{stop}]*+"
    unclosed = rf' *+"()(?=[^"]*+(?:""[^"]*+)*+\Z){plain}'
    cell, each = f"(?:{quoted}|{plain})", f"(?:{quoted}|{unclosed}|{plain})"
    more = f"(?:{between}{each})*" if delimiter else ""
    return _Patterns(re.compile(rf"(?:\A|{between})({cell})"), re.compile(rf"{each}{more}(?:\r\n?|\n|\Z)"))


def value_of(cell: str) -> str:
    """What a cell says, without the quotes around it.

    >>> value_of(' "a ""b" '), value_of('19" rack'), value_of('"19')
    ('a "b', '19" rack', '"19')
    """
    text = cell.strip(" ")
    if not text.startswith('"') or _VALUE.fullmatch(text) is None:
        return cell
    return text[1:-1].replace('""', '"')


def row_splitter(pieces: Sequence[str], splitter: Splitter) -> Callable[[str], list[str] | None]:
    """What finds the cells of a row that is written with these pieces; None of one that is not."""
    if pieces[0]:

        def by_json(row: str) -> list[str] | None:
            found = split_json(row)
            return found[1] if found is not None and found[0] == tuple(pieces) else None

        return by_json
    end, width = pieces[-1], len(pieces) - 1

    def by_delimiter(row: str) -> list[str] | None:
        body = without_ends(row)
        if row != body + end:
            return None
        cells = splitter.cells(body)
        return cells if len(cells) == width else None

    return by_delimiter


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
