"""Images of integers, by what a model learned from images of their kind: lossless, or rounded to a grid."""

from __future__ import annotations

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.coding.coders.base import Coder
from isthmus.coding.contexts import Contexts
from isthmus.coding.contexts.grid import Grid
from isthmus.coding.contexts.walk import decode, encode
from isthmus.coding.varints import ByteReader, write_varint
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
        return _decoded(payload, shape, dtype, self._contexts, None)


class RoundedContextCoder(Coder):
    """The same for images whose pixels are rounded first, within a bound.

    A payload begins with the number of intervals of the grid, as a varint.

    Args:
        contexts: what was learned.
        grid: to round to, whatever the bound; None for the coarsest that keeps it.
    """

    def __init__(self, contexts: Contexts, grid: Grid | None = None) -> None:
        self._contexts, self._grid = contexts, grid

    def encode(
        self, values: np.ndarray, bound: Bound | None, given: np.ndarray | None = None
    ) -> bytes | None:
        """Images → bytes; None for anything else, or where the bound leaves nothing to round."""
        grid = self._grid or self._within(bound)
        if grid is None or not self._contexts.accepts(values.dtype, values.shape):
            return None
        return write_varint(grid.intervals) + encode(_with_planes(values), self._contexts, grid)

    def _within(self, bound: Bound | None) -> Grid | None:
        error = 0 if bound is None or bound.pointwise else int(min(bound.value, self._contexts.levels))
        return Grid.within(error, self._contexts.levels) if error else None

    def decode(
        self, payload: bytes, shape: tuple[int, ...], dtype: np.dtype, given: np.ndarray | None = None
    ) -> np.ndarray:
        """Undo `encode`."""
        fields = ByteReader(payload, "A block of rounded images")
        try:
            grid = Grid(fields.varint(), self._contexts.levels)
        except ValueError as wrong:
            raise DamagedFile(f"A block of rounded images claims {wrong}.") from wrong
        return _decoded(fields.rest(), shape, dtype, self._contexts, grid)


def _decoded(
    payload: bytes, shape: tuple[int, ...], dtype: np.dtype, contexts: Contexts, grid: Grid | None
) -> np.ndarray:
    if not contexts.accepts(dtype, shape):
        raise DamagedFile("A block of contexts is not of the images its model was made for.")
    images, height, width = shape[:3]
    return decode(payload, (images, height, width, len(contexts.planes)), contexts, grid).reshape(shape)


def _with_planes(images: np.ndarray) -> np.ndarray:
    return images[..., None] if images.ndim == 3 else images
