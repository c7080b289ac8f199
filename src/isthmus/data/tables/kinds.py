"""Cells as texts → what kind of column they are, and their values.

Texts come as PyArrow's string arrays: a column of a million cells is looked at in a few passes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from isthmus.data.tables.schema import MISSING, Column
from isthmus.data.tables.table import NO_CODE, Cells

INTEGER = r"^[+-]?(0|[1-9][0-9]*)$"
DECIMAL = r"^[+-]?[0-9]*\.[0-9]+$"
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?(inf|Inf|INF|Infinity)$"
FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M",
    "%H:%M:%S",
    "%H:%M",
)
"""Tried in this order; the first that reads every cell is taken."""
BOOLEANS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"}, {"on", "off"})
STRAYS = 0.05
"""A column of which no more than this share cannot be read as numbers is one of numbers, with strays."""
FEW_WORDS = 20
"""So many different words are always a category …"""
OFTEN = 4
"""… and more of them are, if each comes this often on average."""
MOST_DIGITS = 15
"""Digits that a float64 holds; longer whole numbers are names, not amounts."""


def column_of(name: str, texts: pa.Array, missing: Sequence[str] = MISSING) -> Column:
    """The kind of column that holds these texts.

    >>> column_of("price", pa.array(["3.10", "0.05", None])).digits
    2
    >>> column_of("code", pa.array(["007", "012"])).kind
    'category'
    """
    cells = _present(texts, missing).drop_null()
    if not len(cells):
        return Column(name=name, kind="empty")
    words = pc.unique(cells)
    least = math.ceil((1 - STRAYS) * len(cells))
    if _matching(cells, NUMBER) >= least and not _are_names(words):
        return _numeric(name, cells, least)
    form = _date_format(words)
    if form is not None:
        return Column(name=name, kind="date", format=form)
    return Column(name=name, kind=_worded(cells, words))


def cells_of(column: Column, texts: pa.Array, missing: Sequence[str] = MISSING) -> Cells:
    """The values of a column of that kind."""
    cells = _present(texts, missing)
    if not column.is_numeric:
        return _words(column, cells)
    readable = pc.fill_null(_readable(column, cells), False)
    good = pc.if_else(readable, cells, None)
    numbers = _dates(good, column.format) if column.kind == "date" else _floats(good)
    astray = np.flatnonzero(pc.and_(pc.is_valid(cells), pc.invert(readable)).to_numpy(zero_copy_only=False))
    strays = {int(row): cells[int(row)].as_py() for row in astray}
    return Cells(column, numbers=numbers, strays=strays)


def _present(texts: pa.Array, missing: Sequence[str]) -> pa.Array:
    """Without spaces around, null where nothing stands."""
    texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    trimmed = pc.utf8_trim_whitespace(texts.cast(pa.large_string()))
    absent = pc.is_in(trimmed, value_set=pa.array([*missing], pa.large_string()))
    return pc.if_else(absent, None, trimmed)


def _matching(cells: pa.Array, pattern: str) -> int:
    return pc.sum(pc.match_substring_regex(cells, pattern)).as_py() or 0


def _are_names(words: pa.Array) -> bool:
    """Whether digits stand for a name: with zeros in front, or more than a float holds."""
    leading = _matching(words, r"^[+-]?0[0-9]+$")
    long = _matching(words, rf"^[+-]?[0-9]{{{MOST_DIGITS + 1},}}$")
    return leading + long > 0


def _numeric(name: str, cells: pa.Array, least: int) -> Column:
    if _matching(cells, INTEGER) >= least:
        return Column(name=name, kind="integer")
    points = cells.filter(pc.match_substring_regex(cells, DECIMAL))
    digits = pc.unique(pc.utf8_length(pc.extract_regex(points, r"\.(?P<d>[0-9]+)$").field(0))).to_pylist()
    if len(points) >= least and len(digits) == 1 and digits[0] <= MOST_DIGITS:
        return Column(name=name, kind="decimal", digits=digits[0])
    return Column(name=name, kind="number")


def _date_format(words: pa.Array) -> str | None:
    if not _matching(words.slice(0, 1), r"^[0-9]{1,4}[-/.:T0-9 Z]+$"):
        return None
    return next((form for form in FORMATS if _reads(words, form)), None)


def date_format(texts: Sequence[str]) -> str | None:
    """The first of FORMATS that reads every text, if any."""
    return _date_format(pa.array(texts, pa.large_string()))


def seconds_of(texts: Sequence[str], form: str) -> list[int]:
    """Dates → seconds since 1970."""
    stamps = pc.strptime(pa.array(texts, pa.large_string()), format=form, unit="s")
    return stamps.cast(pa.int64()).to_pylist()


def readable_dates(texts: Sequence[str], form: str) -> dict[str, int]:
    """Those that are dates of this form, and their seconds since 1970."""
    plain = [text for text in texts if text.isascii()]
    stamps = pc.strptime(pa.array(plain, pa.large_string()), format=form, unit="s", error_is_null=True)
    found = stamps.cast(pa.int64()).to_pylist()
    return {text: second for text, second in zip(plain, found, strict=True) if second is not None}


def print_dates(seconds: Sequence[int], form: str) -> list[str]:
    """Undo `seconds_of`."""
    stamps = pa.array(seconds, pa.int64()).cast(pa.timestamp("s"))
    return pc.strftime(stamps, format=form).to_pylist()


def _reads(words: pa.Array, form: str) -> bool:
    return pc.strptime(words, format=form, unit="s", error_is_null=True).null_count == 0


def _worded(cells: pa.Array, words: pa.Array) -> str:
    if {word.lower() for word in words.slice(0, 3).to_pylist()} in BOOLEANS:
        return "boolean"
    if len(words) <= FEW_WORDS or OFTEN * len(words) <= len(cells):
        return "category"
    spaced = _matching(words, r"\s") / len(words)
    return "text" if spaced > 0.5 else "identifier"


def _words(column: Column, cells: pa.Array) -> Cells:
    encoded = pc.dictionary_encode(cells)
    labels = np.array(encoded.dictionary.to_pylist(), object)
    order = np.argsort(labels) if len(labels) else np.zeros(0, np.int64)
    rank = np.empty(len(labels) + 1, np.int32)
    rank[order], rank[-1] = np.arange(len(labels)), NO_CODE
    codes = rank[pc.fill_null(encoded.indices, len(labels)).to_numpy(zero_copy_only=False)]
    return Cells(column, codes=codes, labels=labels[order])


def _readable(column: Column, cells: pa.Array) -> Any:
    if column.kind == "date":
        return pc.is_valid(pc.strptime(cells, format=column.format, unit="s", error_is_null=True))
    return pc.match_substring_regex(cells, NUMBER)


def _floats(cells: pa.Array) -> np.ndarray:
    plain = pc.replace_substring_regex(cells, r"^\+", "")
    return pc.fill_null(plain.cast(pa.float64()), math.nan).to_numpy(zero_copy_only=False)


def _dates(cells: pa.Array, form: str | None) -> np.ndarray:
    seconds = (
        pc.strptime(cells, format=form, unit="s", error_is_null=True).cast(pa.int64()).cast(pa.float64())
    )
    return pc.fill_null(seconds, math.nan).to_numpy(zero_copy_only=False)
