"""Numbers as people write them (1.234,50 €; (1,234); 5 %) → numbers as 1234.5, and how a column writes them.

A column has one decimal mark, one mark between thousands, one currency or unit. What is written in another
way is no number of it.
"""

from __future__ import annotations

import math
import re

import pyarrow as pa
import pyarrow.compute as pc

from isthmus.data.tables.schema import MOST_UNIT, Notation

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?(inf|Inf|INF|Infinity)$"
MARKED_NUMBER = r"^[+-]?[0-9]+(?:[.,' ][0-9]+)*$"
"""Digits, perhaps with marks between them."""
STRAYS = 0.05
"""A column of which no more than this share cannot be read as numbers is one of numbers, with strays."""
_WHOLE = r"^[+-]?[0-9]+$"
_IN_BRACKETS = r"^[(].*[)]$|-$"
"""Below zero, unless all cells are: then they are notes or ranges."""
_TELEPHONE = r"^[0-9]{3}(?: [0-9]{3}){2,}$"
_CURRENCY = (
    r"[A-Z]{0,3}\p{Sc}|EUR|USD|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|RUB|UAH|TRY"
    r"|BRL|MXN|ARS|CLP|COP|ZAR|KRW|SGD|HKD|TWD|THB|IDR|MYR|PHP|VND|ILS|AED|SAR|EGP|Fr\.?|kr\.?|Rs\.?"
)
_UNIT = rf"[\p{{L}}\p{{Sc}}%‰°][\p{{L}}\p{{Sc}}%‰°²³/·.]{{0,{MOST_UNIT - 2}}}"


def plain(cells: pa.Array, notation: Notation) -> pa.Array:
    """Cells of a notation → texts as 1234.5; null where a cell is none.

    >>> notation = Notation(decimal=",", thousands=".", suffix=" €")
    >>> plain(pa.array(["1.234,50 €", "(7 €)", "5", "1.2"]), notation).to_pylist()
    ['1234.50', '-7', '5', None]
    """
    prefix, suffix = (re.escape((unit or "").strip()) for unit in (notation.prefix, notation.suffix))
    point, mark = re.escape(notation.decimal or "."), re.escape(notation.thousands or "")
    # by threes, or as in India by twos and a last three
    groups = rf"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+|[1-9][0-9]?(?:{mark}[0-9]{{2}})+{mark}[0-9]{{3}}|"
    digits = rf"(?:{groups if mark else ''}[0-9]+)(?:{point}[0-9]+)?|{point}[0-9]+"
    parts = _parts(cells, f"(?:{prefix})?", digits, f"(?:{suffix})?")
    digits = parts["digits"]
    if notation.thousands is not None:
        digits = pc.replace_substring(digits, notation.thousands, "")
    digits = pc.replace_substring(digits, notation.decimal or ".", ".")
    opened = pc.utf8_length(_joined(parts["open"], parts["opened"]))
    closed = pc.utf8_length(_joined(parts["closed"], parts["close"]))
    signs = _joined(parts["sign"], parts["signed"], parts["behind"])
    below = pc.or_(pc.equal(opened, 1), pc.match_substring(signs, "-"))
    numbers = _joined(pc.if_else(below, _MINUS, _NOTHING), digits, parts["power"])
    one_sign = pc.less_equal(pc.add(opened, pc.utf8_length(signs)), 1)
    return pc.if_else(pc.and_(pc.equal(opened, closed), one_sign), numbers, None)


def number_in(cell: str, notation: Notation) -> float:
    """One cell of a notation; ValueError where it is none.

    >>> number_in("1.234,5", Notation(decimal=",", thousands="."))
    1234.5
    """
    (found,) = plain(pa.array([cell]), notation).to_pylist()
    if found is None:
        raise ValueError(f"{cell!r} is no number")
    return float(found)


def notation_of(cells: pa.Array, decimal: str = ".") -> Notation | None:
    """How most cells are written as numbers; None where they are none, or are written as 1234.5.

    Args:
        cells: without missing ones.
        decimal: "." or ",", as the rest of the file has it: it decides where all cells are like 1,234.

    >>> cells = pa.array(["1,234", "27,500"])
    >>> notation_of(cells).thousands, notation_of(cells, ",").decimal
    (',', ',')
    """
    ordinary = matching(cells, NUMBER)
    cells = _typed(cells)
    if ordinary == len(cells) and (decimal == "." or matching(cells, _WHOLE) == len(cells)):
        return None
    least = math.ceil((1 - STRAYS) * len(cells))
    found = _parts(cells, f"(?P<prefix>{_CURRENCY})?", "[0-9.,' ]*[0-9]", f"(?P<suffix>{_UNIT})?")
    if len(cells) - found["digits"].null_count < least or matching(cells, _TELEPHONE) >= least:
        return None
    if matching(cells, _IN_BRACKETS) == len(cells):
        return None
    prefix, suffix = _unit(cells, found["prefix"], "{} "), _unit(cells, found["suffix"], " {}")
    used = [
        mark for mark in (",", ".", "'", " ") if pc.any(pc.match_substring(found["digits"], mark)).as_py()
    ]
    tried = [
        Notation(decimal=None if point == "." else point, thousands=mark, prefix=prefix, suffix=suffix)
        for point in ((",", ".") if decimal == "," else (".", ","))
        for mark in (None, *(mark for mark in used if mark != point))
    ]
    counts = [len(cells) - plain(cells, one).null_count for one in tried]
    best = counts.index(max(counts))
    gained = counts[best] > ordinary or (counts[best] == ordinary and tried[best] != Notation())
    return tried[best] if gained and counts[best] >= least else None


def matching(cells: pa.Array, pattern: str) -> int:
    """How many cells match a regular expression."""
    return pc.sum(pc.match_substring_regex(cells, pattern)).as_py() or 0


def _parts(cells: pa.Array, prefix: str, digits: str, suffix: str) -> dict[str, pa.Array]:
    """The parts of each cell that is written so; null in all of them where one is not."""
    found = pc.extract_regex(
        _typed(cells),  # 5,- is a round amount
        rf"^(?P<open>\(?)(?P<sign>[+-]?) ?{prefix} ?(?P<opened>\(?)(?P<signed>[+-]?)(?P<digits>{digits})"
        rf"(?P<power>(?:[eE][+-]?[0-9]+)?)(?:[.,][-–]+)?(?P<closed>\)?) ?{suffix}"
        r"(?P<behind>-?)(?P<close>\)?)$",
    )
    return {field.name: pc.struct_field(found, field.name) for field in found.type}


def _typed(cells: pa.Array) -> pa.Array:
    """With the space, minus and apostrophe that keyboards have, in place of typographers' ones."""
    cells = pc.replace_substring_regex(cells.cast(pa.large_string()), "[\u00a0\u2007\u2009\u202f]", " ")
    return pc.replace_substring(pc.replace_substring(cells, "\u2212", "-"), "\u2019", "'")


def _unit(cells: pa.Array, units: pa.Array, spaced: str) -> str | None:
    """The one that stands at many numbers, with the space that parts them where most have it."""
    counts = pc.value_counts(units.drop_null()).to_pylist()
    count, unit = max(
        ((each["counts"], each["values"]) for each in counts if each["values"]), default=(0, "")
    )
    if count <= STRAYS * len(cells):
        return None
    with_space = spaced.format(unit)
    return with_space if pc.sum(pc.match_substring(cells, with_space)).as_py() > count / 2 else unit


def _joined(*parts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*parts, _NOTHING)


_MINUS, _NOTHING = (pa.scalar(text, pa.large_string()) for text in ("-", ""))
