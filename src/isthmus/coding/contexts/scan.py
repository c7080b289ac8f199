"""Images as padded planes, and the order in which their pixels are visited: in wavefronts.

A pixel may look at all before it in reading order, and 3 to its right in the rows above. All pixels
on a slanted line (column + 4·row = step) are then independent of one another, in all images of the
block at once, and are coded together as one array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

View = Callable[[int, int, int], np.ndarray]
"""(rows down, columns right, plane) → that neighbour of every pixel looked at, 1-D."""

REACH = 3
"""How far to the right a pixel may look in the rows above, and how far in the others."""
_PAD = REACH + 1
_SLOPE = REACH + 1


@dataclass(frozen=True)
class Front:
    """Pixels that are coded together: rows first … last, in column step − 4·row, of every image."""

    step: int
    first: int
    last: int

    @property
    def rows(self) -> np.ndarray:
        """The row of each of its pixels in one image."""
        return np.arange(self.first, self.last + 1)

    @property
    def columns(self) -> np.ndarray:
        """The column of each."""
        return self.step - _SLOPE * self.rows


def fronts(height: int, width: int) -> Iterator[Front]:
    """All wavefronts of a plane, in order; each pixel is in exactly one.

    >>> [(front.rows.tolist(), front.columns.tolist()) for front in fronts(2, 2)]
    [([0], [0]), ([0], [1]), ([1], [0]), ([1], [1])]
    """
    for step in range(width + _SLOPE * (height - 1)):
        first = max(0, -(-(step - width + 1) // _SLOPE))
        last = min(height - 1, step // _SLOPE)
        if first <= last:
            yield Front(step, first, last)


class Planes:
    """The planes of some images of one size, with borders that only repeat what is known by then.

    Left of a row stands its upper neighbour, right of it its last pixel; above the first row stands
    that row itself, moved 4 to the right; below the last one, once a plane is whole, that last row.

    Args:
        shape: images, height, width, planes.
        dtype: wide enough for a pixel and its sign.
    """

    def __init__(self, shape: tuple[int, int, int, int], dtype: np.dtype) -> None:
        self.images, self.height, self.width, self.planes = shape
        sides = (self.height + _PAD + REACH, self.width + 2 * _PAD)
        self._padded = np.zeros((self.planes, *sides, self.images), dtype)

    @classmethod
    def of(cls, images: np.ndarray, dtype: np.dtype) -> Planes:
        """Whole images, (image, row, column, plane), as they are once everything is known."""
        planes = cls(images.shape, dtype)
        for plane in range(planes.planes):
            planes._padded[plane, _PAD:-REACH, _PAD:-_PAD] = np.moveaxis(images[..., plane], 0, -1)
            inside = planes._padded[plane, _PAD:-REACH]
            inside[1:, :_PAD] = inside[:-1, _PAD : _PAD + 1]
            inside[:, -_PAD:] = inside[:, -_PAD - 1 : -_PAD]
            planes._padded[plane, :_PAD, 2 * _PAD :] = inside[0, _PAD:-_PAD]
            planes.close(plane)
        return planes

    def images_back(self) -> np.ndarray:
        """(image, row, column, plane)."""
        return np.moveaxis(self._padded[:, _PAD:-REACH, _PAD:-_PAD], (0, 3), (3, 0))

    def view(self, front: Front) -> View:
        """Look around every pixel of a front; pixels are ordered by row, then by image."""
        count = front.last - front.first + 1
        _, down, right, image = self._padded.strides

        def look(rows: int, columns: int, plane: int) -> np.ndarray:
            row = front.first + rows + _PAD
            column = front.step - _SLOPE * front.first + columns + _PAD
            corner = self._padded[plane, row, column]
            strides = (down - _SLOPE * right, image)
            return as_strided(corner, (count, self.images), strides, writeable=False).ravel()

        return look

    def gather(self, at: tuple[np.ndarray, np.ndarray, np.ndarray]) -> View:
        """Look around the pixels at (image, row, column), wherever they are."""
        images, rows, columns = at
        flat = self._padded.reshape(self.planes, -1)
        here = ((rows + _PAD) * (self.width + 2 * _PAD) + columns + _PAD) * self.images + images

        def look(down: int, right: int, plane: int) -> np.ndarray:
            return flat[plane].take(here + (down * (self.width + 2 * _PAD) + right) * self.images)

        return look

    def fill(self, plane: int, front: Front, values: np.ndarray) -> None:
        """Write the pixels of a front, and the borders that follow from them."""
        padded = self._padded[plane]
        values = values.reshape(-1, self.images)
        padded[front.rows + _PAD, front.columns + _PAD] = values
        if front.columns[-1] == 0 and front.last + 1 < self.height:
            padded[front.last + 1 + _PAD, :_PAD] = values[-1]
        if front.columns[0] == self.width - 1:
            padded[front.first + _PAD, -_PAD:] = values[0]
        if front.first == 0:
            padded[:_PAD, front.columns[0] + 2 * _PAD] = values[0]

    def close(self, plane: int) -> None:
        """Repeat the last row below, now that the plane is whole: later planes look there."""
        self._padded[plane, -REACH:] = self._padded[plane, -REACH - 1]
