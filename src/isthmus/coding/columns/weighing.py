"""How much each context of a field is believed: the weights under which the symbols take fewest bits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isthmus.coding.columns.counts import LEVELS, WEIGHT_ONE, Counts
from isthmus.coding.columns.logarithms import UNIT, log2
from isthmus.coding.columns.plan import Field
from isthmus.coding.columns.rows import Rows
from isthmus.coding.columns.views import Views

MOST_ROWS, MOST_NUMBERS = 1000, 100_000
"""That weights are learned from: rows, and logarithms of symbols in all."""
STOPS = 40
"""At so many places between beginning and end, as contexts know more and more."""
MOST_KEPT = 6
LEAST_GAIN = 0.004
"""A context that saves a smaller share of the bits is left out."""
MOST_WEIGHT = 256
_ROUNDS = 8
_RIDGE = 12.0


def weigh(views: Views, rows: Rows, symbols: np.ndarray, field: Field) -> Field:
    """The field with weights, without the contexts that save next to nothing.

    Args:
        views: all filled.
        rows: of the table.
        symbols: of the field, in all rows.
        field: with the contexts that may help.
    """
    if not field.contexts:
        return field
    kept, weights = trusted(Told.of(views, rows, symbols, field), MOST_KEPT)
    return replace(field, contexts=tuple(field.contexts[each] for each in kept), weights=weights)


def trusted(told: Told, most: int) -> tuple[list[int], tuple[tuple[int, ...], ...]]:
    """The contexts worth keeping, at most so many, and the weights of the shares and of each of these."""
    kept = list(range(told.logs.shape[1]))
    fit = _fit(told, kept, np.array([1.0] + [0.6 / len(kept)] * LEVELS * len(kept)))
    while kept:
        least, rest = fit.without_least()
        fewer = kept[:least] + kept[least + 1 :]
        again = _fit(told, fewer, rest)
        if len(kept) <= most and again.bits - fit.bits > LEAST_GAIN * fit.bits:
            break
        kept, fit = fewer, again
    table = [fit.weights[:1].repeat(LEVELS), *fit.weights[1:].reshape(-1, LEVELS)]
    rounded = np.clip(np.round(np.array(table) * WEIGHT_ONE), -MOST_WEIGHT, MOST_WEIGHT).astype(int)
    return kept, tuple(map(tuple, rounded.tolist()))


@dataclass(frozen=True)
class _Fit:
    """Weights, and how the bits bend around them."""

    weights: np.ndarray
    bits: float
    curvature: np.ndarray
    """(weight, weight)."""

    def without_least(self) -> tuple[int, np.ndarray]:
        """The context whose silence costs least once the others make up for it, and their weights then.

        Source: Hassibi and Stork 1992, Second Order Derivatives for Network Pruning: Optimal Brain Surgeon.
        """
        inverse = np.linalg.inv(self.curvature)
        best = None
        for first in range(1, len(self.weights), LEVELS):
            block = slice(first, first + LEVELS)
            pull = np.linalg.solve(inverse[block, block], self.weights[block])
            cost = float(self.weights[block] @ pull)
            if best is None or cost < best[0]:
                best = cost, first, self.weights - inverse[:, block] @ pull
        assert best is not None
        _, first, weights = best
        return first // LEVELS, np.delete(weights, np.s_[first : first + LEVELS])


@dataclass(frozen=True)
class Told:
    """What contexts say in some of the rows, as the walk will find it."""

    logs: np.ndarray
    """(row, context, symbol): how many times likelier, as a logarithm to base 2."""
    levels: np.ndarray
    """(row, context): of how much it has seen."""
    shares: np.ndarray
    """(row, symbol): logarithms."""
    wanted: np.ndarray
    """(row,): the symbol that came."""

    @classmethod
    def of(cls, views: Views, rows: Rows, symbols: np.ndarray, field: Field) -> Told:
        """As the walk meets a field of columns."""
        sizes = [views.plan.size_of(context) for context in field.contexts]
        counts = Counts(field.alphabet, sizes, [context.strength for context in field.contexts])

        def learn(at: np.ndarray) -> None:
            counts.learn([views.value(context, at) for context in field.contexts], symbols[at])

        each = max(1, min(MOST_ROWS, MOST_NUMBERS // field.alphabet) // STOPS)
        steps = list(rows.steps())
        stops = np.unique(np.linspace(0, len(steps) - 1, STOPS).astype(int))
        rng, parts = np.random.default_rng(0), []
        learn(np.arange(rows.known))
        for stop, after in zip(stops, [*stops[1:], None], strict=True):
            at = steps[stop]
            at = at if len(at) <= each else np.sort(rng.choice(at, each, replace=False))
            logs, levels = counts.tell([views.value(context, at) for context in field.contexts])
            share, whole = counts.shares()
            shares = np.broadcast_to(log2(share) - log2(np.array(whole)), (len(at), field.alphabet))
            parts.append((np.stack(logs, 1), np.stack(levels, 1), shares, symbols[at]))
            if after is not None:
                learn(np.concatenate(steps[stop:after]))
        joined = [np.concatenate(part) for part in zip(*parts, strict=True)]
        return cls(bits_of(joined[0]), joined[1], bits_of(joined[2]), joined[3])

    def matrix(self, kept: list[int]) -> np.ndarray:
        """(row, symbol, weight): the shares, then each context at each level."""
        found = np.zeros((*self.shares.shape, 1 + LEVELS * len(kept)), np.float32)
        found[..., 0] = self.shares
        rows = np.arange(len(found))
        for place, context in enumerate(kept):
            found[rows, :, 1 + LEVELS * place + self.levels[:, context]] = self.logs[:, context]
        return found


def bits_of(logs: np.ndarray) -> np.ndarray:
    """Logarithms as floats, in bits."""
    return logs.astype(np.float32) / UNIT


def _chances(matrix: np.ndarray, weights: np.ndarray) -> np.ndarray:
    score = (matrix @ weights.astype(np.float32)) * np.float32(np.log(2))
    score -= score.max(axis=1, keepdims=True)
    np.exp(score, out=score)
    return score / score.sum(axis=1, keepdims=True)


def _bits(matrix: np.ndarray, wanted: np.ndarray, weights: np.ndarray) -> float:
    chances = _chances(matrix, weights)[np.arange(len(wanted)), wanted]
    return float(-np.log2(np.maximum(chances, 2.0**-23)).sum())


def _fit(told: Told, kept: list[int], weights: np.ndarray) -> _Fit:
    """Newton's method on the bits, which are convex in the weights."""
    matrix, wanted = told.matrix(kept), told.wanted
    count = matrix.shape[2]
    flat = matrix.reshape(-1, count)
    truth = matrix[np.arange(len(wanted)), wanted].sum(axis=0)
    bits = _bits(matrix, wanted, weights)
    for _ in range(_ROUNDS):
        chances = _chances(matrix, weights)
        means = np.matmul(chances[:, None], matrix)[:, 0]
        gradient = means.sum(axis=0) - truth + _RIDGE * (weights - np.eye(1, count)[0])
        second = flat.T @ (flat * chances.reshape(-1, 1)) - means.T @ means
        curvature = np.log(2) * second.astype(np.float64) + _RIDGE * np.eye(count)
        step = np.linalg.solve(curvature, gradient)
        scale = 1.0
        while scale > 0.05 and (tried := _bits(matrix, wanted, weights - scale * step)) > bits:
            scale /= 2
        if scale <= 0.05 or bits - tried < 1e-4 * bits:
            break
        weights, bits = weights - scale * step, tried
    return _Fit(weights, bits, curvature)
