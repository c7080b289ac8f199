"""In which order the points of an array are coded: steps, each of points that do not need one another.

The array is a row of frames (axis 0), each with any number of inner axes. Frames go from coarse to
fine: first frame 0, then the one half-way through, then the quarters … so that each later frame lies
between known ones. Inside a frame the same holds for its points: first its corner, then each step halves
the distance along one axis. Which axis is halved when is free, and the coder chooses it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Slices = tuple[slice, ...]


@dataclass(frozen=True)
class Step:
    """Points coded at once: every second line of a grid whose other lines are known.

    Each of the four is a way to cut the array. `axis` is None for the corners of frames, which
    have no known points in their own frame; `references` is None for frame 0.
    """

    axis: int | None
    targets: Slices
    known: Slices
    references: Slices | None
    """The targets' places in the known frames around."""
    references_known: Slices | None


def walk(shape: Sequence[int], order: Sequence[int]) -> Iterator[Step]:
    """All steps, in order; each point is the target of exactly one.

    Args:
        shape: (frames, inner …), none 0.
        order: the inner axis, from 1, that is halved at each step, the last step first.

    >>> [step.targets for step in walk((1, 3), [1, 1])]  # doctest: +ELLIPSIS
    [(slice(0, 1, None), slice(None, None, 4)), (slice(0, 1, None), slice(2, None, 4)), ...]
    """
    for frames, around in _frames(shape[0]):
        strides = [1] * len(shape)
        for axis in order:
            strides[axis] *= 2
        inner = _grid(strides)
        yield Step(None, (frames, *inner), (frames, *inner), _join(around, inner), None)
        for axis in reversed(order):
            known = _grid(strides)
            half = strides[axis] // 2
            targets = (*known[: axis - 1], slice(half, None, 2 * half), *known[axis:])
            yield Step(
                axis, (frames, *targets), (frames, *known), _join(around, targets), _join(around, known)
            )
            strides[axis] = half


def halvings(shape: Sequence[int]) -> int:
    """How many entries an order for this shape has."""
    return sum((size - 1).bit_length() for size in shape[1:])


def is_order(order: Sequence[int], shape: Sequence[int]) -> bool:
    """Whether `order` halves each inner axis just often enough to leave one corner."""
    counts = np.bincount(np.array(order, np.int64), minlength=len(shape)).tolist()
    return counts == [0, *((size - 1).bit_length() for size in shape[1:])]


def _frames(count: int) -> Iterator[tuple[slice, slice | None]]:
    yield slice(0, 1), None
    for level in range((count - 1).bit_length() - 1, -1, -1):
        stride = 1 << level
        yield slice(stride, None, 2 * stride), slice(0, None, 2 * stride)


def _grid(strides: Sequence[int]) -> Slices:
    return tuple(slice(None, None, stride) for stride in strides[1:])


def _join(frames: slice | None, inner: Slices) -> Slices | None:
    return None if frames is None else (frames, *inner)


def points(shape: Sequence[int], step: Step) -> int:
    """How many targets a step has."""
    return math.prod(len(range(*cut.indices(size))) for cut, size in zip(step.targets, shape, strict=True))
