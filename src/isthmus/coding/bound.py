"""How far a restored value may lie from its original, and whether it does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from isthmus.config import require

_AT_ONCE = 1 << 15  # values


@dataclass(frozen=True)
class Bound:
    """|restored − original| ≤ value, or ≤ value · |original| where `pointwise`.

    What is no finite number (NaN, ±Inf) and −0 must come back bit for bit, and nothing that was
    +0 may come back as −0. `value` is finite and not negative; with 0, equal values are asked for.
    """

    value: float
    pointwise: bool = False

    def __post_init__(self) -> None:
        require(
            math.isfinite(self.value) and self.value >= 0, "error bound", "finite, at least 0", self.value
        )

    @classmethod
    def relative(cls, value: float, low: float | Fraction, high: float | Fraction) -> Bound:
        """`value` times the range of the data, rounded down to a float64.

        Args:
            value: the part of the range; 1e-3 is a thousandth.
            low, high: the least and the greatest finite value; see `finite_range`.

        >>> Bound.relative(0.5, -1.0, 3.0)
        Bound(value=2.0, pointwise=False)
        """
        require(math.isfinite(value) and value >= 0, "relative error", "finite, at least 0", value)
        return cls(_rounded_down(Fraction(value) * (Fraction(high) - Fraction(low))))

    @classmethod
    def in_steps(cls, value: float, step: float) -> Bound:
        """`value` counted in steps, rounded down to a float64: of numbers that are stored as such.

        Args:
            value: finite, at least 0.
            step: finite, above 0.

        >>> Bound.in_steps(0.5, 0.25)
        Bound(value=2.0, pointwise=False)
        """
        require(math.isfinite(value) and value >= 0, "error bound", "finite, at least 0", value)
        return cls(_rounded_down(Fraction(value) / Fraction(step)))

    @classmethod
    def for_psnr(cls, psnr_db: float, low: float, high: float) -> Bound:
        """Where a search for a PSNR begins: the bound whose error, were it uniform, would have it.

        A uniform error of at most e has variance e²/3, and PSNR is 20·log10(range / its root), so
        e = range · 10^(−PSNR/20) · √3. Real errors are often smaller: measure, then go on from there.

        Args:
            psnr_db: the peak signal-to-noise ratio that is wanted, in dB.
            low, high: the least and the greatest finite value, whose difference is the peak.
        """
        return cls.relative(10 ** (-psnr_db / 20) * math.sqrt(3), low, high)

    def kept(self, original: np.ndarray, restored: np.ndarray) -> np.ndarray:
        """Whether each value is within the bound; bool, same shape.

        Judged exactly where the bound is absolute. Where it is pointwise, value · |original| is
        rounded down, so a value at the very edge may be refused, but none beyond it is accepted.

        Args:
            original, restored: same shape and dtype; bool, any integer or float of 16 to 64 bits.

        >>> Bound(1.0).kept(np.array([0, 255], np.uint8), np.array([1, 0], np.uint8)).tolist()
        [True, False]
        """
        judge = self._floats_kept if original.dtype.kind == "f" else self._integers_kept
        first, second = original.ravel(), restored.ravel()
        kept = np.empty(first.size, np.bool_)
        for start in range(0, first.size, _AT_ONCE):  # what fits a cache is judged several times as fast
            part = slice(start, start + _AT_ONCE)
            kept[part] = judge(first[part], second[part])
        return kept.reshape(original.shape)

    def _floats_kept(self, original: np.ndarray, restored: np.ndarray) -> np.ndarray:
        first, second = original.astype(np.float64), restored.astype(np.float64)  # exact
        with np.errstate(all="ignore"):
            limit = _below(self.value * np.abs(first)) if self.pointwise else self.value
            kept = (np.abs(first - second) < limit) & (first != 0)  # nearly all, as a rule
        if not kept.all():
            kept[~kept] = self._doubtful_kept(original[~kept], restored[~kept])
        return kept

    def _doubtful_kept(self, original: np.ndarray, restored: np.ndarray) -> np.ndarray:
        """At the edge, 0, or no number: as `_floats_kept`, step by step."""
        first, second = original.astype(np.float64), restored.astype(np.float64)
        with np.errstate(all="ignore"):
            limit = _below(self.value * np.abs(first)) if self.pointwise else self.value
            difference = first - second
            # What the rounding of the difference lost, exactly: Knuth's two-sum.
            part = first - difference
            lost = (first - (difference + part)) + (part - second)
            outward = np.where(difference < 0, -lost, lost)
            away = np.abs(difference)
            near = (away < limit) | ((away == limit) & (outward <= 0))
        special = ~np.isfinite(first) | (
            (first == 0) & (np.signbit(first) | np.signbit(second) & (second == 0))
        )
        return np.where(special, same_bits(original, restored), near)

    def _integers_kept(self, original: np.ndarray, restored: np.ndarray) -> np.ndarray:
        if original.dtype == np.bool_:
            original, restored = original.view(np.uint8), restored.view(np.uint8)
        wide = np.uint64 if original.dtype.kind == "u" else np.int64
        first, second = original.astype(wide), restored.astype(wide)
        # Modulo 2**64 the greater less the smaller is right even where an int64 overflows.
        high, low = np.maximum(first, second), np.minimum(first, second)
        away = high.view(np.uint64) - low.view(np.uint64)
        if not self.pointwise:
            return away <= np.uint64(min(math.floor(self.value), (1 << 64) - 1))
        with np.errstate(over="ignore"):  # an infinite limit is above 2**64 all the same
            limit = np.floor(_below(self.value * _below(np.abs(first.astype(np.float64)))))
        return (limit >= 2.0**64) | (away <= np.minimum(limit, 2.0**63).astype(np.uint64))


def same_bits(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Whether each value has the same bits in both; bool, same shape. NaN may equal NaN, 0 not −0."""
    if first.dtype.kind != "f":
        return first == second
    bits = np.dtype(f"u{first.dtype.itemsize}")
    return np.ascontiguousarray(first).view(bits) == np.ascontiguousarray(second).view(bits)


def finite_range(values: np.ndarray) -> tuple[float, float]:
    """The least and the greatest finite value, (0, 0) where there is none; exact for integers.

    >>> finite_range(np.array([3.0, np.nan, -1.0]))
    (-1.0, 3.0)
    """
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return (finite.min().item(), finite.max().item()) if finite.size else (0.0, 0.0)


def _below(values: np.ndarray) -> np.ndarray:
    """The next float64 towards 0, which is not above what was rounded to these."""
    return np.nextafter(values, 0.0)


def _rounded_down(exact: Fraction) -> float:
    try:
        nearest = float(exact)
    except OverflowError:
        return float(np.finfo(np.float64).max)
    return nearest if Fraction(nearest) <= exact else math.nextafter(nearest, 0.0)
