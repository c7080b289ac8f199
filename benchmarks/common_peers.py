"""Lossless rivals for images: single files and mosaics, and general compressors over one stream.

Mosaics serve lossy rivals too.
"""

from __future__ import annotations

import bz2
import io
import lzma
import math
from collections.abc import Callable, Iterator

import imagecodecs
import numpy as np
import zstandard
from PIL import Image


def png(image: np.ndarray) -> int:
    return _pillow(image, "png", optimize=True)


def webp(image: np.ndarray) -> int:
    return _pillow(image, "webp", lossless=True, quality=100, method=6)


def jpeg_xl(image: np.ndarray) -> int:
    return len(imagecodecs.jpegxl_encode(image, lossless=True, effort=7))


IMAGE_CODECS: dict[str, Callable[[np.ndarray], int]] = {"png": png, "webp": webp, "jpeg-xl": jpeg_xl}


def _pillow(image: np.ndarray, kind: str, **options: object) -> int:
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    return len(file.getvalue())


def single_files(images: np.ndarray) -> dict[str, int]:
    """Bytes of all images, a file each."""
    return {name: sum(map(codec, images)) for name, codec in IMAGE_CODECS.items()}


def mosaics(images: np.ndarray, side: int) -> dict[str, int]:
    """Bytes of the same images, side × side of them in a file."""
    tiled = list(tiles(images, side))
    assert sum(tile.size for tile in tiled) == images.size
    return {name: sum(map(codec, tiled)) for name, codec in IMAGE_CODECS.items()}


def tiles(images: np.ndarray, side: int) -> Iterator[np.ndarray]:
    """Mosaics in order; what does not fill a whole one makes rows, and a last strip."""
    start = 0
    while start < len(images):
        left = len(images) - start
        rows, columns = (min(side, left // side), side) if left >= side else (1, left)
        taken = images[start : start + rows * columns]
        grid = taken.reshape(rows, columns, *taken.shape[1:])
        height, width = taken.shape[1:3]
        yield np.ascontiguousarray(
            grid.swapaxes(1, 2).reshape(rows * height, columns * width, *taken.shape[3:])
        )
        start += rows * columns


def cut(tile: np.ndarray, height: int, width: int) -> np.ndarray:
    """The images of a mosaic, stacked: undoes `tiles`."""
    rows, columns, rest = tile.shape[0] // height, tile.shape[1] // width, tile.shape[2:]
    grid = tile.reshape(rows, height, columns, width, *rest).swapaxes(1, 2)
    return grid.reshape(rows * columns, height, width, *rest)


def one_stream(images: np.ndarray, training: np.ndarray) -> dict[str, int]:
    """Bytes of all pixels as one stream; with zstd also by blocks of 256 and a trained dictionary."""
    data = images.tobytes()
    return {
        "bz2": len(bz2.compress(data, 9)),
        "xz -9e": len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)),
        "zstd -19": len(zstandard.ZstdCompressor(level=19).compress(data)),
        "zstd -19, dictionary, blocks of 256": _with_dictionary(images, training),
    }


def _with_dictionary(images: np.ndarray, training: np.ndarray) -> int:
    samples = [image.tobytes() for image in training[:: max(1, len(training) // 10_000)]]
    dictionary = zstandard.train_dictionary(1 << 16, samples)
    coder = zstandard.ZstdCompressor(level=19, dict_data=dictionary)
    blocks = range(math.ceil(len(images) / 256))
    coded = sum(len(coder.compress(images[256 * n : 256 * (n + 1)].tobytes())) for n in blocks)
    return coded + len(dictionary.as_bytes())
