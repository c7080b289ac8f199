"""Images of integers, by what a model learned from images of their kind: lossless."""

from __future__ import annotations

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.coding.coders.base import Coder
from isthmus.coding.contexts import Contexts
from isthmus.coding.contexts.walk import decode, encode
from isthmus.errors import DamagedFile


class ContextCoder(Coder):
    """The coder that belongs to a model; it stands in no registry.

    Args:
        contexts: what was learned.
    """

    def __init__(self, contexts: Contexts) -> None:
        self._contexts = contexts

    def encode(
        self, values: np.ndarray, bound: Bound | None, given: np.ndarray | None = None
    ) -> bytes | None:
        """Images (image, row, column[, plane]) → bytes; None for anything else, or with a bound."""
        if bound is not None or not self._contexts.accepts(values.dtype, values.shape):
            return None
        return encode(_with_planes(values), self._contexts)

    def decode(
        self, payload: bytes, shape: tuple[int, ...], dtype: np.dtype, given: np.ndarray | None = None
    ) -> np.ndarray:
        """Undo `encode`."""
        if not self._contexts.accepts(dtype, shape):
            raise DamagedFile("A block of contexts is not of the images its model was made for.")
        images, height, width = shape[:3]
        planes = len(self._contexts.planes)
        return decode(payload, (images, height, width, planes), self._contexts).reshape(shape)


def _with_planes(images: np.ndarray) -> np.ndarray:
    return images[..., None] if images.ndim == 3 else images
