"""Whether a column of numbers is told by places in a list, or by distances to a prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from isthmus.coding.columns.inputs import Chooser
from isthmus.coding.columns.likelihood import dirichlet_bits
from isthmus.coding.columns.numbers import Numbers
from isthmus.coding.columns.plan import FIRST, MOST_SYMBOLS, SECOND, Column, Field
from isthmus.coding.columns.rows import Rows
from isthmus.coding.columns.walk import symbols_of
from isthmus.coding.tokens import FIRST_RANGE, raw_bits, to_tokens

BANDS = 16
WORD_BANDS = 64
MOST_LISTED = MOST_SYMBOLS**2
MOST_NEAR, LEAST_NEAR, NEAR_OF_ALL = 48, 4, 2400


@dataclass(frozen=True)
class Told:
    """A column as the walk takes it."""

    values: np.ndarray
    """Places in a list, or numbers."""
    listed: np.ndarray | None
    """The numbers of the list, ascending; None for words, and for numbers told by distances."""


def form_columns(
    columns: Sequence[np.ndarray], words: Sequence[int | None], rows: Rows, at: np.ndarray
) -> list[tuple[Column, Told]]:
    """How each column is told; no contexts yet.

    Args:
        columns: int64 (rows,): places in a list of words, or numbers.
        words: of each column the length of its list of words; None for numbers.
        rows: of the table.
        at: those that costs are guessed from.
    """
    every, is_number = np.arange(rows.all), [size is None for size in words]
    middles = [
        int(np.median(column)) if size is None else 0 for column, size in zip(columns, words, strict=True)
    ]
    numbers = Numbers(rows, middles)
    for number, column in enumerate(columns):
        if is_number[number]:
            numbers.fill(number, every, column)
    spans = [int(np.ptp(column)) for column in columns]
    chooser = Chooser(numbers, is_number, spans, at, near_columns(len(columns)))
    bands = [_bands(column, size) for column, size in zip(columns, words, strict=True)]
    formed = []
    for number, (column, size) in enumerate(zip(columns, words, strict=True)):
        if size is not None:
            formed.append((_placed(size, 0), Told(column, None)))
            continue
        before = bands[number][rows.before(at, 1).clip(max=rows.all - 1)]
        near = range(max(0, number - near_columns(len(columns))), number)
        beside = [None, before, *(bands[other][at] for other in near)]
        formed.append(_number(number, column, middles[number], numbers, chooser, beside, at))
    return formed


def near_columns(count: int) -> int:
    """How many columns before a column, and behind it, are looked at; fewer of a wide table.

    >>> near_columns(15), near_columns(100), near_columns(5000)
    (48, 24, 4)
    """
    return max(LEAST_NEAR, min(MOST_NEAR, NEAR_OF_ALL // max(1, count)))


def _bands(values: np.ndarray, words: int | None) -> np.ndarray:
    if words is not None:
        return values * min(WORD_BANDS, words) // max(1, words)
    return np.searchsorted(_edges(values), values, side="right")


def _edges(values: np.ndarray) -> np.ndarray:
    """Of bands that hold about equally many values."""
    return np.unique(np.quantile(values, np.arange(1, BANDS) / BANDS, method="higher")).astype(np.int64)


def _number(
    number: int,
    values: np.ndarray,
    middle: int,
    numbers: Numbers,
    chooser: Chooser,
    beside: Sequence[np.ndarray | None],
    at: np.ndarray,
) -> tuple[Column, Told]:
    """The form that seems to take fewer bits, each symbol told by the one band that helps most."""
    inputs, shift = chooser.choose(number)
    edges = tuple(_edges(values).tolist())
    distance = Column((Field(1),), middle, int(values.min()), int(values.max()), inputs, shift, edges)
    tokens = to_tokens(values - numbers.predict(distance, np.arange(len(values))))[0]
    distance = replace(distance, fields=(Field(int(tokens.max()) + 1),))
    listed = np.unique(values)
    if len(listed) > MOST_LISTED:
        return distance, Told(values, None)
    placed = _placed(len(listed), middle)
    places = np.searchsorted(listed, values)
    halves = symbols_of(placed, places[at], None)
    by_place = _least_bits(halves[FIRST], beside)
    if len(halves) > 1:
        by_place += dirichlet_bits(halves[SECOND], halves[FIRST])
    near = tokens[at]
    by_distance = _least_bits(near.astype(np.int64), beside) + raw_bits(near[near >= FIRST_RANGE]).sum()
    if (by_distance - by_place) * len(values) / len(at) > _list_bits(listed):
        return placed, Told(places, listed)
    return distance, Told(values, None)


def _least_bits(symbols: np.ndarray, beside: Sequence[np.ndarray | None]) -> float:
    return min(dirichlet_bits(symbols, each) for each in beside)


def _list_bits(listed: np.ndarray) -> float:
    """About what writing a list of ascending numbers takes."""
    return float(64 + np.log2(1 + np.diff(listed).astype(np.float64)).sum())


def _placed(size: int, middle: int) -> Column:
    """A list of that many: one field, or a high and a low part of the place."""
    low = -(-size // MOST_SYMBOLS)
    fields = (Field(-(-size // low)), Field(low)) if low > 1 else (Field(max(1, size)),)
    return Column(fields, middle, 0, max(0, size - 1))
