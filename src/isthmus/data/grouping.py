"""Samples a block's worth at a time, and in groups of one shape: few enough to fit in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from isthmus.data.source import Source
from isthmus.spec import DataSpec

BLOCK_ITEMS = 256
BLOCK_BYTES = 4 << 20  # of raw samples; one sample larger than this is a block by itself
ARRAY_BLOCK_ITEMS = 1 << 20  # of arrays, whose items may be single numbers …
BYTE_BLOCK_ITEMS = 1 << 24  # … or single bytes, often text, of which xz sees as much at a time …
ARRAY_BLOCK_BYTES = 16 << 20  # … and gain from long blocks: fields over time, telemetry
PICTURE_TYPES = ("uint8", "uint16")


def archive_blocks(source: Source) -> Iterator[range]:
    """The samples of each block of an archive, in order.

    Pictures: at most BLOCK_ITEMS and BLOCK_BYTES. Other arrays: at most ARRAY_BLOCK_ITEMS, of
    single bytes BYTE_BLOCK_ITEMS, and ARRAY_BLOCK_BYTES. A sample that is larger is a block by itself.
    """
    spec = source.spec
    if not spec.is_fixed:
        yield from (range(block[0], block[-1] + 1) for block in blocks(source))
        return
    count = items_in_block(spec)
    for start in range(0, len(source), count):
        yield range(start, min(start + count, len(source)))


def items_in_block(spec: DataSpec) -> int:
    """The most samples of one shape that a block of an archive holds.

    >>> items_in_block(DataSpec(modality="array", axes=(), shape=(), dtype="float32"))
    1048576
    >>> items_in_block(DataSpec(modality="image", axes=("height", "width"), shape=(28, 28), dtype="uint8"))
    256
    """
    picture = spec.modality == "image" and spec.dtype in PICTURE_TYPES
    items, size = (BLOCK_ITEMS, BLOCK_BYTES) if picture else (ARRAY_BLOCK_ITEMS, ARRAY_BLOCK_BYTES)
    each = math.prod(side or 0 for side in spec.shape) * np.dtype(spec.dtype).itemsize
    if each == 1 and not picture:
        items = BYTE_BLOCK_ITEMS
    return max(1, min(items, size // max(1, each)))


def blocks(source: Source, indices: Sequence[int] | None = None) -> Iterator[Sequence[int]]:
    """Runs of at most BLOCK_ITEMS samples and, beyond the first, BLOCK_BYTES of raw data.

    Args:
        source: whose samples.
        indices: those to take, in this order; None takes all.
    """
    order: Sequence[int] = range(len(source)) if indices is None else indices
    shapes, itemsize = source.shapes(), np.dtype(source.spec.dtype).itemsize
    start, held = 0, 0
    for position, index in enumerate(order):
        size = int(np.prod(shapes[index])) * itemsize
        if position > start and (position - start == BLOCK_ITEMS or held + size > BLOCK_BYTES):
            yield order[start:position]
            start, held = position, 0
        held += size
    if start < len(order):
        yield order[start:]


def by_shape(source: Source, indices: Sequence[int] | None = None) -> Iterator[tuple[list[int], np.ndarray]]:
    """The same, read: indices and samples stacked (sample, …), in groups of one shape."""
    for block in blocks(source, indices):
        for positions, samples in group_by_shape(source.read(block)):
            yield [block[position] for position in positions], samples


def group_by_shape(samples: Sequence[np.ndarray]) -> Iterator[tuple[list[int], np.ndarray]]:
    """Positions and stacked samples of each shape, by first appearance.

    >>> groups = group_by_shape([np.zeros(2), np.zeros(3), np.ones(2)])
    >>> [(positions, stack.shape) for positions, stack in groups]
    [([0, 2], (2, 2)), ([1], (1, 3))]
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for position, sample in enumerate(samples):
        groups.setdefault(sample.shape, []).append(position)
    for positions in groups.values():
        yield positions, np.stack([samples[position] for position in positions])


def some(indices: Sequence[int] | np.ndarray, source: Source, *, values: int) -> list[int]:
    """Evenly spaced members of `indices`, at least one, holding about `values` values at most."""
    each = max(1, source.raw_bytes // np.dtype(source.spec.dtype).itemsize // max(1, len(source)))
    count = min(len(indices), max(1, values // each))
    return [int(indices[position * len(indices) // count]) for position in range(count)] if count else []
