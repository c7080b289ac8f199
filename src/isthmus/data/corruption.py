"""Spoil the input of a net, while its target stays clean: what makes a denoiser.

A corruption takes and returns float32 tensors, (batch, channel, height, width) or (batch, *shape).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from isthmus.config import PartConfig, require
from isthmus.errors import ConfigError
from isthmus.registry import Registry

CORRUPTIONS = Registry(
    "corruption",
    {
        "none": "isthmus.data.corruption:Nothing",
        "gaussian": "isthmus.data.corruption:Gaussian",
        "masking": "isthmus.data.corruption:Masking",
        "salt_pepper": "isthmus.data.corruption:SaltPepper",
        "impulse": "isthmus.data.corruption:Impulse",
        "poisson": "isthmus.data.corruption:Poisson",
        "clipping": "isthmus.data.corruption:Clipping",
        "blocks": "isthmus.data.corruption:Blocks",
        "blur": "isthmus.data.corruption:Blur",
    },
)


class Corruption(ABC):
    """One way to spoil a batch; its options are its fields, in the units of the scaled tensor."""

    @abstractmethod
    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a spoilt copy of `batch`, float32 and of the same shape."""


def make_corruption(part: PartConfig) -> Corruption:
    """Build the corruption named in a config.

    Raises:
        UnknownName: there is no such corruption.
        ConfigError: it takes no such option, or not that value.

    >>> make_corruption(PartConfig("masking", {"share": 0.5}))
    Masking(share=0.5)
    """
    family = CORRUPTIONS.find(part.name)
    try:
        corruption: Corruption = family(**part.options)
    except TypeError as wrong:
        raise ConfigError(
            f"The corruption {part.name!r} does not take {dict(part.options)}: {wrong}."
        ) from wrong
    return corruption


@dataclass(frozen=True)
class Nothing(Corruption):
    """Leave the input clean."""

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return `batch` itself."""
        return batch


@dataclass(frozen=True)
class Gaussian(Corruption):
    """Add independent normal noise of deviation `std` to every value."""

    std: float = 0.1

    def __post_init__(self) -> None:
        require(self.std >= 0, "std", "at least 0", self.std)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See Corruption."""
        noise = rng.standard_normal(batch.shape, np.float32)
        noise *= np.float32(self.std)
        noise += batch
        return noise


@dataclass(frozen=True)
class Masking(Corruption):
    """Set a random `share` of the values to 0."""

    share: float = 0.25

    def __post_init__(self) -> None:
        require(0 <= self.share <= 1, "share", "0 to 1", self.share)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See Corruption."""
        return batch * (rng.random(batch.shape, np.float32) >= self.share)


@dataclass(frozen=True)
class SaltPepper(Corruption):
    """Set a random `share` of the values to `low` or `high`, half of them each."""

    share: float = 0.1
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        require(0 <= self.share <= 1, "share", "0 to 1", self.share)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See Corruption."""
        draw = rng.random(batch.shape, np.float32)
        spoilt = np.where(draw < self.share, np.float32(self.high), batch)
        spoilt[draw < self.share / 2] = self.low
        return spoilt


@dataclass(frozen=True)
class Impulse(Corruption):
    """Set a random `share` of the values to any value between 0 and 1."""

    share: float = 0.1

    def __post_init__(self) -> None:
        require(0 <= self.share <= 1, "share", "0 to 1", self.share)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See Corruption."""
        hit = rng.random(batch.shape, np.float32) < self.share
        return np.where(hit, rng.random(batch.shape, np.float32), batch)


@dataclass(frozen=True)
class Poisson(Corruption):
    """Count light: a value of 1 is `photons` on average."""

    photons: float = 30.0

    def __post_init__(self) -> None:
        require(self.photons > 0, "photons", "above 0", self.photons)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See Corruption."""
        return (rng.poisson(np.maximum(batch, 0) * self.photons) / self.photons).astype(np.float32)


@dataclass(frozen=True)
class Clipping(Corruption):
    """Cut off everything above `limit`."""

    limit: float = 0.8

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See Corruption."""
        return np.minimum(batch, np.float32(self.limit))


@dataclass(frozen=True)
class Blocks(Corruption):
    """Put `value` in squares until about a `share` of an image is gone."""

    share: float = 0.25
    side: int = 8
    value: float = 0.0

    def __post_init__(self) -> None:
        require(0 <= self.share <= 1, "share", "0 to 1", self.share)
        require(self.side >= 1, "side", "at least 1", self.side)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See Corruption."""
        require(batch.ndim == 4, "data.corruption", "another than blocks, which is for images", batch.shape)
        spoilt, (height, width) = batch.copy(), batch.shape[2:]
        count = round(self.share * height * width / self.side**2)
        for image in spoilt:
            for row, column in zip(
                rng.integers(0, height, count), rng.integers(0, width, count), strict=True
            ):
                image[:, row : row + self.side, column : column + self.side] = self.value
        return spoilt


@dataclass(frozen=True)
class Blur(Corruption):
    """Smooth each channel of an image with a Gaussian of deviation `sigma` pixels."""

    sigma: float = 1.0

    def __post_init__(self) -> None:
        require(0 < self.sigma <= 50, "sigma", "above 0 and at most 50 pixels", self.sigma)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See Corruption."""
        require(batch.ndim == 4, "data.corruption", "another than blur, which is for images", batch.shape)
        weights = self._weights()
        return _smooth(_smooth(batch, weights, axis=2), weights, axis=3)

    def _weights(self) -> np.ndarray:
        radius = int(np.ceil(3 * self.sigma))  # what lies beyond weighs 0.3 % in all
        weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / self.sigma) ** 2)
        return (weights / weights.sum()).astype(np.float32)


def _smooth(batch: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    radius, length = len(weights) // 2, batch.shape[axis]
    padding = [(radius, radius) if i == axis else (0, 0) for i in range(batch.ndim)]
    padded = np.moveaxis(np.pad(batch, padding, mode="edge"), axis, 0)
    total = sum(weight * padded[i : i + length] for i, weight in enumerate(weights))
    return np.ascontiguousarray(np.moveaxis(total, 0, axis), np.float32)
