"""Images → what the lossless coder needs to know of their kind. NumPy only; no net is on this path."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np

from isthmus.coding.coders.contexts import ContextCoder
from isthmus.coding.contexts.artefact import BINS, DTYPES, MAX_PLANES, SHIFT, Contexts, Plane
from isthmus.coding.contexts.features import columns, surroundings
from isthmus.coding.contexts.forest import Forest
from isthmus.coding.contexts.scan import Planes
from isthmus.coding.contexts.search import Search
from isthmus.config import ContextsConfig
from isthmus.data.grouping import by_shape, some
from isthmus.data.source import Source
from isthmus.spec import DataSpec
from isthmus.training.boosting import Growth, grow

QUESTIONS = 6
"""How many questions of the search get a forest."""
_LINEAR = 300_000
_LEAST_PIXELS = 20_000
_PIXELS_A_SECOND = 40_000
"""So many leave time for trees: more would be gathered and then not learned from."""


def contexts_for(
    source: Source, indices: Sequence[int] | np.ndarray, config: ContextsConfig, *, seconds: float, seed: int
) -> Contexts | None:
    """Learn contexts from samples of a source; None where the settings or the samples do not allow it."""
    if not config.trees or not learnable(source.spec):
        return None
    images = _images(source, indices)
    if images.size < _LEAST_VALUES:
        return None
    growth = Growth(trees=config.trees, depth=config.depth)
    workers = 2 if images.size > _WORTH_PROCESSES else 1
    learned = fit_contexts(
        images, growth=growth, pixels=config.pixels, seconds=seconds, seed=seed, workers=workers
    )
    grown = any(len(forest.leaves) for plane in learned.planes for forest in plane.forests)
    return learned if grown else None


def bits_per_value(contexts: Contexts, source: Source, indices: Sequence[int] | np.ndarray) -> float:
    """What coding samples that were not learned from takes."""
    coder, values, length = ContextCoder(contexts), 0, 0
    for _, images in by_shape(source, some(indices, source, values=_JUDGED)):
        length += len(coder.encode(images, None) or images.tobytes())
        values += images.size
    return 8 * length / max(1, values)


def learnable(spec: DataSpec) -> bool:
    """Whether contexts can be learned for samples of this kind."""
    return spec.modality == "image" and spec.dtype in DTYPES and spec.channels <= MAX_PLANES


def _images(source: Source, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """Evenly spread samples as one stack; of images of mixed sizes, the corners that all have."""
    samples = source.read(some(indices, source, values=_VALUES))
    height, width = (min(sample.shape[axis] for sample in samples) for axis in (0, 1))
    return np.stack([sample[:height, :width] for sample in samples])


_VALUES = 64_000_000
_JUDGED = 500_000
_LEAST_VALUES = 20_000  # fewer would not repay the bytes of what is learned
_WORTH_PROCESSES = 2_000_000


def fit_contexts(
    images: np.ndarray,
    *,
    growth: Growth | None = None,
    pixels: int = 1_000_000,
    seconds: float = float("inf"),
    seed: int = 0,
    workers: int = 2,
) -> Contexts:
    """Learn how images of this kind are coded best.

    Args:
        images: (image, row, column[, plane]), integers of at most 16 bits, at most 4 planes.
        growth: how forests grow.
        pixels: how many of each plane are learned from.
        seconds: how long all that may take, about.
        seed: of all that is drawn.
        workers: processes that grow forests.
    """
    images = images[..., None] if images.ndim == 3 else images
    count = images.shape[-1]
    order = (1, 0, 2, 3)[:count] if count > 2 else tuple(range(count))  # green tells most of the others
    empty = Contexts(images.dtype.name, order, ())
    walked = empty.to_walk(images).astype(empty.work_dtype)
    growth = replace(growth or Growth(), values_ahead=walked[..., 0].size / 8)
    plain = [_plane(walked, number, empty.levels, seed) for number in range(count)]
    jobs = [(number, depth) for number in range(count) for depth in range(QUESTIONS)]
    each = seconds * workers / len(jobs)
    pixels = int(min(pixels, max(_LEAST_PIXELS, each * _PIXELS_A_SECOND)))
    planes = [
        (walked, number, depth, plain[number], empty.levels, growth, pixels, seed, each)
        for number, depth in jobs
    ]
    if workers > 1:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
            forests = list(pool.map(_forest, *zip(*planes, strict=True)))
    else:
        forests = [_forest(*job) for job in planes]
    grown = [tuple(forests[n * QUESTIONS : (n + 1) * QUESTIONS]) for n in range(count)]
    return Contexts(
        empty.dtype, order, tuple(replace(p, forests=f) for p, f in zip(plain, grown, strict=True))
    )


def _plane(images: np.ndarray, number: int, levels: int, seed: int) -> Plane:
    """A plane without forests: pixels as they are, or as differences to a linear prediction."""
    planes = Planes.of(images, images.dtype)
    at = _draw(images, number, _LINEAR, seed)[0]
    look = planes.gather(at)
    values = look(0, 0, number).astype(np.float64)
    around = surroundings(look, number).astype(np.float64)
    around = np.concatenate([around, np.ones((1, values.size))])
    ridge = np.eye(len(around)) * values.size * 1e-3
    weights = np.linalg.solve(around @ around.T + ridge, around @ values)
    whole = np.rint(weights * 2**SHIFT).astype(np.int32)
    linear = Plane(whole, _no_search(-levels // 2, levels), ())
    difference = linear.symbol(look(0, 0, number), linear.predict(look, number, levels))
    as_is = _entropy(values.astype(np.int64)) <= _entropy(difference)
    symbols = values.astype(np.int64) if as_is else difference
    search = _search(symbols, 0 if as_is else -levels // 2, levels)
    return Plane(whole[:0] if as_is else whole, search, ())


def _entropy(symbols: np.ndarray) -> float:
    share = np.unique(symbols, return_counts=True)[1] / symbols.size
    return float(-(share * np.log2(share)).sum())


def _no_search(low: int, levels: int) -> Search:
    return Search(low, np.ones(BINS, np.int32), levels // BINS, np.zeros(1, np.int32))


def _search(symbols: np.ndarray, low: int, levels: int) -> Search:
    """Thresholds that halve what is left, as nearly as symbols allow, and the counts of all symbols."""
    counts = np.bincount(symbols - low, minlength=levels)
    before = np.concatenate([[0], np.cumsum(counts)])
    thresholds = np.zeros(2**QUESTIONS, np.int32)
    ranges = {1: (0, levels - 1)}
    for node in range(1, 2**QUESTIONS):
        first, last = ranges[node]
        if first < last:
            shares = before[first + 1 : last + 1] - before[first]
            middle = first + int(np.abs(2 * shares - (before[last + 1] - before[first])).argmin())
        else:
            middle = first
        thresholds[node] = middle + low
        ranges[2 * node], ranges[2 * node + 1] = (first, middle), (min(middle + 1, last), last)
    width = levels // BINS
    bins = counts.reshape(BINS, width).sum(axis=1)
    scaled = np.maximum(1, np.rint(bins * (60_000 / max(1, bins.max())))).astype(np.int32)
    return Search(low, scaled, width, thresholds)


def _forest(
    images: np.ndarray,
    number: int,
    depth: int,
    plane: Plane,
    levels: int,
    growth: Growth,
    pixels: int,
    seed: int,
    seconds: float,
) -> Forest:
    """Grow the forest that answers the questions of one depth in one plane."""
    started = time.monotonic()
    planes = Planes.of(images, images.dtype)
    at, weights = _draw(images, number, pixels, seed + 1, only=(plane, depth, levels))
    if at[0].size < 1000:
        return Forest(0, *(np.empty((0, n), np.int32) for n in (growth.depth, growth.depth, 2**growth.depth)))
    look = planes.gather(at)
    predicted = plane.predict(look, number, levels)
    symbols = plane.symbol(look(0, 0, number), predicted)
    state = plane.search.start(symbols.size)
    for _ in range(depth):
        state = plane.search.follow(state, symbols > plane.search.middles(state))
    rows, cols = (axis.astype(images.dtype) for axis in at[1:])
    known = [*columns(look, number, predicted, rows, cols), state.low]
    features = np.stack(known, dtype=images.dtype, casting="unsafe")
    truth = symbols > plane.search.middles(state)
    left = seconds - (time.monotonic() - started)
    return grow(features, truth, weights, growth, seed=seed * 1000 + number * 10 + depth, seconds=left)


_At = tuple[np.ndarray, np.ndarray, np.ndarray]


def _draw(
    images: np.ndarray,
    number: int,
    count: int,
    seed: int,
    only: tuple[Plane, int, int] | None = None,
) -> tuple[_At, np.ndarray]:
    """Random pixels (image, row, column), the telling ones more often, and what each stands for.

    Args:
        images: to draw from.
        number: of the plane.
        count: how many, about.
        seed: of the drawing.
        only: keep those whose search is still open after so many questions.
    """
    random = np.random.default_rng(seed)
    sides = images.shape[:3]
    total = int(np.prod(sides))
    drawn = np.unique(random.integers(0, total, min(total, 6 * count)))
    at: _At = np.unravel_index(drawn, sides)  # type: ignore[assignment]
    if only is not None:
        drawn, at = _still_open(images, number, at, drawn, *only)
    odds = _telling(images, at, number)
    odds = np.minimum(1, odds * (count / max(odds.sum(), 1e-9)))
    kept = random.random(odds.size) < odds
    images_at, rows, cols = (axis[kept] for axis in at)
    return (images_at, rows, cols), (1 / odds[kept]).astype(np.float32)


def _still_open(
    images: np.ndarray, number: int, at: _At, drawn: np.ndarray, plane: Plane, depth: int, levels: int
) -> tuple[np.ndarray, _At]:
    if plane.weights.size and depth < 2:
        return drawn, at  # next to none are known by then, and predicting all would take long
    kept = np.ones(drawn.size, bool)
    if not plane.weights.size:
        symbols = images[at][:, number].astype(np.int64)
        state = plane.search.start(symbols.size)
        for _ in range(depth):
            state = plane.search.follow(state, symbols > plane.search.middles(state))
        kept = state.open
    return drawn[kept], tuple(axis[kept] for axis in at)  # type: ignore[return-value]


def _telling(images: np.ndarray, at: _At, number: int) -> np.ndarray:
    """How uncertain a pixel is, roughly, by its neighbours: bits, a little more than 0."""
    plane = images[..., number]
    image, row, col = at
    value = plane[at]
    cuts = np.unique(np.quantile(value[::97], (0.25, 0.5, 0.75, 0.9)))
    level = lambda values: np.searchsorted(cuts, values)  # noqa: E731
    west = level(plane[image, row, np.maximum(col - 1, 0)])
    north = level(plane[image, np.maximum(row - 1, 0), col])
    far = level(plane[image, np.maximum(row - 1, 0), np.minimum(col + 1, plane.shape[2] - 1)])
    context = (west * 5 + north) * 5 + far
    counts = np.bincount(context * 5 + level(value), minlength=625).reshape(125, 5) + 1e-9
    share = counts / counts.sum(axis=1, keepdims=True)
    return (-(share * np.log2(share)).sum(axis=1) + 0.1)[context]
