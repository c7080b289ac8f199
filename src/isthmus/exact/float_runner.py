"""A program in float32, within 1e-5 of PyTorch: the encoder, and the approximate way to decode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from isthmus.exact.kernels import (
    Step,
    as_matrix,
    carry_out,
    channel_axis,
    inward,
    move,
    multiply,
    outward,
    per_channel,
)
from isthmus.exact.ops import MOVES, Op
from isthmus.exact.parallel import in_parts, one_blas_thread
from isthmus.exact.program import Program
from isthmus.exact.tiles import Change, Part, at, parts_of, put, room_for

Watch = Callable[[int, np.ndarray], None]


class FloatRunner:
    """Carries a program out in float32, within 1e-5 of PyTorch.

    Float sums depend on their order, and that on the shape of a batch: `__call__` takes the batch as
    it is, `in_fixed_batches` gives the same bits whatever the number of samples.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._steps = [self._step(op) for op in program.ops]

    def __reduce__(self) -> tuple[type, tuple[Program]]:
        return type(self), (self._program,)  # the steps are made again where it is unpickled

    def __call__(self, start: np.ndarray, watch: Watch | None = None) -> np.ndarray:
        """float32 (batch, *start) → float32 (batch, *sample).

        Args:
            watch: told the number of each value and the value, channels last.
        """
        self._program.require_affordable(start.shape[1:])
        steps = self._steps
        if watch is not None:
            steps = [partial(_watched, watch, n + 1, step) for n, step in enumerate(steps)]
        with one_blas_thread():
            return outward(carry_out(self._program.ops, steps, inward(start.astype(np.float32))))

    def in_fixed_batches(
        self,
        arrays: np.ndarray,
        before: Change | None = None,
        after: Change | None = None,
        into: np.ndarray | None = None,
        dtype: type[np.generic] = np.float32,
    ) -> np.ndarray:
        """The same in batches of one size, the last filled up with zeros that are cut off again.

        Large images are cut into tiles, in a way that depends on their size alone.

        Args:
            arrays: (batch, *start), in any type if there is a `before`.
            before: what is done to each part of them first, value by value; gives float32.
            after: what is done to each part of the result before it is put in its place.
            into: where the result is put and returned; images may be cropped. None makes it …
            dtype: … of this type.
        """
        shapes, size = self._program.require_affordable(arrays.shape[1:]), batch_size(arrays[:1].size)
        made = room_for(len(arrays), shapes[-1], dtype) if into is None else into

        def run(part: Part) -> None:
            filled = arrays[at(part.seen)]
            batch = np.zeros((size, *filled.shape[1:]), np.float32)
            batch[: len(filled)] = filled if before is None else before(filled)
            put(self(batch)[: len(filled)], part, made, after)

        in_parts(run, parts_of(len(arrays), size, shapes, self._program.locality))
        return made

    def _step(self, op: Op) -> Step:
        if op.kind in MOVES:
            return partial(move, op)
        if op.kind in ("linear", "conv"):
            return self._product(op)
        if op.kind == "line":
            weight, bias = self._of(op, "weight", "bias")
            taps = [np.ascontiguousarray(tap) for tap in np.moveaxis(weight, 2, 0)]
            return partial(_line, taps, bias, op.numbers[0])
        if op.kind == "dequantise":
            return partial(_latents, *self._of(op, "step", "offset"))
        if op.kind == "norm":
            return partial(_norm, *self._of(op, "weight", "bias"))
        return _FLOATS[op.kind]

    def _of(self, op: Op, *names: str) -> list[np.ndarray]:
        return [self._program.tensors[f"{op.weight}.{name}"] for name in names]

    def _product(self, op: Op) -> Step:
        weight, bias = self._of(op, "weight", "bias")
        matrix, side = as_matrix(weight), weight.shape[-1] if op.kind == "conv" else 1
        stride = op.numbers[0] if op.kind == "conv" else 1

        def run(values: np.ndarray, plus: np.ndarray | None = None) -> np.ndarray:
            def finish(sums: np.ndarray, rows: slice) -> None:
                sums += bias
                if plus is not None:
                    sums += plus.reshape(-1, plus.shape[-1])[rows]

            return multiply(values, matrix, side, stride, finish)

        return run


def batch_size(values: int) -> int:
    """A power of two that keeps a batch near 64 thousand input values, 1 to 256 samples.

    >>> batch_size(784), batch_size(90_000)
    (64, 1)
    """
    return int(2 ** np.clip(np.floor(np.log2(_BATCH_VALUES / max(1, values))), 0, 8))


_BATCH_VALUES = 2**16


def _watched(watch: Watch, number: int, step: Step, *values: np.ndarray) -> np.ndarray:
    watch(number, made := step(*values))
    return made


def _latents(step: np.ndarray, offset: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    return symbols * per_channel(step, symbols) + per_channel(offset, symbols)


def _norm(weight: np.ndarray, bias: np.ndarray, values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=1, keepdims=True)
    variance = np.square(centred).mean(axis=1, keepdims=True)
    return centred / np.sqrt(variance + np.float32(1e-5)) * weight + bias


def _line(
    taps: Sequence[np.ndarray],
    bias: np.ndarray,
    apart: int,
    values: np.ndarray,
    plus: np.ndarray | None = None,
) -> np.ndarray:
    """(sample, in, length) → (sample, out, length): a product for each neighbour, with zeros at both ends."""
    samples, _, length = values.shape
    made = np.empty((samples, len(bias), length), np.float32)
    made[:] = bias[:, None]
    for number, tap in enumerate(taps):
        ahead = (number - len(taps) // 2) * apart
        first, last = max(0, -ahead), min(length, length - ahead)
        if first < last:
            made[:, :, first:last] += np.matmul(tap, values[:, :, first + ahead : last + ahead])
    return made if plus is None else made + plus


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return (0.5 + 0.5 * np.tanh(0.5 * values)).astype(np.float32, copy=False)


def _gelu(values: np.ndarray) -> np.ndarray:
    return values * _normal_share(values)


def _normal_share(values: np.ndarray) -> np.ndarray:
    """The mass of the standard normal below x, within 1.5e-7.

    Source: Abramowitz & Stegun 1964, formula 26.2.17.
    """
    x = np.abs(values.astype(np.float64))
    t = 1 / (1 + 0.2316419 * x)
    series = np.zeros_like(x)
    for factor in (1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530):
        series = (series + factor) * t
    tail = np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi) * series
    return np.where(values > 0, 1 - tail, tail).astype(np.float32)


def _softmax_float(values: np.ndarray) -> np.ndarray:
    axis = channel_axis(values)
    powers = np.exp(values - values.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


_FLOATS: dict[str, Step] = {
    "add": np.add,
    "gelu": _gelu,
    "leaky_relu": lambda values: np.where(values > 0, values, values * np.float32(0.01)),
    "sigmoid": _sigmoid,
    "silu": lambda values: values * _sigmoid(values),
    "softmax": _softmax_float,
    "tanh": np.tanh,
}
