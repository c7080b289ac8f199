"""Curves of lossy rivals for images, as single files and as mosaics, on several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby

import numpy as np
from common_peers import cut, tiles

from isthmus.tasks.curves import Curve, Point
from isthmus.tasks.image_codecs import ImageCodec, image_codecs
from isthmus.tasks.trials import coded

PROCESSES = 2
MOST_FILES = 2000
"""Of more images, evenly spaced ones are taken as single files, and their bytes scaled."""


def rival_curves(images: Sequence[np.ndarray], side: int | None) -> dict[str, list[Curve]]:
    """The curves of every coder, by family; mosaics of side × side, or single files where it is None.

    Args:
        images: uint8, (height, width) or (height, width, 3); of one shape where they make mosaics.
        side: images along the edge of a mosaic.
    """
    codecs = image_codecs(grey=images[0].ndim == 2)
    tasks = [(place, quality) for place, codec in enumerate(codecs) for quality in codec.qualities]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context, _Work.begin, (list(images), side)) as pool:
        points = list(pool.map(_point, tasks))
    found: dict[str, list[Curve]] = {}
    for place, made in groupby(zip(tasks, points, strict=True), key=lambda pair: pair[0][0]):
        curve = Curve(codecs[place].name, tuple(point for _, point in made))
        found.setdefault(codecs[place].family, []).append(curve)
    return found


class _Work:
    """What a process holds between its tasks."""

    images: Sequence[np.ndarray] = ()
    side: int | None = None
    codecs: tuple[ImageCodec, ...] = ()

    @classmethod
    def begin(cls, images: Sequence[np.ndarray], side: int | None) -> None:
        cls.images, cls.side, cls.codecs = images, side, image_codecs(grey=images[0].ndim == 2)


def _point(task: tuple[int, float]) -> Point:
    codec, quality = _Work.codecs[task[0]], task[1]
    if _Work.side is None:
        return single_files(codec, quality, _Work.images)
    return in_mosaics(codec, quality, np.stack(_Work.images), _Work.side)


def single_files(codec: ImageCodec, quality: float, images: Sequence[np.ndarray]) -> Point:
    """A file each; of very many images, some stand for all."""
    count = min(len(images), MOST_FILES)
    some = [images[place * len(images) // count] for place in range(count)]
    total, restored = coded(codec, quality, some)
    return Point.of(round(total * len(images) / count), some, restored)


def in_mosaics(codec: ImageCodec, quality: float, images: np.ndarray, side: int) -> Point:
    """Files of side × side images, whose likeness is judged image by image."""
    total, restored = coded(codec, quality, list(tiles(images, side)))
    cut_out = [image for tile in restored for image in cut(tile, *images.shape[1:3])]
    return Point.of(total, list(images), cut_out)
