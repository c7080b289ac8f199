"""How far restored samples are from the originals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.spec import DataSpec

PART = 1 << 20
"""Values that are compared at a time: 8 MB in float64."""
ORDINARY = 1e-100, 1e100
"""Where squares of values, and their sums, are float64 and not 0."""


@dataclass(frozen=True)
class Distortion:
    """Sums over values, so that batches of any sizes add up exactly like one.

    >>> spec = DataSpec(modality="array", axes=("feature",), shape=(2,), dtype="uint8")
    >>> Distortion.between(np.uint8([[10, 20]]), np.uint8([[10, 22]]), spec).mse
    2.0
    """

    squared: float = 0.0
    """In units²."""
    absolute: float = 0.0
    """In units."""
    largest: float = 0.0
    values: int = 0
    peak: float = 1.0
    """The range of the values, in units: that of the type for images of 8 or 16 bits."""
    unit_exponent: int = 0
    """A unit is 2 to this: 0 unless the squares of the values are no floats."""

    @classmethod
    def none(cls) -> Distortion:
        """Of nothing: what sums start from."""
        return cls()

    @classmethod
    def between(cls, original: np.ndarray, restored: np.ndarray, spec: DataSpec) -> Distortion:
        """Between two arrays of one shape, computed in float64, some values at a time."""
        ours, theirs = original.reshape(-1), restored.reshape(-1)
        exponent = _unit_exponent(spec)
        total = cls(
            peak=math.ldexp(spec.high, -exponent) - math.ldexp(spec.low, -exponent), unit_exponent=exponent
        )
        for start in range(0, ours.size, PART):
            first, second = (each[start : start + PART].astype(np.float64) for each in (ours, theirs))
            if exponent:
                first, second = np.ldexp(first, -exponent), np.ldexp(second, -exponent)
            total = total + total._of(second - first)
        return total

    def _of(self, difference: np.ndarray) -> Distortion:
        """As these, of such differences, in units."""
        size = np.abs(difference)
        with np.errstate(over="ignore"):  # where the values are not those of the spec
            squared = float(np.sum(size**2))
        return Distortion(
            squared=squared,
            absolute=float(np.sum(size)),
            largest=_plain(float(size.max()), self.unit_exponent),
            values=size.size,
            peak=self.peak,
            unit_exponent=self.unit_exponent,
        )

    def __add__(self, other: Distortion) -> Distortion:
        return Distortion(
            self.squared + other.squared,
            self.absolute + other.absolute,
            max(self.largest, other.largest),
            self.values + other.values,
            other.peak if other.values else self.peak,
            other.unit_exponent if other.values else self.unit_exponent,
        )

    @property
    def mse(self) -> float:
        """Mean squared error, in the samples' unit squared; infinite where that is no float."""
        return _plain(self.squared / max(1, self.values), 2 * self.unit_exponent)

    @property
    def relative(self) -> float:
        """Mean squared error as a share of the squared peak."""
        if self.peak <= 0:
            return math.inf if self.squared else 0.0
        return self.squared / max(1, self.values) / self.peak**2

    @property
    def psnr_db(self) -> float:
        """Peak signal-to-noise ratio; 200 stands for an exact match."""
        if self.squared == 0 or self.peak <= 0:
            return 200.0
        with np.errstate(divide="ignore"):
            return float(min(200.0, 10 * np.log10(self.peak**2 / (self.squared / max(1, self.values)))))

    def summary(self) -> str:
        """One phrase for people."""
        if self.largest == 0:
            return "identical"
        error = f", mean squared error {self.mse:.4g}" if 0 < self.mse < math.inf else ""
        return f"{self.psnr_db:.2f} dB PSNR{error}, largest error {self.largest:.4g}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "mse": self.mse,
            "psnr_db": self.psnr_db,
            "mean_absolute_error": _plain(self.absolute / max(1, self.values), self.unit_exponent),
            "largest_error": self.largest,
            "values": self.values,
        }


def _unit_exponent(spec: DataSpec) -> int:
    """Of the unit in which the squares of such values are floats."""
    reach = max(abs(spec.low), abs(spec.high))
    return 0 if reach == 0 or ORDINARY[0] < reach < ORDINARY[1] else math.frexp(reach)[1]


def _plain(value: float, exponent: int) -> float:
    """A number of units as what it is; infinite where that is no float."""
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.inf
