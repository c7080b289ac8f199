"""The encoder's choices: which axis to halve when, and what weights to give to what is seen.

Nothing here runs when decoding: whatever is chosen is written down, so it may be estimated from a sample, in
floats, by least squares.
"""

from __future__ import annotations

import numpy as np

from isthmus.coding.fields.sight import SCALES, WEIGHT_STEPS, Sight, Way, _line, usual_scales

SAMPLE = 8_000
FEWEST = 500  # targets that pay for weights of their own
_WEIGHT_BITS = 8
_MAX_WEIGHT = 8 * WEIGHT_STEPS


def choose_order(values: np.ndarray) -> list[int]:
    """The inner axis to halve at each step, the last step first, by what is easiest to predict.

    Args:
        values: in units, shape (frames, inner …), no masked ones.
    """
    strides, order = [1] * values.ndim, list[int]()
    while True:
        grid = values[tuple(slice(None, None, stride) for stride in strides)]
        axes = [axis for axis in range(1, values.ndim) if grid.shape[axis] > 1]
        if not axes:
            return order
        easiest = min(axes, key=lambda axis: _difficulty(grid, axis)) if len(axes) > 1 else axes[0]
        strides[easiest] *= 2
        order.append(easiest)


def _difficulty(grid: np.ndarray, axis: int) -> float:
    """Bits, but for a constant, to code every second point along an axis from the others."""
    grid = thinned(grid, 2 * SAMPLE, keep=axis)
    known = grid[(*[slice(None)] * axis, slice(None, None, 2))]
    truth = grid[(*[slice(None)] * axis, slice(1, None, 2))]
    line = _line(known, axis, truth.shape[axis])
    return min(float(np.log2(0.05 + np.abs(truth - guess)).mean()) for guess in (line.linear, line.cubic))


def thinned(grid: np.ndarray, most: int, keep: int = -1) -> np.ndarray:
    """Every second line again and again, along the longest axis but one, until few points are left."""
    while grid.size > most:
        sizes = [0 if axis == keep else size for axis, size in enumerate(grid.shape)]
        longest = int(np.argmax(sizes))
        if sizes[longest] < 2:
            break
        grid = grid[(*[slice(None)] * longest, slice(None, None, 2))]
    return grid


def choose_way(sight: Sight, truth: np.ndarray, sample: np.ndarray) -> tuple[Way, list[int]]:
    """The way to predict a step, and its weights if it is FITTED.

    Args:
        sight: of the step.
        truth: the targets' values.
        sample: places in the flattened targets, none masked.
    """
    wanted = truth.ravel()[sample]

    def bits(prediction: np.ndarray) -> float:
        return float(np.log2(1 + np.abs(wanted - prediction)).sum())

    costs = {way: bits(values.ravel()[sample]) for way, values in sight.ways().items()}
    best = min(costs, key=lambda way: (costs[way], way))
    if sample.size < FEWEST or not sight.terms:
        return best, []
    terms = np.stack([term.ravel()[sample] for term in sight.terms], axis=1).astype(np.float64)
    linear = sight.linear.ravel()[sample].astype(np.float64)
    weights = _fit_weights(terms, wanted - linear)
    share = truth.size / sample.size
    if share * (costs[best] - bits(linear + terms @ weights / WEIGHT_STEPS)) <= _WEIGHT_BITS * weights.size:
        return best, []
    return Way.FITTED, [int(weight) for weight in weights]


def _fit_weights(terms: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Least squares, then twice more with less heed to what is far off: bits grow like a logarithm."""
    heed = np.ones(wanted.size)
    for _ in range(3):
        weighed = terms * heed[:, None]
        square = weighed.T @ terms
        square += np.eye(len(square)) * (1e-6 * np.trace(square) + 1e-30)
        weights = np.linalg.solve(square, weighed.T @ wanted)
        heed = 1 / (0.5 + np.abs(wanted - terms @ weights))
    return np.clip(np.nan_to_num(np.rint(weights * WEIGHT_STEPS)), -_MAX_WEIGHT, _MAX_WEIGHT)


def choose_scales(sight: Sight, magnitudes: np.ndarray, sample: np.ndarray) -> list[int]:
    """How much each hint adds to the magnitude that is expected; see `Sight.contexts`."""
    if sample.size < FEWEST or not sight.hints:
        return usual_scales(len(sight.hints))
    hints = np.stack([*(hint.ravel()[sample] for hint in sight.hints), np.ones(sample.size)], axis=1)
    wanted = magnitudes.ravel()[sample]
    heed = 1 / (0.05 + 0.1 * wanted + hints[:, :-1].mean(axis=1))
    weights = _not_negative(hints * heed[:, None], wanted * heed)
    logarithms = np.log2(np.maximum(weights, 1e-9))
    scales = np.clip(np.rint(4 * (logarithms + 10)), 0, len(SCALES) - 2).astype(int) + 1
    return [int(scale) if weight > SCALES[1] else 0 for scale, weight in zip(scales, weights, strict=True)]


def _not_negative(parts: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Least squares with weights from 0 up: what comes out below 0 is left out, and the rest fitted again."""
    square, product = parts.T @ parts, parts.T @ wanted
    square += np.eye(len(square)) * (1e-9 * np.trace(square) + 1e-30)
    used = np.ones(len(square), bool)
    weights = np.zeros(len(square))
    while used.any():
        weights[:] = 0
        weights[used] = np.linalg.solve(square[np.ix_(used, used)], product[used])
        if (weights >= 0).all():
            break
        used &= weights > 0
    return weights


def sample_of(allowed: np.ndarray | None, size: int) -> np.ndarray:
    """Up to about SAMPLE places spread over a step's targets, none masked."""
    places = np.arange(size) if allowed is None else np.flatnonzero(allowed)
    return places[:: max(1, places.size // SAMPLE)]
