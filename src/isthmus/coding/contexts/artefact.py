"""What was learned of a kind of image: `Contexts` ⇄ bytes. A part of the model, embedded by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from isthmus.coding.canonical import content_hash, pack_tensors, unpack_tensors
from isthmus.coding.contexts.features import ACROSS, NEIGHBOURS, surroundings
from isthmus.coding.contexts.forest import MAX_DEPTH, Forest
from isthmus.coding.contexts.scan import View
from isthmus.coding.contexts.search import Search
from isthmus.errors import DamagedFile

SHIFT = 12
"""Weights of the linear prediction are whole numbers of 2**-SHIFT."""
MAX_PLANES = 4
DTYPES = ("uint8", "uint16", "int8", "int16")
MAX_BYTES = 1 << 26


@dataclass(frozen=True, eq=False)
class Plane:
    """How one plane of the images is coded."""

    weights: np.ndarray
    """Of the surroundings, then a constant; none where a pixel is coded as it is, not as a difference."""
    search: Search
    forests: tuple[Forest, ...]
    """One for each depth of the search that has learned thresholds."""

    def predict(self, look: View, number: int, levels: int) -> np.ndarray:
        """A guess at each pixel from those around it: whole numbers of 0 to levels - 1."""
        if not self.weights.size:
            return np.zeros_like(look(0, -1, number))
        around = surroundings(look, number).astype(np.float64)  # exact: all sums are far below 2**53
        sums = self.weights[:-1].astype(np.float64) @ around + float(self.weights[-1])
        guesses = np.floor(sums / 2**SHIFT + 0.5)
        return np.clip(guesses, 0, levels - 1).astype(look(0, -1, number).dtype)

    def symbol(self, values: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Pixels → what is searched for: themselves, or differences that wrap around."""
        span = self.search.high - self.search.low + 1
        return (values.astype(np.int32) - predicted - self.search.low) % span + self.search.low

    def value(self, symbols: np.ndarray, predicted: np.ndarray, levels: int) -> np.ndarray:
        """Undo `symbol`."""
        return (symbols + predicted.astype(np.int32)) % levels


@dataclass(frozen=True, eq=False)
class Contexts:
    """How images of one kind are coded."""

    dtype: str
    """Of the images: an integer type of at most 16 bits."""
    order: tuple[int, ...]
    """Which plane of the images is coded first, and so on."""
    planes: tuple[Plane, ...]

    @property
    def levels(self) -> int:
        """How many values a pixel can take."""
        return int(2 ** (8 * np.dtype(self.dtype).itemsize))

    @property
    def work_dtype(self) -> np.dtype:
        """Wide enough for differences and sums of a few pixels."""
        return np.dtype(np.int16 if self.levels == 256 else np.int32)

    def accepts(self, dtype: np.dtype, shape: Sequence[int]) -> bool:
        """Whether these images, (image, row, column[, plane]), can be coded."""
        planes = shape[3] if len(shape) == 4 else 1
        fits = len(shape) in (3, 4) and planes == len(self.planes) and math.prod(shape) > 0
        return fits and dtype.name == self.dtype

    def to_walk(self, images: np.ndarray) -> np.ndarray:
        """Images in their own type → whole numbers from 0 on, planes in the order of coding."""
        least = np.iinfo(self.dtype).min
        return (images.astype(np.int32) - least)[..., self.order]

    def from_walk(self, images: np.ndarray) -> np.ndarray:
        """Undo `to_walk`."""
        back = np.argsort(self.order)
        return (images[..., back].astype(np.int32) + np.iinfo(self.dtype).min).astype(self.dtype)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of what was learned: 64 hexadecimal digits."""
        return content_hash(self.document(), self.tensors())

    def document(self) -> dict[str, Any]:
        """What is no tensor, JSON-ready."""
        planes = [
            {
                "low": plane.search.low,
                "width": plane.search.width,
                "forests": [[forest.base, *forest.features.shape] for forest in plane.forests],
            }
            for plane in self.planes
        ]
        return {"dtype": self.dtype, "order": list(self.order), "planes": planes}

    def tensors(self) -> dict[str, np.ndarray]:
        """The rest; each kind of number of all planes and forests in one tensor."""
        forests = [forest for plane in self.planes for forest in plane.forests]
        named = {
            "weights": [plane.weights for plane in self.planes],
            "bins": [plane.search.bins for plane in self.planes],
            "splits": [plane.search.thresholds for plane in self.planes],
            "features": [forest.features for forest in forests],
            "thresholds": [forest.thresholds for forest in forests],
            "leaves": [forest.leaves for forest in forests],
        }
        return {name: _joined(arrays, _STORED[name]) for name, arrays in named.items()}

    def to_bytes(self) -> bytes:
        """As archives embed it."""
        return pack_tensors(self.document(), self.tensors())

    @classmethod
    def from_bytes(cls, data: bytes, *, max_bytes: int = MAX_BYTES) -> Contexts:
        """Undo `to_bytes`; DamagedFile if it is not such bytes."""
        return cls.from_parts(*unpack_tensors(data, max_bytes=max_bytes))

    @classmethod
    def from_parts(cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Contexts:
        """Undo `document` and `tensors`."""
        try:
            return cls._from_parts(document, tensors)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as wrong:
            raise DamagedFile(f"The model's contexts lack or misstate {wrong}; fetch it again.") from wrong

    @classmethod
    def _from_parts(cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Contexts:
        dtype, order = str(document["dtype"]), tuple(document["order"])
        count = len(document["planes"])
        if dtype not in DTYPES or sorted(order) != list(range(count)) or not 0 < count <= MAX_PLANES:
            raise ValueError("their planes")
        take = _Taker(tensors)
        planes = [_plane(number, listed, dtype, take) for number, listed in enumerate(document["planes"])]
        take.finish()
        return cls(dtype, order, tuple(planes))


_STORED = {
    "weights": np.int32,
    "bins": np.uint16,
    "splits": np.int32,
    "features": np.uint8,
    "thresholds": np.int32,
    "leaves": np.int8,
}
BINS = 256
"""How many bins the counts of a plane's symbols have."""


def feature_count(plane: int) -> int:
    """How many features there are for a plane, the state of the search included."""
    return len(NEIGHBOURS) + 7 + 6 + 5 + 5 + 10 * plane + 1


def _joined(arrays: Sequence[np.ndarray], dtype: Any) -> np.ndarray:
    return np.concatenate([array.ravel() for array in arrays] or [np.empty(0)]).astype(dtype)


class _Taker:
    """Gives out the joined tensors piece by piece, and insists that all is used."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        self._left = {name: tensors[name].ravel() for name in _STORED}
        if set(tensors) != set(_STORED):
            raise ValueError("their tensors")

    def __call__(self, name: str, *shape: int) -> np.ndarray:
        size = math.prod(shape)
        if any(side < 0 for side in shape) or size > self._left[name].size:
            raise ValueError(f"their {name}")
        taken, self._left[name] = self._left[name][:size], self._left[name][size:]
        return taken.astype(np.int32).reshape(shape)

    def finish(self) -> None:
        if any(array.size for array in self._left.values()):
            raise ValueError("how many numbers they need")


def _plane(number: int, listed: Mapping[str, Any], dtype: str, take: _Taker) -> Plane:
    levels = int(2 ** (8 * np.dtype(dtype).itemsize))
    low, width, forests = int(listed["low"]), int(listed["width"]), listed["forests"]
    if len(forests) > MAX_DEPTH or width * BINS != levels or low not in (0, -levels // 2):
        raise ValueError("their search")
    weights = take("weights", (len(NEIGHBOURS) + len(ACROSS) * number + 1) * (low < 0))
    search = Search(low, take("bins", BINS), width, take("splits", 2 ** len(forests)))
    if search.bins.min() < 1:
        raise ValueError("their bins")
    return Plane(weights, search, tuple(_forest(number, *forest, take=take) for forest in forests))


def _forest(number: int, base: int, trees: int, depth: int, *, take: _Taker) -> Forest:
    if not (0 <= trees <= 1 << 12 and 0 <= depth <= MAX_DEPTH and abs(base) < 1 << 20):
        raise ValueError("their forests")
    features, thresholds = take("features", trees, depth), take("thresholds", trees, depth)
    if features.size and features.max() >= feature_count(number):
        raise ValueError("their features")
    return Forest(int(base), features, thresholds, take("leaves", trees, 2**depth))
