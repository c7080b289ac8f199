"""A column of texts ⇄ whole numbers and how they are printed; to the last digit, sign and space.

What cannot be printed back from a number is a mark: it stands as it is, and costs as it is rare.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from isthmus.errors import DamagedFile

WORDS, NUMBER, DATE = "words", "number", "date"
FIXED, SHORT, POINT, SINGLE = "fixed", "short", "point", "single"
"""Zeros at the end of a fraction: all there, none there, or one where nothing else is left. The last: a
number was a float32 and is printed as the float64 that this is, as 0.10000000149011612 for 0.1."""
MARK = "!"
"""In front of a mark's text; a row without one is a number."""
LEAST_NUMBERS = 0.75
"""A column of numbers has at most so many rows, and words, that are none."""
RARE = 0.003
"""Numbers of more digits than others are marks if no more than this share of all."""
MOST_DIGITS = 15
MOST_SINGLE_DIGITS = 6
MOST_LETTERS, MOST_UNITS = 32, 1 << 42
"""Of a text that is rounded to a number, and of units in that."""
UNITS_OF_BOUND = 200
_FLOAT = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?\Z")
_NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?\Z")
_BEFORE, _BEHIND = re.compile(r"[\s\"'$€£]*"), re.compile(r"[\s\"'%]*\Z")


@dataclass(frozen=True)
class Style:
    """How the texts of a column are printed."""

    kind: str = WORDS
    digits: int = 0
    """Behind the point: a number counts units of ten to the power of minus this."""
    zeros: str = FIXED
    before: str = ""
    """What stands before every number, and behind."""
    behind: str = ""
    form: str = ""
    """Of a date, as strftime has it; its numbers are seconds since 1970."""

    def to_dict(self) -> dict[str, Any]:
        """What differs from the default."""
        return {key: value for key, value in asdict(self).items() if value != getattr(Style(), key)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Style:
        """Undo `to_dict`; DamagedFile for what it does not write."""
        kinds = {field.name: type(getattr(Style(), field.name)) for field in fields(cls)}
        if not isinstance(values, Mapping) or any(type(v) is not kinds.get(k) for k, v in values.items()):
            raise DamagedFile("A column is printed in a way that cannot be.")
        style = cls(**values)
        known = style.kind in (WORDS, NUMBER, DATE) and style.zeros in (FIXED, SHORT, POINT, SINGLE)
        if not known or not 0 <= style.digits <= MOST_DIGITS:
            raise DamagedFile("A column is printed in a way that cannot be.")
        return style


@dataclass(frozen=True, eq=False)
class Printed:
    """A column, taken apart."""

    style: Style
    marks: list[str] | None
    """Each row's text; of a column of numbers "" where a number stands, None where that is everywhere."""
    numbers: np.ndarray | None
    """int64; where a mark stands, the number before it again."""
    slack: float = 0.0
    """How far a number may be from its text, in units: more than nothing where that has more digits."""


def take_apart(texts: Sequence[str], style: Style | None = None) -> Printed:
    """Texts → numbers, if most are numbers or dates, and the rest.

    Args:
        texts: of one column.
        style: to print it in; None takes what suits.

    >>> printed = take_apart(["1.50", "0.25", "NA", "-3.00"])
    >>> printed.style.digits, printed.numbers.tolist(), printed.marks
    (2, [150, 25, 25, -300], ['', '', '!NA', ''])
    """
    counts = Counter(texts)
    if style is not None:
        parsed = _in_style(style, counts)
    else:
        style, parsed = (
            (_singles(counts) or _numbers(counts) or _dates(counts) or (Style(), {}))
            if counts
            else (Style(), {})
        )
    if style.kind == WORDS:
        return Printed(style, list(texts), None)
    numbers = [parsed.get(text) for text in texts]
    marks = None if None not in numbers else _marks(texts, numbers)
    return Printed(style, marks, _filled(numbers))


def put_together(style: Style, marks: Sequence[str] | None, numbers: np.ndarray | None) -> list[str]:
    """Undo `take_apart`.

    Raises:
        DamagedFile: they do not belong together.
    """
    if (numbers is None) != (style.kind == WORDS) or (numbers is None and marks is None):
        raise DamagedFile("A column is not told as its style wants it.")
    if numbers is None:
        return list(marks or ())
    distinct, places = np.unique(numbers, return_inverse=True)
    printed = _printer(style)(distinct.tolist())
    texts = [printed[place] for place in places.tolist()]
    if marks is None:
        return texts
    return [mark[len(MARK) :] if mark else text for mark, text in zip(marks, texts, strict=True)]


def _filled(numbers: Sequence[int | None]) -> np.ndarray:
    """With the number before where there is none."""
    last = next((number for number in numbers if number is not None), 0)
    found = np.empty(len(numbers), np.int64)
    for row, number in enumerate(numbers):
        last = last if number is None else number
        found[row] = last
    return found


def _numbers(counts: Counter[str]) -> tuple[Style, dict[str, int]] | None:
    """The style in which most texts are numbers, and those texts' numbers."""
    usual = max(counts, key=lambda text: (counts[text], text))
    before, behind = _BEFORE.match(usual), _BEHIND.search(usual)
    assert before is not None
    assert behind is not None
    if before.end() > behind.start():
        return None
    before_, behind_ = before.group(), behind.group()
    found = _parsed(counts, before_, behind_)
    if not _are_most(found, counts):
        return None
    digits = _usual_digits({text: len(fraction) for text, (_, _, fraction) in found.items()}, counts)
    found = {text: parts for text, parts in found.items() if len(parts[2]) <= digits}
    if max(len(whole) for _, whole, _ in found.values()) + digits > MOST_DIGITS:
        return None
    parsed = _scaled(found, digits)
    styles = [
        Style(NUMBER, digits, zeros, before_, behind_)
        for zeros in ((FIXED, SHORT, POINT) if digits else (FIXED,))
    ]
    told = [(style, _true(style, parsed)) for style in styles]
    style, kept = max(told, key=lambda each: sum(counts[text] for text in each[1]))
    return (style, kept) if _are_most(kept, counts) else None


def _parsed(texts: Iterable[str], before: str, behind: str) -> dict[str, tuple[str, str, str]]:
    """Sign, whole part and fraction of each text that is a number."""
    found = {}
    for text in texts:
        if text.startswith(before) and text.endswith(behind):
            match = _NUMBER.match(text[len(before) : len(text) - len(behind)])
            if match and len(match[2]) + len(match[3] or "") <= MOST_DIGITS:
                found[text] = match[1], match[2], match[3] or ""
    return found


def _scaled(found: Mapping[str, tuple[str, str, str]], digits: int) -> dict[str, int]:
    return {text: int(sign + whole + part.ljust(digits, "0")) for text, (sign, whole, part) in found.items()}


def _in_style(style: Style, counts: Counter[str]) -> dict[str, int]:
    """The numbers of all texts that this style prints."""
    if style.kind == WORDS:
        return {}
    if style.kind == DATE:
        from isthmus.data.tables.kinds import readable_dates

        return _true(style, readable_dates(list(counts), style.form))
    if style.zeros == SINGLE:
        return _true(style, _nearest(counts, style.digits))
    found = _parsed(counts, style.before, style.behind)
    short = {
        text: parts
        for text, parts in found.items()
        if len(parts[2]) <= style.digits and len(parts[1]) + style.digits <= MOST_DIGITS
    }
    return _true(style, _scaled(short, style.digits))


def _usual_digits(digits: Mapping[str, int], counts: Counter[str]) -> int:
    """So many as all but a few numbers have at most."""
    rows: Counter[int] = Counter()
    for text, count in digits.items():
        rows[count] += counts[text]
    left = RARE * rows.total()
    for count in sorted(rows, reverse=True):
        left -= rows[count]
        if left < 0:
            return count
    return 0


def _are_most(texts: Mapping[str, Any], counts: Counter[str]) -> bool:
    rows = sum(counts[text] for text in texts)
    return (
        rows > 0 and rows >= LEAST_NUMBERS * counts.total() and len(texts) >= LEAST_NUMBERS * len(counts) - 8
    )


def _true(style: Style, parsed: Mapping[str, int]) -> dict[str, int]:
    """Those that are printed back as they stood."""
    printed = _printer(style)(list(parsed.values()))
    return {
        text: number for (text, number), back in zip(parsed.items(), printed, strict=True) if text == back
    }


def _singles(counts: Counter[str]) -> tuple[Style, dict[str, int]] | None:
    """The same for decimals of few digits that had been through float32."""
    some = list(counts)[:: max(1, len(counts) // 64)]
    if sum(len(text) > MOST_DIGITS - 2 for text in some) < LEAST_NUMBERS * len(some):
        return None
    for digits in range(1, MOST_SINGLE_DIGITS + 1):
        style = Style(NUMBER, digits, SINGLE)
        if len(_true(style, _nearest(some, digits))) < LEAST_NUMBERS * len(some):
            continue
        kept = _true(style, _nearest(counts, digits))
        if _are_most(kept, counts):
            return style, kept
    return None


def _nearest(texts: Iterable[str], digits: int) -> dict[str, int]:
    """The whole number of units nearest to each text that is a number of moderate size."""
    usable = [text for text in texts if _FLOAT.match(text) and len(text) <= MOST_LETTERS]
    scaled = np.rint(np.array(usable, np.float64) * 10.0**digits)
    near = np.abs(scaled) < MOST_UNITS
    return {
        text: int(n) for text, n, fits in zip(usable, scaled.tolist(), near.tolist(), strict=True) if fits
    }


def take_loosely(texts: Sequence[str], bound: float) -> Printed | None:
    """Texts that are numbers of any length, rounded far below a bound; None where too few are numbers.

    Args:
        texts: of one column.
        bound: how far each number may be from its text in all.

    >>> found = take_loosely(["0.123456789012345678", "1e-05", "2.5"], 0.01)
    >>> found.style.digits, found.numbers.tolist()
    (5, [12346, 1, 250000])
    """
    counts = Counter(texts)
    numbers = [text for text in counts if _FLOAT.match(text) and len(text) <= MOST_LETTERS]
    if not _are_most(dict.fromkeys(numbers), counts) or not any(set(text) & set(".eE") for text in numbers):
        return None
    wanted = next((d for d in range(MOST_DIGITS) if 10.0**d * bound >= UNITS_OF_BOUND), None)
    largest = float(np.abs(np.array(numbers, np.float64)).max())
    if wanted is None or largest * 10.0**wanted > MOST_UNITS:
        return None
    for digits in range(1, wanted):
        found = loosely(texts, digits)
        if found.slack < 0.001:
            return found
    return loosely(texts, wanted)


def loosely(texts: Sequence[str], digits: int) -> Printed:
    """Texts as numbers of so many digits behind the point, and how far these are from them at most."""
    parsed = _nearest(dict.fromkeys(texts), digits)
    numbers = [parsed.get(text) for text in texts]
    marks = None if None not in numbers else _marks(texts, numbers)
    exact = np.array(list(parsed), np.float64) * 10.0**digits
    errors = np.abs(exact - np.array(list(parsed.values()), np.float64))
    slack = float(errors.max(initial=0.0)) + 2.0**-9  # of the parsing and the product
    return Printed(Style(NUMBER, digits, SHORT), marks, _filled(numbers), slack)


def extremes(texts: Sequence[str]) -> list[Fraction]:
    """The least and the greatest of texts that are numbers of any length; none where too few are."""
    counts = Counter(texts)
    numbers = [text for text in counts if _FLOAT.match(text) and len(text) <= MOST_LETTERS]
    if not _are_most(dict.fromkeys(numbers), counts) or not any(set(text) & set(".eE") for text in numbers):
        return []
    values = np.array(numbers, np.float64)
    if not np.isfinite(values).all():
        return []
    return [Fraction(numbers[place]) for place in (int(values.argmin()), int(values.argmax()))]


def amount(text: str) -> tuple[str, str, str] | None:
    """What stands before the number in a cell (quotes, spaces, signs of money), the number, what follows.

    >>> amount('"$-1.50"')
    ('"$', '-1.50', '"')
    """
    before, behind = _BEFORE.match(text), _BEHIND.search(text)
    assert before is not None
    assert behind is not None
    number = text[before.end() : behind.start()]
    return (before.group(), number, behind.group()) if _FLOAT.match(number) else None


def _marks(texts: Sequence[str], numbers: Sequence[int | None]) -> list[str]:
    return ["" if n is not None else MARK + t for n, t in zip(numbers, texts, strict=True)]


def _dates(counts: Counter[str]) -> tuple[Style, dict[str, int]] | None:
    """The same for dates."""
    from isthmus.data.tables.kinds import date_format, readable_dates

    texts = [text for text in counts if text.isascii() and text[:1].isdigit()]
    if not _are_most(dict.fromkeys(texts), counts) or (form := date_format(texts)) is None:
        return None
    kept = _true(Style(DATE, form=form), readable_dates(texts, form))
    return (Style(DATE, form=form), kept) if _are_most(kept, counts) else None


def _printer(style: Style) -> Callable[[list[int]], list[str]]:
    if style.kind == DATE:
        return partial(_print_dates, form=style.form)
    return partial(_print_numbers, style=style)


def _print_dates(seconds: list[int], form: str) -> list[str]:
    from isthmus.data.tables.kinds import print_dates

    return print_dates(seconds, form)


def _print_numbers(numbers: list[int], style: Style) -> list[str]:
    before, behind, digits = style.before, style.behind, style.digits
    if style.zeros == SINGLE:
        floats = (np.array(numbers, np.int64).astype(np.float64) / 10.0**digits).astype(np.float32)
        return [f"{before}{number!r}{behind}" for number in floats.astype(np.float64).tolist()]
    if not digits:
        return [f"{before}{number}{behind}" for number in numbers]
    return [f"{before}{_decimal(number, digits, style.zeros)}{behind}" for number in numbers]


def _decimal(number: int, digits: int, zeros: str) -> str:
    """
    >>> [_decimal(-1050, 2, FIXED), _decimal(1050, 2, SHORT), _decimal(1000, 2, POINT)]
    ['-10.50', '10.5', '10.0']
    """
    whole, fraction = divmod(abs(number), 10**digits)
    behind = f"{fraction:0{digits}d}"
    if zeros != FIXED:
        behind = behind.rstrip("0") or ("0" if zeros == POINT else "")
    return f"{'-' if number < 0 else ''}{whole}{'.' if behind else ''}{behind}"
