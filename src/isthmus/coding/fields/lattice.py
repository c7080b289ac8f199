"""Notice floats that are whole numbers in disguise: integers, multiplied and shifted when they were read.

Weather and satellite files often hold 16-bit integers with a scale and an offset. Once the two are
found again, the integers are coded: exactly, and for much less than the floats.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from isthmus.coding.fields.scales import Lattice, Way

_SAMPLE = 4096
_EXACT_SAMPLE = 1 << 15
_THIRDS = 50
_MAX_NUMBERS = 2.0**24
_LEAST_STEP = 1e-150  # its inverse and its square are ordinary numbers
_FINENESS = 8  # a step must be so many times the floats' own rounding, or everything looks like a lattice


def find_lattice(values: np.ndarray) -> tuple[Lattice, np.ndarray] | None:
    """The coarsest lattice that all values lie on, and their whole numbers, int64; None if there is none.

    The lattice restores each value to within the rounding of its type, nearly always to the bit.

    Args:
        values: finite floats, shape (count,), not empty.
    """
    wide = values.astype(np.float64)
    low, high = float(wide.min()), float(wide.max())
    noise = float(np.spacing(np.array(max(abs(low), abs(high)), values.dtype)))
    if not low < high or not np.isfinite(noise) or not np.isfinite(high - low):
        return None
    sample = np.unique(wide[:: max(1, wide.size // _SAMPLE)])
    step = _common_step(sample, noise)
    if step is None or step < _LEAST_STEP or (high - low) / step > _MAX_NUMBERS:
        return None
    fitted = _fit(sample, step)
    if fitted is None:
        return None
    numbers = np.rint((wide - fitted.offset) / fitted.scale)
    fitted = _refit(wide, numbers)
    if not (np.abs(numbers * fitted.scale + fitted.offset - wide) <= 4 * noise).all():
        return None
    if values.dtype.itemsize < 8:
        fitted = _centred(values, numbers, fitted)
    return _most_exact(values, numbers, fitted), numbers.astype(np.int64)


def _common_step(sample: np.ndarray, noise: float) -> float | None:
    """About the greatest step that all differences are multiples of, by Euclid's way."""
    finest, step = _FINENESS * noise, 0.0
    for difference in np.unique(np.diff(sample)):
        rest = float(difference)
        step = step or (rest if rest > finest else 0.0)
        while step:
            multiple = round(rest / step)
            unsure = finest + 2 * noise * multiple  # rounding in the step adds up with each multiple
            if unsure > 0.25 * step or abs(rest - multiple * step) <= unsure:
                break
            step, rest = abs(rest - multiple * step), step
    return step if step > finest else None


def _fit(sample: np.ndarray, step: float) -> Lattice | None:
    """Scale and offset from ever more of the sample, so that no number is ever in doubt."""
    offset, reach = float(sample[0]), 16 * step
    while True:
        near = sample[sample - sample[0] <= reach]
        numbers = np.rint((near - offset) / step)
        if numbers[-1] > numbers[0]:
            fitted = _refit(near, numbers)
            step, offset = fitted.scale, fitted.offset
        if (np.abs(numbers * step + offset - near) > 0.2 * step).any():
            return None
        if near.size == sample.size:
            return Lattice(step, offset)
        reach *= 4


def _refit(values: np.ndarray, numbers: np.ndarray) -> Lattice:
    """The straight line through (number, value), by least squares."""
    middle, mean = numbers.mean(), values.mean()
    scale = float(((numbers - middle) * (values - mean)).sum() / ((numbers - middle) ** 2).sum())
    return Lattice(scale, float(mean - middle * scale))


def _centred(values: np.ndarray, numbers: np.ndarray, fitted: Lattice) -> Lattice:
    """Scale and offset from the middle of all that round to these very values.

    For a given scale each value leaves an interval of offsets. The room that all leave together
    is a concave function of the scale, so its top is found by cutting an interval in thirds.
    """
    few = slice(None, None, max(1, values.size // _EXACT_SAMPLE))
    wide, near = values[few].astype(np.float64), numbers[few]
    below = (wide + np.nextafter(values[few], -np.inf).astype(np.float64)) / 2
    above = (wide + np.nextafter(values[few], np.inf).astype(np.float64)) / 2

    def room(scale: float) -> tuple[float, float]:
        on_line = near * scale
        least, most = float((below - on_line).max()), float((above - on_line).min())
        return most - least, (most + least) / 2

    reach = float((above - below).max()) / float(np.ptp(near))
    low, high = fitted.scale - reach, fitted.scale + reach
    for _ in range(_THIRDS):
        first, second = low + (high - low) / 3, high - (high - low) / 3
        if room(first)[0] < room(second)[0]:
            low = first
        else:
            high = second
    scale = (low + high) / 2
    return Lattice(scale, room(scale)[1])


def _most_exact(values: np.ndarray, numbers: np.ndarray, fitted: Lattice) -> Lattice:
    """The variant that gives most values to the bit: scale and offset are often rounder than a fit finds."""
    candidates = [_decimal(fitted)]
    for scale in (fitted.scale, float(np.float32(fitted.scale))):
        offsets = (fitted.offset, float(np.float32(fitted.offset)), round(fitted.offset / scale) * scale)
        candidates += [Lattice(scale, offset) for offset in offsets]
    if values.dtype.itemsize >= 4:
        candidates += [replace(candidate, way=Way.NARROW) for candidate in candidates[1:]]
    few = slice(None, None, max(1, values.size // _SAMPLE))

    def wrong(lattice: Lattice) -> int:
        return int(np.count_nonzero(lattice.restore(numbers[few], values.dtype) != values[few]))

    return min(candidates, key=wrong)


def _decimal(fitted: Lattice) -> Lattice:
    """Numbers divided by a whole one, as in decimals with so many places."""
    parts = float(round(1 / fitted.scale)) if fitted.scale < 1 else 1.0
    return Lattice(parts, float(round(fitted.offset * parts)), way=Way.DIVIDED)
