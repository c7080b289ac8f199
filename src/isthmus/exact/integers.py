"""A float program + symbols of real samples → the program in integers: how each value is rounded.

Every value gets a power-of-two unit and limits: wide enough for what was seen and half as much
again, and, where that is wanted, so narrow that the sums of the layers that read it fit float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isthmus.exact.activations import MAX_ENTRIES
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.limits import FLOAT32_UNITS, proven, row_reach
from isthmus.exact.ops import KINDS, MAX_EXPONENT, MAX_INTEGER, MOVES, TABLES, Op, Scale
from isthmus.exact.program import IntegerProgram, Program
from isthmus.exact.weights import IntegerWeights, coarsened

HEAD_ROOM = 1.5
"""How far beyond what was seen a value may go before it is clipped."""
SPARE = 0.75
"""Share of float32's room that the products may take; bias and a second input take the rest."""
FINEST = (16, 14, 12, 10, 8)
"""A weight's unit is at most so many bits below the result's: the first that lets sums fit float32."""
REACH = {"silu": (-16.0, None), "gelu": (-8.0, None), "tanh": (-12.0, 12.0), "sigmoid": (-16.0, 16.0)}
"""Beyond these, an activation is 0, or 1, or its input."""


@dataclass(frozen=True)
class Seen:
    """The least and the greatest that a value was, 0 included."""

    low: float = 0.0
    high: float = 0.0


def to_integers(
    program: Program,
    weights: Mapping[str, IntegerWeights],
    batches: Sequence[np.ndarray],
    *,
    narrow: bool,
) -> IntegerProgram:
    """Choose the scales of all values.

    Args:
        program: from symbols on; its weights may be those before rounding.
        weights: the same in integers.
        batches: symbols (batch, channel, *position) of samples like those to come.
        narrow: keep to float32's limits as far as possible, which is twice as fast and less fine.
    Raises:
        ValueError: an operation has no integer form, or the numbers are too large for any.
    """
    seen = _watch(program, batches)
    scales: list[Scale] = [Scale(0, 0, 0)]
    ops: list[Op] = []
    for position, op in enumerate(program.ops):
        value, given = position + 1, scales[op.inputs[0]]
        if op.kind in MOVES:
            ops.append(op)
            scales.append(Scale(given.exponent, 0, given.high) if op.kind == "relu" else given)
        elif not KINDS[op.kind].scaled:
            raise ValueError(f"an operation {op.kind!r} in integers")
        else:
            readers = list(_readers(program.ops, value))
            scales.append(_scale(_needed(seen[value], readers), readers, weights if narrow else {}))
            ops.append(replace(op, scale=scales[-1]))
    name = program.ops[0].weight
    return IntegerProgram(
        start=program.start,
        ops=tuple(ops),
        weights=_felt(ops, scales, weights, narrow=narrow),
        step=program.tensors[f"{name}.step"],
        offset=program.tensors[f"{name}.offset"],
    )


def _watch(program: Program, batches: Sequence[np.ndarray]) -> dict[int, Seen]:
    seen: dict[int, Seen] = {}

    def watch(value: int, made: np.ndarray) -> None:
        before = seen.get(value, Seen())
        low, high = float(made.min(initial=0)), float(made.max(initial=0))
        seen[value] = Seen(min(before.low, low), max(before.high, high))

    run = FloatRunner(program)
    for batch in batches:
        run(batch, watch)
    return seen


def _readers(ops: Sequence[Op], value: int, *, positive: bool = False) -> Iterator[tuple[Op, int, bool]]:
    """Who computes with a value: the operation, as which of its inputs, and whether behind a relu.

    Moves are looked through.
    """
    for position, op in enumerate(ops):
        for place, read in enumerate(op.inputs):
            if read != value:
                continue
            if op.kind in MOVES:
                yield from _readers(ops, position + 1, positive=positive or op.kind == "relu")
            else:
                yield op, place, positive
    if value == len(ops):
        yield Op("relu", (value,)), 0, positive  # whoever takes the result


def _needed(seen: Seen, readers: Sequence[tuple[Op, int, bool]]) -> Seen:
    """What must be told apart: no more than every reader makes something of."""
    low, high = seen.low * HEAD_ROOM, seen.high * HEAD_ROOM
    if readers and all(positive for _, _, positive in readers):
        low = 0.0
    if readers and all(op.kind in REACH for op, _, _ in readers):
        lows, highs = zip(*(REACH[op.kind] for op, _, _ in readers), strict=True)
        low = max(low, min(lows))
        high = high if None in highs else min(high, max(highs))
    return Seen(low, high)


def _scale(
    needed: Seen, readers: Sequence[tuple[Op, int, bool]], weights: Mapping[str, IntegerWeights]
) -> Scale:
    """The finest scale that holds what is needed and that every reader can bear."""
    for exponent in range(-_FINE, MAX_EXPONENT + 1):
        low, high = (float(np.ldexp(side, -exponent)) for side in (needed.low, needed.high))
        if max(-low, high) > MAX_INTEGER:
            continue
        scale = Scale(exponent, int(np.floor(low)), int(np.ceil(high)))
        if all(_bears(reader, scale, weights) for reader in readers):
            return scale
    raise ValueError("values too large for integers")


_FINE = 30  # values that are always 0 get this exponent


def _bears(reader: tuple[Op, int, bool], scale: Scale, weights: Mapping[str, IntegerWeights]) -> bool:
    op, place, positive = reader
    if op.kind in (*TABLES, "softmax"):
        return scale.high - scale.low < MAX_ENTRIES
    stored = weights.get(f"{op.weight}.weight")
    if stored is None or place or _is_fine(stored):
        return True
    given = replace(scale, low=0) if positive else scale
    return bool(
        row_reach(stored.values.reshape(len(stored.values), -1), given).max() <= SPARE * FLOAT32_UNITS
    )


def _felt(
    ops: Sequence[Op], scales: Sequence[Scale], weights: Mapping[str, IntegerWeights], *, narrow: bool
) -> dict[str, IntegerWeights]:
    """The weights without digits that are too fine to be felt in the result."""
    felt = dict(weights)
    for position, op in enumerate(ops):
        if op.kind in ("linear", "conv"):
            name, given, made = f"{op.weight}.weight", scales[op.inputs[0]], scales[position + 1]
            plus = scales[op.inputs[1]] if len(op.inputs) == 2 else None
            tried = [
                coarsened(weights[name], made.exponent - given.exponent - digits)
                for digits in (FINEST if narrow and not _is_fine(weights[name]) else FINEST[:1])
            ]
            fitting = (
                one for one in tried if _is_narrow(one, weights[f"{op.weight}.bias"], given, made, plus)
            )
            felt[name] = next(fitting, tried[0])
    return felt


def _is_fine(weight: IntegerWeights) -> bool:
    """Weights of 16 bits are there to be fine, and float64 carries them."""
    return weight.values.dtype != np.int8


def _is_narrow(
    weight: IntegerWeights, bias: IntegerWeights, given: Scale, made: Scale, plus: Scale | None
) -> bool:
    return proven(weight, bias, given, made, plus).carrier == np.float32
