"""A table → its wrong and missing cells, what should stand there, how sure that is, and why.

Three things say that a cell is wrong: the other cells of its row (scoring/dependencies.py), the other words
of its column (scoring/spelling.py), and a text among numbers. Two of them agree, or nothing is sure: words
that look alike are no evidence, and a cell that differs from what rows like it say may be the exception.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from isthmus.data.tables import Cells, Table
from isthmus.data.tables.table import NO_CODE
from isthmus.scoring.dependencies import Suspects, Verdict, verdicts
from isthmus.scoring.spelling import Typos, misshapen, misspelt, with_digits

TYPO = (0.8, 0.96, 0.99)
"""Confidence in what other columns say where the cell looks like it, mistyped: it goes with them, follows
from one, from several. Chosen on one half of the tables with known truth; docs/measured.md has the other."""
EXCEPTION = (0.2, 0.35, 0.65, 0.8)
"""The same where the cell does not look like it: it may be an exception …"""
ODD_ONE_OUT = 0.9
"""… hardly so in a column of few words, where it follows from two others, and few cells are contradicted."""
FEW_WORDS, FREQUENT, FREQUENT_SHARE = 20, 10, 0.95
"""So many words at most, each in so many rows at least, hold this share of the rows of such a column."""
FEW_CELLS, FEW_SHARE = 2, 0.01
"""Contradicted cells of a column that are few, or their share of all rows."""
MISSPELT = 0.6
"""Confidence in what a cell looks like where no other column says so."""
LOOKS_LIKE_A_NUMBER = 0.9
NO_NUMBER, MISSHAPEN = 0.95, 0.8
"""That a text among numbers, and one of a rare shape, is wrong; nobody knows what should stand there."""

ROUNDS = 6
"""Cells of one row that can be contradicted by its others."""
CLEAR = 0.3
"""Log-odds by which the surest cell of a row must be surer than the next."""
LIKE_VOTES, ABOUT = 50, 0.05
"""Known cells, with votes as strong within this share, on which the votes for a missing one are tried."""


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
    """That `new` is right, 0 to 1; where it is not known, that the cell is wrong."""
    reason: str
    like: int | None = None
    """A row with `new` in this column; None where no row has it."""


def find_issues(table: Table) -> list[Issue]:
    """Every cell that is wrong or missing, as far as the table tells, by rows and columns."""
    columns = [_Words.of(cells) for cells in table.columns]
    found = {
        (issue.row, place): issue
        for place, words in enumerate(columns)
        if words.cells.column.used
        for issue in (*_missing(words), *_odd_words(words), *_strays(words))
    }
    codes = [words.codes.copy() for words in columns]
    found |= _mistyped(columns, codes, _said(columns, codes))
    said = _said(columns, codes)
    found |= _fills(columns, codes, said)
    _contradict(columns, codes, found, said)
    return [found[at] for at in sorted(found)]


@dataclass(frozen=True, eq=False)
class _Words:
    """A column as codes and labels; numbers are words here, and so are texts among them."""

    cells: Cells
    codes: np.ndarray
    """int64 (rows,): NO_CODE where a cell is missing."""
    labels: list[str]
    firsts: np.ndarray
    """int64 (labels,): the first row that holds each; -1 where none does."""
    counts: np.ndarray
    typos: Typos
    rare: np.ndarray
    """bool (labels,): those that may be mistyped."""

    @cached_property
    def has_few_words(self) -> bool:
        """Whether nearly all cells hold one of a few frequent words, which are words."""
        often = np.flatnonzero(self.counts >= FREQUENT)
        few = 0 < len(often) <= FEW_WORDS and not self.cells.column.is_numeric
        covered = few and self.counts[often].sum() >= FREQUENT_SHARE * self.counts.sum()
        return bool(covered) and all(self.labels[code].isalpha() for code in often)

    @classmethod
    def of(cls, cells: Cells) -> _Words:
        """Read a column."""
        codes, labels = cells.as_words()
        known = np.flatnonzero(codes >= 0)
        firsts = np.full(len(labels), -1)
        firsts[codes[known[::-1]]] = known[::-1]
        counts = np.bincount(codes[known], minlength=len(labels))
        typos = Typos(labels, counts.tolist())
        rare = counts <= typos.most_rows
        if cells.column.is_numeric:  # a number is no other one, mistyped
            rare &= np.isin(labels, [*cells.strays.values()])
        return cls(cells, codes, labels, firsts, counts, typos, rare)

    def is_typo(self, code: int, meant: int) -> bool:
        """Whether a label looks like another one, mistyped."""
        return bool(self.rare[code]) and self.typos.meant_by(self.labels[code], self.labels[meant])

    def first(self, label: str) -> int | None:
        """The first row that holds a label, if any does."""
        return int(self.firsts[self.labels.index(label)]) if label in self.labels else None

    def issue(self, row: int, code: int, confidence: float, reason: str) -> Issue:
        """A cell that should hold another label."""
        old = None if self.codes[row] == NO_CODE else self.labels[self.codes[row]]
        name = self.cells.column.name
        return Issue(row, name, old, self.labels[code], below_one(confidence), reason, int(self.firsts[code]))


def _said(columns: Sequence[_Words], codes: Sequence[np.ndarray]) -> dict[int, Verdict]:
    found = verdicts(codes, [Suspects(words.rare, words.is_typo) for words in columns])
    return {place: one for place, one in found.items() if columns[place].cells.column.used}


def _missing(words: _Words) -> Iterator[Issue]:
    """Cells without a value, where most have one."""
    missing = words.codes == NO_CODE
    share = 1 - float(missing.mean())
    for row in np.flatnonzero(missing) if share > 0 else ():
        yield Issue(int(row), words.cells.column.name, None, None, below_one(share), "is missing")


def _odd_words(words: _Words) -> Iterator[Issue]:
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
            yield Issue(row, name, label, None, MISSHAPEN, "is shaped unlike the others")
        else:
            reason = f"looks like {meant}, mistyped"
            yield Issue(row, name, label, meant, MISSPELT, reason, words.first(meant))


def _strays(words: _Words) -> Iterator[Issue]:
    """Texts among numbers; where letters look like digits, the number that was meant."""
    cells, numbers = words.cells, words.cells.numbers
    if numbers is None or not cells.strays:
        return
    kind = "date" if cells.column.kind == "date" else "number"
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    for row, text in cells.strays.items():
        meant = with_digits(text)
        if kind == "number" and meant != text and low <= _number(meant) <= high:
            reason = f"is no number, but for a letter that looks like a digit {meant}"
            yield Issue(row, cells.column.name, text, meant, LOOKS_LIKE_A_NUMBER, reason)
        else:
            yield Issue(row, cells.column.name, text, None, NO_NUMBER, f"is no {kind}")


def _number(text: str) -> float:
    """The number that a text is; NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _mistyped(
    columns: Sequence[_Words], codes: list[np.ndarray], said: dict[int, Verdict]
) -> dict[tuple[int, int], Issue]:
    """Cells that look like what the others of their row say, mistyped; they are mended in the codes too."""
    made = {}
    for place, verdict in said.items():
        words = columns[place]
        for row in np.flatnonzero(_against(verdict, codes[place])).tolist():
            best = int(verdict.best[row])
            if words.is_typo(int(codes[place][row]), best):
                backers = min(int(verdict.backers[row]), len(TYPO) - 1)
                reason = (
                    f"looks like {words.labels[best]}, mistyped, and {_sayers(columns, verdict, row)} say so"
                )
                made[row, place] = words.issue(row, best, TYPO[backers], reason)
    for row, place in made:
        codes[place][row] = said[place].best[row]
    return made


def _contradict(
    columns: Sequence[_Words],
    codes: list[np.ndarray],
    found: dict[tuple[int, int], Issue],
    said: dict[int, Verdict],
) -> None:
    """Add to `found` the cells that the others of their row contradict.

    Of the cells of a row that contradict one another the surest is taken to be wrong first; whether the
    others still are is judged with that one mended, and where none is surer nobody knows which is wrong.
    """
    for _ in range(ROUNDS):
        made = _one_round(columns, codes, found, said)
        for at, issue in made.items():
            found[at] = _both(issue, found.get(at))
        if not any(issue.new is not None for issue in made.values()):
            break
        said = _said(columns, codes)


def _one_round(
    columns: Sequence[_Words],
    codes: list[np.ndarray],
    found: dict[tuple[int, int], Issue],
    said: dict[int, Verdict],
) -> dict[tuple[int, int], Issue]:
    """Of each row the surest contradiction, which is mended in the codes too."""
    if not said:
        return {}
    places = list(said)
    margins = np.stack([_against(said[place], codes[place]) for place in places])
    order = np.sort(margins, axis=0)
    clear = margins >= order[-1] - 1e-9
    clear &= order[-1] - (order[-2] if len(order) > 1 else 0) > CLEAR
    made: dict[tuple[int, int], Issue] = {}
    for place, margin, is_clear in zip(places, margins, clear, strict=True):
        words, verdict = columns[place], said[place]
        follows = (margin > 0) & (verdict.backers > 1)
        few = words.has_few_words and follows.sum() <= max(FEW_CELLS, FEW_SHARE * len(margin))
        for row in np.flatnonzero(margin).tolist():
            best, backers = int(verdict.best[row]), int(verdict.backers[row])
            odd_one_out = few and follows[row] and words.labels[codes[place][row]].isalpha()
            confidence = ODD_ONE_OUT if odd_one_out else EXCEPTION[min(backers, len(EXCEPTION) - 1)]
            reason = f"{_sayers(columns, verdict, row)} say {words.labels[best]}"
            issue = words.issue(row, best, confidence, reason)
            if is_clear[row]:
                made[row, place] = issue
                codes[place][row] = best
            elif (row, place) not in found:
                made[row, place] = replace(issue, new=None, like=None)
    return made


def _against(verdict: Verdict, codes: np.ndarray) -> np.ndarray:
    """float64 (rows,): log-odds against what stands there, where the columns that vote agree."""
    return np.where((codes == NO_CODE) | verdict.opposed, 0, np.maximum(verdict.margin, 0))


def _sayers(columns: Sequence[_Words], verdict: Verdict, row: int) -> str:
    names = [columns[giver].cells.column.name for giver in verdict.sayers[:, row] if giver != NO_CODE]
    return f"rows of the same {' and '.join(names)}"


def _both(issue: Issue, before: Issue | None) -> Issue:
    """Two signs that a cell is wrong: what the other columns say is better founded."""
    if before is None:
        return issue
    if issue.new is None or before.new == issue.new:
        return replace(before, confidence=max(before.confidence, issue.confidence))
    return replace(issue, reason=f"{before.reason}, and {issue.reason}")


def _fills(
    columns: Sequence[_Words], codes: Sequence[np.ndarray], said: dict[int, Verdict]
) -> dict[tuple[int, int], Issue]:
    """What the others of their row say of missing cells; tried on known ones, each as if it were missing."""
    made = {}
    for place, verdict in said.items():
        words = columns[place]
        there = verdict.best != NO_CODE
        known = there & (codes[place] != NO_CODE)
        right = codes[place] == verdict.best
        missing = np.flatnonzero(there & (codes[place] == NO_CODE))
        trust = _tried(verdict.strength[known], right[known], verdict.strength[missing])
        for row, confidence in zip(missing.tolist(), trust.tolist(), strict=True):
            best = int(verdict.best[row])
            reason = f"is missing, and {_sayers(columns, verdict, row)} say {words.labels[best]}"
            made[row, place] = words.issue(row, best, confidence, reason)
    return made


def _tried(strength: np.ndarray, right: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """float64 (asked,): how often votes about as strong were right; less, where there are few.

    >>> _tried(np.repeat([1.0, 2.0], 98), np.repeat([True, True, False, True], 49), np.array([1.0, 9.0]))
    array([0.98      , 0.92592593])
    """
    order = np.argsort(strength, kind="stable")
    strength, hits = strength[order], np.append(0, np.cumsum(right[order]))
    # What stands in a cell moves the votes of its group for it a little: never compare with equals alone.
    low = np.searchsorted(strength, asked * (1 - ABOUT))
    high = np.searchsorted(strength, asked * (1 + ABOUT), side="right")
    lacking = np.maximum(LIKE_VOTES - (high - low) + 1, 0) // 2
    low, high = np.maximum(low - lacking, 0), np.minimum(high + lacking, len(strength))
    return (hits[high] - hits[low]) / (high - low + 2)


def below_one(confidence: float) -> float:
    """Rounded to four digits."""
    return min(round(confidence, 4), 0.9999)  # never certain
