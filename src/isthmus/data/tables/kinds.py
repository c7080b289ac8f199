"""Cells as texts → what kind of column they are, and their values.

Texts come as PyArrow's string arrays: a column of a million cells is looked at in a few passes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from isthmus.data.tables.dates import FORMATS, form_of, literal, moments
from isthmus.data.tables.notation import NUMBER, STRAYS, matching, notation_of, plain
from isthmus.data.tables.schema import MISSING, Column, Notation, Schema
from isthmus.data.tables.table import NO_CODE, Cells

INTEGER = r"^[+-]?(0|[1-9][0-9]*)$"
DECIMAL = r"^[+-]?[0-9]*\.[0-9]+$"
BOOLEANS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"}, {"on", "off"})
FEW_WORDS = 20
"""So many different words are always a category …"""
OFTEN = 4
"""… and more of them are, if each comes this often on average."""
MOST_DIGITS = 15
"""Digits that a float64 holds; longer whole numbers are names, not amounts."""


def columns_of(columns: Mapping[str, Any], known: Schema | None, column_of: Callable[..., Column]) -> Schema:
    """The kinds of all columns of a file.

    A column whose cells are all like 1,234 or 1.234 has the decimal mark that most of the others have.

    Args:
        columns: the first cells of each column, by name.
        known: of a model for such tables: its columns say what may be meant in more than one way.
        column_of: takes name and cells, and perhaps `like` and `decimal`, as `column_of` below.
    """
    likes = {column.name: column for column in known or ()}
    found = {name: column_of(name, cells, like=likes.get(name)) for name, cells in columns.items()}
    commas = {name for name, column in found.items() if _decimal(column) == ","}
    numbers = [name for name, column in found.items() if column.is_amount and name not in commas]
    if not commas or not numbers:
        return Schema(tuple(found.values()))
    other = {name: column_of(name, columns[name], like=likes.get(name), decimal=",") for name in numbers}
    points = [name for name, column in other.items() if column == found[name] and _has_marks(column)]
    return Schema(tuple((found | (other if len(commas) > len(points) else {})).values()))


def column_of(
    name: str,
    texts: pa.Array,
    missing: Sequence[str] = MISSING,
    *,
    like: Column | None = None,
    decimal: str = ".",
) -> Column:
    """The kind of column that holds these texts.

    Args:
        name: of the column.
        texts: its first cells.
        missing: what stands where nothing does.
        like: a column that a model knows by this name.
        decimal: the mark of the file's other columns.

    >>> column_of("price", pa.array(["3.10", "0.05", None])).digits
    2
    >>> column_of("code", pa.array(["007", "012"])).kind
    'category'
    >>> column_of("paid", pa.array(["1.234,50", "99,00"])).summary()
    'decimal, 2 digits, written as -1.234,5'
    """
    cells = present(texts, missing).drop_null()
    if not len(cells):
        return Column(name=name, kind="empty")
    if like is not None and like.family == "word":  # any text is one
        return Column(name=name, kind=_worded(cells, pc.unique(cells)))
    least = math.ceil((1 - STRAYS) * len(cells))
    ordinary = matching(cells, NUMBER)
    known = None if like is None else like.format
    form = form_of(cells, STRAYS, first=known) if ordinary < least else None
    if form is not None:
        return Column(name=name, kind="date", format=form)
    notation = notation_of(cells, _decimal(like) if like is not None and like.is_amount else decimal)
    numbers = cells if notation is None else plain(cells, notation).drop_null()
    if (notation is not None or ordinary >= least) and not _are_names(pc.unique(numbers)):
        return _numeric(name, numbers, least, notation)
    return Column(name=name, kind=_worded(cells, pc.unique(cells)))


def cells_of(column: Column, texts: pa.Array, missing: Sequence[str] = MISSING) -> Cells:
    """The values of a column of that kind."""
    cells = present(texts, missing)
    if not column.is_numeric:
        return _words(column, cells)
    if column.kind == "date":
        values = moments(cells, column.format or FORMATS[0]).floats()
    else:
        values = _floats(cells, column.notation)
    astray = np.flatnonzero(pc.is_valid(cells).to_numpy(zero_copy_only=False) & np.isnan(values))
    strays = {int(row): cells[int(row)].as_py() for row in astray}
    return Cells(column, numbers=values, strays=strays, written=cells)


def present(texts: pa.Array, missing: Sequence[str] = MISSING) -> pa.Array:
    """Without spaces around, null where nothing stands."""
    texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    trimmed = pc.utf8_trim_whitespace(texts.cast(pa.large_string()))
    absent = pc.is_in(trimmed, value_set=pa.array([*missing], pa.large_string()))
    return pc.if_else(absent, None, trimmed)


def _are_names(words: pa.Array) -> bool:
    """Whether digits stand for a name: with zeros in front, or more than a float holds."""
    leading = matching(words, r"^[+-]?0[0-9]+$")
    long = matching(words, rf"^[+-]?[0-9]{{{MOST_DIGITS + 1},}}$")
    return leading + long > 0


def _numeric(name: str, cells: pa.Array, least: int, notation: Notation | None) -> Column:
    if matching(cells, INTEGER) >= least:
        return Column(name=name, kind="integer", notation=notation)
    points = cells.filter(pc.match_substring_regex(cells, DECIMAL))
    digits = pc.unique(pc.utf8_length(pc.extract_regex(points, r"\.(?P<d>[0-9]+)$").field(0))).to_pylist()
    if len(points) >= least and len(digits) == 1 and digits[0] <= MOST_DIGITS:
        return Column(name=name, kind="decimal", digits=digits[0], notation=notation)
    return Column(name=name, kind="number", notation=notation)


def date_format(texts: Sequence[str]) -> str | None:
    """How strftime prints these texts, if nearly all of them are dates printed in one way."""
    form = form_of(pa.array(texts, pa.large_string()), STRAYS)
    if form is None:
        return None
    return Counter(literal(form, text) for text in texts).most_common(1)[0][0]


def _decimal(column: Column) -> str:
    """The decimal mark of a column of numbers."""
    return (column.notation and column.notation.decimal) or "."


def _has_marks(column: Column) -> bool:
    """Whether its numbers say what the decimal mark is."""
    return column.kind != "integer" or (column.notation is not None and column.notation.thousands == ",")


def readable_dates(texts: Sequence[str], form: str) -> dict[str, int]:
    """Those that are dates of this form, and their seconds since 1970."""
    plain = [text for text in texts if text.isascii()]
    found = moments(pa.array(plain, pa.large_string()), form)
    seconds = found.seconds.tolist()
    return {text: second for text, second, known in zip(plain, seconds, found.known, strict=True) if known}


def print_dates(seconds: Sequence[int], form: str) -> list[str]:
    """Undo `readable_dates`."""
    stamps = pa.array(seconds, pa.int64()).cast(pa.timestamp("s"))
    return pc.strftime(stamps, format=form).to_pylist()


def _worded(cells: pa.Array, words: pa.Array) -> str:
    if {word.lower() for word in words.slice(0, 3).to_pylist()} in BOOLEANS:
        return "boolean"
    if len(words) <= FEW_WORDS or OFTEN * len(words) <= len(cells):
        return "category"
    spaced = matching(words, r"\s") / len(words)
    return "text" if spaced > 0.5 else "identifier"


def _words(column: Column, cells: pa.Array) -> Cells:
    encoded = pc.dictionary_encode(cells)
    labels = np.array(encoded.dictionary.to_pylist(), object)
    order = np.argsort(labels) if len(labels) else np.zeros(0, np.int64)
    rank = np.empty(len(labels) + 1, np.int32)
    rank[order], rank[-1] = np.arange(len(labels)), NO_CODE
    codes = rank[pc.fill_null(encoded.indices, len(labels)).to_numpy(zero_copy_only=False)]
    return Cells(column, codes=codes, labels=labels[order])


def _floats(cells: pa.Array, notation: Notation | None) -> np.ndarray:
    """NaN where a cell is no number."""
    if notation is None:
        cells = pc.if_else(pc.match_substring_regex(cells, NUMBER), cells, None)
    else:
        cells = plain(cells, notation)
    numbers = pc.replace_substring_regex(cells, r"^\+", "").cast(pa.float64())
    return pc.fill_null(numbers, math.nan).to_numpy(zero_copy_only=False)
