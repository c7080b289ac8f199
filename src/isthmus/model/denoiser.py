"""A net that takes noise away ⇄ `.ism`; it runs in float32 by NumPy, in tiles where images are large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.version import FORMAT_VERSION, require_known_format
from isthmus.data.noise import MISSING, NoiseModel, noise_level
from isthmus.errors import ConfigError, DamagedFile, NotOurFile, SpecMismatch
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.ops import ops_from_json
from isthmus.exact.program import Program
from isthmus.model.document import read_document, require_whole, tensors_hash, write_document
from isthmus.spec import DataSpec

KIND = "denoiser"


@dataclass(frozen=True, kw_only=True, eq=False)
class Denoiser:
    """What takes noise away from images of one kind."""

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

    def save(self, path: str | Path, *, force: bool = True) -> Path:
        """Write the .ism file, whole or not at all."""
        path = Path(path)
        document = {
            "format": FORMAT_VERSION,
            "kind": KIND,
            "spec": self.spec.to_dict(),
            "noise": [self.noise.kind, self.noise.low, self.noise.high],
            "from_noisy": self.from_noisy,
            "ops": [op.to_json() for op in self.program.ops],
            "provenance": dict(self.provenance),
            "hash": tensors_hash(self.program.tensors),
        }
        write_document(path, document, self.program.tensors, force=force)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Denoiser:
        """Read an .ism file and check that it is whole.

        Raises:
            NoData: no file is there.
            NotOurFile, NewerFormat, DamagedFile: it is no denoiser, of a later version, or not whole.
        """
        path = Path(path)
        document, tensors = read_document(path)
        if document.get("kind") != KIND:
            raise NotOurFile(f"{path} is no denoiser. Make one: isthmus fit photos/ --recipe denoise")
        try:
            require_known_format(document["format"], str(path))
            require_whole(document, tensors, path)
            spec, (kind, low, high) = DataSpec.from_dict(document["spec"]), document["noise"]
            return cls(
                spec=spec,
                noise=NoiseModel(str(kind), float(low), float(high)),
                program=Program((spec.channels + 1, None, None), ops_from_json(document["ops"]), tensors),
                from_noisy=bool(document["from_noisy"]),
                provenance=dict(document["provenance"]),
            )
        except (KeyError, TypeError, ValueError, IndexError, ConfigError) as wrong:
            raise DamagedFile(f"{path} lacks or misstates {wrong}; fetch the file again.") from wrong
