"""A net that takes noise away ⇄ `.ism`; it runs in float32 by NumPy, in tiles where images are large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from isthmus.data.noise import MISSING, NoiseModel, noise_level
from isthmus.errors import SpecMismatch
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.ops import ops_from_json
from isthmus.exact.program import Program
from isthmus.model.saved import Saved
from isthmus.spec import DataSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class Denoiser(Saved):
    """What takes noise away from images of one kind."""

    kind = "denoiser"
    made_by = "isthmus fit photos/ --recipe denoise"

    spec: DataSpec
    """Of the images; the low and the high of their values are told as 0 and 1."""
    noise: NoiseModel
    """That it was taught with."""
    program: Program
    """(planes + 1, height, width) → (planes, height, width): the image, and what is told of each pixel."""
    from_noisy: bool = False
    """Whether it has never seen a clean image."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Images, steps, seconds: for people."""

    def __post_init__(self) -> None:
        # It may come from a file by anybody.
        if self.spec.modality != "image" or self.program.start != (self.spec.channels + 1, None, None):
            raise ValueError("a denoiser of no images")
        if self.program.result[0] != self.spec.channels:
            raise ValueError("a denoiser that makes other images")

    def level_of(self, image: np.ndarray) -> float:
        """The noise that is seen in an image, in its own units: a standard deviation."""
        return noise_level(image)

    def denoise(
        self, image: np.ndarray, level: float | None = None, mask: np.ndarray | None = None
    ) -> np.ndarray:
        """An image → the image without noise, of the same type.

        Args:
            image: (height, width[, planes]), of the spec's kind, or one plane for a model of several; or
                floats in the same units, which need not be whole or within the range.
            level: of the noise, a standard deviation in the image's own units; None looks.
            mask: bool (height, width): pixels that are not there.
        Raises:
            SpecMismatch: it is another kind of image.
        """
        planes = self._planes(image)
        told = np.zeros((1, *planes.shape[1:]), np.float32)
        if self.noise.is_told:
            told += (self.level_of(image) if level is None else level) / self._span
        if mask is not None:
            planes[:, mask], told[:, mask] = 0.5, MISSING
        made = self._runner.in_fixed_batches(
            np.concatenate([planes, told])[None], into=np.empty((1, *planes.shape), np.float32)
        )[0]
        return self._image(made, image)

    def _planes(self, image: np.ndarray) -> np.ndarray:
        planes = np.moveaxis(image.reshape(*image.shape[:2], -1), -1, 0).astype(np.float32)
        fits = image.dtype.kind == "f" or image.dtype == np.dtype(self.spec.dtype)
        if len(planes) not in (1, self.spec.channels) or not fits:
            raise SpecMismatch(
                f"The model takes noise from {self.spec.summary()}; this image has {len(planes)} planes of "
                f"{image.dtype}. Fit one on images of its kind."
            )
        if len(planes) < self.spec.channels:
            planes = np.repeat(planes, self.spec.channels, axis=0)
        return (planes - np.float32(self.spec.low)) / np.float32(self._span)

    def _image(self, planes: np.ndarray, like: np.ndarray) -> np.ndarray:
        values = np.clip(planes, 0, 1) * self._span + self.spec.low
        if like.dtype.kind in "iu":
            values = np.round(values)
        if like.ndim == 2 and len(values) > 1:
            values = values.mean(axis=0, keepdims=True)
        return np.moveaxis(values, 0, -1).reshape(like.shape).astype(like.dtype)

    @property
    def _span(self) -> float:
        return self.spec.high - self.spec.low

    @cached_property
    def _runner(self) -> FloatRunner:
        return FloatRunner(self.program)

    def told(self) -> dict[str, Any]:
        """All but tensors and provenance, JSON-ready."""
        return {
            "spec": self.spec.to_dict(),
            "noise": [self.noise.kind, self.noise.low, self.noise.high],
            "from_noisy": self.from_noisy,
            "ops": [op.to_json() for op in self.program.ops],
        }

    def tensors(self) -> Mapping[str, np.ndarray]:
        """Of the net."""
        return self.program.tensors

    @classmethod
    def from_saved(cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Denoiser:
        """Undo `told` and `tensors`."""
        spec, (kind, low, high) = DataSpec.from_dict(document["spec"]), document["noise"]
        return cls(
            spec=spec,
            noise=NoiseModel(str(kind), float(low), float(high)),
            program=Program((spec.channels + 1, None, None), ops_from_json(document["ops"]), tensors),
            from_noisy=bool(document["from_noisy"]),
            provenance=dict(document["provenance"]),
        )

    def summary(self) -> str:
        """What it is for."""
        return f"denoiser for {self.spec.summary()}"

    def facts(self) -> dict[str, str]:
        """What `info` tells."""
        noise = f"{self.noise.kind}, {self.noise.low:.3g} to {self.noise.high:.3g} of the range"
        noise += ", learned from noisy images alone" if self.from_noisy else ""
        return net_facts(self.provenance, self.program, "images", noise)


def net_facts(made: Mapping[str, Any], program: Program, counted: str, noise: str) -> dict[str, str]:
    """What `info` tells of a net that takes noise away."""
    return {
        "trained on": f"{made.get(counted, 0):,} {counted} of {made.get('trained_on', 'somewhere')}",
        "noise": noise,
        "parameters": f"{sum(tensor.size for tensor in program.tensors.values()):,}",
        "steps": f"{made.get('steps', 0):,} in {made.get('seconds', 0)} s",
        "can": "denoise",
    }
