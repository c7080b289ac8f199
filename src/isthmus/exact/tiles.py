"""A large image in tiles: how far the result at one position looks, and where to cut.

A tile is computed with as many true neighbours around it as its result depends on, and what came of
those is cut off again. At the image's own border a tile ends where the image does, so every layer finds
the zeros there that it would find in the whole. In integers the tiles are together the very bits of the
whole, whatever their size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from isthmus.exact.ops import TABLES, Op
from isthmus.exact.shapes import Shape, Weights, largest

Change = Callable[[np.ndarray], np.ndarray]
"""Something done to each value by itself."""
TILE = 1 << 20
"""Numbers of the largest value of one tile: 4 MB. A sample that has more is cut."""


@dataclass(frozen=True)
class Locality:
    """What it takes to compute a part of an image by itself; in positions along a side of the input."""

    halo: int
    """How many around a tile its result depends on; a multiple of `grid`."""
    grid: int
    """A tile begins at a multiple of this many."""
    growth: Fraction
    """Positions of the result to one of the input."""


def locality_of(ops: Sequence[Op], weights: Weights) -> Locality | None:
    """The locality of a program on images; None where a position may depend on all of the image.

    Args:
        ops: operations that fit one another.
        weights: the shape of each tensor by its name.

    >>> ops = [Op("conv", (0,), "a", (1,)), Op("shuffle", (1,), numbers=(2,)), Op("conv", (2,), "b", (1,))]
    >>> locality_of(ops, {"a.weight": (4, 1, 3, 3), "b.weight": (1, 1, 5, 5)})
    Locality(halo=2, grid=1, growth=Fraction(2, 1))
    """
    fineness, grid = [Fraction(1)], 1  # positions of each value to one of the input
    for op in ops:
        growth = _growth(op)
        if growth is None:
            return None
        finer = fineness[op.inputs[0]] * growth
        if any(fineness[value] != finer for value in op.inputs[1:]):
            return None
        fineness.append(finer)
        whole = finer / op.numbers[0] if op.kind == "pad" else finer
        grid = math.lcm(grid, whole.denominator)
    halo = -(-_sight(ops, weights) // grid) * grid
    return Locality(halo, grid, fineness[-1])


def _growth(op: Op) -> Fraction | None:
    """Positions of an operation's result to one of its input; None where positions lose their place."""
    if op.kind in ("conv", "unshuffle"):
        return Fraction(1, op.numbers[0])
    if op.kind == "shuffle":
        return Fraction(op.numbers[0])
    return Fraction(1) if op.kind in _IN_PLACE else None


_IN_PLACE = ("dequantise", "add", "relu", "softmax", "take", "pad", *TABLES)


def _sight(ops: Sequence[Op], weights: Weights) -> int:
    """How many positions of the input around a tile are needed.

    Told from the end: around a tile of the result none; and of each value as many as its readers need.
    """
    needed = [0] * (len(ops) + 1)
    for made, op in reversed(list(enumerate(ops, 1))):
        for place, value in enumerate(op.inputs):
            needed[value] = max(needed[value], _needed(op, needed[made], place, weights))
    return needed[0]


def _needed(op: Op, around: int, place: int, weights: Weights) -> int:
    """Positions of an input around a tile, for so many of the result."""
    if op.kind == "conv" and place == 0:
        return around * op.numbers[0] + weights[f"{op.weight}.weight"][-1] // 2
    if op.kind == "unshuffle":
        return around * op.numbers[0]
    return -(-around // op.numbers[0]) if op.kind == "shuffle" else around


@dataclass(frozen=True)
class Part:
    """What is computed at once, as indices of whole batches: samples, or a tile of them."""

    seen: tuple[slice, ...]
    """Samples of the input; of a tile, rows and columns too, with its halo."""
    kept: tuple[slice, ...]
    """Rows and columns of what comes of them, without the halo."""
    placed: tuple[slice, ...]
    """Where that belongs in the result."""


def parts_of(count: int, each: int, shapes: Sequence[Shape], locality: Locality | None) -> list[Part]:
    """Cut a batch into parts, in order; at least one.

    Args:
        count: samples of the batch.
        each: how many to take at once.
        shapes: of all values of the program, every side known.
        locality: of the program.
    """
    runs = [slice(first, min(first + each, count)) for first in range(0, max(1, count), each)]
    cuts = [Part((), (), ())]
    if locality is not None and largest(shapes) > TILE:
        cuts = _tiles(shapes, locality)
    return [Part((run, *cut.seen), cut.kept, (run, *cut.placed)) for run in runs for cut in cuts]


def _tiles(shapes: Sequence[Shape], locality: Locality) -> list[Part]:
    """The tiles of one sample; each takes about TILE numbers, its halo included."""
    (_, *start), (_, *made) = shapes[0], shapes[-1]
    height, width = (side or 0 for side in start)
    side = math.isqrt(TILE * height * width // largest(shapes))
    side = max(side - 2 * locality.halo, 2 * locality.halo) // locality.grid * locality.grid
    lines = [
        _cut(length, end or 0, max(side, locality.grid), locality)
        for length, end in zip((height, width), made, strict=True)
    ]
    return [Part(*zip(*pair, strict=True)) for pair in product(*lines)]


def _cut(length: int, end: int, side: int, locality: Locality) -> list[tuple[slice, slice, slice]]:
    """Along one side of an image: what each tile sees, what of its result is kept, and where that belongs.

    Args:
        length: of the input.
        end: of the result.
        side: of a tile, a multiple of the grid.
        locality: of the program.
    """
    cuts = []
    for first in range(0, length, side):
        last, start = first + side, max(0, first - locality.halo)
        placed = slice(int(first * locality.growth), end if last >= length else int(last * locality.growth))
        cut_off = int((first - start) * locality.growth)
        kept = slice(cut_off, cut_off + placed.stop - placed.start)
        cuts.append((slice(start, min(last + locality.halo, length)), kept, placed))
    return cuts


def room_for(count: int, shape: Shape, dtype: type[np.generic] = np.float32) -> np.ndarray:
    """An empty array (count, *shape); of images, the channels of a position lie side by side."""
    if len(shape) != 3:
        return np.empty((count, *(side or 0 for side in shape)), dtype)
    channels, height, width = (side or 0 for side in shape)
    return np.empty((count, height, width, channels), dtype).transpose(0, 3, 1, 2)


def at(places: tuple[slice, ...]) -> tuple[Any, ...]:
    """The index of some samples, and some rows and columns of theirs."""
    return (places[0], ..., *places[1:])


def put(values: np.ndarray, part: Part, into: np.ndarray, after: Change | None) -> None:
    """Put what came of a part in its place, as far as there is room: images may be cropped."""
    target = into[at(part.placed)]
    kept = values[at((slice(None), *part.kept))]
    if target.ndim == 4:
        kept = kept[..., : target.shape[2], : target.shape[3]]
    target[...] = kept if after is None else after(kept)
