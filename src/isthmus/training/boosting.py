"""Examples → a Forest: trees grown one after the other, each on what those before left to explain.

Gradient boosting with the logistic loss (Friedman 2001, Annals of Statistics 29:1189), Newton steps
in the leaves, symmetric trees (see coding/contexts/forest.py), and each tree grown on the examples
that are still badly predicted, drawn with known odds (Ke et al. 2017, LightGBM, NeurIPS). Leaves are
rounded as they will be stored, so that later trees make up for it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from isthmus.coding.contexts.forest import UNIT, Forest


@dataclass(frozen=True)
class Growth:
    """How a forest grows.

    Args:
        trees: how many at most.
        depth: questions a tree asks.
        rate: share of each Newton step that is taken.
        drawn: examples a tree's questions are chosen by.
        tried: features tried for each question.
        values_ahead: for how many examples the forest shall pay back its bytes.
    """

    trees: int = 64
    depth: int = 6
    rate: float = 0.3
    drawn: int = 150_000
    tried: int = 16
    values_ahead: float = float("inf")


def grow(
    features: np.ndarray,
    truth: np.ndarray,
    weights: np.ndarray,
    growth: Growth,
    *,
    seed: int,
    seconds: float = float("inf"),
) -> Forest:
    """Learn to tell how probable a yes is.

    Args:
        features: integers, (features, examples).
        truth: whether the answer is yes, (examples,).
        weights: how many examples each of them stands for.
        growth: how.
        seed: of all that is drawn.
        seconds: when to stop early.
    """
    started, random = time.monotonic(), np.random.default_rng(seed)
    grower = _Grower(features, truth, weights, growth, random)
    while len(grower.grown) < growth.trees and time.monotonic() - started < seconds:
        if not grower.add():
            break
    return grower.forest()


_HELD = 8  # every eighth example judges how many trees are worth their bytes
_CALM = 20.0  # examples that a leaf's step is shrunk by, as if so many were already right
_BITS_PER_LEAF = 4.5
_BITS_PER_QUESTION = 12.0


class _Grower:
    def __init__(
        self,
        features: np.ndarray,
        truth: np.ndarray,
        weights: np.ndarray,
        growth: Growth,
        random: np.random.Generator,
    ) -> None:
        self._features, self._truth, self._growth, self._random = features, truth, growth, random
        self._weights = (weights / weights.mean()).astype(np.float32)
        self._held = np.arange(truth.size) % _HELD == _HELD - 1
        self._edges = [_edges(row) for row in features]
        edges_of = zip(self._edges, features, strict=True)
        self._bins = np.stack([np.searchsorted(e, row).astype(np.uint8) for e, row in edges_of])
        share = np.clip(np.average(truth, weights=self._weights), 1e-4, 1 - 1e-4)
        self._base = round(float(np.log(share / (1 - share))) * UNIT)
        self._scores = np.full(truth.size, self._base, np.int32)
        self.grown: list[tuple[list[int], list[int], np.ndarray]] = []
        self._bits = [self._held_bits()]

    def add(self) -> bool:
        """Grow one more tree; False where there is nothing left to ask."""
        chance = 1 / (1 + np.exp(self._scores.astype(np.float32) / -UNIT))
        error = (self._truth - chance) * self._weights
        curve = chance * (1 - chance) * self._weights
        drawn, odds = self._draw(np.abs(error))
        questions = self._questions(drawn, error[drawn] / odds, curve[drawn] / odds)
        if not questions:
            return False
        leaf = np.zeros(self._truth.size, np.uint8)
        for feature, edge in questions:
            leaf = (leaf << 1) | (self._bins[feature] > edge)
        learns = ~self._held
        steps = self._steps(leaf[learns], error[learns], curve[learns])
        self._scores += steps[leaf]
        thresholds = [int(self._edges[feature][edge]) for feature, edge in questions]
        self.grown.append(([feature for feature, _ in questions], thresholds, steps))
        self._bits.append(self._held_bits())
        return True

    def _draw(self, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        wanted = (size + 0.2 * size.mean()) * ~self._held
        odds = np.minimum(1, wanted * (self._growth.drawn / max(wanted.sum(), 1e-30)))
        drawn = np.flatnonzero(self._random.random(odds.size, np.float32) < odds)
        return drawn, odds[drawn]

    def _questions(self, drawn: np.ndarray, error: np.ndarray, curve: np.ndarray) -> list[tuple[int, int]]:
        """The best question of each level: (feature, the edge that the bin must lie above)."""
        askable = [number for number, edges in enumerate(self._edges) if edges.size]
        leaf, questions = np.zeros(drawn.size, np.int64), []
        for level in range(self._growth.depth if askable else 0):
            tried = self._random.choice(askable, min(self._growth.tried, len(askable)), replace=False)
            bins = {feature: self._bins[feature][drawn] for feature in tried}
            gains = [_best_edge(leaf, bins[f], error, curve, 1 << level, self._edges[f].size) for f in tried]
            best = int(np.argmax([gain for gain, _ in gains]))
            feature, edge = int(tried[best]), gains[best][1]
            questions.append((feature, edge))
            leaf = leaf * 2 + (bins[feature] > edge)
        return questions

    def _steps(self, leaf: np.ndarray, error: np.ndarray, curve: np.ndarray) -> np.ndarray:
        leaves = 1 << self._growth.depth
        step = np.bincount(leaf, error, leaves) / (np.bincount(leaf, curve, leaves) + _CALM)
        return np.clip(np.rint(self._growth.rate * UNIT * step), -127, 127).astype(np.int32)

    def _held_bits(self) -> float:
        """What coding one example costs, by those held out."""
        log_odds = self._scores[self._held].astype(np.float64) / UNIT
        against = np.where(self._truth[self._held], -log_odds, log_odds)
        return float(np.average(np.logaddexp(0, against), weights=self._weights[self._held]) / np.log(2))

    def forest(self) -> Forest:
        """As many of the trees as are worth their bytes."""
        depth = self._growth.depth
        cost = np.arange(len(self._bits)) * (_BITS_PER_LEAF * 2**depth + _BITS_PER_QUESTION * depth)
        ahead = self._growth.values_ahead
        worth = np.array(self._bits) + (cost / ahead if np.isfinite(ahead) else 0)
        kept = self.grown[: int(np.argmin(worth))]
        features = np.array([tree[0] for tree in kept], np.int32).reshape(-1, depth)
        thresholds = np.array([tree[1] for tree in kept], np.int32).reshape(-1, depth)
        leaves = np.array([tree[2] for tree in kept], np.int32).reshape(-1, 2**depth)
        return Forest(self._base, features, thresholds, leaves)


_BINS = 33


def _edges(values: np.ndarray) -> np.ndarray:
    """At most 32 thresholds that cut a feature's values into parts of similar size."""
    few = np.sort(values[:: max(1, values.size // 50_000)])
    at = np.unique(few[(np.arange(1, _BINS) * few.size) // _BINS])
    return at[at < few[-1]]


def _best_edge(
    leaf: np.ndarray, bins: np.ndarray, error: np.ndarray, curve: np.ndarray, leaves: int, edges: int
) -> tuple[float, int]:
    """The edge that cuts every leaf best in two, and what it gains."""
    cell, cells = leaf * _BINS + bins, leaves * _BINS
    down = np.bincount(cell, error, cells).reshape(leaves, _BINS).cumsum(axis=1)
    mass = np.bincount(cell, curve, cells).reshape(leaves, _BINS).cumsum(axis=1)
    up, rest = down[:, -1:] - down, mass[:, -1:] - mass
    gain = (down**2 / (mass + _CALM) + up**2 / (rest + _CALM)).sum(axis=0)[:edges]
    best = int(gain.argmax())
    return float(gain[best]), best
