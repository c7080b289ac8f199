"""More images out of those there are: crops, shifts, turns and mirror images, at random.

Input and target are moved together. Whole batches at a time: no Python for each sample where
all samples have one size.
"""

from __future__ import annotations

import numpy as np

from isthmus.config import DataConfig


class Augment:
    """Shift, turn and mirror a batch of images as the config says.

    What moves in from outside the image repeats its edge.

    >>> augment = Augment(DataConfig(shift=1))
    >>> batch = np.zeros((5, 1, 8, 8), np.float32)
    >>> augment(batch, np.random.default_rng(0)).shape
    (5, 1, 8, 8)
    """

    def __init__(self, config: DataConfig) -> None:
        self.shift = config.shift
        self.rotate_degrees = config.rotate_degrees
        self.flip = config.flip

    @property
    def is_idle(self) -> bool:
        """Whether the config asks for no change at all."""
        return not (self.shift or self.rotate_degrees or self.flip)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a moved copy of a float32 tensor (batch, channel, height, width)."""
        if self.is_idle or batch.ndim != 4:
            return batch
        count = len(batch)
        if self.flip:
            mirrored = rng.random(count) < 0.5
            batch = np.where(mirrored[:, None, None, None], batch[..., ::-1], batch)
        moves = rng.integers(-self.shift, self.shift, (2, count), endpoint=True)  # rows, columns
        if self.rotate_degrees:
            limit = np.deg2rad(self.rotate_degrees)
            return rotate(batch, rng.uniform(-limit, limit, count), moves)
        return shift(batch, moves) if self.shift else batch


def shift(batch: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Move each image by whole pixels.

    Args:
        batch: (batch, channel, height, width).
        moves: (2, batch) integers; rows down and columns to the right.
    """
    height, width = batch.shape[2:]
    rows = np.clip(np.arange(height) - moves[0][:, None], 0, height - 1)  # (batch, height)
    columns = np.clip(np.arange(width) - moves[1][:, None], 0, width - 1)  # (batch, width)
    return _gather(batch, rows[:, :, None] * width + columns[:, None, :])


def rotate(batch: np.ndarray, angles: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Turn each image about its centre, then move it; values between pixels are bilinear.

    Args:
        batch: (batch, channel, height, width) float32.
        angles: (batch,) in radians, anticlockwise as seen on a screen.
        moves: (2, batch) pixels; rows down and columns to the right.
    """
    height, width = batch.shape[2:]
    rows, columns = _origins(height, width, angles, moves)
    top, left = np.floor(rows).astype(np.intp), np.floor(columns).astype(np.intp)
    down, right = (
        (rows - top)[:, None],
        (columns - left)[:, None],
    )  # weights in 0..1, (batch, 1, height, width)
    below, beside = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    upper = _blend(_gather(batch, top * width + left), _gather(batch, top * width + beside), right)
    lower = _blend(_gather(batch, below * width + left), _gather(batch, below * width + beside), right)
    return _blend(upper, lower, down)


def crop_stack(images: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Cut one square at random out of each of (batch, height, width[, channel]) images of one size."""
    images = _padded(images, side, first_axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(images, (side, side), axis=(1, 2))
    rows = rng.integers(0, windows.shape[1], len(images))
    columns = rng.integers(0, windows.shape[2], len(images))
    cut = windows[np.arange(len(images)), rows, columns]  # (batch, [channel,] side, side)
    return cut if cut.ndim == 3 else np.ascontiguousarray(cut.transpose(0, 2, 3, 1))


def crop(image: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Cut one square at random out of (height, width[, channel]), mirrored outwards if too small."""
    image = _padded(image, side, first_axis=0)
    row, column = (int(rng.integers(0, length - side + 1)) for length in image.shape[:2])
    return image[row : row + side, column : column + side]


def _padded(images: np.ndarray, side: int, first_axis: int) -> np.ndarray:
    missing = [max(0, side - length) for length in images.shape[first_axis : first_axis + 2]]
    if not any(missing):
        return images
    padding = [(0, 0)] * images.ndim
    padding[first_axis : first_axis + 2] = [(n // 2, n - n // 2) for n in missing]
    return np.pad(images, padding, mode="reflect")


def _origins(height: int, width: int, angles: np.ndarray, moves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where in the original each pixel comes from: rows and columns, (batch, height, width)."""
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    cosine, sine = (f(angles).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
    down = (np.arange(height) - middle_row - moves[0][:, None]).astype(np.float32)[:, :, None]
    right = (np.arange(width) - middle_column - moves[1][:, None]).astype(np.float32)[:, None, :]
    rows = cosine * down + sine * right + np.float32(middle_row)
    columns = cosine * right - sine * down + np.float32(middle_column)
    return np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)


def _gather(batch: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Pick pixels by their place in the flattened image: places (batch, height, width)."""
    count, channels, height, width = batch.shape
    first = np.arange(count * channels).reshape(count, channels, 1, 1) * (height * width)
    return batch.reshape(-1).take(first + places[:, None])


def _blend(start: np.ndarray, end: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return start + weight * (end - start), float32."""
    end -= start
    end *= weight
    end += start
    return end
