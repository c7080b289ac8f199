"""Columns that determine one another → what each cell should be, by the votes of the other cells of its row.

A column A determines a column B where rows that agree in A mostly agree in B: then each row's cell in B has a
vote from its cell in A, for what the other rows of that group say. Votes are log-odds, so they add.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

LEAST_AGREEMENT = 0.5
"""Share of rows that say what most of their group say, for A to determine B …"""
LEAST_GAIN = 0.5
"""… and this share of what is left where B is shuffled: small groups agree by chance."""
FUNCTIONAL, IN_GROUP = 0.95, 0.9
"""From this agreement on, of all rows and of the others of a group, B follows from A. Below, it merely goes
with A, which is no reason to doubt …"""
COMMON = 0.01
"""… a word that stands in more than this share of all rows."""
LEAST_GROUP = 3
"""Rows of a group that says anything; a group from which a cell follows has so many others."""
LEAST_COVERED = 0.3
"""Share of all rows that are in such groups."""
LEAST_SHARE = 0.6
"""Of the others in its group that must say the same, for a cell to have a vote."""
LEAST_KNOWN = 1 / 3
"""Of the rows of a group that must have a cell at all: elsewhere there is nothing to be missed."""
SUREST = 0.995
MOST_COLUMNS = 60
NOTHING = -1
"""The code of a missing cell, and of no vote."""
DENSE = 8
"""Possible pairs for each row, up to which counting all of them is quicker than sorting."""


@dataclass(frozen=True, eq=False)
class Suspects:
    """Codes of a column that may be another one, mistyped."""

    rare: np.ndarray
    """bool (codes,): those that come to mind at all."""
    is_typo: Callable[[int, int], bool]
    """Whether a code looks like another one, mistyped."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the rows' other cells say of one column."""

    best: np.ndarray
    """int64 (rows,): the code with most votes, whatever stands there; NOTHING where there is none."""
    strength: np.ndarray
    """float64 (rows,): log-odds of the votes for it."""
    margin: np.ndarray
    """float64 (rows,): log-odds against another code that stands there; 0 where none does."""
    backers: np.ndarray
    """int64 (rows,): columns from which it follows."""
    opposed: np.ndarray
    """bool (rows,): whether a column votes for something else."""
    sayers: np.ndarray
    """int64 (2, rows): the two most reliable columns that say so; NOTHING where there are fewer."""


def verdicts(columns: Sequence[np.ndarray], suspects: Sequence[Suspects] | None = None) -> dict[int, Verdict]:
    """For each column that others determine: what they say.

    Args:
        columns: int64 (rows,) codes from 0 up, NOTHING where a cell is missing.
        suspects: of each column; a mistyped cell is no reason to say that the column does not follow.

    >>> town = np.arange(60) % 3
    >>> post = town + 5
    >>> post[6] = 7  # town 0 has post code 5
    >>> found = verdicts([town, post])[1]
    >>> int(found.best[6]), bool(found.margin[6] > 0), found.sayers[:, 6].tolist()
    (5, True, [0, -1])
    """
    able = [place for place, codes in enumerate(columns) if _has_groups(codes)][:MOST_COLUMNS]
    found = {}
    for taker, codes in enumerate(columns):
        if codes.max(initial=NOTHING) < 1:
            continue
        doubted = None if suspects is None else suspects[taker]
        each = [(giver, _votes(columns[giver], codes, doubted)) for giver in able if giver != taker]
        votes = [(one, giver) for giver, one in each if one is not None]
        votes.sort(key=lambda pair: -pair[0].agreement)
        if votes:
            found[taker] = _verdict([one for one, _ in votes], codes, np.array([giver for _, giver in votes]))
    return found


@dataclass(frozen=True, eq=False)
class _Votes:
    """Of one column about another."""

    agreement: float
    code: np.ndarray
    weight: np.ndarray
    follows: np.ndarray
    """bool (rows,): B follows from A here, rather than going with it."""


@dataclass(frozen=True, eq=False)
class _Groups:
    """Rows that agree in A, and what they say of B."""

    pairs: np.ndarray
    """int64 (pairs,): each group and code that come together, as group · width + code …"""
    counts: np.ndarray
    """… and how often."""
    width: int
    total: np.ndarray
    """float64 (groups,): rows that have a cell in B."""
    most: np.ndarray
    """float64 (groups,): rows that say what most say."""

    @classmethod
    def of(cls, giver: np.ndarray, taker: np.ndarray, size: int) -> _Groups:
        """Of rows that have both cells."""
        width = int(taker.max()) + 1
        pairs, counts = _tally(giver * width + taker, size * width)
        groups, starts = np.unique(pairs // width, return_index=True)
        total, most = np.zeros(size), np.zeros(size)
        total[groups] = np.add.reduceat(counts, starts)
        most[groups] = np.maximum.reduceat(counts, starts)
        return cls(pairs, counts, width, total, most)

    def agreement(self) -> float:
        """Share of the rows of groups that are large enough, that say what most of their group say."""
        large = self.total >= LEAST_GROUP
        return float(self.most[large].sum() / max(1, self.total[large].sum()))

    def best(self) -> np.ndarray:
        """int64 (groups,): what most say."""
        codes = np.full(len(self.total), NOTHING, np.int64)
        order = np.argsort(self.counts, kind="stable")
        codes[self.pairs[order] // self.width] = self.pairs[order] % self.width
        return codes


def _tally(keys: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The different keys below a size, and how often each comes."""
    if size > DENSE * len(keys):
        return np.unique(keys, return_counts=True)
    counts = np.bincount(keys, minlength=size)
    there = np.flatnonzero(counts)
    return there, counts[there]


def _has_groups(codes: np.ndarray) -> bool:
    """Whether it has groups of rows, and more than one."""
    counts = np.bincount(codes[codes >= 0])
    return int((counts > 0).sum()) > 1 and counts[counts >= LEAST_GROUP].sum() >= LEAST_COVERED * len(codes)


def _votes(giver: np.ndarray, taker: np.ndarray, suspects: Suspects | None) -> _Votes | None:
    """One column's votes about another; None where it does not determine it."""
    both = (giver >= 0) & (taker >= 0)
    if not both.any():
        return None
    size = int(giver.max()) + 1
    groups = _Groups.of(giver[both], taker[both], size)
    if groups.total[groups.total >= LEAST_GROUP].sum() < LEAST_COVERED * len(taker):
        return None
    if groups.agreement() < LEAST_AGREEMENT:
        return None
    if suspects is not None and len(typos := _typos(groups, suspects)):
        at = both & np.isin(giver * groups.width + taker, typos)
        taker = np.where(at, groups.best()[np.maximum(giver, 0)], taker)
        groups = _Groups.of(giver[both], taker[both], size)
    agreement = groups.agreement()
    commonest = np.bincount(taker[both]).max() / both.sum()
    if not _gains(agreement, commonest):  # no shuffling makes groups agree less
        return None
    shuffled = np.random.default_rng(0).permutation(taker[both])
    if not _gains(agreement, _Groups.of(giver[both], shuffled, size).agreement()):
        return None
    return _cast(giver, taker, groups, agreement)


def _gains(agreement: float, chance: float) -> bool:
    return agreement >= LEAST_AGREEMENT and agreement - chance >= LEAST_GAIN * (1 - chance)


def _typos(groups: _Groups, suspects: Suspects) -> list[int]:
    """Pairs whose code looks like what most of the group say, mistyped."""
    group, codes = groups.pairs // groups.width, groups.pairs % groups.width
    few = (groups.counts < groups.most[group] / MANY_MORE) & (groups.total[group] >= LEAST_GROUP)
    at = np.flatnonzero(few & suspects.rare[codes])
    meant = groups.best()[group[at]]
    each = zip(groups.pairs[at].tolist(), codes[at].tolist(), meant.tolist(), strict=True)
    return [pair for pair, code, word in each if suspects.is_typo(code, word)]


MANY_MORE = 2
"""Times as many rows of a group say the word that was meant."""


def _cast(giver: np.ndarray, taker: np.ndarray, groups: _Groups, agreement: float) -> _Votes:
    """Each row's vote, its own cell left out of the count."""
    group, own, best = np.maximum(giver, 0), taker >= 0, groups.best()
    others = groups.total[group] - own
    same = groups.most[group] - (own & (taker == best[group]))
    share = same / np.maximum(others, 1)
    known = others / np.maximum(np.bincount(group[giver >= 0], minlength=len(best))[group] - 1, 1)
    valid = (giver >= 0) & (others >= LEAST_GROUP - 1) & (share >= LEAST_SHARE) & (known >= LEAST_KNOWN)
    odds = np.log(max(agreement, 0.5) / (1 - min(agreement, SUREST)) + 1e-9)
    follows = valid & (agreement >= FUNCTIONAL) & (share >= IN_GROUP) & (others >= LEAST_GROUP)
    return _Votes(
        agreement, np.where(valid, best[group], NOTHING), np.where(valid, odds * share, 0.0), follows
    )


def _verdict(votes: list[_Votes], taker: np.ndarray, givers: np.ndarray) -> Verdict:
    codes = np.stack([one.code for one in votes])
    follows = np.stack([one.follows for one in votes])
    weights = np.stack([one.weight for one in votes])
    sums = np.stack([np.where(codes == mine, weights, 0).sum(axis=0) for mine in codes])
    sums[codes == NOTHING] = -1
    winner = sums.argmax(axis=0)
    rows = np.arange(codes.shape[1])
    best = codes[winner, rows]
    counts = np.append(np.bincount(taker[taker >= 0]), 0)
    common = counts[taker] > COMMON * len(taker)
    against = np.where((codes == best) & (follows | ~common), weights, 0).sum(axis=0)
    own = np.where((codes == taker) & (taker != NOTHING), weights, 0).sum(axis=0)
    return Verdict(
        best=best,
        strength=np.where(best == NOTHING, 0.0, sums[winner, rows]),
        margin=np.where((best == NOTHING) | (best == taker), 0.0, against - own),
        backers=(follows & (codes == best)).sum(axis=0),
        opposed=((codes != best) & (codes != NOTHING)).any(axis=0),
        sayers=_two_sayers(codes == best, givers),
    )


def _two_sayers(say_so: np.ndarray, givers: np.ndarray) -> np.ndarray:
    """int64 (2, rows): the first two givers of each row that say so."""
    place = np.cumsum(say_so, axis=0)
    return np.stack(
        [np.where(place[-1] >= nth, givers[(place >= nth).argmax(axis=0)], NOTHING) for nth in (1, 2)]
    )
