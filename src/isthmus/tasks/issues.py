"""A table → its wrong, missing and repeated values, what should stand there, and why.

Three things say that a cell is wrong: the other cells of its row (scoring/dependencies.py), the other words
of its column (scoring/spelling.py), and a text among numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isthmus.data.tables import Cells, Table
from isthmus.data.tables.table import NO_CODE
from isthmus.scoring.dependencies import Verdict, verdicts
from isthmus.scoring.spelling import slips

SLIP, STRAY, SHAPED = 0.9, 0.95, 0.8
"""Confidence in a misspelt word, in a text among numbers, and in a word of a rare shape."""


@dataclass(frozen=True)
class Issue:
    """One cell that is wrong or missing."""

    row: int
    """Counted from 0."""
    column: str
    old: str | None
    """What stands there; None where it is missing."""
    new: str | None
    """What should; None where that is not known."""
    confidence: float
    """That it is wrong, 0 to 1."""
    reason: str


def find_issues(table: Table) -> list[Issue]:
    """Every cell that is wrong or missing, as far as the table tells, by rows and columns.

    Of the cells of a row that contradict one another the surest is taken to be wrong first; whether the
    others still are is judged with that one mended, and where none is surer none is mended.
    """
    words = [_words(cells) for cells in table.columns]
    found: dict[tuple[int, int], Issue] = {}
    for place, (codes, labels) in enumerate(words):
        cells = table.columns[place]
        if cells.column.used:
            for issue in (*_missing(cells), *_odd_words(cells, codes, labels), *_strays(cells)):
                found[issue.row, place] = issue
    mended = [codes.copy() for codes, _ in words]
    for _ in range(ROUNDS):
        contradicted = _contradicted(table, words, mended, found)
        for at, issue in contradicted.items():
            found[at] = _surest(issue, found.get(at))
        if not any(issue.new is not None for issue in contradicted.values()):
            break
    return [found[at] for at in sorted(found)]


ROUNDS = 6
"""Cells of one row that can be mended by its others."""

CLEAR = 0.3
"""Log-odds by which the surest cell of a row must be surer than the next."""


def _contradicted(
    table: Table,
    words: Sequence[tuple[np.ndarray, list[str]]],
    mended: list[np.ndarray],
    found: Mapping[tuple[int, int], Issue],
) -> dict[tuple[int, int], Issue]:
    """One round: of each row the surest contradiction, which is mended in the codes too."""
    told = {place: one for place, one in verdicts(mended).items() if table.columns[place].column.used}
    if not told:
        return {}
    places = list(told)
    margins = np.stack([_against(told[place], mended[place]) for place in places])
    order = np.sort(margins, axis=0)
    clear = margins >= order[-1] - 1e-9
    clear &= order[-1] - (order[-2] if len(order) > 1 else 0) > CLEAR
    made: dict[tuple[int, int], Issue] = {}
    for place, margin, is_clear in zip(places, margins, clear, strict=True):
        names = [table.columns[giver].column.name for giver in told[place].givers]
        for row in np.flatnonzero(margin > 0):
            at = (int(row), place)
            issue = _contradiction(
                table.columns[place].column.name, int(row), words[place], told[place], names
            )
            if is_clear[row]:
                made[at] = issue
                mended[place][row] = told[place].best[row]
            elif at not in found:
                made[at] = replace(issue, new=None)
    return {at: issue for at, issue in made.items() if at not in found or found[at].new != issue.new}


def _against(told: Verdict, codes: np.ndarray) -> np.ndarray:
    return np.where((told.best != NO_CODE) & (told.best != codes), np.maximum(told.margin, 0), 0)


def _words(cells: Cells) -> tuple[np.ndarray, list[str]]:
    """Codes and labels of any column: numbers are words here, and so are texts among them."""
    if cells.codes is not None:
        return cells.codes.astype(np.int64), list(map(str, cells.labels))
    assert cells.numbers is not None
    values, inverse = np.unique(cells.numbers, return_inverse=True)
    firsts = np.full(len(values), len(cells.numbers))
    np.minimum.at(firsts, inverse, np.arange(len(cells.numbers)))
    labels = [text or "" for text in cells.texts(firsts)]
    codes = np.where(cells.missing, NO_CODE, inverse).astype(np.int64)
    places: dict[str, int] = {}  # no stray is written like a number
    for row, text in cells.strays.items():
        codes[row] = places.setdefault(text, len(labels) + len(places))
    return codes, [*labels, *places]


def _odd_words(cells: Cells, codes: np.ndarray, labels: Sequence[str]) -> Iterator[Issue]:
    """Misspelt words, and words of a shape that hardly any other has."""
    if cells.column.is_numeric or not labels:
        return
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    found = slips(labels, counts.tolist())
    odd = {place: found[word] for place, word in enumerate(labels) if word in found}
    for row in np.flatnonzero(np.isin(codes, list(odd))):
        word, meant = labels[codes[row]], odd[int(codes[row])]
        reason = f"looks like {meant}, misspelt" if meant is not None else "is shaped unlike the others"
        yield Issue(int(row), cells.column.name, word, meant, SLIP if meant is not None else SHAPED, reason)


def _strays(cells: Cells) -> Iterator[Issue]:
    for row, text in cells.strays.items():
        yield Issue(row, cells.column.name, text, None, STRAY, f"is no {cells.column.noun}")


def _missing(cells: Cells) -> Iterator[Issue]:
    """Cells without a value, where most have one."""
    share = 1 - float(cells.missing.mean())
    for row in np.flatnonzero(cells.missing) if share > 0 else ():
        yield Issue(int(row), cells.column.name, None, None, below_one(share), "is missing")


def _contradiction(
    name: str, row: int, words: tuple[np.ndarray, list[str]], told: Verdict, givers: Sequence[str]
) -> Issue:
    """The other cells of the row say it to be another word, or to be one at all."""
    codes, labels = words
    sure = 1 / (1 + np.exp(-told.margin[row]))
    old = None if codes[row] == NO_CODE else labels[codes[row]]
    reason = f"rows of the same {' and '.join(givers[:2])} say {labels[told.best[row]]}"
    return Issue(row, name, old, labels[told.best[row]], below_one(float(sure)), reason)


def _surest(issue: Issue, before: Issue | None) -> Issue:
    """Two signs that a cell is wrong are surer than either."""
    if before is None:
        return issue
    both = 1 - (1 - issue.confidence) * (1 - before.confidence)
    new = issue.new if issue.new is not None else before.new
    reason = f"{before.reason}, and {issue.reason}"
    return Issue(issue.row, issue.column, issue.old, new, below_one(both), reason)


def below_one(confidence: float) -> float:
    """Rounded to four digits."""
    return min(round(confidence, 4), 0.9999)  # never certain


def repeats(table: Table) -> list[tuple[int, int]]:
    """Rows that are the same as an earlier one in every cell."""
    codes = np.stack([_words(cells)[0] for cells in table.columns], axis=1)
    _, first, inverse = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    earlier = first[inverse.reshape(-1)]
    return [(int(row), int(earlier[row])) for row in np.flatnonzero(earlier != np.arange(len(codes)))]


def near_repeats(table: Table) -> list[tuple[int, int, str]]:
    """Rows that are the same as an earlier one in every cell but one, of at least LEAST_CELLS.

    Each row is the sum of a random number for each of its cells: without one of them, equal rows stay equal.
    """
    if not LEAST_CELLS <= len(table.columns) <= MOST_CELLS:
        return []
    random = np.random.default_rng(0)
    marks = []
    for cells in table.columns:
        codes, labels = _words(cells)
        marks.append(random.integers(0, 1 << 63, len(labels) + 1, dtype=np.uint64)[codes])
    whole: np.ndarray = np.stack(marks).sum(axis=0)
    found: dict[int, tuple[int, int, str]] = {}
    for cells, mark in zip(table.columns, marks, strict=True):
        _, first, inverse = np.unique(whole - mark, return_index=True, return_inverse=True)
        earlier = first[inverse]
        for row in np.flatnonzero((earlier != np.arange(len(whole))) & (whole[earlier] != whole)):
            found.setdefault(int(row), (int(row), int(earlier[row]), cells.column.name))
    return [found[row] for row in sorted(found)]


LEAST_CELLS, MOST_CELLS = 4, 500
