"""Operations with their weights: checked as a whole, before anything runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from isthmus.errors import DamagedFile
from isthmus.exact.activations import require_small
from isthmus.exact.limits import Product, proven
from isthmus.exact.ops import KINDS, MOVES, TABLES, Op, Scale, require_order
from isthmus.exact.shapes import Shape, largest, shapes_of
from isthmus.exact.tiles import Locality, locality_of
from isthmus.exact.weights import IntegerWeights

MAX_VALUES = 1 << 24
MAX_GROWTH = 256
"""One sample may take MAX_VALUES numbers on its way, or MAX_GROWTH times those it begins or ends with:
all values together, so that neither memory nor time is out of proportion."""


@dataclass(frozen=True, eq=False)
class Program:
    """Operations to be carried out in float32."""

    start: Shape
    """Of one sample of the input; None where a side varies."""
    ops: tuple[Op, ...]
    tensors: Mapping[str, np.ndarray]
    """float32, by name."""

    def __post_init__(self) -> None:
        checked(self.ops, self.start, self.tensors)

    @cached_property
    def result(self) -> Shape:
        """The shape of one sample of what comes out."""
        return checked(self.ops, self.start, self.tensors)

    @cached_property
    def locality(self) -> Locality | None:
        """How tiles of an image are cut; None where it must be carried out as a whole."""
        return _locality(self.ops, self.start, self.tensors)

    def require_affordable(self, start: tuple[int, ...]) -> list[Shape]:
        """See `require_affordable`, for a sample of shape `start`."""
        return require_affordable(self.ops, start, self.tensors)

    def without_first(self) -> Program:
        """The program that begins with what the first operation makes of a sample of the same shape."""
        first, *rest = self.ops
        later = tuple(replace(op, inputs=tuple(value - 1 for value in op.inputs)) for op in rest)
        mine = {f"{first.weight}.{tensor}" for tensor in KINDS[first.kind].tensors}
        return Program(self.start, later, {n: tensor for n, tensor in self.tensors.items() if n not in mine})


@dataclass(frozen=True, eq=False)
class IntegerProgram:
    """Operations to be carried out in integers: int32 symbols → whole numbers of a known scale.

    Raises:
        ValueError: the parts do not fit together, or a sum could outgrow every carrier.
    """

    start: Shape
    ops: tuple[Op, ...]
    weights: Mapping[str, IntegerWeights]
    """Of linear and convolution layers, by tensor name."""
    step: np.ndarray
    """float32 (channel,): of the dequantise operation that stands first."""
    offset: np.ndarray

    def __post_init__(self) -> None:
        if self.ops[0].kind != "dequantise":
            raise ValueError("a net that does not begin with symbols")
        checked(self.ops, self.start, self._shaped())
        self.products  # noqa: B018 - working them out proves every sum

    @cached_property
    def scales(self) -> list[Scale]:
        """Of each value; the first stands for symbols, which are clipped to what is used."""
        return scales_of(self.ops)

    @property
    def result(self) -> Scale:
        """Of what comes out."""
        return self.scales[-1]

    @cached_property
    def products(self) -> Mapping[int, Product]:
        """Each linear and convolution layer by its operation's position, proven exact."""
        return {n: self._product(op, n) for n, op in enumerate(self.ops) if op.kind in ("linear", "conv")}

    @cached_property
    def locality(self) -> Locality | None:
        """How tiles of an image are cut; None where it must be carried out as a whole."""
        return _locality(self.ops, self.start, self._shaped())

    def require_affordable(self, start: tuple[int, ...]) -> list[Shape]:
        """See `require_affordable`, for symbols of shape `start`."""
        return require_affordable(self.ops, start, self._shaped())

    def _product(self, op: Op, position: int) -> Product:
        weight, bias = (self.weights[f"{op.weight}.{tensor}"] for tensor in ("weight", "bias"))
        plus = self.scales[op.inputs[1]] if len(op.inputs) == 2 else None
        return proven(weight, bias, self.scales[op.inputs[0]], self.scales[position + 1], plus)

    def approximate(self) -> Program:
        """The same net for float32, from symbols on."""
        tensors = {name: stored.to_float() for name, stored in self.weights.items()}
        name = self.ops[0].weight
        tensors |= {f"{name}.step": self.step, f"{name}.offset": self.offset}
        return Program(self.start, tuple(replace(op, scale=None) for op in self.ops), tensors)

    def _shaped(self) -> dict[str, np.ndarray]:
        name = self.ops[0].weight
        shaped = {name: stored.values for name, stored in self.weights.items()}
        return shaped | {f"{name}.step": self.step, f"{name}.offset": self.offset}


def checked(ops: Sequence[Op], start: Shape, tensors: Mapping[str, np.ndarray]) -> Shape:
    """The shape of the result; ValueError unless operations and tensors fit one another, none left over."""
    require_order(tuple(ops))
    wanted = {f"{op.weight}.{tensor}" for op in ops for tensor in KINDS[op.kind].tensors}
    if wanted != set(tensors):
        raise ValueError(f"weights {sorted(wanted ^ set(tensors))[:3]} that are missing or too many")
    return shapes_of(ops, start, {name: tensor.shape for name, tensor in tensors.items()})[-1]


def require_affordable(
    ops: Sequence[Op], start: tuple[int, ...], tensors: Mapping[str, np.ndarray]
) -> list[Shape]:
    """The shape of each value between a sample of shape `start` and its result, both included.

    Raises:
        DamagedFile: they hold far more numbers than a sample has; it would fill the memory.
    """
    shapes = shapes_of(ops, start, {name: tensor.shape for name, tensor in tensors.items()})
    ends, taken = (math.prod(start), largest(shapes[-1:])), sum(largest([shape]) for shape in shapes)
    if taken > max(MAX_VALUES, MAX_GROWTH * max(ends)):
        raise DamagedFile(f"The model takes {taken:,} numbers to make a sample of {ends[1]:,}; refused.")
    return shapes


def _locality(ops: Sequence[Op], start: Shape, tensors: Mapping[str, np.ndarray]) -> Locality | None:
    weights = {name: tensor.shape for name, tensor in tensors.items()}
    images = all(len(shape) == 3 for shape in shapes_of(ops, start, weights))
    return locality_of(ops, weights) if images else None


def scales_of(ops: Sequence[Op]) -> list[Scale]:
    """The scale of each value in integers; the symbols' own stands first and means nothing.

    Raises:
        ValueError: one is missing, or an operation cannot be carried out in integers.
    """
    scales = [Scale(0, 0, 0)]
    for op in ops:
        given = scales[op.inputs[0]]
        if op.kind in MOVES:
            scales.append(Scale(given.exponent, 0, given.high) if op.kind == "relu" else given)
        elif op.scale is None:
            raise ValueError(f"an operation {op.kind!r} in integers without a scale")
        else:
            if op.kind in (*TABLES, "softmax"):
                require_small(given)
            scales.append(op.scale)
    return scales
