"""The operations on NumPy arrays. An image is held channels last: (sample, height, width, channel).

Matrix products go through the array in strips that fit a core's cache, and each strip is finished
(bias, rounding, limits) while it is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided

from isthmus.exact.ops import Op

STRIP = 1 << 17
"""Numbers in one strip of a product's input."""
Finish = Callable[[np.ndarray, slice], None]
"""Works in place on rows of a product's result; the slice says which rows they are."""
Step = Callable[..., np.ndarray]
"""One operation, made ready: the values it reads → the value it makes."""


def carry_out(ops: Sequence[Op], steps: Sequence[Step], start: np.ndarray) -> np.ndarray:
    """Each step on the values it reads; a value is let go of after its last reader."""
    last = {value: position for position, op in enumerate(ops) for value in op.inputs}
    values = {0: start}
    for position, (op, step) in enumerate(zip(ops, steps, strict=True)):
        values[position + 1] = step(*(values[value] for value in op.inputs))
        for value in set(op.inputs):
            if last[value] == position:
                del values[value]
    return values[len(ops)]


def inward(values: np.ndarray) -> np.ndarray:
    """(sample, channel, height, width) → channels last; other arrays as they are."""
    return np.ascontiguousarray(values.transpose(0, 2, 3, 1)) if values.ndim == 4 else values


def outward(values: np.ndarray) -> np.ndarray:
    """Undo `inward`, as a view."""
    return values.transpose(0, 3, 1, 2) if values.ndim == 4 else values


def as_matrix(weight: np.ndarray) -> np.ndarray:
    """PyTorch's (out, in) or (out, in, side, side) → (in, out), neighbours in the order of `_windows`."""
    turned = weight.T if weight.ndim == 2 else weight.transpose(2, 3, 1, 0).reshape(-1, len(weight))
    return np.ascontiguousarray(turned)


def multiply(values: np.ndarray, matrix: np.ndarray, side: int, stride: int, finish: Finish) -> np.ndarray:
    """A linear layer, or the convolution of `side` and `stride`, finished strip by strip: float32.

    Args:
        values: float32 (sample, …, in).
        matrix: (side² · in, out); its type is the one to compute in.
        side: of the window around each pixel; 1 for a linear layer.
        stride: pixels from window to window.
        finish: what is done to the products.
    """
    windows = _windows(values, side, stride)
    shape = windows.shape[:3]
    made = np.empty((math.prod(shape), matrix.shape[1]), np.float32)
    for at, lines in _strips(shape, len(matrix)):
        strip = windows[lines].astype(matrix.dtype, copy=False).reshape(-1, len(matrix))
        if matrix.dtype == made.dtype:
            finish(np.matmul(strip, matrix, out=made[at]), at)
        else:
            finish(wide := strip @ matrix, at)
            made[at] = wide
    return made.reshape(*shape[: values.ndim - 1], matrix.shape[1])


def _strips(shape: tuple[int, int, int], inputs: int) -> Iterator[tuple[slice, tuple[slice, ...]]]:
    """Rows of the product, and where in (sample, height) their windows are."""
    samples, height, width = shape
    several = STRIP // (height * width * inputs)
    if several:
        for sample in range(0, samples, several):
            stop, each = min(sample + several, samples), height * width
            yield slice(sample * each, stop * each), (slice(sample, stop),)
        return
    lines = max(1, STRIP // (width * inputs))
    for sample in range(samples):
        for top in range(0, height, lines):
            first, bottom = sample * height, min(top + lines, height)
            rows = slice((first + top) * width, (first + bottom) * width)
            yield rows, (slice(sample, sample + 1), slice(top, bottom))


def _windows(values: np.ndarray, side: int, stride: int) -> np.ndarray:
    """A view (sample, height, width, side, side · channel) of all windows, with zeros around the image.

    The pixels of one line of a window lie side by side in memory, so each is one stretch.
    """
    if values.ndim == 2:
        return values[:, None, None, None, :]
    samples, height, width, channels = values.shape
    if side == stride == 1:
        return values[:, :, :, None, :]
    edge = side // 2
    framed = np.zeros((samples, height + 2 * edge, width + 2 * edge, channels), np.float32)
    framed[:, edge : edge + height, edge : edge + width] = values
    sample, row, pixel, one = framed.strides
    shape = (samples, -(-height // stride), -(-width // stride), side, side * channels)
    return as_strided(framed, shape, (sample, row * stride, pixel * stride, row, one), writeable=False)


def move(op: Op, values: np.ndarray) -> np.ndarray:
    """Carry out one of `ops.MOVES`."""
    return _MOVES[op.kind](values, op.numbers)


def _relu(values: np.ndarray, numbers: tuple[int, ...]) -> np.ndarray:
    return np.maximum(values, np.float32(0))


def _flatten(values: np.ndarray, numbers: tuple[int, ...]) -> np.ndarray:
    return outward(values).reshape(len(values), math.prod(values.shape[1:]))


def _reshape(values: np.ndarray, numbers: tuple[int, ...]) -> np.ndarray:
    return inward(_flatten(values, numbers).reshape(len(values), *numbers))


def _shuffle(values: np.ndarray, numbers: tuple[int, ...]) -> np.ndarray:
    (factor,) = numbers
    samples, height, width, depth = values.shape
    less = depth // factor**2
    parts = values.reshape(samples, height, width, less, factor, factor)
    return parts.transpose(0, 1, 4, 2, 5, 3).reshape(samples, height * factor, width * factor, less)


def _unshuffle(values: np.ndarray, numbers: tuple[int, ...]) -> np.ndarray:
    (factor,) = numbers
    samples, height, width, depth = values.shape
    height, width = height // factor, width // factor
    parts = values.reshape(samples, height, factor, width, factor, depth)
    return parts.transpose(0, 1, 3, 5, 2, 4).reshape(samples, height, width, depth * factor**2)


def _crop(values: np.ndarray, numbers: tuple[int, ...]) -> np.ndarray:
    height, width = numbers
    return values[:, :height, :width]


def _pad(values: np.ndarray, numbers: tuple[int, ...]) -> np.ndarray:
    (stride,) = numbers
    below, right = (-side % stride for side in values.shape[1:3])
    return np.pad(values, ((0, 0), (0, below), (0, right), (0, 0)), mode="edge") if below or right else values


def _take(values: np.ndarray, numbers: tuple[int, ...]) -> np.ndarray:
    (count,) = numbers
    return values[..., :count] if values.ndim == 4 else values[:, :count]


_MOVES: dict[str, Callable[[np.ndarray, tuple[int, ...]], np.ndarray]] = {
    "relu": _relu,
    "flatten": _flatten,
    "reshape": _reshape,
    "shuffle": _shuffle,
    "unshuffle": _unshuffle,
    "crop": _crop,
    "pad": _pad,
    "take": _take,
}


def per_channel(constants: np.ndarray, like: np.ndarray) -> np.ndarray:
    """(channel,) constants, shaped to meet an array that `inward` gave."""
    return constants if like.ndim == 4 else constants.reshape(-1, *[1] * (like.ndim - 2))


def channel_axis(values: np.ndarray) -> int:
    """Where the first axis of a sample is."""
    return -1 if values.ndim == 4 else 1
