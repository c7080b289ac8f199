"""Numbers in units ⇄ bytes: the walk over all points, for encoder and decoder.

A unit is what the bound allows twice over, so a value within half a unit of its own is good.
Each target becomes the nearest whole number of units to what its prediction misses. `whole` units come
back exactly: predictions are rounded, so what is coded is the difference of two whole numbers.

Small units are computed in float32, twice as fast. Predictions are rounded to a 512th there, so that
adding a number to one is exact, as it is in float64 for all that matters.

The bytes are those of numbers.py. First the head: frames' axis + 1 or 0, whether units are small, and
the order of the walk. Then for each step its way, its weights, its scales, and its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isthmus.coding.adaptive import SETTINGS, WEIGHTS
from isthmus.coding.fields import fitting
from isthmus.coding.fields.sight import SCALES, Sight, Way, look, usual_scales
from isthmus.coding.fields.walk import Step, halvings, is_order, walk
from isthmus.coding.numbers import NumberReader, NumberWriter
from isthmus.errors import DamagedFile

LIMIT = 2.0**48  # of a value in units: sums of a few, times a weight, stay exact in float64
_MAX_NUMBER = 2.0**51
_SMALL, _SMALL_WHOLE = 2.0**13, 2.0**22  # units below, sums of two are exact in float32
_GRID = 512.0


class TooRoughError(Exception):
    """A prediction is further off than a number can tell; the encoder gives up on the array."""


def encode_field(
    units: np.ndarray, mask: np.ndarray | None, whole: bool, frames: int | None
) -> tuple[bytes, np.ndarray]:
    """Code an array.

    Args:
        units: float64, any shape of at least one axis and one value, all finite and below LIMIT.
        mask: True where nothing is to be coded, and anything may come back; same shape.
        whole: all units are whole numbers, and are to come back as they are.
        frames: the axis along which frames follow one another, or None.

    Returns:
        The bytes, and what `decode_field` will make of them.
    """
    units = _filled(_framed(units, frames), None if mask is None else _framed(mask, frames))
    mask = None if mask is None else _framed(mask, frames)
    small = bool(np.abs(units).max() < (_SMALL_WHOLE if whole else _SMALL))
    restored, magnitudes = _blank(units.shape, small)
    order = fitting.choose_order(_some_frames(units))
    writer = NumberWriter()
    _put(writer, SETTINGS, [0 if frames is None else frames + 1, int(small)])
    _put(writer, SETTINGS, order)
    for step in walk(units.shape, order):
        truth = units[step.targets]
        if truth.size:
            hidden = None if mask is None else mask[step.targets]
            _encode_step(writer, step, truth, hidden, whole, restored, magnitudes)
    return writer.to_bytes(), _unframed(restored, frames).astype(np.float64, copy=False)


def _encode_step(
    writer: NumberWriter,
    step: Step,
    truth: np.ndarray,
    hidden: np.ndarray | None,
    whole: bool,
    restored: np.ndarray,
    magnitudes: np.ndarray,
) -> None:
    sight = look(step, restored, magnitudes)
    sample = fitting.sample_of(None if hidden is None else ~hidden, truth.size)
    way, weights = fitting.choose_way(sight, truth, sample)
    prediction = _prediction(sight, way, weights, whole)
    numbers = np.rint(truth - prediction)
    if hidden is not None:
        numbers = np.where(hidden, 0.0, numbers)
    sizes = np.abs(numbers)
    if not (sizes < _MAX_NUMBER).all():
        raise TooRoughError
    _keep(step, prediction, numbers, restored, magnitudes)
    scales = fitting.choose_scales(sight, sizes, sample)
    _put(writer, SETTINGS, [int(way), int(scales != usual_scales(len(sight.hints)))])
    _put(writer, WEIGHTS, weights)
    if scales != usual_scales(len(sight.hints)):
        _put(writer, WEIGHTS, scales)
    shown = slice(None) if hidden is None else ~hidden.ravel()
    writer.put(numbers.ravel()[shown].astype(np.int64), sight.contexts(scales).ravel()[shown])


def decode_field(data: bytes, shape: tuple[int, ...], mask: np.ndarray | None, whole: bool) -> np.ndarray:
    """Undo `encode_field`: float64, the same bits on every machine.

    Raises:
        DamagedFile: the bytes do not describe an array of this shape.
    """
    reader = NumberReader(data)
    frames, small = _head(reader, len(shape))
    framed = _framed(np.empty(shape, np.uint8), frames).shape
    mask = None if mask is None else _framed(mask, frames)
    order = _take(reader, SETTINGS, halvings(framed))
    if not all(1 <= axis < len(framed) for axis in order) or not is_order(order, framed):
        raise DamagedFile("The walk over an array does not reach each of its points once.")
    restored, magnitudes = _blank(framed, small)
    for step in walk(framed, order):
        if restored[step.targets].size:
            hidden = None if mask is None else mask[step.targets]
            _decode_step(reader, step, hidden, whole, restored, magnitudes)
    reader.finish()
    return _unframed(restored, frames).astype(np.float64, copy=False)


def _decode_step(
    reader: NumberReader,
    step: Step,
    hidden: np.ndarray | None,
    whole: bool,
    restored: np.ndarray,
    magnitudes: np.ndarray,
) -> None:
    sight = look(step, restored, magnitudes)
    way, has_scales = _take(reader, SETTINGS, 2)
    if not Way.LINEAR <= way <= Way.FITTED or not 0 <= has_scales <= 1:
        raise DamagedFile("A step over an array has an unknown setting.")
    weights = _take(reader, WEIGHTS, len(sight.terms)) if way == Way.FITTED else []
    scales = _take(reader, WEIGHTS, len(sight.hints) + 1) if has_scales else usual_scales(len(sight.hints))
    if not all(0 <= scale < len(SCALES) for scale in scales):
        raise DamagedFile("A step over an array has an impossible scale.")
    prediction = _prediction(sight, Way(way), weights, whole)
    contexts = sight.contexts(scales)
    if hidden is None:
        numbers = reader.take(contexts.ravel()).reshape(contexts.shape)
    else:
        numbers = np.zeros(contexts.shape, np.int64)
        numbers[~hidden] = reader.take(contexts[~hidden])
    _keep(step, prediction, numbers, restored, magnitudes)


def _keep(
    step: Step, prediction: np.ndarray, numbers: np.ndarray, restored: np.ndarray, magnitudes: np.ndarray
) -> None:
    """Put a step's values where later steps see them."""
    steps = numbers.astype(restored.dtype)
    restored[step.targets] = prediction + steps
    magnitudes[step.targets] = np.abs(steps)


def _blank(shape: tuple[int, ...], small: bool) -> tuple[np.ndarray, np.ndarray]:
    """Nothing restored yet, and no magnitudes."""
    kind = np.float32 if small else np.float64
    return np.zeros(shape, kind), np.zeros(shape, kind)


def _prediction(sight: Sight, way: Way, weights: Sequence[int], whole: bool) -> np.ndarray:
    prediction = sight.fitted(weights) if way == Way.FITTED else sight.ways()[way]
    if whole:
        return np.rint(prediction)
    return np.rint(prediction * _GRID) / _GRID if prediction.dtype == np.float32 else prediction


def _head(reader: NumberReader, axes: int) -> tuple[int | None, bool]:
    """The axis of frames, and whether units are small."""
    frames, small = _take(reader, SETTINGS, 2)
    if not 0 <= frames <= axes:
        raise DamagedFile(f"The axis of frames must be one of {axes}; it is number {frames}.")
    if not 0 <= small <= 1:
        raise DamagedFile(f"Units must be small, 1, or not, 0; the field says {small}.")
    return frames - 1 if frames else None, bool(small)


def _put(writer: NumberWriter, context: int, numbers: Sequence[int]) -> None:
    writer.put(np.array(numbers, np.int64), np.full(len(numbers), context, np.uint8))


def _take(reader: NumberReader, context: int, count: int) -> list[int]:
    numbers: list[int] = reader.take(np.full(count, context, np.uint8)).tolist()
    return numbers


def _framed(array: np.ndarray, frames: int | None) -> np.ndarray:
    """The axis of frames first; where there is none, one frame."""
    return array[None] if frames is None else np.moveaxis(array, frames, 0)


def _unframed(array: np.ndarray, frames: int | None) -> np.ndarray:
    return array[0] if frames is None else np.moveaxis(array, 0, frames)


def _some_frames(units: np.ndarray) -> np.ndarray:
    """Enough frames to choose an order by."""
    return units[:: max(1, units.shape[0] // 16)]


def _filled(units: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Something harmless where the mask hides the truth: the last value shown before it."""
    if mask is None:
        return units
    places = np.where(mask.ravel(), 0, np.arange(mask.size))
    shown = np.maximum.accumulate(places)
    return np.where(mask.ravel()[shown], 0.0, units.ravel()[shown]).reshape(units.shape)
