"""A column → the cells that are wrong by its other cells alone: missing, mistyped, unlike the others.

That a word looks like a frequent one is no evidence; what is put in its place is a guess, to be suggested.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from isthmus.data.tables.table import NO_CODE
from isthmus.scoring.spelling import misshapen, misspelt, with_digits
from isthmus.tasks.issue import Issue, WordedColumn, below_one

MISSPELT = 0.6
"""Confidence in what a cell looks like where no other column says so."""
LOOKS_LIKE_A_NUMBER = 0.9
NO_NUMBER, MISSHAPEN = 0.95, 0.8
"""That a text among numbers, and one of a rare shape, is wrong; nobody knows what should stand there."""


def column_issues(words: WordedColumn) -> Iterator[Issue]:
    """Every cell that its own column calls wrong or missing; of one cell the last counts."""
    yield from _missing(words)
    yield from _odd_words(words)
    yield from _strays(words)


def _missing(words: WordedColumn) -> Iterator[Issue]:
    """Cells without a value, where most have one."""
    missing = words.codes == NO_CODE
    share = 1 - float(missing.mean())
    for row in np.flatnonzero(missing) if share > 0 else ():
        yield _without_new(words, int(row), None, share, "is missing")


def _odd_words(words: WordedColumn) -> Iterator[Issue]:
    """Words that look like a frequent one, mistyped, or are shaped like hardly any other."""
    if words.cells.column.is_numeric or not words.labels:
        return
    counts = words.counts.tolist()
    places = {label: place for place, label in enumerate(words.labels)}
    shapes = {places[label] for label in misshapen(dict(zip(words.labels, counts, strict=True)))}
    guesses = misspelt(words.labels, counts)
    odd = [*shapes, *(places[label] for label in guesses)]
    for row in np.flatnonzero(np.isin(words.codes, odd)).tolist():
        name, label = words.cells.column.name, words.labels[words.codes[row]]
        meant = guesses.get(label)
        if meant is None:
            yield _without_new(words, row, label, MISSHAPEN, "is shaped unlike the others")
        else:
            reason = f"looks like {meant}, mistyped"
            yield Issue(row, name, label, meant, MISSPELT, reason, words.first(meant))


def _strays(words: WordedColumn) -> Iterator[Issue]:
    """Texts among numbers; where letters look like digits, the number that was meant."""
    cells, numbers = words.cells, words.cells.numbers
    if numbers is None or not cells.strays:
        return
    known = numbers[np.isfinite(numbers)]
    for row, text in cells.strays.items():
        meant = _meant(text, known) if cells.column.is_amount else None
        if meant is None:
            yield _without_new(words, row, text, NO_NUMBER, f"is no {cells.column.noun}")
        else:
            reason = f"is no number, but for a letter that looks like a digit {meant}"
            yield Issue(row, cells.column.name, text, meant, LOOKS_LIKE_A_NUMBER, reason, wrong=NO_NUMBER)


def _meant(text: str, known: np.ndarray) -> str | None:
    """The text with digits for letters that look like them, if that is a number as others are.

    >>> known = np.array([10.0, 90.0])
    >>> _meant("4O", known), _meant("4OO", known), _meant("no", known)
    ('40', None, None)
    """
    meant = with_digits(text)
    try:
        number = float(meant)
    except ValueError:
        return None
    return meant if meant != text and len(known) and known.min() <= number <= known.max() else None


def _without_new(words: WordedColumn, row: int, old: str | None, wrong: float, reason: str) -> Issue:
    """A cell of which nobody knows what should stand there."""
    sure = below_one(wrong)
    return Issue(row, words.cells.column.name, old, None, sure, reason, wrong=sure)
