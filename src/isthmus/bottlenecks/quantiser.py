"""Latent ⇄ integer symbols: rounding to a step per channel, and the choice of that step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.config import require


@dataclass(frozen=True, eq=False)
class Quantiser:
    """One uniform rounding per latent channel.

    >>> quantiser = Quantiser(step=np.float32([0.5]), offset=np.float32([1.0]))
    >>> symbols = quantiser.quantise(np.float32([[1.1], [2.6]]))
    >>> symbols.tolist(), quantiser.dequantise(symbols).tolist()
    ([[0], [3]], [[1.0], [2.5]])
    """

    step: np.ndarray
    """float32, shape (channel,), above 0: the distance between two neighbouring values."""
    offset: np.ndarray
    """float32, shape (channel,): the value of symbol 0."""

    def __post_init__(self) -> None:
        good = np.isfinite(self.step).all() and np.isfinite(self.offset).all() and (self.step > 0).all()
        require(bool(good), "the quantiser's steps and offsets", "finite, the steps above 0", self.step)

    def quantise(self, latent: np.ndarray) -> np.ndarray:
        """float32 (batch, channel, *position) → int32 symbols of the same shape."""
        scaled = (latent - _align(self.offset, latent)) / _align(self.step, latent)
        return np.rint(np.clip(scaled, -_SYMBOL_LIMIT, _SYMBOL_LIMIT)).astype(np.int32)

    def dequantise(self, symbols: np.ndarray) -> np.ndarray:
        """int32 symbols (batch, channel, *position) → float32, at most half a step from the latent."""
        values = symbols.astype(np.float32) * _align(self.step, symbols) + _align(self.offset, symbols)
        return values.astype(np.float32)


_SYMBOL_LIMIT = 2**20  # far beyond any trained latent, well inside int32


def _align(per_channel: np.ndarray, like: np.ndarray) -> np.ndarray:
    return per_channel.reshape(1, -1, *[1] * (like.ndim - 2))


def by_channel(batches: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Symbols (batch, channel, *position), shapes alike or not → one flat column a channel.

    >>> [column.tolist() for column in by_channel([np.array([[1, 2], [3, 4]]), np.array([[5, 6]])])]
    [[1, 3, 5], [2, 4, 6]]
    """
    columns = [np.moveaxis(batch, 1, 0).reshape(batch.shape[1], -1) for batch in batches]
    return list(np.concatenate(columns, axis=1))


def choose_quantiser(
    latents: np.ndarray,
    decode: Callable[[np.ndarray], np.ndarray],
    *,
    tolerance: float = 0.05,
    target: np.ndarray,
) -> Quantiser:
    """Find the coarsest steps that add at most `tolerance` to the squared error.

    A channel that moves the output much gets a finer step: at high resolution the cheapest steps
    for a given squared error are inversely proportional to each channel's root mean square gain
    (reverse water-filling, Cover & Thomas 2006, section 10.3). One common factor is then bisected.

    Args:
        latents: float32 (batch, channel, *position) of samples the net was not trained on, if possible.
        decode: latents → output tensors.
        tolerance: allowed growth of the mean squared error; 0.05 is 5 per cent.
        target: the tensors that `latents` came from.
    """
    spread = np.maximum(_by_channel(latents).std(axis=1), 1e-6)
    gain = output_gain(latents, decode, spread)
    shape = np.clip(np.median(gain) / np.maximum(gain, 1e-12), 1 / 64, 64)
    offset = np.median(_by_channel(latents), axis=1).astype(np.float32)

    def squared_error(quantised: np.ndarray) -> float:
        return float(np.mean((decode(quantised) - target) ** 2, dtype=np.float64))

    allowed = squared_error(latents) * (1 + tolerance) + 1e-12
    # No finer than symbols can count; beyond that they would be clipped, and the error grow again.
    reach = np.abs(_by_channel(latents) - offset[:, None]).max(axis=1)
    fine = max(1e-6, float((reach / _as_step(1.0, shape, spread)).max()) / (_SYMBOL_LIMIT / 2))
    coarse = 16.0
    for _ in range(18):
        middle = float(np.sqrt(fine * coarse))
        trial = Quantiser(_as_step(middle, shape, spread), offset)
        within = squared_error(trial.dequantise(trial.quantise(latents))) <= allowed
        fine, coarse = (middle, coarse) if within else (fine, middle)
    return Quantiser(_as_step(fine, shape, spread), offset)


def _as_step(factor: float, shape: np.ndarray, spread: np.ndarray) -> np.ndarray:
    return (factor * shape * spread.max()).astype(np.float32)


def _by_channel(latents: np.ndarray) -> np.ndarray:
    return np.moveaxis(latents, 1, 0).reshape(latents.shape[1], -1)


def output_gain(
    latents: np.ndarray, decode: Callable[[np.ndarray], np.ndarray], spread: np.ndarray
) -> np.ndarray:
    """Root mean square change of the output per unit of change, channel by channel."""
    few = latents[:16]
    still = decode(few)
    gain = np.empty(latents.shape[1])
    for channel in range(latents.shape[1]):
        moved = few.copy()
        moved[:, channel] += np.float32(0.1 * spread[channel])
        gain[channel] = np.sqrt(np.mean((decode(moved) - still) ** 2)) / (0.1 * spread[channel])
    return gain
