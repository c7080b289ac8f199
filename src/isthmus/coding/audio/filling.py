"""What stands where coefficients were rounded to 0: noise as loud as they were, about.

Without it, a spectrum has holes that come and go. A loudness is told for each band of frequencies and each
group of windows; coefficients beside some that are not 0 have one of their own. Signs follow from where a
coefficient stands, so every machine makes the same noise.

Source: noise substitution, as in MPEG-4 AAC (J. Herre, D. Schulz 1998) and Opus (RFC 6716).
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from isthmus.coding.adaptive import SETTINGS
from isthmus.coding.numbers import NumberReader, NumberWriter
from isthmus.errors import DamagedFile

SHARE = 0.5
"""Of the loudness that was lost: all of it would cost more closeness than it brings likeness."""
BANDS = 16
GROUP = 8192
"""Coefficients of a group of windows, in each channel."""
LOUDEST = 16
_BITS = 16
_AMOUNTS = np.array([0, *(isqrt(1 << (14 + level)) for level in range(1, LOUDEST + 1))])
"""By level: the noise in units of 2**-16 of a step, half an octave apart; the last is half a step."""


def shape_of(channels: int, windows: int, size: int) -> tuple[int, int, int]:
    """How many levels there are: channel, group, band; the last band is for those beside others."""
    return channels, -(-windows * size // GROUP), BANDS + 1


def measure(found: np.ndarray, told: np.ndarray) -> np.ndarray:
    """The levels that suit.

    Args:
        found: coefficients in steps, float64 (channel, window, size).
        told: what they were rounded to, int64.
    Returns:
        int64, of `shape_of`, 0 … LOUDEST.
    """
    places, count = _places(told)
    sums = np.bincount(places, np.abs(found[told == 0]), count)
    means = SHARE * sums / np.maximum(1, np.bincount(places, minlength=count))
    levels = np.searchsorted(_AMOUNTS[1:] / 2**_BITS * 2**-0.25, means, side="right")
    return levels.reshape(shape_of(*told.shape))


def add_noise(coefficients: np.ndarray, told: np.ndarray, levels: np.ndarray, step: int) -> None:
    """Put noise where `told` is 0 into coefficients; int64 (channel, window, size) both."""
    places, _ = _places(told)
    loud = step * _AMOUNTS[levels.ravel()[places]] >> _BITS
    coefficients[told == 0] = loud * _signs(np.flatnonzero(told == 0))


def put_levels(levels: np.ndarray, writer: NumberWriter) -> None:
    """Tell the levels, each less the one of the group before."""
    steps = np.diff(levels, axis=1, prepend=0)
    writer.put(steps.ravel(), np.full(steps.size, SETTINGS, np.uint8))


def take_levels(shape: tuple[int, int, int], reader: NumberReader) -> np.ndarray:
    """Undo `put_levels`; DamagedFile for levels that cannot be."""
    steps = reader.take(np.full(int(np.prod(shape)), SETTINGS, np.uint8))
    levels = np.cumsum(steps.reshape(shape), axis=1)
    if ((levels < 0) | (levels > LOUDEST)).any():
        raise DamagedFile("A block of audio has noise that cannot be.")
    return levels


def _places(told: np.ndarray) -> tuple[np.ndarray, int]:
    """The place among the levels of each 0, in C order, and how many levels there are."""
    channels, groups, bands = shape_of(*told.shape)
    channel, window, bin_ = np.nonzero(told == 0)
    size = told.shape[2]
    band = np.where(_beside(told)[told == 0], BANDS, bin_ * BANDS // size)
    return (channel * groups + window * size // GROUP) * bands + band, channels * groups * bands


def _beside(told: np.ndarray) -> np.ndarray:
    """Whether one of the four around each coefficient is not 0."""
    loud, found = told != 0, np.zeros(told.shape, bool)
    found[:, :, 1:] |= loud[:, :, :-1]
    found[:, :, :-1] |= loud[:, :, 1:]
    found[:, 1:] |= loud[:, :-1]
    found[:, :-1] |= loud[:, 1:]
    return found


def _signs(places: np.ndarray) -> np.ndarray:
    """1 or -1 for each whole number, without a pattern; int64.

    >>> _signs(np.arange(8)).tolist()
    [1, 1, -1, 1, 1, -1, 1, 1]
    """
    mixed = places.astype(np.uint32) * np.uint32(2654435761)
    mixed = (mixed ^ mixed >> np.uint32(15)) * np.uint32(2246822519)
    return 1 - 2 * ((mixed ^ mixed >> np.uint32(13)) >> np.uint32(31)).astype(np.int64)
