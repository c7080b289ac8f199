"""A net that takes noise away ⇄ `.ism`; it runs in float32 by NumPy, in tiles where images are large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from isthmus.data.noise import MISSING, MOST_TAKEN, NoiseModel, noise_level
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
    learned: tuple[float, float]
    """The least and the greatest value that it was taught with, in the images' units."""
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
        if not self.learned[0] <= self.learned[1]:
            raise ValueError("values that a denoiser learned from")

    def level_of(self, image: np.ndarray) -> float:
        """The noise that is seen in an image, in its own units: a standard deviation."""
        return noise_level(image)

    def outside(self, image: np.ndarray, level: float | None = None) -> int:
        """How many values lie farther outside of what it learned from than noise takes them.

        Args:
            image: in the images' units.
            level: of the noise; None looks.
        """
        low, high = self.learned
        if image.min(initial=low) >= low and image.max(initial=high) <= high:
            return 0
        far = MOST_TAKEN * (self.level_of(image) if level is None else level)
        return int(((image < low - far) | (image > high + far)).sum())

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
        level = self.level_of(image) if level is None else level
        exact = self._planes(image)
        if mask is not None:
            exact[:, mask] = (self.spec.low + self.spec.high) / 2
        planes = ((exact - self.spec.low) / self._span).astype(np.float32)
        told = np.full((1, *planes.shape[1:]), level / self._span if self.noise.is_told else 0, np.float32)
        most = MOST_TAKEN * told if self.noise.is_told else np.full_like(told, self._most_untold(image))
        if mask is not None:
            told[:, mask], most[:, mask] = MISSING, np.inf
        made = self._runner.in_fixed_batches(
            np.concatenate([planes, told])[None], into=np.empty((1, *planes.shape), np.float32)
        )[0]
        changed = exact + np.clip(made - planes, -most, most) * self._span
        return self._image(changed, image, MOST_TAKEN * level)

    def _most_untold(self, image: np.ndarray) -> float:
        """By how much a value may be changed where no level is told: as the net says, but of one colour."""
        return np.inf if image.size and np.ptp(image) else 0.0

    def _planes(self, image: np.ndarray) -> np.ndarray:
        """float64 (planes, height, width), in the image's units."""
        planes = np.moveaxis(image.reshape(*image.shape[:2], -1), -1, 0).astype(np.float64)
        fits = image.dtype.kind == "f" or image.dtype == np.dtype(self.spec.dtype)
        if len(planes) not in (1, self.spec.channels) or not fits:
            raise SpecMismatch(
                f"The model takes noise from {self.spec.summary()}; this image has {len(planes)} planes of "
                f"{image.dtype}. Fit one on images of its kind."
            )
        if len(planes) < self.spec.channels:
            planes = np.repeat(planes, self.spec.channels, axis=0)
        return planes

    def _image(self, planes: np.ndarray, like: np.ndarray, far: float) -> np.ndarray:
        """Planes as an image of the same type, within its range, or as far beyond as the image itself is."""
        low, high = self.spec.low, self.spec.high
        least, greatest = like.min(initial=low), like.max(initial=high)
        values = np.clip(
            planes, low if least >= low - far else least, high if greatest <= high + far else greatest
        )
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
            "learned": list(self.learned),
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
        least, greatest = map(float, document["learned"])
        return cls(
            spec=spec,
            learned=(least, greatest),
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
