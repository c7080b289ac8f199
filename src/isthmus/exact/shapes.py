"""Operations + the input's shape → the shape of every value, before anything is allocated.

None stands for a side of an image that is not known yet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from isthmus.exact.ops import Op

Shape = tuple[int | None, ...]
Weights = Mapping[str, tuple[int, ...]]
"""The shape of each tensor by its name."""


def shapes_of(ops: Sequence[Op], start: Shape, weights: Weights) -> list[Shape]:
    """The shape of each value, the input's first.

    Raises:
        ValueError: an operation cannot be given what stands before it.

    >>> ops = [Op("unshuffle", (0,), numbers=(4,)), Op("conv", (1,), "look", (1,))]
    >>> shapes_of(ops, (3, None, None), {"look.weight": (8, 48, 3, 3), "look.bias": (8,)})
    [(3, None, None), (48, None, None), (8, None, None)]
    """
    shapes: list[Shape] = [start]
    for op in ops:
        taken = [shapes[value] for value in op.inputs]
        if op.kind in _RULES:
            shapes.append(_RULES[op.kind](op, taken, weights))
        else:  # what works on single values
            shapes.append(_all_alike(op, taken))
    return shapes


def largest(shapes: Sequence[Shape]) -> int:
    """Numbers in the largest value; all sides must be known."""
    return max(math.prod(side for side in shape if side is not None) for shape in shapes)


def _all_alike(op: Op, taken: Sequence[Shape]) -> Shape:
    _hold(all(shape == taken[0] for shape in taken), op, taken)
    return taken[0]


def _dequantise(op: Op, taken: Sequence[Shape], weights: Weights) -> Shape:
    channels = taken[0][:1]
    _hold(weights.get(f"{op.weight}.step") == weights.get(f"{op.weight}.offset") == channels, op, taken)
    return taken[0]


def _linear(op: Op, taken: Sequence[Shape], weights: Weights) -> Shape:
    weight = weights.get(f"{op.weight}.weight", ())
    _hold(len(weight) == 2 and taken[0] == weight[1:], op, taken)
    return _biased(op, taken, weights, weight[:1])


def _conv(op: Op, taken: Sequence[Shape], weights: Weights) -> Shape:
    weight, stride = weights.get(f"{op.weight}.weight", ()), op.numbers[0]
    _hold(len(weight) == 4 and len(taken[0]) == 3 and taken[0][:1] == weight[1:2], op, taken)
    _hold(weight[2] == weight[3] and weight[2] % 2 == 1, op, taken)
    _, *sides = taken[0]
    return _biased(
        op, taken, weights, (weight[0], *(_each(side, lambda s: -(-s // stride)) for side in sides))
    )


def _line(op: Op, taken: Sequence[Shape], weights: Weights) -> Shape:
    weight = weights.get(f"{op.weight}.weight", ())
    _hold(len(weight) == 3 and len(taken[0]) == 2 and taken[0][:1] == weight[1:2], op, taken)
    _hold(weight[2] % 2 == 1, op, taken)
    return _biased(op, taken, weights, (weight[0], taken[0][1]))


def _biased(op: Op, taken: Sequence[Shape], weights: Weights, made: Shape) -> Shape:
    _hold(weights.get(f"{op.weight}.bias") == made[:1] and 0 not in made, op, taken)
    _hold(len(taken) == 1 or taken[1] == made, op, taken)
    return made


def _norm(op: Op, taken: Sequence[Shape], weights: Weights) -> Shape:
    both = weights.get(f"{op.weight}.weight"), weights.get(f"{op.weight}.bias")
    _hold(len(taken[0]) == 1 and both == (taken[0], taken[0]), op, taken)
    return taken[0]


def _flatten(op: Op, taken: Sequence[Shape], weights: Weights) -> Shape:
    _hold(None not in taken[0], op, taken)
    return (math.prod(side for side in taken[0] if side is not None),)


def _reshape(op: Op, taken: Sequence[Shape], weights: Weights) -> Shape:
    _hold(_flatten(op, taken, weights) == (math.prod(op.numbers),), op, taken)
    return op.numbers


def _shuffle(op: Op, taken: Sequence[Shape], weights: Weights) -> Shape:
    (factor,), (depth, *sides) = op.numbers, _image(op, taken)
    _hold(depth is not None and depth % factor**2 == 0, op, taken)
    return (_each(depth, lambda d: d // factor**2), *(_each(side, lambda s: s * factor) for side in sides))


def _unshuffle(op: Op, taken: Sequence[Shape], weights: Weights) -> Shape:
    (factor,), (depth, *sides) = op.numbers, _image(op, taken)
    _hold(all(side is None or side % factor == 0 for side in sides), op, taken)
    return (_each(depth, lambda d: d * factor**2), *(_each(side, lambda s: s // factor) for side in sides))


def _crop(op: Op, taken: Sequence[Shape], weights: Weights) -> Shape:
    depth, *sides = _image(op, taken)
    kept = zip(sides, op.numbers, strict=True)
    _hold(all(side is not None and side >= wanted for side, wanted in kept), op, taken)
    return (depth, *op.numbers)


def _pad(op: Op, taken: Sequence[Shape], weights: Weights) -> Shape:
    (stride,), (depth, *sides) = op.numbers, _image(op, taken)
    return (depth, *(_each(side, lambda s: -(-s // stride) * stride) for side in sides))


def _take(op: Op, taken: Sequence[Shape], weights: Weights) -> Shape:
    depth, *sides = taken[0]
    _hold(depth is not None and depth >= op.numbers[0], op, taken)
    return (op.numbers[0], *sides)


_RULES: Mapping[str, Callable[[Op, Sequence[Shape], Weights], Shape]] = {
    "dequantise": _dequantise,
    "linear": _linear,
    "conv": _conv,
    "line": _line,
    "norm": _norm,
    "flatten": _flatten,
    "reshape": _reshape,
    "shuffle": _shuffle,
    "unshuffle": _unshuffle,
    "crop": _crop,
    "pad": _pad,
    "take": _take,
}


def _image(op: Op, taken: Sequence[Shape]) -> Shape:
    _hold(len(taken[0]) == 3, op, taken)
    return taken[0]


def _each(side: int | None, rule: Callable[[int], int]) -> int | None:
    return None if side is None else rule(side)


def _hold(possible: bool, op: Op, taken: Sequence[Shape]) -> None:
    if not possible:
        raise ValueError(f"an operation {op.kind!r} {op.weight!r} of {' and '.join(map(str, taken))}")
