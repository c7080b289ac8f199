"""CSV and its like → chunks of texts: what parts the cells, whether the first row names them, and the rows.

PyArrow reads; nothing is taken for a number or for missing here, and no row is dropped in silence.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from isthmus.data.source import Skipped
from isthmus.data.tables.kinds import NUMBER
from isthmus.errors import BadItem, NoData

DELIMITERS = (",", "\t", ";", "|")
SAMPLE_BYTES = 1 << 20
SAMPLE_LINES = 200
BLOCK_BYTES = 1 << 23


@dataclass(frozen=True)
class Dialect:
    """How a file writes its rows."""

    delimiter: str
    header: bool
    """Whether the first row names the columns."""
    names: tuple[str, ...]
    """Of the columns, no two alike."""
    encoding: str


def dialect_of(path: Path, *, header: bool | None = None) -> Dialect:
    """Find out from the first megabyte.

    Args:
        path: the file; .gz is unpacked.
        header: whether the first row names the columns; None: it does unless it holds a number.

    Raises:
        NoData: the file is empty.
        BadItem: it is no text.
    """
    with opened(path) as file:
        sample = file.read(SAMPLE_BYTES)
    encoding = _encoding(sample, path)
    text = sample.decode(encoding, "ignore").removeprefix("\ufeff")
    lines = _lines(text, len(sample) == SAMPLE_BYTES)
    if not lines:
        raise NoData(f"{path} holds no rows. Give a table of at least one.")
    if "\0" in text:
        raise BadItem(f"{path} is no table of text: it holds zero bytes.")
    delimiter = "\t" if ".tsv" in path.suffixes else _delimiter(lines)
    first = next(csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter))
    named = _names_columns(first) if header is None else header
    names = _different(first) if named else tuple(f"column_{number}" for number in range(len(first)))
    return Dialect(delimiter, named, names, encoding)


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
        BadItem: a row with too many or too few cells, or not of the file's encoding.
    """
    ragged: list[str] = []

    def judge(row: arrow_csv.InvalidRow) -> str:
        number = f"row {row.number - dialect.header - 1:,}" if row.number else "a row"
        reason = f"{row.actual_columns:,} cells where {row.expected_columns:,} must be"
        if skip_bad:
            skipped.append(Skipped(number, reason))
            return "skip"
        ragged.append(f"{number} has {reason}")
        return "error"

    kinds = dict.fromkeys(dialect.names, pa.large_string())
    try:
        with opened(path) as file:
            yield from arrow_csv.open_csv(
                file,
                read_options=arrow_csv.ReadOptions(
                    use_threads=False,  # or bad rows would have no number
                    block_size=BLOCK_BYTES,
                    column_names=list(dialect.names),
                    skip_rows_after_names=int(dialect.header),
                    encoding=dialect.encoding,
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=dialect.delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=len(dialect.names) > 1,
                    invalid_row_handler=judge,
                ),
                convert_options=arrow_csv.ConvertOptions(column_types=kinds, strings_can_be_null=False),
            )
    except (pa.ArrowInvalid, UnicodeDecodeError) as wrong:
        if ragged:
            raise BadItem(
                f"{path}: {ragged[0]} (rows count from 0). Repair it, or leave such rows out with --skip-bad."
            ) from wrong
        raise BadItem(f"{path} cannot be read: {wrong}. Save it as UTF-8 CSV.") from wrong
    except gzip.BadGzipFile as wrong:
        raise BadItem(f"{path} is no whole gzip file: {wrong}.") from wrong


def opened(path: Path) -> BinaryIO:
    """The file for reading; .gz is unpacked."""
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _encoding(sample: bytes, path: Path) -> str:
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as wrong:
        if wrong.start < len(sample) - 4:  # else the sample ends inside a letter
            return "latin-1"
    return "utf-8"


def _lines(text: str, cut: bool) -> list[str]:
    lines = text.splitlines(keepends=True)
    lines = lines[:-1] if cut and len(lines) > 1 else lines  # the last one is not whole
    return [line for line in lines if line.strip("\r\n")][:SAMPLE_LINES]


def _delimiter(lines: list[str]) -> str:
    """The one that parts most lines into one number of cells, the more cells the better."""

    def agreement(delimiter: str) -> tuple[float, int]:
        try:
            widths = Counter(
                len(row) for row in csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter)
            )
        except csv.Error:  # a cell beyond what Python reads
            return 0.0, 0
        width, rows = max(widths.items(), key=lambda found: (found[1], found[0]))
        return (rows / sum(widths.values()) if width > 1 else 0.0), width

    return max(DELIMITERS, key=agreement)


def _names_columns(first: list[str]) -> bool:
    texts = pa.array([cell.strip() for cell in first], pa.string())
    return not pc.any(pc.match_substring_regex(texts, NUMBER)).as_py()


def _different(names: list[str]) -> tuple[str, ...]:
    """Names without spaces around; one that came before gets a number.

    >>> _different(["a", " a", "", "a"])
    ('a', 'a (2)', 'column_2', 'a (3)')
    """
    found: list[str] = []
    for place, name in enumerate(names):
        name = name.strip() or f"column_{place}"
        count, tried = 1, name
        while tried in found:
            count += 1
            tried = f"{name} ({count})"
        found.append(tried)
    return tuple(found)
