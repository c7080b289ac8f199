"""What one sample is. A DataSpec travels the whole road: reader, model, archive, writer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from isthmus.config import require
from isthmus.errors import ConfigError

MODALITIES = ("image", "array")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
TYPES = ("bool", *INTEGERS, "float16", "float32", "float64")
MOST_AXES = 32


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
        # A spec may come from a file by anybody, so it is looked at closely.
        lengths_fit = isinstance(self.shape, tuple) and isinstance(self.axes, tuple)
        if not lengths_fit or len(self.axes) != len(self.shape):
            raise ConfigError(f"axes and shape must be of one length; got {self.axes} and {self.shape}.")
        sides = (side for side in self.shape if side is not None)
        names = [self.modality, self.dtype, *self.axes]
        numbers = isinstance(self.low, (int, float)) and isinstance(self.high, (int, float))
        require(all(type(side) is int and side >= 0 for side in sides), "shape", "whole numbers", self.shape)
        require(len(self.shape) <= MOST_AXES, "shape", f"of at most {MOST_AXES} axes", len(self.shape))
        require(all(isinstance(name, str) for name in names), "names in a spec", "text", names)
        require(self.dtype in TYPES, "dtype", "bool, an integer or a float of 16 to 64 bits", self.dtype)
        require(self.modality in MODALITIES, "modality", " or ".join(MODALITIES), self.modality)
        require(numbers, "low and high", "numbers", (self.low, self.high))

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
