"""How samples are spoilt, and how much noise there is: what a denoiser is taught with and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isthmus.config import PartConfig, require
from isthmus.data.corruption import make_corruption
from isthmus.errors import UnknownName

MISSING = 1.0
"""What is told of a pixel that is not there."""
MOST_TAKEN = 5.0
"""Standard deviations of the noise, by which a value is changed at most: where none is seen, nothing is."""


@dataclass(frozen=True)
class Kind:
    """One kind of noise: its corruption, the option that says how much, and between which values."""

    corruption: str
    option: str
    low: float
    high: float
    is_told: bool = False
    """Whether the net is told how much there is."""


KINDS: Mapping[str, Kind] = {
    "gaussian": Kind("gaussian", "std", 0.0, 55 / 255, is_told=True),
    "poisson": Kind("poisson", "photons", 5.0, 100.0),
    "salt_pepper": Kind("salt_pepper", "share", 0.0, 0.3),
    "impulse": Kind("impulse", "share", 0.0, 0.3),
    "missing": Kind("blocks", "share", 0.0, 0.5, is_told=True),
    "blur": Kind("blur", "sigma", 0.3, 2.0),
    "clipping": Kind("clipping", "limit", 0.5, 1.0),
}
"""By the name that people type."""


@dataclass(frozen=True)
class NoiseModel:
    """A kind of noise, of levels from low to high; values of samples are 0 to 1.

    >>> NoiseModel.of("gaussian").high == 55 / 255
    True
    """

    kind: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownName(f"No noise called {self.kind!r}. Known: {', '.join(KINDS)}.")
        require(
            0 <= self.low <= self.high,
            "the level of noise",
            "from low to high, 0 and above",
            (self.low, self.high),
        )

    @classmethod
    def of(cls, kind: str, low: float | None = None, high: float | None = None) -> NoiseModel:
        """With the usual levels where none are given."""
        usual = KINDS.get(kind, Kind("none", "", 0.0, 0.0))
        return cls(kind, usual.low if low is None else low, usual.high if high is None else high)

    @property
    def is_told(self) -> bool:
        """Whether the net is told how much there is."""
        return KINDS[self.kind].is_told

    def spoil(self, clean: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Spoil images, each by a level of its own.

        Args:
            clean: float32 (batch, planes, height, width).
            rng: draws levels and noise.
        Returns:
            the spoilt images, and what is told of each pixel, (batch, 1, height, width): the standard
            deviation of its noise, 1 where it is missing, 0 where nothing is told.
        """
        kind, levels = KINDS[self.kind], rng.uniform(self.low, self.high, len(clean))
        fixed = {"value": np.nan} if self.kind == "missing" else {}
        parts = [
            make_corruption(PartConfig(kind.corruption, {kind.option: float(level), **fixed}))(
                image[None], rng
            )
            for image, level in zip(clean, levels, strict=True)
        ]
        spoilt = np.concatenate(parts).astype(np.float32)
        told = np.zeros((len(clean), 1, *clean.shape[2:]), np.float32)
        if self.kind == "gaussian":
            told += levels[:, None, None, None].astype(np.float32)
        elif self.kind == "missing":
            gone = np.isnan(spoilt).any(axis=1, keepdims=True)
            told[gone] = MISSING
            spoilt = np.where(np.isnan(spoilt), np.float32(0.5), spoilt)
        return spoilt, told


def noise_level(image: np.ndarray, side: int = 8) -> float:
    """The standard deviation of the noise in an image, if it is independent from pixel to pixel.

    The patches of a clean image fill few directions; in the others there is noise alone, so the smallest
    eigenvalues of their covariance are its variance: as many of them as have their mean in their middle.

    Args:
        image: (height, width[, planes]) of any scale; with less than about 20 pixels a side it is
            guessed from differences of neighbours.
        side: of the patches.

    Source: Chen, Zhu & Heng 2015, An Efficient Statistical Method for Image Noise Level Estimation, ICCV.

    >>> rng = np.random.default_rng(0)
    >>> round(noise_level(np.tile(np.arange(64.0), (64, 1)) + rng.normal(0, 5, (64, 64))), 1)
    5.0
    """
    planes = image.astype(np.float64).reshape(*image.shape[:2], -1)
    height, width, count = planes.shape
    if min(height, width) < 2 * side + 4:
        return float(np.median([_by_neighbours(planes[..., plane]) for plane in range(count)]))
    return float(np.sqrt(np.mean([_by_patches(planes[..., plane], side) for plane in range(count)])))


def series_noise_level(values: np.ndarray, length: int = 16) -> float:
    """The standard deviation of the noise in a series, if it is independent from row to row.

    Args:
        values: (rows,) without gaps; of fewer than 64 it is guessed from second differences.
        length: of the windows, which are to a series what patches are to an image.

    >>> rng = np.random.default_rng(0)
    >>> round(series_noise_level(np.sin(np.arange(9000) / 50) + rng.normal(0, 0.2, 9000)), 2)
    0.2
    """
    if len(values) < 4 * length:
        second = np.diff(values.astype(np.float64), 2)
        return float(np.median(np.abs(second)) / 0.6745 / np.sqrt(6)) if len(second) else 0.0
    step = 1 + len(values) // _MOST_PATCHES
    windows = np.lib.stride_tricks.sliding_window_view(values.astype(np.float64), length)[::step]
    return float(np.sqrt(_quiet(windows)))


def _by_patches(plane: np.ndarray, side: int) -> float:
    step = 1 + int(np.sqrt(plane.size / _MOST_PATCHES))
    windows = np.lib.stride_tricks.sliding_window_view(plane, (side, side))[::step, ::step]
    patches = windows.reshape(-1, side * side)
    return _quiet(patches)


def _quiet(patches: np.ndarray) -> float:
    """The variance that patches have where they hold noise alone."""
    values = np.linalg.eigvalsh(np.cov(patches, rowvar=False))  # ascending
    for count in range(len(values), 0, -1):
        mean = values[:count].mean()
        if (values[:count] > mean).sum() >= (values[:count] < mean).sum():
            return max(0.0, float(mean))
    return max(0.0, float(values[0]))


_MOST_PATCHES = 100_000


def _by_neighbours(plane: np.ndarray) -> float:
    """From second differences across the diagonal, whose median no edge moves."""
    if min(plane.shape) < 2:
        return 0.0
    details = (plane[1:, 1:] - plane[1:, :-1] - plane[:-1, 1:] + plane[:-1, :-1]) / 2
    return float(np.median(np.abs(details)) / 0.6745)
