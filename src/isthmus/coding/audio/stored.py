"""Samples ⇄ bytes by linear predictors that are stored, one for each channel of each stretch.

The quick rival of `walk`: the writer finds its predictors for all stretches at once, and the reader
restores all stretches side by side. Everything that the reader does is in integers.

Source: linear prediction by Levinson and Durbin; as FLAC has it (RFC 9639), but with counts that grow
instead of Rice codes.
"""

from __future__ import annotations

import numpy as np

from isthmus.coding.adaptive import LEVELS, SETTINGS, WEIGHTS, levels
from isthmus.coding.audio.lanes import Lanes
from isthmus.coding.numbers import NumberReader, NumberWriter
from isthmus.errors import DamagedFile

STRETCH = 4096
ORDER = 16
_BITS = 12  # of a weight behind the point
_GROUP = 64  # neighbouring residuals that share a context


def encode(samples: np.ndarray) -> bytes:
    """int64 (frame, channel) → bytes.

    >>> samples = np.arange(20)[:, None] ** 2
    >>> decode(encode(samples), 20, 1)[:, 0].tolist() == samples[:, 0].tolist()
    True
    """
    told = samples.copy()
    for channel in range(samples.shape[1] - 1, 0, -1):
        difference = samples[:, channel] - samples[:, channel - 1]
        if _roughness(difference) < _roughness(samples[:, channel]):
            told[:, channel] = difference
    beside = [int((told[:, c] != samples[:, c]).any()) for c in range(samples.shape[1])]
    spread = _lanes(len(samples)).spread(told)
    weights = _weights(spread)
    residuals = spread - _expected(spread, weights)
    places = levels(_group_means(residuals))
    writer = NumberWriter()
    writer.put(np.array(beside, np.int64), np.full(len(beside), SETTINGS, np.uint8))
    writer.put(weights.ravel(), np.full(weights.size, WEIGHTS, np.uint8))
    steps = np.diff(places.astype(np.int64), axis=1, prepend=0)
    writer.put(steps.ravel(), np.full(steps.size, SETTINGS, np.uint8))
    writer.put(residuals.ravel(), _spread_contexts(places, residuals.shape).ravel())
    return writer.to_bytes()


def decode(data: bytes, frames: int, channels: int) -> np.ndarray:
    """Undo `encode`; DamagedFile where that is impossible."""
    lanes, reader = _lanes(frames), NumberReader(data)
    beside = reader.take(np.full(channels, SETTINGS, np.uint8))
    weights = reader.take(np.full(ORDER * channels * lanes.count, WEIGHTS, np.uint8))
    groups = -(-lanes.steps // _GROUP)
    steps = reader.take(np.full(channels * groups * lanes.count, SETTINGS, np.uint8))
    places = np.cumsum(steps.reshape(channels, groups, lanes.count), axis=1)
    if ((places < 0) | (places >= LEVELS)).any() or (np.abs(weights) >> 20).any():
        raise DamagedFile("A block of audio has predictors that cannot be.")
    shape = channels, lanes.steps, lanes.count
    contexts = _spread_contexts(places.astype(np.uint8), shape)
    residuals = reader.take(contexts.ravel()).reshape(shape)
    reader.finish()
    found = lanes.gather(_restored(residuals, weights.reshape(ORDER, channels, lanes.count)))
    for channel in range(1, channels):
        if beside[channel]:
            found[:, channel] += found[:, channel - 1]
    return found


def _lanes(frames: int) -> Lanes:
    count = max(1, frames // STRETCH)
    return Lanes(frames, count, -(-frames // count))


def _roughness(samples: np.ndarray) -> int:
    return int(np.abs(np.diff(samples, 2)).sum())


def _weights(spread: np.ndarray) -> np.ndarray:
    """The predictors, in units of 2**-_BITS: int64 (ORDER, channel, lane)."""
    steps = spread.shape[1]
    window = np.sin(np.pi * (np.arange(steps) + 0.5) / steps)[:, None]
    likeness = np.empty((ORDER + 1, spread.shape[0], spread.shape[2]))
    for channel, samples in enumerate(spread):
        seen = samples * window
        for lag in range(ORDER + 1):
            likeness[lag, channel] = (seen[lag:] * seen[: max(0, steps - lag)]).sum(axis=0)
    likeness[0] = likeness[0] * (1 + 1e-9) + 1e-9
    return np.clip(np.rint(_levinson(likeness) * (1 << _BITS)), -(1 << 19), 1 << 19).astype(np.int64)


def _levinson(likeness: np.ndarray) -> np.ndarray:
    """Autocorrelations (ORDER + 1, …) → weights of the samples before, (ORDER, …)."""
    weights, left = np.zeros_like(likeness[1:]), likeness[0].copy()
    for order in range(ORDER):
        part = likeness[order + 1] - (weights[:order] * likeness[order:0:-1]).sum(axis=0)
        reflection = np.clip(part / left, -1.0, 1.0)
        weights[:order] = weights[:order] - reflection * weights[:order][::-1]
        weights[order] = reflection
        left = np.maximum(left * (1 - reflection * reflection), 1e-9 * likeness[0])
    return weights


def _expected(spread: np.ndarray, weights: np.ndarray) -> np.ndarray:
    channels, steps, count = spread.shape
    seen = np.concatenate([np.zeros((channels, ORDER, count), np.int64), spread], axis=1)
    sums = np.full(spread.shape, 1 << (_BITS - 1), np.int64)
    for back in range(ORDER):
        sums += weights[back][:, None] * seen[:, ORDER - 1 - back : ORDER - 1 - back + steps]
    return sums >> _BITS


def _restored(residuals: np.ndarray, weights: np.ndarray) -> np.ndarray:
    channels, steps, count = residuals.shape
    seen = np.zeros((ORDER + steps, channels, count), np.int64)
    ascending = np.ascontiguousarray(weights[::-1])
    for step in range(steps):
        sums = (ascending * seen[step : step + ORDER]).sum(axis=0) + (1 << (_BITS - 1))
        seen[ORDER + step] = (sums >> _BITS) + residuals[:, step]
    return seen[ORDER:].transpose(1, 0, 2)


def _group_means(residuals: np.ndarray) -> np.ndarray:
    """The mean magnitude of each group, float64 (channel, group, lane)."""
    starts = np.arange(0, residuals.shape[1], _GROUP)
    sizes = np.minimum(_GROUP, residuals.shape[1] - starts)
    return np.add.reduceat(np.abs(residuals), starts, axis=1) / sizes[:, None]


def _spread_contexts(places: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.repeat(places, _GROUP, axis=1)[:, : shape[1]]
