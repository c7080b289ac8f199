"""Logarithms to base 2 and their inverse in integers, by tables: the same on every machine.

A logarithm counts in units of 2**-11. tests/coding/test_columns.py holds both tables to values that
no rounding of a mathematics library could change.
"""

from __future__ import annotations

import numpy as np

UNIT_BITS = 11
UNIT = 1 << UNIT_BITS
_MANTISSA_BITS = 11
_SHIFT = 52 - _MANTISSA_BITS
_ONE = 1023 << _MANTISSA_BITS  # the place of 1.0
_TOP = 24  # binary digits of the largest chance

_steps = np.arange(1 << _MANTISSA_BITS)
_LOGS = np.round(np.log2(1 + (_steps + 0.5) / (1 << _MANTISSA_BITS)) * UNIT).astype(np.int32)
LOGS = (np.arange(63)[:, None] * UNIT + _LOGS).ravel().astype(np.int32)
"""By exponent and leading binary digits."""
POWERS = np.round(2.0 ** (_TOP - np.arange(UNIT) / UNIT)).astype(np.int64)
"""2**24 and what is less than a factor of two below it."""


def log2(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers from 1 up to 2**62 → int32, in units of 2**-11, true to 11 binary digits.

    >>> (log2(np.array([1, 2, 1024])) >> UNIT_BITS).tolist()
    [0, 1, 10]
    """
    places = np.asarray(numbers, np.int64).astype(np.float64).view(np.int64) >> _SHIFT
    return LOGS[places - _ONE]


def power2(below: np.ndarray) -> np.ndarray:
    """2**24 · 2**-below → int64, rounded down; `below` from 0 up, in units of 2**-11.

    >>> power2(np.array([0, UNIT, 100 * UNIT])).tolist()
    [16777216, 8388608, 0]
    """
    return POWERS[below & (UNIT - 1)] >> np.minimum(below >> UNIT_BITS, 40)
