"""The batches of a training run: same seed, epoch and step, same batch, whatever happened before.

Small sources live in memory in their own dtype, and a batch is one gather; larger ones are read
again in every epoch, a few batches ahead of the net.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from isthmus.config import DataConfig, require
from isthmus.data.augment import crop, crop_stack
from isthmus.data.source import Source

READ_AHEAD = 4  # batches in flight while the net is busy with another
READERS = 2
READ_AT_ONCE = 256  # samples decoded before they move into the one array, which bounds the peak
DEFAULT_CROP = 128
CROP_STEP = 16  # a default crop is a multiple of this, so that nets which halve sizes need no padding


class Batches:
    """Batches of samples in their own dtype, shuffled anew in every epoch.

    Only full batches are given, so an epoch leaves out up to batch_size - 1 samples, others each
    time; but if there are fewer than batch_size in all, every batch holds all of them.

    Args:
        source: where the samples are.
        indices: which of them to use.
        batch_size: samples in a batch.
        data: decides on the crop and on how much may be held in memory. Images of mixed sizes are
            always cropped; without a `crop`, to the largest multiple of 16 that fits the smallest
            of them, at most 128.
        seed: of the order and the crops.

    >>> from isthmus.data import open_source
    >>> batches = Batches(open_source("digits"), range(1000), 300, data=DataConfig(), seed=0)
    >>> batches.steps_per_epoch, [batch.shape for batch in batches.epoch(0, start=2)]
    (3, [(300, 8, 8)])
    """

    def __init__(
        self,
        source: Source,
        indices: Sequence[int] | np.ndarray,
        batch_size: int,
        *,
        data: DataConfig,
        seed: int,
    ) -> None:
        require(len(indices) > 0, "the number of samples to train on", "at least 1", len(indices))
        self.source = source
        self.indices = np.asarray(indices, dtype=np.int64)
        self.batch_size = min(batch_size, len(self.indices))
        self.seed = seed
        self.crop = _crop_side(source, self.indices, data)
        needed = source.raw_bytes * len(self.indices) / len(source)
        self.is_in_memory = needed <= data.memory_limit_mb * 2**20
        self._read = _held(source, self.indices) if self.is_in_memory else self._read_source

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        return len(self.indices) // self.batch_size

    def epoch(self, number: int, start: int = 0) -> Iterator[np.ndarray]:
        """Yield the batches of epoch `number` from step `start` on, each (batch, *sample)."""
        order = np.random.default_rng((self.seed, number)).permutation(len(self.indices))
        steps = range(start, self.steps_per_epoch)

        def batch(step: int) -> np.ndarray:
            chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
            return self._assemble(chosen, number, step)

        return map(batch, steps) if self.is_in_memory else _ahead(batch, steps)

    def _assemble(self, chosen: np.ndarray, epoch: int, step: int) -> np.ndarray:
        samples = self._read(chosen)
        if self.crop is None:
            return np.stack(samples) if isinstance(samples, list) else samples
        # A generator of its own for each step, so that resuming need not replay the others.
        rng = np.random.default_rng((self.seed, epoch, step))
        if isinstance(samples, list):
            return np.stack([crop(image, self.crop, rng) for image in samples])
        return crop_stack(samples, self.crop, rng)

    def _read_source(self, chosen: np.ndarray) -> np.ndarray | list[np.ndarray]:
        indices = self.indices[chosen]
        return self.source.stack(indices) if self.source.spec.is_fixed else self.source.read(indices)


def _crop_side(source: Source, indices: np.ndarray, data: DataConfig) -> int | None:
    if source.spec.modality != "image":
        require(data.crop is None, "data.crop", "none for data that are not images", data.crop)
        return None
    if data.crop is not None or source.spec.is_fixed:
        return data.crop
    shapes = source.shapes()
    least = min(min(shapes[i][:2]) for i in indices)
    return max(CROP_STEP, min(DEFAULT_CROP, least // CROP_STEP * CROP_STEP))


def _held(source: Source, indices: np.ndarray) -> Callable[[np.ndarray], np.ndarray | list[np.ndarray]]:
    """Read everything once; return the function that picks samples out of it."""
    if not source.spec.is_fixed:
        images = source.read(indices)
        return lambda chosen: [images[i] for i in chosen]
    first = source.stack(indices[:1])
    held = np.empty((len(indices), *first.shape[1:]), first.dtype)
    for start in range(0, len(indices), READ_AT_ONCE):
        stop = start + READ_AT_ONCE
        held[start:stop] = source.stack(indices[start:stop])
    return lambda chosen: held.take(chosen, axis=0)


def _ahead(batch: Callable[[int], np.ndarray], steps: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield batch(step) for each step in order, while threads already make the next ones."""
    pool = ThreadPoolExecutor(READERS, thread_name_prefix="isthmus-read")
    waiting: deque[Future[np.ndarray]] = deque()
    try:
        for step in steps:
            waiting.append(pool.submit(batch, step))
            if len(waiting) > READ_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:  # also when the caller stops early, or an item turns out to be bad
        pool.shutdown(wait=True, cancel_futures=True)
