"""Columns → the cells that the others of their row contradict or can fill, and what these say instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from isthmus.data.tables.table import NO_CODE
from isthmus.scoring.dependencies import Suspects, Verdict, verdicts
from isthmus.tasks.issue import Issue, WordedColumn

TYPO = (0.8, 0.96, 0.99)
"""Confidence in what other columns say where the cell looks like it, mistyped: it goes with them, follows
from one, from several. Chosen on one half of the tables with known truth; docs/measured.md has the other."""
EXCEPTION = (0.2, 0.35, 0.65, 0.8)
"""The same where the cell does not look like it: it may be an exception …"""
ODD_ONE_OUT = 0.9
"""… hardly so in a column of few words, where it follows from two others, and few cells are contradicted."""
FEW_CELLS, FEW_SHARE = 2, 0.01
"""Contradicted cells of a column that are few, or their share of all rows."""
ROUNDS = 6
"""Cells of one row that can be contradicted by its others."""
CLEAR = 0.3
"""Log-odds by which the surest cell of a row must be surer than the next."""
LIKE_VOTES, ABOUT = 50, 0.05
"""Known cells, with votes as strong within this share, on which the votes for a missing one are tried."""


Found = dict[tuple[int, int], Issue]
"""By row and place of the column."""


def add_row_issues(columns: Sequence[WordedColumn], found: Found) -> None:
    """Add to what the columns themselves say, or put it right."""
    codes = [words.codes.copy() for words in columns]
    _add(found, _mistyped(columns, codes, _said(columns, codes)))
    said = _said(columns, codes)
    _add(found, _fills(columns, codes, said))
    # Of the cells of a row that contradict one another the surest is taken to be wrong first; whether the
    # others still are is judged with that one mended. Where none is surer nobody knows which is wrong.
    for _ in range(ROUNDS):
        made = _contradicted(columns, codes, found, said)
        _add(found, made)
        if not any(issue.new is not None for issue in made.values()):
            break
        said = _said(columns, codes)


def _add(found: Found, made: Found) -> None:
    """Two signs that a cell is wrong: the surer one says what should stand there."""
    for at, issue in made.items():
        before = found.get(at)
        if before is None:
            found[at] = issue
        elif issue.new is None or (before.new is not None and before.confidence >= issue.confidence):
            found[at] = replace(before, confidence=max(before.confidence, issue.confidence))
        else:
            found[at] = replace(issue, reason=f"{before.reason}, and {issue.reason}", wrong=before.wrong)


def _said(columns: Sequence[WordedColumn], codes: Sequence[np.ndarray]) -> dict[int, Verdict]:
    found = verdicts(codes, [Suspects(words.rare, words.is_typo) for words in columns])
    return {place: one for place, one in found.items() if columns[place].cells.column.used}


def _mistyped(columns: Sequence[WordedColumn], codes: list[np.ndarray], said: dict[int, Verdict]) -> Found:
    """Cells that look like what the others of their row say, mistyped; they are mended in the codes too."""
    made = {}
    for place, verdict in said.items():
        words = columns[place]
        for row in np.flatnonzero(_against(verdict, codes[place])).tolist():
            best = int(verdict.best[row])
            if words.is_typo(int(codes[place][row]), best):
                backers = min(int(verdict.backers[row]), len(TYPO) - 1)
                sayers = _sayers(columns, verdict, row)
                reason = f"looks like {words.labels[best]}, mistyped, and {sayers} say so"
                made[row, place] = words.issue(row, best, TYPO[backers], reason)
    for row, place in made:
        codes[place][row] = said[place].best[row]
    return made


def _contradicted(
    columns: Sequence[WordedColumn],
    codes: list[np.ndarray],
    found: Found,
    said: dict[int, Verdict],
) -> Found:
    """Of each row the surest contradiction, which is mended in the codes too."""
    if not said:
        return {}
    places = list(said)
    margins = np.stack([_against(said[place], codes[place]) for place in places])
    order = np.sort(margins, axis=0)
    clear = margins >= order[-1] - 1e-9
    clear &= order[-1] - (order[-2] if len(order) > 1 else 0) > CLEAR
    made: Found = {}
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


def _sayers(columns: Sequence[WordedColumn], verdict: Verdict, row: int) -> str:
    names = [columns[giver].cells.column.name for giver in verdict.sayers[:, row] if giver != NO_CODE]
    return f"rows of the same {' and '.join(names)}"


def _fills(columns: Sequence[WordedColumn], codes: Sequence[np.ndarray], said: dict[int, Verdict]) -> Found:
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
            reason = f"{_sayers(columns, verdict, row)} say {words.labels[best]}"
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
