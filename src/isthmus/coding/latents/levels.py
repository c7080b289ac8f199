"""A quality, 1 to 100 → the distance between two neighbouring values of each latent channel.

Every machine must arrive at the same steps, so they are told in whole parts of an octave at a few
qualities, and the rest is whole-number interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import isqrt

import numpy as np

MAX_QUALITY = 100
DEFAULT_QUALITY = 50
PARTS = 64
"""Parts of an octave that steps are told in: 0.1 dB each."""
MAX_OCTAVES = 32


@dataclass(frozen=True, eq=False)
class Levels:
    """The steps of all qualities.

    >>> levels = Levels(np.array([[0], [-128]], np.int16))
    >>> levels.steps(1).tolist(), levels.steps(100).tolist()
    ([1.0], [0.25])
    """

    parts: np.ndarray
    """int16 (anchors, channel): log2 of the step, in 64ths, at qualities evenly spaced from 1 to 100."""

    def __post_init__(self) -> None:
        if self.parts.ndim != 2 or len(self.parts) < 2 or np.abs(self.parts).max() > MAX_OCTAVES * PARTS:
            raise ValueError("levels that tell no steps")

    @classmethod
    def nearest(cls, log2_steps: np.ndarray) -> Levels:
        """Those nearest to (anchors, channel) logarithms."""
        whole = np.rint(np.clip(log2_steps, -MAX_OCTAVES, MAX_OCTAVES) * PARTS)
        return cls(whole.astype(np.int16))

    def steps(self, quality: int) -> np.ndarray:
        """float32 (channel,): the distance between neighbouring values."""
        parts = interpolated(self.parts, quality)
        fraction = np.array([power(part) for part in range(PARTS)])[parts % PARTS]
        return np.ldexp(fraction, parts // PARTS).astype(np.float32)


TOLD_STEP, TOLD_OFFSET = np.float32(1 / (MAX_QUALITY - 1)), np.float32(-0.5 - 1 / (MAX_QUALITY - 1))
"""Of the channel that tells the decoder the quality: it then reads -1/2 at 1 and 1/2 at 100."""


def told(symbols: np.ndarray, quality: int) -> np.ndarray:
    """Symbols (sample, channel, …) with one more channel, the quality: it says how far off they may be.

    >>> told(np.int32([[7, 8]]), 50).tolist()
    [[7, 8, 50]]
    """
    return np.insert(symbols, symbols.shape[1], quality, axis=1)


def told_latents(latents: np.ndarray, quality: int) -> np.ndarray:
    """The same of float32 latents."""
    return np.insert(latents, latents.shape[1], quality * TOLD_STEP + TOLD_OFFSET, axis=1)


def interpolated(anchors: np.ndarray, quality: int) -> np.ndarray:
    """int64: the straight line between the two anchors around a quality, rounded down."""
    place, past = divmod((quality - 1) * (len(anchors) - 1), MAX_QUALITY - 1)
    if not past:
        return anchors[place].astype(np.int64)
    low, high = anchors[place].astype(np.int64), anchors[place + 1].astype(np.int64)
    return (low * (MAX_QUALITY - 1 - past) + high * past) // (MAX_QUALITY - 1)


@cache
def power(part: int) -> float:
    """2**(part / 64), rounded down to 40 binary digits: by whole square roots, the same everywhere.

    >>> power(0), round(power(32), 6)
    (1.0, 1.414214)
    """
    root = 1 << (_DIGITS * PARTS + part)
    for _ in range(PARTS.bit_length() - 1):
        root = isqrt(root)
    return root / (1 << _DIGITS)


_DIGITS = 40
