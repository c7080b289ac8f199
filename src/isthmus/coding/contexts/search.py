"""Symbol ⇄ answers: a binary search, first by thresholds that were learned, then by halves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Search:
    """Which question comes when.

    Node 1 is the first question, "greater than thresholds[1]?"; from node n, no leads to 2n and yes
    to 2n + 1. Below the deepest of them, what is left of the range is halved until one symbol is.

    >>> search = Search(low=0, bins=np.ones(4, int), width=1, thresholds=np.array([0, 1]))
    >>> state = search.start(3)
    >>> state = search.follow(state, np.array([0, 1, 1]))
    >>> state.low.tolist(), state.high.tolist()
    ([0, 2, 2], [1, 3, 3])
    """

    low: int
    """The least symbol."""
    bins: np.ndarray
    """How often symbols were seen in training, a bin of `width` each, from `low` on; at least 1."""
    width: int
    thresholds: np.ndarray
    """The learned ones, by node; entry 0 is not used."""

    @property
    def high(self) -> int:
        """The greatest symbol."""
        return self.low + len(self.bins) * self.width - 1

    @property
    def depth(self) -> int:
        """How many questions have learned thresholds, and forests."""
        return len(self.thresholds).bit_length() - 1

    def start(self, count: int) -> State:
        """Everything is still possible, for `count` symbols."""
        return State(np.ones(count, np.int32), np.full(count, self.low), np.full(count, self.high))

    def follow(self, state: State, answers: np.ndarray) -> State:
        """What is left after the answers to the questions of `middles`."""
        middle, yes = self.middles(state), answers != 0
        return State(
            2 * state.node + yes,
            np.where(yes, middle + 1, state.low),
            np.where(yes, state.high, middle),
        )

    def middles(self, state: State) -> np.ndarray:
        """What each symbol is compared with next."""
        halves = (state.low + state.high) // 2
        if state.node.size == 0 or state.node[0] >= len(self.thresholds):
            return halves
        learned = self.thresholds[state.node]
        possible = (state.low <= learned) & (learned < state.high)
        return np.where(possible, learned, halves)

    def shares(self, state: State) -> np.ndarray:
        """How probable a yes is by the counts alone: float64, whole numbers of 2**-16."""
        middle = self.middles(state)
        end = self._before(state.high + 1)
        upper, whole = end - self._before(middle + 1), end - self._before(state.low)
        return np.clip((upper << 16) // whole, 1, (1 << 16) - 1) / (1 << 16)

    @cached_property
    def _cumulated(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(self.bins.astype(np.int64)) * self.width])

    @cached_property
    def _evenly(self) -> np.ndarray:
        return np.append(self.bins, 0)

    def _before(self, symbols: np.ndarray) -> np.ndarray:
        """How often smaller symbols were seen, times the width of a bin."""
        whole, part = np.divmod(symbols - self.low, self.width)
        return self._cumulated[whole] + self._evenly[whole] * part


@dataclass(frozen=True)
class State:
    """How far the search for each of some symbols has come."""

    node: np.ndarray
    low: np.ndarray
    """The least symbol still possible."""
    high: np.ndarray
    """The greatest."""

    @property
    def open(self) -> np.ndarray:
        """Which symbols are not known yet."""
        return self.low < self.high

    def __getitem__(self, which: np.ndarray) -> State:
        return State(self.node[which], self.low[which], self.high[which])
