"""An image → what tells it from others at a glance: a small grey picture, its hash, a row of numbers.

A picture that was resized, recompressed or slightly brightened keeps nearly the same thumbnail; two others
hardly ever share one. NumPy only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np

SIDE = 16
"""Rows and columns of a thumbnail."""
BANDS = 4
"""Parts of a hash, of which alike pictures share at least one."""
BAND_BITS = 16
MOST_TOGETHER = 4096
"""Pictures that are compared with one another at a time; of more with one part of a hash, the nearest."""
LEAST_CORRELATION = 0.97
"""Of two thumbnails that are looked at closely …"""
MOST_DIFFERENCE = 0.08
"""… and their most root mean square difference, of white."""
MOST_LEFT = (0.0125, 0.001)
"""They show one picture if one, moved a little, explains the other but for one of these shares: of what
the mean of all pictures does not explain, or of all that varies in it."""
LEAST_CONTRAST = 0.01
"""Deviation of a thumbnail, of white; a flatter one shows nothing that could be recognised."""
LEAST_STEP = 0.004
"""Of white, about one grey level: less is not called brighter."""
DARK, BRIGHT = 0.02, 0.98
"""Of white: below is nearly black, above nearly white."""
LEVELS = 256
"""Of the histogram."""
FIGURES: Mapping[str, int | None] = {
    "width": None, "height": None, "log aspect": 2, "brightness": None, "contrast": 1, "sharpness": 2,
    "black": None, "white": None, "entropy": 2, "saturation": None,
    **{f"{row} {column}": None for row in ("top", "middle", "bottom")
       for column in ("left", "centre", "right")},
}  # fmt: skip
"""Names of the numbers that `figures` gives, each with the digits that are worth telling; None: none."""
RED_GREEN_BLUE = np.array([0.299, 0.587, 0.114], np.float32)


def scaled(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """float32 of the same shape: 0 where the image is `low` or less, 1 where it is `high` or more."""
    values = (image.astype(np.float32) - np.float32(low)) / np.float32(max(high - low, 1e-12))
    return np.clip(values, 0, 1, out=values)


def grey(image: np.ndarray) -> np.ndarray:
    """float32 (height, width): the brightness of a scaled image; alpha is left out.

    >>> grey(np.ones((2, 3, 4), np.float32)).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    if image.ndim == 2:
        return image
    colours = _colours(image)
    if colours.shape[2] == 3:
        return colours @ RED_GREEN_BLUE
    brightness: np.ndarray = colours.mean(axis=2, dtype=np.float32)
    return brightness


def thumbnail(brightness: np.ndarray, rows: int = SIDE, columns: int = SIDE) -> np.ndarray:
    """float32 (rows, columns): means over the parts of the picture, whatever its size.

    >>> thumbnail(np.array([[0, 0, 1, 1], [0, 0, 0, 1]], np.float32), 1, 2).tolist()
    [[0.0, 0.75]]
    """
    height, width = brightness.shape
    return _parts(rows, height) @ brightness @ _parts(columns, width).T


def difference_hash(brightness: np.ndarray) -> int:
    """64 bits: for each of 8 x 8 places whether the picture gets brighter to the right.

    >>> hex(difference_hash(np.linspace(0, 1, 90, dtype=np.float32).reshape(1, 90).repeat(80, 0)))
    '0xffffffffffffffff'
    """
    small = thumbnail(brightness, 8, 9)
    brighter = np.packbits(small[:, 1:] - small[:, :-1] > LEAST_STEP)
    return int.from_bytes(brighter.tobytes(), "big")


def figures(image: np.ndarray, brightness: np.ndarray) -> np.ndarray:
    """float64 (figures,): a row that says what a picture is like; brightness and shares in percent.

    Args:
        image: scaled, with its channels.
        brightness: of it, by `grey`.
    """
    height, width = brightness.shape
    contrast = float(brightness.std())
    dark, bright = float((brightness < DARK).mean()), float((brightness > BRIGHT).mean())
    told = [width, height, np.log2(width / height), 100 * float(brightness.mean()), 100 * contrast]
    told += [_roughness(brightness) / contrast if contrast > 1e-4 else 0.0]
    told += [round(100 * dark), round(100 * bright), _entropy(brightness), 100 * _saturation(image)]
    return np.array([*told, *(100 * thumbnail(brightness, 3, 3)).ravel()], np.float64)


def near_pairs(hashes: np.ndarray, thumbnails: np.ndarray) -> dict[int, tuple[int, float]]:
    """Pictures that look like an earlier one → that one, and how they correlate.

    Flat ones have no likeness. Pictures of which a part of the hash is equal are compared; where these
    are too many, those whose whole hashes are near in order.

    Args:
        hashes: uint64 (pictures,).
        thumbnails: float32 (pictures, SIDE, SIDE).
    """
    flat = thumbnails.reshape(len(thumbnails), SIDE * SIDE)
    away = flat - flat.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.square(away).sum(axis=1))
    places = np.flatnonzero(lengths >= LEAST_CONTRAST * SIDE)
    shapes = away[places] / lengths[places, None]
    found: dict[int, tuple[int, float]] = {}
    if len(places):
        judge = _Judge(thumbnails[places])
        for group in _together(hashes[places]):
            for later, earlier, near in _nearest(shapes, group):
                best = found.get(int(places[later]), (0, 0.0))[1]
                if near > best and judge.are_one(later, earlier):
                    found[int(places[later])] = (int(places[earlier]), round(near, 4))
    return found


def _nearest(shapes: np.ndarray, group: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Of each picture of a group the most alike of the earlier ones, where it is alike enough."""
    near = np.tril(shapes[group] @ shapes[group].T, -1)
    best = near.argmax(axis=1)
    for later in np.flatnonzero(near.max(axis=1) >= LEAST_CORRELATION):
        earlier = best[later]
        yield int(group[later]), int(group[earlier]), float(near[later, earlier])


class _Judge:
    """Whether two thumbnails show one picture, perhaps brightened, or cropped by a little.

    What all pictures share, such as the frame of a solar cell, says nothing: a picture must be explained
    by the other far better than by the mean of all.
    """

    def __init__(self, thumbnails: np.ndarray) -> None:
        self._thumbnails = thumbnails
        self._moved_mean = _moved(thumbnails.mean(axis=0))

    def are_one(self, one: int, other: int) -> bool:
        """By their places."""
        a, b = self._thumbnails[one], self._thumbnails[other]
        if np.sqrt(np.square(a - b).mean()) > MOST_DIFFERENCE:
            return False
        return self._explains(a, b) and self._explains(b, a)

    def _explains(self, one: np.ndarray, other: np.ndarray) -> bool:
        left = _left(_moved(one), other)
        of_own, of_all = MOST_LEFT
        return left <= of_all * SIDE**2 * other.var() or left <= of_own * _left(self._moved_mean, other)


def _moved(picture: np.ndarray) -> np.ndarray:
    """float64 (SIDE * SIDE, 6): what light, small moves and stretching make of a picture."""
    down, along = np.gradient(picture.astype(np.float64))
    place = np.linspace(-1, 1, SIDE)
    parts = [np.ones_like(down), picture, down, along, place[:, None] * down, place * along]
    return np.stack(parts, axis=-1).reshape(SIDE * SIDE, len(parts))


def _left(moved: np.ndarray, picture: np.ndarray) -> float:
    """Sum of the squares that no mixture of the columns explains."""
    values = picture.ravel().astype(np.float64)
    products = moved.T @ moved + 1e-9 * np.eye(moved.shape[1])
    left = values - moved @ np.linalg.solve(products, moved.T @ values)
    return float(left @ left)


def _together(hashes: np.ndarray) -> Iterator[np.ndarray]:
    """Places of hashes that share a band, at least two and at most MOST_TOGETHER."""
    for band in range(BANDS):
        keys = (hashes >> np.uint64(band * BAND_BITS)) & np.uint64((1 << BAND_BITS) - 1)
        order = np.lexsort((hashes, keys))
        starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
        for start, stop in zip(starts, [*starts[1:], len(order)], strict=True):
            for first in range(start, stop - 1, MOST_TOGETHER):
                yield np.sort(order[first : min(stop, first + MOST_TOGETHER)])


@lru_cache(maxsize=64)
def _parts(parts: int, length: int) -> np.ndarray:
    """float32 (parts, length): the weight of each pixel in each part's mean."""
    edges = np.linspace(0, length, parts + 1)
    pixels = np.arange(length)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = covered.clip(min=0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _colours(image: np.ndarray) -> np.ndarray:
    return image[:, :, :3] if image.shape[2] == 4 else image


def _roughness(brightness: np.ndarray) -> float:
    """Mean absolute Laplacian."""
    if min(brightness.shape) < 3:
        return 0.0
    inner = brightness[1:-1, 1:-1]
    around = brightness[:-2, 1:-1] + brightness[2:, 1:-1] + brightness[1:-1, :-2] + brightness[1:-1, 2:]
    return float(np.abs(around - 4 * inner).mean())


def _entropy(brightness: np.ndarray) -> float:
    """Bits that a pixel's brightness says, of at most 8."""
    levels = np.minimum(brightness * LEVELS, LEVELS - 1).astype(np.uint8)
    shares = np.bincount(levels.ravel(), minlength=LEVELS) / levels.size
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())


def _saturation(image: np.ndarray) -> float:
    """How far the strongest colour is above the weakest, as a share of it; 0 for grey."""
    if image.ndim == 2 or _colours(image).shape[2] != 3:
        return 0.0
    most, least = _colours(image).max(axis=2), _colours(image).min(axis=2)
    return float(((most - least) / np.maximum(most, 1e-3)).mean())
