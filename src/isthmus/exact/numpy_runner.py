"""Symbols → whole numbers, the same on every machine: *the* decoder.

docs/decisions/0009 says what it computes, and why floats can carry it.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from isthmus.exact.activations import decay_table, table
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
from isthmus.exact.limits import Product
from isthmus.exact.ops import TABLES, Op, Scale
from isthmus.exact.parallel import in_parts
from isthmus.exact.program import IntegerProgram
from isthmus.exact.shapes import largest
from isthmus.exact.tiles import Change, Part, at, parts_of, put, room_for

PART = 1 << 18
"""Numbers of the largest value that one thread works on at a time: 1 MB, about a core's cache."""
SOFTMAX_BITS = 15


class IntegerRunner:
    """Carries a program out in integers.

    >>> from isthmus.exact.weights import IntegerWeights
    >>> program = IntegerProgram(
    ...     (2,),
    ...     (Op("dequantise", (0,), "z", (), Scale(-1, -9, 9)), Op("linear", (1,), "a", (), Scale(0, -9, 9))),
    ...     {"a.weight": IntegerWeights(np.int8([[1, 1]]), np.int8([0])),
    ...      "a.bias": IntegerWeights(np.int16([1]), np.int8([0]))},
    ...     step=np.float32([0.5, 1]), offset=np.float32([0, 0]))
    >>> IntegerRunner(program)(np.int32([[1, 2], [-3, 0]])).tolist()
    [[4.0], [0.0]]
    """

    def __init__(self, program: IntegerProgram) -> None:
        self._program = program
        self._steps = [self._step(op, position) for position, op in enumerate(program.ops)]

    def __reduce__(self) -> tuple[type, tuple[IntegerProgram]]:
        return type(self), (self._program,)  # the steps are made again where it is unpickled

    def __call__(
        self,
        symbols: np.ndarray,
        after: Change | None = None,
        into: np.ndarray | None = None,
    ) -> np.ndarray:
        """int32 (batch, *code) → float32 (batch, *sample), whole numbers of the scale `program.result`.

        Args:
            after: what is done to each part of the result before it is put in its place, value by value,
                on the thread that made it.
            into: where the result is put and returned; images may be cropped. None makes it.
        Raises:
            DamagedFile: a sample would take far more memory than it is worth.
        """
        shapes = self._program.require_affordable(symbols.shape[1:])
        parts = parts_of(
            len(symbols), max(1, PART // max(1, largest(shapes))), shapes, self._program.locality
        )
        made = room_for(len(symbols), shapes[-1]) if into is None else into

        def run(part: Part) -> None:
            values = carry_out(self._program.ops, self._steps, inward(symbols[at(part.seen)]))
            put(outward(values), part, made, after)

        in_parts(run, parts)
        return made

    def _step(self, op: Op, position: int) -> Step:
        given, made = self._program.scales[op.inputs[0]], self._program.scales[position + 1]
        if op.kind == "dequantise":
            return partial(_dequantise, self._program.step, self._program.offset, made)
        if op.kind in ("linear", "conv"):
            return _product(op, self._program.products[position], made)
        if op.kind in TABLES:
            return partial(_look_up, table(op.kind, given, made), given.low)
        if op.kind == "softmax":
            return partial(_softmax, decay_table(given, SOFTMAX_BITS), made)
        if op.kind == "add":
            scales = [self._program.scales[value] for value in op.inputs]
            return partial(_add, [2.0 ** (scale.exponent - made.exponent) for scale in scales], made)
        return _already if op.kind == "relu" and given.low == 0 else partial(move, op)


def _dequantise(step: np.ndarray, offset: np.ndarray, made: Scale, symbols: np.ndarray) -> np.ndarray:
    """floor(symbol · step + offset + 1/2) in units of `made`, one float64 operation after the other.

    IEEE 754 fixes the result of each, so all machines agree.
    """
    values = np.clip(symbols, -MAX_SYMBOL, MAX_SYMBOL).astype(np.float64)
    values *= per_channel(np.ldexp(step.astype(np.float64), -made.exponent), symbols)
    values += per_channel(np.ldexp(offset.astype(np.float64), -made.exponent), symbols)
    return _rounded(values, made)


MAX_SYMBOL = 2**20


def _rounded(values: np.ndarray, made: Scale) -> np.ndarray:
    """floor(x + 1/2), held between the limits; works in place."""
    values += 0.5
    np.floor(values, out=values)
    return np.clip(values, made.low, made.high, out=values).astype(np.float32, copy=False)


def _product(op: Op, product: Product, made: Scale) -> Step:
    matrix, bias = as_matrix(product.weight), product.bias
    side = product.weight.shape[-1] if op.kind == "conv" else 1
    stride = op.numbers[0] if op.kind == "conv" else 1

    def run(values: np.ndarray, plus: np.ndarray | None = None) -> np.ndarray:
        added = None if plus is None else plus.reshape(-1, plus.shape[-1])

        def finish(sums: np.ndarray, rows: slice) -> None:
            sums += bias  # with the 1/2 of the rounding
            if added is not None:
                sums += added[rows] if product.plus == 1 else added[rows] * np.float32(product.plus)
            np.floor(sums, out=sums)
            np.clip(sums, made.low, made.high, out=sums)

        return multiply(values, matrix, side, stride, finish)

    return run


def _look_up(entries: np.ndarray, low: int, values: np.ndarray) -> np.ndarray:
    return entries.take((values - np.float32(low)).astype(np.intp))


def _softmax(decay: np.ndarray, made: Scale, values: np.ndarray) -> np.ndarray:
    """Shares of whole numbers: sums are exact, and IEEE 754 fixes the quotient."""
    axis = channel_axis(values)
    below = values.max(axis=axis, keepdims=True) - values
    powers = decay.take(below.astype(np.intp))
    powers *= 2.0**-made.exponent
    return _rounded(powers / (powers.sum(axis=axis, keepdims=True) * 2.0**made.exponent), made)


def _add(units: list[float], made: Scale, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    total = one.astype(np.float64) * units[0]
    total += other.astype(np.float64) * units[1]
    return _rounded(total, made)


def _already(values: np.ndarray) -> np.ndarray:
    return values
