"""One operation ⇄ JSON. Read strictly: what is not listed here is refused.

A program is a list of operations. Value 0 is its input, operation i makes value i + 1 from values
before it. Shapes are those of one sample, channel first, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isthmus.errors import DamagedFile


@dataclass(frozen=True)
class Kind:
    """What an operation of one kind must bring along."""

    inputs: tuple[int, ...] = (1,)
    """How many values it may be made from."""
    numbers: int | None = 0
    """How many whole numbers it has; None: one or more."""
    tensors: tuple[str, ...] = ()
    """The tensors that stand under its weight's name."""
    scaled: bool = False
    """Whether, in integers, it says how its result is rounded; others keep their input's scale."""


PRODUCT = ("weight", "bias")
KINDS: Mapping[str, Kind] = {
    "dequantise": Kind(tensors=("step", "offset"), scaled=True),  # symbols → latent; only as the first
    "linear": Kind(inputs=(1, 2), tensors=PRODUCT, scaled=True),  # a second input is added to the result
    "conv": Kind(inputs=(1, 2), numbers=1, tensors=PRODUCT, scaled=True),  # its stride
    "line": Kind(inputs=(1, 2), numbers=1, tensors=PRODUCT),  # neighbours so far apart; in float32 only
    "add": Kind(inputs=(2,), scaled=True),
    "relu": Kind(),
    "leaky_relu": Kind(scaled=True),  # a slope of 0.01 below 0
    "gelu": Kind(scaled=True),
    "silu": Kind(scaled=True),
    "tanh": Kind(scaled=True),
    "sigmoid": Kind(scaled=True),
    "softmax": Kind(scaled=True),  # over the first axis
    "norm": Kind(tensors=PRODUCT),  # of a flat sample, ε = 1e-5; in float32 only
    "flatten": Kind(),
    "reshape": Kind(numbers=None),  # the shape
    "shuffle": Kind(numbers=1),  # depth to space by a factor
    "unshuffle": Kind(numbers=1),  # space to depth
    "crop": Kind(numbers=2),  # to height and width, keeping the top left
    "pad": Kind(numbers=1),  # repeat the last row and column up to a multiple
    "take": Kind(numbers=1),  # the first channels
}
MOVES = ("relu", "flatten", "reshape", "shuffle", "unshuffle", "crop", "pad", "take")
"""Operations that compute nothing but, at most, max(x, 0): scales pass through them."""
TABLES = ("leaky_relu", "gelu", "silu", "tanh", "sigmoid")
"""Operations on single values, looked up in a table when carried out in integers."""

MAX_EXPONENT = 60
MAX_INTEGER = 2**15 - 1
MAX_NUMBER = 1 << 24
MAX_OPS = 4096


@dataclass(frozen=True)
class Scale:
    """A value is whole numbers low … high, each standing for itself times 2**exponent."""

    exponent: int
    low: int
    high: int

    def __post_init__(self) -> None:
        bounded = -MAX_INTEGER <= self.low <= 0 <= self.high <= MAX_INTEGER
        if not bounded or abs(self.exponent) > MAX_EXPONENT:
            raise ValueError(f"a scale of {self.exponent}, {self.low} to {self.high}")

    @property
    def largest(self) -> int:
        """The largest magnitude."""
        return max(-self.low, self.high)


@dataclass(frozen=True)
class Op:
    """One operation.

    >>> op = Op("conv", (2,), "stem", (1,), Scale(-7, 0, 2047))
    >>> op.to_json()
    {'op': 'conv', 'of': [2], 'weight': 'stem', 'numbers': [1], 'scale': [-7, 0, 2047]}
    >>> Op.from_json(op.to_json()) == op
    True
    """

    kind: str
    inputs: tuple[int, ...]
    """The values it is made from."""
    weight: str = ""
    """What its tensors' names begin with: "stem" for "stem.weight" and "stem.bias"."""
    numbers: tuple[int, ...] = ()
    scale: Scale | None = None
    """How its result is rounded; None in a program for float32, and where its input's scale stays."""

    def __post_init__(self) -> None:
        kind = KINDS.get(self.kind)
        if kind is None:
            raise ValueError(f"an operation {self.kind!r}")
        count = len(self.numbers) > 0 if kind.numbers is None else len(self.numbers) == kind.numbers
        if not (count and len(self.inputs) in kind.inputs and bool(self.weight) == bool(kind.tensors)):
            raise ValueError(f"an operation {self.kind!r} of that form")
        if not all(0 < number <= MAX_NUMBER for number in self.numbers):
            raise ValueError(f"an operation {self.kind!r} with {self.numbers}")
        if self.scale is not None and not kind.scaled:
            raise ValueError(f"a scale for {self.kind!r}")

    def to_json(self) -> dict[str, Any]:
        """Without what is empty; `from_json` undoes it."""
        told: dict[str, Any] = {"op": self.kind, "of": list(self.inputs)}
        if self.weight:
            told["weight"] = self.weight
        if self.numbers:
            told["numbers"] = list(self.numbers)
        if self.scale is not None:
            told["scale"] = [self.scale.exponent, self.scale.low, self.scale.high]
        return told

    @classmethod
    def from_json(cls, told: Any) -> Op:
        """Undo `to_json`; ValueError for anything it would not have written."""
        if not isinstance(told, dict) or not set(told) <= {"op", "of", "weight", "numbers", "scale"}:
            raise ValueError("an operation of that form")
        made = cls(
            kind=_text(told.get("op")),
            inputs=_whole(told.get("of")),
            weight=_text(told.get("weight", "")),
            numbers=_whole(told.get("numbers", [])),
            scale=Scale(*_whole(told["scale"], length=3)) if "scale" in told else None,
        )
        if made.to_json() != told:
            raise ValueError("an operation of that form")
        return made


def ops_from_json(told: Any) -> tuple[Op, ...]:
    """A list of operations, each made from earlier values; DamagedFile for anything else."""
    try:
        if not isinstance(told, list) or not 0 < len(told) <= MAX_OPS:
            raise ValueError("a list of operations of that length")
        ops = tuple(Op.from_json(op) for op in told)
        require_order(ops)
    except ValueError as wrong:
        raise DamagedFile(f"The model asks for {wrong}, which cannot be. Fetch it again.") from wrong
    return ops


def require_order(ops: tuple[Op, ...]) -> None:
    """Raise ValueError unless each operation reads only values made before it."""
    for position, op in enumerate(ops):
        if not all(0 <= value <= position for value in op.inputs):
            raise ValueError(f"an operation {op.kind!r} of values that come later")
        if op.kind == "dequantise" and position:
            raise ValueError("symbols in the middle of the net")


def _whole(values: Any, *, length: int | None = None) -> tuple[int, ...]:
    # bool counts as int in Python, but true is no number here.
    if not isinstance(values, list) or not all(type(value) is int for value in values):
        raise ValueError(f"whole numbers {values!r}")
    if length is not None and len(values) != length:
        raise ValueError(f"{len(values)} numbers where {length} belong")
    return tuple(values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a name {value!r}")
    return value
