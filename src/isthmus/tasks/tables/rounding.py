"""Numbers of a table → those in the middle of intervals, none further away than its column's bound.

Numbers that are printed with few digits stand on a lattice: an interval holds as many of its points as the
bound lets it, and its middle may take one digit more than they have. Floats have no such lattice, nor have
texts like 1.23e-05; what has no digits behind the point keeps none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.data.tables import printing
from isthmus.tasks.tables.rows import Rows, Taken, on_grid, style_of

_SHARES = {4: Fraction(1, 1 << 23), 8: Fraction(1, 1 << 52)}
"""Of a number, that two floats of so many bytes which stand for decimals may be further apart than these."""
_MOST_UNITS = 1 << 50
"""That a number has, so that all is exact."""
_MOST_BOUND = 2.0**1022
"""Of floats, so that twice of it is one."""
_MOST_WHOLE = 1 << 60
"""From here on, the ends and widths of intervals might be no whole numbers of 64 bits."""


def rounded(rows: Rows, bounds: Sequence[Fraction], *, alone: bool = True) -> Rows:
    """The rows with numbers rounded, as the head of each column says.

    Args:
        rows: taken apart.
        bounds: of each column; 0 leaves it as it is.
        alone: no rows are known that these must be like: then texts and floats may become whole numbers.
    """
    work = _rounded if alone else _rounded_alike
    return replace(rows, columns=[work(c, bound) for c, bound in zip(rows.columns, bounds, strict=True)])


def _rounded(column: Taken, bound: Fraction) -> Taken:
    if not bound:
        return column
    if column.floats is not None:
        return _stepped(column, bound)
    if column.is_words or column.head.get("zeros") == printing.SINGLE:
        column = _loose(column, bound)
    if column.numbers is None or not column.is_amount or not len(column.numbers):
        return column
    return _on_lattice(column, bound)


def _rounded_alike(column: Taken, bound: Fraction) -> Taken:
    if column.is_words or column.head.get("zeros") == printing.SINGLE:
        return column
    told = _rounded(column, bound)
    if column.floats is None or told.floats is not None:
        return told
    from isthmus.data.tables import typed

    steps = typed.Typed(typed.STEPPED, 0, told.marks, told.numbers, step=told.head["step"])
    floats, nulls = typed.floats_of(steps, column.floats.dtype)
    return replace(column, floats=np.where(nulls, column.floats, floats))


def _loose(column: Taken, bound: Fraction) -> Taken:
    """A column of texts that are numbers of many digits, as numbers of as many as the bound asks for."""
    texts = printing.put_together(style_of(column), column.marks, column.numbers)
    found = printing.take_loosely(texts, float(bound))
    if found is None:
        return column
    return Taken(found.style.to_dict(), found.marks, found.numbers, slack=found.slack)


def _slack(numbers: np.ndarray, float_bytes: int) -> float:
    most = int(np.abs(numbers).max()) if len(numbers) else 0
    return math.nextafter(float((most + 1) * _SHARES[float_bytes]), math.inf)


def _on_lattice(column: Taken, bound: Fraction) -> Taken:
    numbers = column.numbers
    assert numbers is not None
    slack = _slack(numbers, column.float_bytes) if column.float_bytes else column.slack
    reach = bound * 10 ** int(column.head.get("digits", 0)) - Fraction(slack)
    low, high = int(numbers.min()), int(numbers.max())
    if max(-low, high) >= _MOST_WHOLE:
        return column
    gap = int(np.gcd.reduce(numbers - low))
    if not gap or reach <= 0:
        return column
    points = min(math.floor(2 * reach / gap), (high - low) // gap + 1) + 1  # no more than all of them and one
    if (points - 1) * gap % 2 and not _may_have_more_digits(column):
        points -= 1
    if points < 2:
        return column
    head = dict(column.head)
    if (points - 1) * gap % 2:
        head["digits"] = int(head.get("digits", 0)) + 1
        numbers, low, high, gap = numbers * 10, low * 10, high * 10, gap * 10
    width, first = points * gap, low + (points - 1) * gap // 2
    told = on_grid((numbers - low) // width, first, width, high)
    return replace(column, head=head | {"grid": [first, width, high]}, numbers=told)


def _may_have_more_digits(column: Taken) -> bool:
    digits, numbers = int(column.head.get("digits", 0)), column.numbers
    assert numbers is not None
    least, most = (0, 9) if column.float_bytes else (1, printing.MOST_DIGITS)
    return least <= digits < most and int(np.abs(numbers).max()) * 10 < _MOST_UNITS


def _stepped(column: Taken, bound: Fraction) -> Taken:
    """Floats as whole steps; those that would miss the bound stand as they are."""
    from isthmus.data.tables import typed

    floats = column.floats
    assert floats is not None
    finite = np.abs(floats[np.isfinite(floats)].astype(np.float64))
    if not len(finite):
        return column
    most = float(finite.max())
    limit = Bound(min(float(bound), 2 * most, _MOST_BOUND))  # where 0 is near enough to all, no more
    if limit.value <= 0 or most / limit.value > _MOST_UNITS:
        return column
    told = typed.stepped(floats, column.marks, 2 * limit.value * (1 - 2.0**-20), limit.kept)
    if told is None:
        return column
    return Taken({"way": typed.STEPPED, "step": told.step}, told.marks, told.numbers)
