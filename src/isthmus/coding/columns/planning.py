"""Columns → the plan that tells them in few bytes: looks that help, and how much each is believed.

Everything here may be floats: what is chosen is written down as integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isthmus.coding.columns.forms import Told, form_columns, near_columns
from isthmus.coding.columns.likelihood import STRENGTHS, dirichlet_bits
from isthmus.coding.columns.numbers import Numbers
from isthmus.coding.columns.plan import (
    MOST_CONTEXTS,
    MOST_COUNTS,
    MOST_COUNTS_IN_ALL,
    MOST_LOOKS,
    SECOND,
    Context,
    Field,
    Look,
    Plan,
)
from isthmus.coding.columns.rows import Rows
from isthmus.coding.columns.views import Views
from isthmus.coding.columns.walk import symbols_of
from isthmus.coding.columns.weighing import weigh

SAMPLE, LEAST_SAMPLE, STRETCHES = 8192, 1024, 16
"""Rows that are looked at, in so many stretches: the row before counts too. Fewer of wide tables."""
WIDE = 48
"""Columns above which a table is wide."""
GROUPS = 12
SINGLES, BEST = 6, 2
MOST_PARTNERS = 32
LEAST_COUNTS = 256
WORTH_BITS = 24
"""A field that takes less in all needs no contexts."""


@dataclass(frozen=True)
class _Tried:
    """A context, and the bits of a field under it alone."""

    bits: float
    context: Context


def plan_for(
    columns: Sequence[np.ndarray], words: Sequence[int | None], *, known: int = 0
) -> tuple[Plan, list[Told]]:
    """Choose how to tell columns.

    Args:
        columns: int64 (rows,): places in a list of words, or numbers of magnitudes below 2**51.
        words: of each column the length of its list of words; None for numbers.
        known: so many of the first rows the reader has already.
    Returns:
        The plan, and the columns as `encode_columns` takes them.
    """
    rows = Rows(known, len(columns[0]) - known, len(columns))
    at = _sample(rows.all, max(LEAST_SAMPLE, SAMPLE * WIDE // max(WIDE, len(columns))))
    formed = form_columns(columns, words, rows, at)
    plan, told = Plan(tuple(column for column, _ in formed)), [told for _, told in formed]
    views, symbols = _viewed(plan, told, columns, rows)
    done, room = [], _Room(plan)
    for number, column in enumerate(plan.columns):
        fields = []
        for place in range(len(column.fields)):
            search = _Search(views, rows, number, place, symbols[number][place], at, room.most())
            fields.append(room.take(search.field()))
        done.append(replace(column, fields=tuple(fields)))
    return Plan(tuple(done)), told


class _Room:
    """How many counts there is memory for."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._left = plan, MOST_COUNTS_IN_ALL
        self._fields = sum(len(column.fields) for column in plan.columns)

    def most(self) -> int:
        """Of one context of the next field, so that each later one may have a few."""
        kept = LEAST_COUNTS * MOST_CONTEXTS * self._fields
        return max(LEAST_COUNTS, min(MOST_COUNTS, (self._left - kept) // MOST_CONTEXTS))

    def take(self, field: Field) -> Field:
        """The field, whose counts are taken off."""
        self._left -= sum(self._plan.size_of(context) for context in field.contexts) * field.alphabet
        self._fields -= 1
        return field


def _sample(rows: int, most: int) -> np.ndarray:
    if rows <= most:
        return np.arange(rows)
    length = most // STRETCHES
    starts = np.linspace(0, rows - length, STRETCHES).astype(np.int64)
    return (starts[:, None] + np.arange(length)).ravel()


def _viewed(
    plan: Plan, told: Sequence[Told], columns: Sequence[np.ndarray], rows: Rows
) -> tuple[Views, list[list[np.ndarray]]]:
    """All views filled, and the symbols of each column's fields."""
    views, every, symbols = Views(plan, rows), np.arange(rows.all), []
    numbers = Numbers(rows, [column.middle for column in plan.columns])
    for number, (column, each) in enumerate(zip(plan.columns, told, strict=True)):
        if not column.is_place or each.listed is not None:
            numbers.fill(number, every, columns[number])
        predicted = None if column.is_place else numbers.predict(column, every)
        symbols.append(symbols_of(column, each.values, predicted))
        for view, shown in enumerate(symbols[-1]):
            views.fill(number, view, every, shown)
        if not column.is_place:
            views.fill(number, SECOND, every, np.searchsorted(column.edges, each.values, side="right"))
    return views, symbols


class _Search:
    """The contexts of one field: what helps most alone, then together, then weighed."""

    def __init__(
        self,
        views: Views,
        rows: Rows,
        number: int,
        place: int,
        symbols: np.ndarray,
        at: np.ndarray,
        most: int,
    ) -> None:
        self._most = most
        self._views, self._plan, self._rows = views, views.plan, rows
        self._number, self._place, self._symbols, self._at = number, place, symbols, at
        self._alphabet = self._plan.columns[number].fields[place].alphabet
        self._wanted = symbols[at]

    def field(self) -> Field:
        """The field with its contexts."""
        alone = dirichlet_bits(self._wanted, None)
        if self._alphabet == 1 or alone * self._rows.all / len(self._at) < WORTH_BITS:
            return Field(self._alphabet)
        scored = [each for each in self._tried(self._looks(), (), STRENGTHS[1::2]) if each.bits < alone]
        contexts = dict.fromkeys(each.context for each in _different(scored)[:SINGLES])
        partners = list(dict.fromkeys(each.context.looks[0] for each in scored[:MOST_PARTNERS]))
        best = scored[:1]
        for _ in range(MOST_LOOKS - 1):
            longer = [more for each in best for more in self._with_one_more(each, partners)]
            best = sorted(longer, key=lambda each: each.bits)[:BEST]
            contexts |= dict.fromkeys(each.context for each in best)
        return weigh(self._views, self._rows, self._symbols, Field(self._alphabet, tuple(contexts)))

    def _with_one_more(self, tried: _Tried, partners: Sequence[Look]) -> list[_Tried]:
        looks = tried.context.looks
        others = [look for look in partners if all(_place(look) != _place(other) for other in looks)]
        return [each for each in self._tried(others, looks, STRENGTHS) if each.bits < tried.bits]

    def _looks(self) -> list[Look]:
        """Everything the field may look at: each symbol apart, and in groups."""
        count = len(self._plan.columns)
        near = near_columns(count)
        first, last = max(0, self._number - near), min(count, self._number + near)
        found = [(self._number, view, 0) for view in range(self._place)]
        for column in range(first, last):
            for view in range(len(self._plan.columns[column].sizes())):
                found += [(column, view, back) for back in (0, 1) if back or column < self._number]
        looks = [Look(*place, groups) for place in found for groups in (0, GROUPS)]
        return [look for look in looks if max(look.groups, 1) < self._plan.alphabet_of(look)]

    def _tried(
        self, looks: Iterable[Look], beside: tuple[Look, ...], strengths: Sequence[int]
    ) -> list[_Tried]:
        """Contexts of one look more, best first."""
        found = []
        for look in looks:
            together = (*beside, look)
            if self._plan.size_of(Context(together, 1)) * self._alphabet > self._most:
                continue
            values = self._views.value(Context(together, 1), self._at)
            costs = ((dirichlet_bits(self._wanted, values, each), each) for each in strengths)
            bits, strength = min(costs)
            found.append(_Tried(bits, Context(together, strength)))
        return sorted(found, key=lambda each: each.bits)


def _place(look: Look) -> tuple[int, int, int]:
    """Where it looks, however finely."""
    return look.column, look.view, look.back


def _different(tried: Sequence[_Tried]) -> list[_Tried]:
    """Each place once, in its better groups."""
    found: dict[tuple[int, int, int], _Tried] = {}
    for each in tried:
        found.setdefault(_place(each.context.looks[0]), each)
    return list(found.values())
