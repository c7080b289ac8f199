"""What one sample is. A DataSpec travels the whole road: reader, model, archive, writer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from isthmus.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """One kind of sample.

    A dimension of `shape` is None where it differs between samples (photographs of mixed sizes).

    >>> DataSpec(modality="image", axes=("height", "width"), shape=(28, 28), dtype="uint8").summary()
    '28×28 grey image, uint8'
    """

    modality: str
    """"image" or "array"."""
    axes: tuple[str, ...]
    """The name of each axis; an image has height, width and, if not grey, channel last."""
    shape: tuple[int | None, ...]
    """The length of each axis; None where it varies."""
    dtype: str
    """The NumPy name of the samples' type, native byte order."""
    low: float = 0.0
    """The least value the data can take: of the type for integers, seen in training for floats."""
    high: float = 255.0
    """The greatest."""

    def __post_init__(self) -> None:
        if len(self.axes) != len(self.shape):
            raise ConfigError(f"axes and shape must be of one length; got {self.axes} and {self.shape}.")
        np.dtype(self.dtype)

    @property
    def is_fixed(self) -> bool:
        """Whether all samples have the same shape."""
        return None not in self.shape

    @property
    def channels(self) -> int:
        """Channels of an image; 1 for everything else."""
        if "channel" not in self.axes:
            return 1
        channels = self.shape[self.axes.index("channel")]
        assert channels is not None, "a reader never mixes channel counts"
        return channels

    @property
    def tensor_shape(self) -> tuple[int | None, ...]:
        """The shape of one sample as nets see it: images channel first, arrays as they are."""
        return (self.channels, *self.shape[:2]) if self.modality == "image" else self.shape

    def accepts(self, other: DataSpec) -> bool:
        """Whether samples of `other` can be given to a model made for this spec."""
        same = (self.modality, self.axes, self.dtype) == (other.modality, other.axes, other.dtype)
        sizes = zip(self.shape, other.shape, strict=True) if same else ()
        return same and all(mine in (None, theirs) for mine, theirs in sizes)

    def summary(self) -> str:
        """One phrase for people: "28×28 grey image, uint8"."""
        sides = "×".join("any" if n is None else str(n) for n in self.shape[:2] if self.modality == "image")
        if self.modality != "image":
            return f"array of {'×'.join(map(str, self.shape)) or '1'} values, {self.dtype}"
        colour = {1: "grey", 3: "RGB", 4: "RGBA"}.get(self.channels, f"{self.channels}-channel")
        return f"{sides} {colour} image, {self.dtype}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` undoes it."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DataSpec:
        """Undo `to_dict`."""
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**fields)
