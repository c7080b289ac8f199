"""How far restored samples are from the originals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.spec import DataSpec

PART = 1 << 20
"""Values that are compared at a time: 8 MB in float64."""


@dataclass(frozen=True)
class Distortion:
    """Sums over values, so that batches of any sizes add up exactly like one.

    >>> spec = DataSpec(modality="array", axes=("feature",), shape=(2,), dtype="uint8")
    >>> Distortion.between(np.uint8([[10, 20]]), np.uint8([[10, 22]]), spec).mse
    2.0
    """

    squared: float = 0.0
    absolute: float = 0.0
    largest: float = 0.0
    values: int = 0
    peak: float = 1.0
    """The range of the values: that of the type for images of 8 or 16 bits."""

    @classmethod
    def none(cls) -> Distortion:
        """Of nothing: what sums start from."""
        return cls()

    @classmethod
    def between(cls, original: np.ndarray, restored: np.ndarray, spec: DataSpec) -> Distortion:
        """Between two arrays of one shape, computed in float64, some values at a time."""
        ours, theirs = original.reshape(-1), restored.reshape(-1)
        total = cls(peak=spec.high - spec.low)
        for start in range(0, ours.size, PART):
            part = slice(start, start + PART)
            total = total + cls._of(theirs[part].astype(np.float64) - ours[part], total.peak)
        return total

    @classmethod
    def _of(cls, difference: np.ndarray, peak: float) -> Distortion:
        size = np.abs(difference)
        return cls(
            squared=float(np.sum(size**2)),
            absolute=float(np.sum(size)),
            largest=float(size.max()),
            values=size.size,
            peak=peak,
        )

    def __add__(self, other: Distortion) -> Distortion:
        return Distortion(
            self.squared + other.squared,
            self.absolute + other.absolute,
            max(self.largest, other.largest),
            self.values + other.values,
            other.peak if other.values else self.peak,
        )

    @property
    def mse(self) -> float:
        """Mean squared error, in the samples' unit squared."""
        return self.squared / max(1, self.values)

    @property
    def psnr_db(self) -> float:
        """Peak signal-to-noise ratio; 200 stands for an exact match."""
        if self.mse == 0 or self.peak <= 0:
            return 200.0
        return float(min(200.0, 10 * np.log10(self.peak**2 / self.mse)))

    def summary(self) -> str:
        """One phrase for people."""
        if self.largest == 0:
            return "identical"
        return (
            f"{self.psnr_db:.2f} dB PSNR, mean squared error {self.mse:.4g}, largest error {self.largest:.4g}"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "mse": self.mse,
            "psnr_db": self.psnr_db,
            "mean_absolute_error": self.absolute / max(1, self.values),
            "largest_error": self.largest,
            "values": self.values,
        }
