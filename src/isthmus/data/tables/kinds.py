"""Cells as texts → what kind of column they are, and their values.

Texts come as PyArrow's string arrays: a column of a million cells is looked at in a few passes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from isthmus.data.tables.dates import FORMATS, form_of, literal, moments
from isthmus.data.tables.schema import MISSING, Column
from isthmus.data.tables.table import NO_CODE, Cells

INTEGER = r"^[+-]?(0|[1-9][0-9]*)$"
DECIMAL = r"^[+-]?[0-9]*\.[0-9]+$"
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?(inf|Inf|INF|Infinity)$"
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
    form = form_of(cells, STRAYS)
    if form is not None:
        return Column(name=name, kind="date", format=form)
    return Column(name=name, kind=_worded(cells, words))


def cells_of(column: Column, texts: pa.Array, missing: Sequence[str] = MISSING) -> Cells:
    """The values of a column of that kind."""
    cells = _present(texts, missing)
    if not column.is_numeric:
        return _words(column, cells)
    if column.kind == "date":
        found = moments(cells, column.format or FORMATS[0])
        readable, numbers = found.known, found.floats()
    else:
        fits = pc.fill_null(pc.match_substring_regex(cells, NUMBER), False)
        readable, numbers = fits.to_numpy(zero_copy_only=False), _floats(pc.if_else(fits, cells, None))
    astray = np.flatnonzero(pc.is_valid(cells).to_numpy(zero_copy_only=False) & ~readable)
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


def date_format(texts: Sequence[str]) -> str | None:
    """How strftime prints these texts, if nearly all of them are dates printed in one way."""
    form = form_of(pa.array(texts, pa.large_string()), STRAYS)
    if form is None:
        return None
    return Counter(literal(form, text) for text in texts).most_common(1)[0][0]


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


def _floats(cells: pa.Array) -> np.ndarray:
    plain = pc.replace_substring_regex(cells, r"^\+", "")
    return pc.fill_null(plain.cast(pa.float64()), math.nan).to_numpy(zero_copy_only=False)
