"""In which units to see an array's values, given the bound: the encoder's side of scales.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.coding.fields.engine import LIMIT
from isthmus.coding.fields.lattice import find_lattice
from isthmus.coding.fields.scales import Lattice, Logarithmic, Ordered, Plain, Scale, Way, to_order

_CLOSE = 1 - 2.0**-30  # a bound is kept a little below itself, for what rounding adds
_FEWEST_STEPS = 16  # a bound of more steps than this gains little from knowing them
_FEW_STEPS = 4  # one of fewer than this surely gains
_HIGH_BITS = 47
_MOST_ROOM = 1e300


@dataclass(frozen=True)
class View:
    """Values seen in units, float64, shape (count,); and what goes along with some scales."""

    scale: Scale
    units: np.ndarray
    low: np.ndarray | None = None
    """The bits below those in the units, uint64."""
    low_bits: int = 0
    negative: np.ndarray | None = None


def views(values: np.ndarray, bound: Bound | None) -> Iterator[View]:
    """The ways worth trying to see these values; none, if no unit fits them.

    Args:
        values: floats or integers, shape (count,), finite; may be empty.
    """
    if not values.size:
        yield View(Plain(1.0), np.zeros(0))
    elif bound is None or bound.value == 0:
        yield from _exact(values)
    elif bound.pointwise:
        yield from _logarithmic(values, bound)
    else:
        yield from _within(values, bound)


def _exact(values: np.ndarray) -> Iterator[View]:
    lattice = find_lattice(values) if values.dtype.kind == "f" else None
    if lattice is not None:
        yield _on_lattice(*lattice)
    else:
        yield _in_order(values)


def _in_order(values: np.ndarray) -> View:
    numbers = to_order(values)
    first = int(numbers.min())
    numbers = numbers - np.uint64(first)
    shift = max(0, int(numbers.max()).bit_length() - _HIGH_BITS)
    shift = 8 * math.ceil(shift / 8)  # whole bytes, which zstd sees more in
    high = (numbers >> np.uint64(shift)).astype(np.float64)
    low = numbers & np.uint64((1 << shift) - 1) if shift else None
    return View(Ordered(first, shift), high, low, shift)


def _on_lattice(lattice: Lattice, numbers: np.ndarray, within: int = 0) -> View:
    """Numbers moved to begin at 0, so that the offset is that of the least."""
    width = 2 * within + 1
    return View(replace(lattice, width=width), numbers.astype(np.float64) / width)


def _within(values: np.ndarray, bound: Bound) -> Iterator[View]:
    steps, room = math.floor(min(bound.value, 2.0**31)), bound.value
    if values.dtype.kind != "f":
        if steps < 1:
            yield _in_order(values)
            return
        room = steps + 0.5
    else:
        lattice = find_lattice(values)
        if lattice is not None:
            step = lattice[0].scale if lattice[0].way != Way.DIVIDED else 1 / lattice[0].scale
            steps = math.floor(min(bound.value / step * _CLOSE, 2.0**31))
            if steps < _FEWEST_STEPS:
                yield _on_lattice(*lattice, within=steps)
            if steps < _FEW_STEPS:
                return
        noise = float(np.spacing(np.abs(values).max().astype(values.dtype))) / 2
        room = max(room - noise, 0.8 * room)  # the cast to the values' type adds as much
    step = 2 * min(room, _MOST_ROOM) * _CLOSE
    units = values.astype(np.float64) / step
    if np.abs(units).max() < LIMIT:  # also not, if the step is so small that units are infinite or NaN
        yield View(Plain(step), units)


def _logarithmic(values: np.ndarray, bound: Bound) -> Iterator[View]:
    wide = values.astype(np.float64)
    noise = float(np.finfo(values.dtype).eps) / 2 if values.dtype.kind == "f" else 0.0
    room = max(bound.value - noise, 0.8 * bound.value)
    step = 2 * math.log2(1 + min(room, 1e6)) * _CLOSE
    logarithms = np.log2(np.abs(wide))
    if step > 0 and np.abs(logarithms).max() / step < LIMIT:
        yield View(Logarithmic(step), logarithms / step, negative=wide < 0)
