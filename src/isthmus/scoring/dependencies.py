"""Columns that tell one another → what each cell should be, by the votes of the other cells of its row.

A column A tells a column B where rows that agree in A mostly agree in B: then each row's cell in B has a
vote from its cell in A, for what the other rows of that group say. Votes are log-odds, so they add.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_AGREEMENT = 0.5
"""Share of rows that say what most of their group say, for A to tell B …"""
LEAST_GAIN = 0.5
"""… and this share of what is left where B is shuffled: small groups agree by chance."""
FUNCTIONAL, IN_GROUP = 0.95, 0.9
"""From this agreement on, of all rows and of the others of a group, B follows from A. Below, it merely goes
with A, which is no reason to doubt …"""
COMMON = 0.01
"""… a word that stands in more than this share of all rows."""
LEAST_GROUP = 3
LEAST_COVERED = 0.3
"""Share of all rows that are in such groups."""
LEAST_SHARE = 0.6
"""Of the others in its group that must say the same, for a cell to have a vote."""
SUREST = 0.995
MOST_COLUMNS = 60
NOTHING = -1
"""The code of a missing cell, and of no vote."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the rows' other cells say of one column."""

    best: np.ndarray
    """int64 (rows,): the code with most votes; NOTHING where there is none."""
    margin: np.ndarray
    """float64 (rows,): log-odds for it against the code that stands there."""
    givers: tuple[int, ...]
    """The columns that vote, the most reliable first."""


def verdicts(columns: Sequence[np.ndarray]) -> dict[int, Verdict]:
    """For each column that others tell: what they say.

    Args:
        columns: int64 (rows,) codes from 0 up, NOTHING where a cell is missing.

    >>> town = np.arange(60) % 3
    >>> post = town + 5
    >>> post[6] = 7  # town 0 has post code 5
    >>> found = verdicts([town, post])[1]
    >>> int(found.best[6]), bool(found.margin[6] > 0), found.givers
    (5, True, (0,))
    """
    able = [place for place, codes in enumerate(columns) if _may_tell(codes)][:MOST_COLUMNS]
    found = {}
    for taker in range(len(columns)):
        if columns[taker].max(initial=NOTHING) < 1:
            continue
        each = [(giver, _votes(columns[giver], columns[taker])) for giver in able if giver != taker]
        told = sorted(
            ((one, giver) for giver, one in each if one is not None), key=lambda pair: -pair[0].agreement
        )
        if told:
            found[taker] = _verdict([one for one, _ in told], columns[taker], tuple(g for _, g in told))
    return found


@dataclass(frozen=True, eq=False)
class _Votes:
    agreement: float
    code: np.ndarray
    weight: np.ndarray
    share: np.ndarray
    """Of the others in a row's group that say the same."""


def _may_tell(codes: np.ndarray) -> bool:
    """Whether it has groups of rows, and more than one."""
    counts = np.bincount(codes[codes >= 0])
    return int((counts > 0).sum()) > 1 and counts[counts >= LEAST_GROUP].sum() >= LEAST_COVERED * len(codes)


def _votes(giver: np.ndarray, taker: np.ndarray) -> _Votes | None:
    """One column's votes about another; None where it does not tell it."""
    both = (giver >= 0) & (taker >= 0)
    width = int(taker.max()) + 1
    pairs, counts = np.unique(giver[both] * width + taker[both], return_counts=True)
    groups, codes = pairs // width, pairs % width
    size = int(giver.max()) + 1
    total, most = np.zeros(size), np.zeros(size)
    np.add.at(total, groups, counts)
    np.maximum.at(most, groups, counts)
    large = total >= LEAST_GROUP
    if total[large].sum() < LEAST_COVERED * len(taker):
        return None
    agreement = float(most[large].sum() / total[large].sum())
    if agreement < LEAST_AGREEMENT:
        return None
    chance = _by_chance(giver[both], taker[both], large)
    if agreement - chance < LEAST_GAIN * (1 - chance):
        return None
    best = np.full(size, NOTHING, np.int64)
    order = np.argsort(counts, kind="stable")
    best[groups[order]] = codes[order]
    return _cast(giver, taker, best, most, total, agreement)


def _by_chance(giver: np.ndarray, taker: np.ndarray, large: np.ndarray) -> float:
    """The agreement of the same groups where their cells are drawn at random."""
    width = int(taker.max()) + 1
    shuffled = np.random.default_rng(0).permutation(taker)
    pairs, counts = np.unique(giver * width + shuffled, return_counts=True)
    most = np.zeros(len(large))
    np.maximum.at(most, pairs // width, counts)
    return float(most[large].sum() / max(1, large[giver].sum()))


def _cast(
    giver: np.ndarray,
    taker: np.ndarray,
    best: np.ndarray,
    most: np.ndarray,
    total: np.ndarray,
    agreement: float,
) -> _Votes:
    """Each row's vote, its own cell left out of the count."""
    group = np.maximum(giver, 0)
    own = taker >= 0
    others = total[group] - own
    same = most[group] - (own & (taker == best[group]))
    share = same / np.maximum(others, 1)
    valid = (giver >= 0) & (others >= LEAST_GROUP - 1) & (share >= LEAST_SHARE)
    odds = np.log(max(agreement, 0.5) / (1 - min(agreement, SUREST)) + 1e-9)
    return _Votes(agreement, np.where(valid, best[group], NOTHING), np.where(valid, odds * share, 0.0), share)


def _verdict(votes: list[_Votes], taker: np.ndarray, givers: tuple[int, ...]) -> Verdict:
    counts = np.append(np.bincount(taker[taker >= 0]), 0)
    common = counts[taker] > COMMON * len(taker)
    codes = np.stack([one.code for one in votes])
    weak = np.stack([(one.agreement < FUNCTIONAL) | (one.share < IN_GROUP) for one in votes])
    weights = np.where(weak & common & (codes != taker), 0.0, np.stack([one.weight for one in votes]))
    sums = np.stack([np.where(codes == mine, weights, 0).sum(axis=0) for mine in codes])
    sums[codes == NOTHING] = -1
    winner = sums.argmax(axis=0)
    rows = np.arange(codes.shape[1])
    best, most = codes[winner, rows], sums[winner, rows]
    own = np.where((codes == taker) & (taker != NOTHING), weights, 0).sum(axis=0)
    return Verdict(best, np.where(best == NOTHING, 0.0, most - own), givers)
