"""Activation functions as tables of integers, made from whole numbers alone.

Python's integers have any length, so a number is a whole number of 2**-128 parts here, and every
machine makes the same table; `math.exp` may differ in the last bit. The errors add up to less than
2**-100: an entry is the true value, rounded half up, for all functions and scales there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from isthmus.exact.ops import Scale

PRECISION = 128
ONE = 1 << PRECISION
MAX_ENTRIES = 1 << 14
"""Of one table: what a value that feeds an activation may range over."""


@lru_cache(maxsize=64)
def table(kind: str, given: Scale, made: Scale) -> np.ndarray:
    """f(x · 2**given.exponent) in units of 2**made.exponent, for x = given.low … given.high.

    Args:
        kind: leaky_relu, gelu, silu, tanh or sigmoid.
        given: of the input.
        made: of the result, which is rounded half up and held between its low and high.
    Returns:
        float32, shape (high - low + 1,): whole numbers.
    Raises:
        ValueError: more than MAX_ENTRIES entries.

    >>> table("tanh", Scale(-1, -2, 2), Scale(-4, -16, 16)).tolist()
    [-12.0, -7.0, 0.0, 7.0, 12.0]
    """
    require_small(given)
    count = 1 + given.largest
    sides = _HALVES[kind](given.exponent, count)  # (f(x), f(-x)) for x = 0, 1, …
    shift = PRECISION + made.exponent
    half = 1 << (shift - 1)
    above, below = zip(*((((f + half) >> shift), ((g + half) >> shift)) for f, g in sides), strict=True)
    values = [*reversed(below[1 : 1 - given.low]), *above[: 1 + given.high]]
    return np.clip(np.array(values, dtype=object), made.low, made.high).astype(np.float32)


def require_small(given: Scale) -> None:
    """Raise ValueError where a table would have more than MAX_ENTRIES entries."""
    if given.high - given.low >= MAX_ENTRIES:
        raise ValueError(f"a table of {given.high - given.low + 1} entries")


@lru_cache(maxsize=16)
def decay_table(given: Scale, bits: int) -> np.ndarray:
    """exp(-x · 2**given.exponent) · 2**bits for x = 0 … high - low: float64, whole numbers."""
    require_small(given)
    shift = PRECISION - bits
    powers = _powers(_decay(given.exponent), given.high - given.low + 1)
    return np.array([(power + (1 << (shift - 1))) >> shift for power in powers], dtype=np.float64)


def _sigmoid(exponent: int, count: int) -> Iterator[tuple[int, int]]:
    for power in _powers(_decay(exponent), count):
        share = (ONE << PRECISION) // (ONE + power)
        yield share, ONE - share


def _silu(exponent: int, count: int) -> Iterator[tuple[int, int]]:
    for x, (above, below) in enumerate(_sigmoid(exponent, count)):
        yield _shifted(x * above, exponent), _shifted(-x * below, exponent)


def _tanh(exponent: int, count: int) -> Iterator[tuple[int, int]]:
    for power in _powers(_decay(exponent + 1), count):
        value = ((ONE - power) << PRECISION) // (ONE + power)
        yield value, -value


def _leaky_relu(exponent: int, count: int) -> Iterator[tuple[int, int]]:
    for x in range(count):
        value = _shifted(x << PRECISION, exponent)
        yield value, -value // 100


def _gelu(exponent: int, count: int) -> Iterator[tuple[int, int]]:
    for x, tail in enumerate(_normal_tails(exponent, count)):
        yield _shifted(x * (ONE - tail), exponent), _shifted(-x * tail, exponent)


def _normal_tails(exponent: int, count: int) -> Iterator[int]:
    """The mass of the standard normal beyond x · 2**exponent, x = 0, 1, …

    Walked along by Taylor series, in steps of 1/64 or less.
    """
    finer = max(0, exponent + 6)
    step = exponent - finer  # log2 of the grid's
    density, ratio, square = _PEAK, _decay(2 * step - 1), _decay(2 * step)
    tail = ONE >> 1
    yield tail
    for point in range((count - 1) << finer):
        tail = max(0, tail - (density * _mass_of_step(point, step) >> PRECISION))
        density, ratio = density * ratio >> PRECISION, ratio * square >> PRECISION
        if (point + 1) % (1 << finer) == 0:
            yield tail
        if density == 0:  # nothing is left: do not walk on through an endless range
            yield from [0] * (count - 1 - ((point + 1) >> finer))
            return


def _mass_of_step(point: int, step: int) -> int:
    """∫ φ(x + t) / φ(x) dt over one step h from x = point · h: h · Σ (-h)ⁿ Heₙ(x) / (n + 1)!

    Hermite's polynomials follow from one another: Heₙ₊₁ = x Heₙ - n Heₙ₋₁.
    """
    before, term = 0, ONE  # Heₙ(x) hⁿ / n!
    total = 0
    for n in range(64):
        total += (-term if n % 2 else term) // (n + 1)
        before, term = term, _shifted(point * term - before, 2 * step) // (n + 1)
        if abs(term) < 1 << 16 > abs(before):
            break
    return _shifted(total, step)


_PEAK = 3989422804014326779399460599343818684759 * ONE // 10**40  # 1 / √(2π)
_HALVES: dict[str, Callable[[int, int], Iterator[tuple[int, int]]]] = {
    "gelu": _gelu,
    "leaky_relu": _leaky_relu,
    "sigmoid": _sigmoid,
    "silu": _silu,
    "tanh": _tanh,
}


def _powers(base: int, count: int) -> Iterator[int]:
    power = ONE
    for _ in range(count):
        yield power
        power = power * base >> PRECISION


def _decay(exponent: int) -> int:
    """exp(-2**exponent), by its series at a 64th or less, then squared back."""
    halvings = max(0, exponent + 6)
    if halvings > 7 + 6:
        return 0  # exp(-256) is below the last digit
    x = _shifted(ONE, exponent - halvings)
    term = total = ONE
    for n in range(1, 40):
        term = -term * x // (n * ONE)
        total += term
    for _ in range(halvings):
        total = total * total >> PRECISION
    return total


def _shifted(value: int, exponent: int) -> int:
    return value << exponent if exponent >= 0 else value >> -exponent
