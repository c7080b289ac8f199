"""What is known around the targets of a step, and what it leads to expect.

Every machine must see the same: only +, −, ×, ÷, comparisons and rounding of float32 or float64 values
(all of one kind), one array operation at a time. No sums over an axis, no matrix products, no library
functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from isthmus.coding.adaptive import levels
from isthmus.coding.fields.walk import Slices, Step

WEIGHT_STEPS = 128  # a weight of a term is a whole number of these parts
_QUARTERS = (1.0, 1.189207115002721, 1.4142135623730951, 1.681792830507429)  # 2**(i/4)
SCALES = (0.0, *(_QUARTERS[i % 4] * 2.0 ** (i // 4 - 10) for i in range(60)))
"""The weights that a hint may have."""


class Way(IntEnum):
    """How a step's targets are predicted."""

    LINEAR = 0
    CUBIC = 1
    STEADY = 2
    """Cubic, plus what cubic misses in the frames around."""
    FITTED = 3
    """Linear, plus weighted terms."""


@dataclass(frozen=True)
class Sight:
    """What is seen from the targets of a step; all arrays have the targets' shape.

    `linear` is a prediction; a term is what another prediction would add to it; a hint is a
    magnitude from 0 up that tells how far off predictions may be, in units of whole steps.
    """

    linear: np.ndarray
    terms: list[np.ndarray]
    hints: list[np.ndarray]
    cubic: np.ndarray
    steady: np.ndarray

    def ways(self) -> dict[Way, np.ndarray]:
        """The predictions that need no weights."""
        return {Way.LINEAR: self.linear, Way.CUBIC: self.cubic, Way.STEADY: self.steady}

    def fitted(self, weights: Sequence[int]) -> np.ndarray:
        """The prediction by these weights, one a term, in parts of WEIGHT_STEPS."""
        prediction = self.linear
        for weight, term in zip(weights, self.terms, strict=True):
            if weight:
                prediction = prediction + term * (weight / WEIGHT_STEPS)
        return prediction

    def contexts(self, scales: Sequence[int]) -> np.ndarray:
        """Each target's context, uint8: the magnitude to expect, of hints weighted by SCALES[scale].

        Args:
            scales: one for each hint, and one more for a hint that is 1 everywhere.
        """
        expected = np.full(self.linear.shape, SCALES[scales[-1]], self.linear.dtype)
        for scale, hint in zip(scales, self.hints, strict=False):
            if scale:
                expected = expected + hint * SCALES[scale]
        return levels(expected)


def usual_scales(hints: int) -> list[int]:
    """Scales for steps with too few targets to fit any: all hints together count once."""
    return [max(1, 41 - 4 * hints.bit_length())] * hints + [25 if hints else 41]


def look(step: Step, values: np.ndarray, magnitudes: np.ndarray) -> Sight:
    """See what the array holds around a step's targets.

    Args:
        step: which targets, and what is known.
        values: the whole array as far as it is restored, in units, float32 or float64.
        magnitudes: the whole array of |numbers| coded so far, of the same type.
    """
    if step.axis is None:
        return _at_corners(step, values, magnitudes)
    line = _line(values[step.known], step.axis, values[step.targets].shape[step.axis])
    around = [axis for axis in range(1, values.ndim) if axis != step.axis and line.linear.shape[axis] > 1]
    terms = [line.far - line.linear, *(_beside(line.linear, axis) - line.linear for axis in around)]
    hints = [line.slope, *(np.abs(term) for term in terms)]
    near = _between(magnitudes[step.known], step.axis, line.linear.shape[step.axis])
    hints += [near, *(_beside(near, axis) for axis in around)]
    if step.references is None:
        return Sight(line.linear, terms, hints, line.cubic, line.cubic)
    more_terms, more_hints = _in_references(step, values, magnitudes, around, line.linear.shape)
    steady = line.cubic + more_terms[0]
    return Sight(line.linear, terms + more_terms, hints + more_hints, line.cubic, steady)


@dataclass(frozen=True)
class _Line:
    """Seen along one axis from half-way between two known points."""

    linear: np.ndarray
    far: np.ndarray
    """The mean of the next but one on either side."""
    cubic: np.ndarray
    slope: np.ndarray


def _line(known: np.ndarray, axis: int, count: int) -> _Line:
    before, left, right, after = _four(_continued(known, axis, count), axis, count)
    linear, far = (left + right) * 0.5, (before + after) * 0.5
    return _Line(linear, far, linear + (linear - far) * 0.125, np.abs(right - left))


def _at_corners(step: Step, values: np.ndarray, magnitudes: np.ndarray) -> Sight:
    """From the corners of frames: only the corners of the frames around, if there are any."""
    shape = values[step.targets].shape
    if step.references is None:
        nothing = np.zeros(shape, values.dtype)
        return Sight(nothing, [], [], nothing, nothing)
    before, left, right, after = _four(_held(values[step.references], 0, shape[0]), 0, shape[0])
    linear = (left + right) * 0.5
    hints = [np.abs(right - left), _between(magnitudes[step.references], 0, shape[0])]
    return Sight(linear, [(before + after) * 0.5 - linear], hints, linear, linear)


def _in_references(
    step: Step, values: np.ndarray, magnitudes: np.ndarray, around: list[int], shape: tuple[int, ...]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Terms and hints from the frames around: above all, what the same prediction misses in them.

    What does not change from frame to frame, like the shape of the land below, is foreseen by it.
    """
    assert step.references is not None
    assert step.references_known is not None
    assert step.axis is not None
    truth = values[step.references]
    line = _line(values[step.references_known], step.axis, shape[step.axis])
    missed = truth - line.cubic
    before, left, right, after = _four(_held(missed, 0, shape[0]), 0, shape[0])
    mean = (left + right) * 0.5
    terms = [mean, (before + after) * 0.5, _between(line.cubic - line.linear, 0, shape[0])]
    terms += [_between(_beside(line.linear, axis) - line.linear, 0, shape[0]) for axis in around]
    near = _between(magnitudes[step.references], 0, shape[0])
    hints = [np.abs(mean), np.abs(right - left), near]
    return terms, hints + [_beside(near, axis) for axis in range(1, values.ndim) if shape[axis] > 1]


def _between(known: np.ndarray, axis: int, count: int) -> np.ndarray:
    """The mean of the two known neighbours along an axis."""
    _, left, right, _ = _four(_held(known, axis, count), axis, count)
    return (left + right) * 0.5


def _beside(array: np.ndarray, axis: int) -> np.ndarray:
    """The mean of the two neighbours along an axis of at least 2, mirrored at its ends."""
    mean = np.empty_like(array)
    first, last = _cut(axis, 0, 1), _cut(axis, -1, None)
    mean[_cut(axis, 1, -1)] = (array[_cut(axis, 2, None)] + array[_cut(axis, 0, -2)]) * 0.5
    mean[first], mean[last] = array[_cut(axis, 1, 2)], array[_cut(axis, -2, -1)]
    return mean


def _four(padded: np.ndarray, axis: int, count: int) -> list[np.ndarray]:
    """The two points before each target and the two after, of a line with one more at its start."""
    return [padded[_cut(axis, offset, offset + count)] for offset in range(4)]


def _held(known: np.ndarray, axis: int, count: int) -> np.ndarray:
    """The line with its end points repeated as far as targets look: 1 before and up to 2 after."""
    size = known.shape[axis]
    last = known[_cut(axis, size - 1, size)]
    return np.concatenate([known[_cut(axis, 0, 1)], known, *[last] * (count + 2 - size)], axis)


def _continued(known: np.ndarray, axis: int, count: int) -> np.ndarray:
    """The line carried on beyond its ends: by a parabola, or straight where a target is the last point."""
    size = known.shape[axis]
    if size == 1:
        return _held(known, axis, count)
    at = [known[_cut(axis, i, i + 1)] for i in (0, 1, min(2, size - 1), max(0, size - 3), size - 2, size - 1)]
    curved = size > 2
    before = (at[0] - at[1]) * 3.0 + at[2] if curved else at[0] * 2.0 - at[1]
    straight = at[5] - at[4]
    if count < size:
        after = [(at[5] - at[4]) * 3.0 + at[3] if curved else at[5] + straight]
    else:
        after = [at[5] + straight, at[5] + straight * 2.0]
    return np.concatenate([before, known, *after], axis)


def _cut(axis: int, start: int, stop: int | None) -> Slices:
    return (*[slice(None)] * axis, slice(start, stop))
