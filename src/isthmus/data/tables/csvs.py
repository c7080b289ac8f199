"""CSV and its like → chunks of texts: what parts the cells, whether the first row names them, and the rows.

Rows and cells are found by splitting.py, for every command alike; PyArrow reads parts of a file in which
it finds the same. Nothing is taken for a number or for missing here, and no row is dropped in silence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from isthmus.data.source import Skipped
from isthmus.data.tables.notation import MARKED_NUMBER, NUMBER
from isthmus.data.tables.schema import DELIMITERS
from isthmus.data.tables.splitting import Splitter, lines_in, value_of, without_ends
from isthmus.data.tables.textfile import MOST_ROW_BYTES, as_bytes, as_text, blocks_of, encoding_of, parts_of
from isthmus.errors import BadItem, NoData

SAMPLE_BYTES = 1 << 20
SAMPLE_LINES = 200


@dataclass(frozen=True)
class Dialect:
    """How a file writes its rows."""

    encoding: str
    delimiter: str
    """"" where every row is one cell."""
    header: bool
    """Whether the first row names the columns."""
    names: tuple[str, ...]
    """Of the columns, no two alike."""
    start: bytes
    """What stands before the first row of values: a byte order mark, the names of the columns."""
    end: str
    """Of most rows."""

    @property
    def splitter(self) -> Splitter:
        """What finds its rows and cells."""
        return Splitter(self.delimiter, len(self.names))


def dialect_of(path: Path, *, header: bool | None = None) -> Dialect:
    """Find out from the first rows, and the encoding from the whole file.

    Args:
        path: the file; .gz is unpacked.
        header: whether the first row names the columns; None: it does unless it holds a number.

    Raises:
        NoData: the file is empty.
        BadItem: it is no text, or no whole .gz.
    """
    encoding = encoding_of(path)
    text, is_all = _sample(path, encoding)
    mark = text[: text.startswith("\ufeff")]
    text = text[len(mark) :]
    if not without_ends(text):
        raise NoData(f"{path} holds no rows. Give a table of at least one.")
    if "\0" in text:
        raise BadItem(f"{path} is no table of text: it holds zero bytes.")
    splitter = _splitter(text, ("\t",) if ".tsv" in path.name.lower() else DELIMITERS, is_all=is_all)
    rows = _whole_rows(splitter, text, is_all=is_all)
    names_row = as_bytes(without_ends(rows[0]), encoding).decode(encoding, "replace")
    first = [value_of(cell) for cell in splitter.cells(names_row)]
    named = _names_columns(first) if header is None else header
    names = _different(first) if named else tuple(f"column_{number}" for number in range(len(first)))
    ends = Counter(row[len(row.rstrip("\r\n")) :] for row in rows)
    return Dialect(
        encoding=encoding,
        delimiter=splitter.delimiter if len(first) > 1 else "",
        header=named,
        names=names,
        start=as_bytes(mark + (rows[0] if named else ""), encoding),
        end=ends.most_common(1)[0][0] or "\n",
    )


def rows_of(
    path: Path, dialect: Dialect, *, skip_bad: bool, skipped: list[Skipped]
) -> Iterator[pa.RecordBatch]:
    """The rows in batches, each column large_string.

    Args:
        path: the file.
        dialect: of the file.
        skip_bad: leave rows out that have too many or too few cells, and name them in `skipped`.
        skipped: grows while the batches are taken.
    Raises:
        BadItem: a row with too many or too few cells.
    """
    done = 0
    for part in parts_of(path, dialect.encoding, dialect.splitter, len(dialect.start)):
        text = part.decode(dialect.encoding, "replace")
        if (quick := _by_arrow(text, dialect)) is not None:
            done += len(quick)
            yield quick
            continue
        rows = []
        for body in map(without_ends, dialect.splitter.rows(text)):
            cells = dialect.splitter.cells(body)
            if len(cells) == len(dialect.names):
                rows.append(list(map(value_of, cells)) if '"' in body else cells)
            elif body:
                reason = f"{len(cells):,} cells where {len(dialect.names):,} must be"
                if not skip_bad:
                    raise BadItem(
                        f"{path}: row {done:,} has {reason} (rows count from 0). "
                        "Repair it, or leave such rows out with --skip-bad."
                    )
                skipped.append(Skipped(f"row {done:,}", reason))
            done += bool(body) or len(dialect.names) == 1
        if rows:
            columns = [pa.array(column, pa.large_string()) for column in zip(*rows, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, list(dialect.names))


def _by_arrow(text: str, dialect: Dialect) -> pa.RecordBatch | None:
    """The rows, if PyArrow parts them as `Splitter` does; it is ten times as fast.

    So it is where every quote stands around a whole cell of one line, and every row has its cells.
    """
    if not dialect.delimiter:
        return None
    if '"' in text and '"' in _quoted_cells(dialect.delimiter).sub("", text):
        return None
    data = text.encode()
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=len(data) + 1, column_names=list(dialect.names)
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=dialect.delimiter),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(dialect.names, pa.large_string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:  # a row has too many or too few cells
        return None
    return pa.RecordBatch.from_arrays([c.combine_chunks() for c in table.columns], list(dialect.names))


@lru_cache
def _quoted_cells(delimiter: str) -> re.Pattern[str]:
    stop = re.escape(delimiter) + r"\r\n"
    return re.compile(rf'(?<![^{stop}])"[^"\r\n]*+(?:""[^"\r\n]*+)*+"(?=[{stop}]|\Z)')


def _sample(path: Path, encoding: str) -> tuple[str, bool]:
    """The first rows as text, and whether that is all of the file."""
    data = b""
    for block in blocks_of(path, SAMPLE_BYTES):
        data += block
        text = as_text(data, encoding)
        if len(block) < SAMPLE_BYTES:
            return text, True
        if len(lines_in(text)) > 2 or len(data) >= MOST_ROW_BYTES:
            return text, False
    return as_text(data, encoding), True


def _splitter(text: str, delimiters: Sequence[str], *, is_all: bool) -> Splitter:
    """By the delimiter that parts most rows into one number of cells, the more cells the better.

    Of those that part alike, one beside which all commas stand in numbers: 0,5;1,25 is two cells.
    """

    def agreement(delimiter: str) -> tuple[float, bool, int]:
        splitter = Splitter(delimiter)
        rows = [splitter.cells(without_ends(row)) for row in _whole_rows(splitter, text, is_all=is_all)]
        width, count = max(Counter(map(len, rows)).items(), key=lambda found: (found[1], found[0]))
        commas = [cell for row in rows for cell in row if "," in cell]
        in_numbers = bool(commas) and all(re.match(MARKED_NUMBER, cell.strip()) for cell in commas)
        return (count / len(rows) if width > 1 else 0.0), width > 1 and in_numbers, width

    found = {delimiter: agreement(delimiter) for delimiter in delimiters}
    best = max(delimiters, key=lambda delimiter: found[delimiter])
    width = found[best][2]
    return Splitter(best if width > 1 else "", width)


def _whole_rows(splitter: Splitter, text: str, *, is_all: bool) -> list[str]:
    """The rows in the first lines; one that may be cut only where it is the first."""
    lines = lines_in(text)
    rows = splitter.rows("".join(lines[:SAMPLE_LINES]))
    return rows if (is_all and len(lines) <= SAMPLE_LINES) or len(rows) == 1 else rows[:-1]


def _names_columns(first: list[str]) -> bool:
    texts = pa.array([cell.strip() for cell in first], pa.string())
    return not pc.any(pc.match_substring_regex(texts, f"{NUMBER}|{MARKED_NUMBER}")).as_py()


def _different(names: list[str]) -> tuple[str, ...]:
    """Names without spaces around; one that came before gets a number.

    >>> _different(["a", " a", "", "a"])
    ('a', 'a (2)', 'column_2', 'a (3)')
    """
    found: dict[str, None] = {}
    for place, name in enumerate(names):
        name = name.strip() or f"column_{place}"
        count, tried = 1, name
        while tried in found:
            count += 1
            tried = f"{name} ({count})"
        found[tried] = None
    return tuple(found)
