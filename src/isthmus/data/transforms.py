"""sample ⇄ tensor: scale samples to what a net likes, and back to what they were.

A tensor is float32, (batch, channel, height, width) for images and (batch, *shape) for arrays.
Every transform here is `tensor = (sample - offset) / scale`; they differ in how the two are fitted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

import numpy as np

from isthmus.config import PartConfig, require
from isthmus.errors import ConfigError
from isthmus.registry import Registry
from isthmus.spec import DataSpec

TRANSFORMS = Registry(
    "transform",
    {
        "unit": "isthmus.data.transforms:Unit",
        "standard": "isthmus.data.transforms:Standard",
    },
)

Samples = np.ndarray | Sequence[np.ndarray]
GROUP = 4096  # samples turned into float64 at a time
NO_SPREAD = 1e-12  # a deviation this small beside the mean is rounding error: the feature is constant


@dataclass(frozen=True)
class Transform(ABC):
    """Scale samples of one spec.

    >>> spec = DataSpec(modality="image", axes=("height", "width"), shape=(1, 2), dtype="uint8")
    >>> unit = fit_transform(PartConfig("unit"), spec, np.zeros((1, 1, 2), np.uint8))
    >>> unit.forward(np.array([[[0, 255]]], np.uint8)).tolist()
    [[[[0.0, 1.0]]]]
    >>> unit.inverse(np.array([[[[0.5, 2.0]]]], np.float32)).tolist()
    [[[128, 255]]]
    """

    name: ClassVar[str]

    spec: DataSpec
    offset: tuple[float, ...]
    """One number for all values; or one for each channel of an image, each value of an array."""
    scale: tuple[float, ...]
    """As many numbers, none of them 0."""

    @classmethod
    @abstractmethod
    def fit(cls, spec: DataSpec, samples: Samples) -> Self:
        """Choose offset and scale for `samples`: one array of them, or a list if sizes differ."""

    def forward(self, batch: np.ndarray) -> np.ndarray:
        """Return samples, shape (batch, *sample), as a float32 tensor; `inverse` undoes it."""
        values = self.arranged(batch)
        return self._scaled(values, np.empty(values.shape, np.float32))

    def inverse(self, tensor: np.ndarray) -> np.ndarray:
        """Return a tensor as samples in their own dtype, rounded and clipped if those are integers."""
        return np.ascontiguousarray(self._channel_last(self.unscaled(tensor)))

    def arranged(self, samples: np.ndarray) -> np.ndarray:
        """Return samples, or room for them, in the layout of a tensor: a view, in their own dtype."""
        if self.spec.modality != "image":
            return samples
        return samples.transpose(0, 3, 1, 2) if "channel" in self.spec.axes else samples[:, None]

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Return what `arranged` gave, or a part of its images, as float32; `unscaled` undoes it."""
        return self._scaled(values, np.empty_like(values, np.float32))

    def _scaled(self, values: np.ndarray, tensor: np.ndarray) -> np.ndarray:
        offset, scale = self._constants(values.ndim)
        if not offset.any():
            return np.divide(values, scale, out=tensor, dtype=scale.dtype, casting="unsafe")
        np.subtract(values, offset, out=tensor, dtype=scale.dtype, casting="unsafe")
        return np.divide(tensor, scale, out=tensor, dtype=scale.dtype, casting="unsafe")

    def unscaled(self, tensor: np.ndarray) -> np.ndarray:
        """Return a tensor, or a part of its images, in the samples' dtype but its own layout."""
        offset, scale = self._constants(tensor.ndim)
        values = np.multiply(tensor, scale, dtype=scale.dtype)
        values += offset
        dtype = np.dtype(self.spec.dtype)
        if dtype.kind != "f":
            np.clip(np.rint(values, out=values), *_bounds(self.spec, values.dtype), out=values)
        return values.astype(dtype, copy=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, floats exact; `from_dict` undoes it."""
        numbers = {"offset": list(self.offset), "scale": list(self.scale)}
        return {"name": self.name, "spec": self.spec.to_dict(), **numbers}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Transform:
        """Undo `to_dict`, whichever transform it was."""
        family = cast("type[Transform]", TRANSFORMS.find(values["name"]))
        spec = DataSpec.from_dict(values["spec"])
        return family(spec, tuple(values["offset"]), tuple(values["scale"]))

    def _constants(self, ndim: int) -> tuple[np.ndarray, np.ndarray]:
        """Return offset and scale, shaped to meet a tensor of `ndim` axes, in the type to compute in."""
        dtype = np.result_type(self.spec.dtype, np.float32)  # float64 for what float32 cannot hold
        shape: tuple[int, ...] = (1,) * ndim
        if len(self.scale) > 1:
            per_value = cast("tuple[int, ...]", self.spec.shape)
            shape = (1, len(self.scale), 1, 1) if self.spec.modality == "image" else (1, *per_value)
        return np.array(self.offset, dtype).reshape(shape), np.array(self.scale, dtype).reshape(shape)

    def _channel_last(self, tensor: np.ndarray) -> np.ndarray:
        if self.spec.modality != "image":
            return tensor
        return tensor.transpose(0, 2, 3, 1) if "channel" in self.spec.axes else tensor[:, 0]


class Unit(Transform):
    """The least value the data can take becomes 0, the greatest 1."""

    name = "unit"

    @classmethod
    def fit(cls, spec: DataSpec, samples: Samples) -> Self:
        """See Transform; the bounds are the spec's own, so the samples are not looked at."""
        spread = spec.high - spec.low
        return cls(spec, (spec.low,), (spread if spread > 0 else 1.0,))


class Standard(Transform):
    """Mean 0 and deviation 1: for each channel of an image, for each value of an array."""

    name = "standard"

    @classmethod
    def fit(cls, spec: DataSpec, samples: Samples) -> Self:
        """See Transform; values that never change keep a scale of 1."""
        require(len(samples) > 0, "the number of samples to fit on", "at least 1", len(samples))
        mean, deviation = _moments(spec, samples)
        steady = deviation <= NO_SPREAD * np.abs(mean)
        scale = np.where(steady, 1.0, deviation)
        return cls(spec, tuple(mean.ravel().tolist()), tuple(scale.ravel().tolist()))


def fit_transform(part: PartConfig, spec: DataSpec, samples: Samples) -> Transform:
    """Fit the transform named in a config.

    Raises:
        UnknownName: there is no such transform.
        ConfigError: it takes no such option.
    """
    family = cast("type[Transform]", TRANSFORMS.find(part.name))
    try:
        return family.fit(spec, samples, **part.options)
    except TypeError as wrong:
        raise ConfigError(
            f"The transform {part.name!r} does not take {dict(part.options)}: {wrong}."
        ) from wrong


def _moments(spec: DataSpec, samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation in float64: shape (channels,) for images, the sample's for arrays."""
    axes = (0, 1, 2) if spec.modality == "image" else (0,)  # what is averaged over
    weight, mean, variance = 0, np.float64(0), np.float64(0)
    for group in _groups(samples):
        values = np.asarray(group, np.float64)
        count = int(np.prod([values.shape[axis] for axis in axes]))
        weight, share = weight + count, count / (weight + count)
        # Chan's update: plain sums of squares would lose a small deviation from a large mean.
        step = values.mean(axis=axes) - mean
        mean = mean + share * step
        variance = variance + share * (values.var(axis=axes) - variance) + share * (1 - share) * step * step
    return np.atleast_1d(mean), np.atleast_1d(np.sqrt(variance))


def _groups(samples: Samples) -> Iterator[np.ndarray]:
    """Yield arrays of shape (some, *sample) that together hold all samples."""
    if not isinstance(samples, np.ndarray):
        yield from (sample[None] for sample in samples)
        return
    for start in range(0, len(samples), GROUP):
        yield samples[start : start + GROUP]


def _bounds(spec: DataSpec, dtype: np.dtype) -> tuple[float, float]:
    """Return the least and greatest integer to clip to, exact in the float type `dtype`."""
    if spec.dtype in ("uint8", "uint16", "bool"):
        return spec.low, spec.high
    # The spec's own bounds are only what was seen in training; new data may well exceed them.
    limits = np.iinfo(spec.dtype)
    high = float(limits.max)
    return float(limits.min), high if high <= limits.max else float(np.nextafter(high, 0, dtype=dtype))
