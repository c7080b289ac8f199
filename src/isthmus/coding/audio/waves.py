"""Samples ⇄ bytes, with loss: coefficients of windows, rounded to a step, told by those beside and before.

A payload: varints of the window's size (its place in SIZES), of the step in units of 2**-4 of a sample of
16 bits, and whether two channels are told as their mean and half their difference; then the levels of
noise and the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isthmus.coding.adaptive import levels as levels_of
from isthmus.coding.audio import filling
from isthmus.coding.audio.transform import SIZES, backward, forward
from isthmus.coding.numbers import NumberReader, NumberWriter
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile

UNIT_BITS = 4
_MOST_STEP = 1 << 20
_STEPS = 192  # of lanes of windows, about: each is coded in a few goes
_PASSES = ((0, 4), (2, 4), (1, 2))
"""Coefficients are told in these turns: first, and every how many."""
_MOST_WHOLE = 1 << 30
_LONELY, _UP_ALONE, _UP = 3.0, 0.33, 0.42
"""Where the neighbours are below the first together, a coefficient is rounded up only from 1 - 0.33 on."""


@dataclass(frozen=True)
class Waves:
    """How a block is told."""

    size: int
    step: int
    is_joint: bool

    def to_bytes(self) -> bytes:
        """Varints."""
        return b"".join(map(write_varint, (SIZES.index(self.size), self.step, int(self.is_joint))))

    @classmethod
    def read(cls, fields: ByteReader) -> Waves:
        """Undo `to_bytes`."""
        place, step, joint = (fields.varint() for _ in range(3))
        if place >= len(SIZES) or not 1 <= step <= _MOST_STEP or joint > 1:
            raise DamagedFile("A block of audio was rounded in a way that cannot be.")
        return cls(SIZES[place], step, bool(joint))


@dataclass(frozen=True)
class Run:
    """Frames, and those beside them, which are not told here; float64, in units of a sample of 16 bits."""

    samples: np.ndarray
    """(frame, channel)."""
    before: np.ndarray
    after: np.ndarray


def step_of(quality: int) -> int:
    """Quality 1 to 100 → the step, in units of 2**-4 of a sample of 16 bits.

    >>> step_of(100), step_of(50), step_of(1)
    (16, 1218, 84990)
    """
    return round((1 << UNIT_BITS) * 2.0 ** ((100 - quality) / 8))


def encode(run: Run, step: int) -> bytes:
    """A run of frames → bytes; the step in units of 2**-UNIT_BITS."""
    waves = _chosen(run, step)
    found = _transformed(run, waves)
    told = np.stack([_rounded(each) for each in found])
    writer = NumberWriter()
    filling.put_levels(filling.measure(found, told), writer)
    _walk(told, writer)
    return waves.to_bytes() + writer.to_bytes()


def decode(data: bytes, frames: int, channels: int) -> np.ndarray:
    """Undo `encode`: int64 (frame, channel), in units of 2**-(WEIGHT_BITS + UNIT_BITS).

    Raises:
        DamagedFile: the bytes are no such samples.
    """
    fields = ByteReader(data, "A block of audio")
    waves = Waves.read(fields)
    told = np.zeros((channels, -(-frames // waves.size) + 1, waves.size), np.int64)
    reader = NumberReader(fields.rest())
    levels = filling.take_levels(filling.shape_of(*told.shape), reader)
    _walk(told, reader)
    reader.finish()
    if np.abs(told).max() > _MOST_WHOLE:
        raise DamagedFile("A block of audio is louder than can be.")
    found = told * waves.step
    filling.add_noise(found, told, levels, waves.step)
    if waves.is_joint and channels == 2:
        found = np.stack([found[0] + found[1], found[0] - found[1]])
    try:
        return np.stack([backward(each, frames) for each in found], axis=1)
    except OverflowError as wrong:
        raise DamagedFile("A block of audio is louder than can be.") from wrong


def _transformed(run: Run, waves: Waves) -> np.ndarray:
    """Coefficients in steps, float64 (channel, window, size)."""
    channels = zip(run.samples.T, run.before.T, run.after.T, strict=True)
    found = np.stack([forward(now, waves.size, before, after) for now, before, after in channels])
    found *= (1 << UNIT_BITS) / waves.step
    return _joined(found) if waves.is_joint else found


def _joined(found: np.ndarray) -> np.ndarray:
    return np.stack([found[0] + found[1], found[0] - found[1]]) / 2


def _chosen(run: Run, step: int) -> Waves:
    """The size of windows, and the way of telling two channels, that seem to take the fewest bits."""
    costs: dict[Waves, float] = {}
    for size in SIZES:
        if size > max(SIZES[0], len(run.samples)):
            break
        found = _transformed(run, Waves(size, step, False))
        costs[Waves(size, step, False)] = _cost(found)
        if len(found) == 2:
            joint = max(1, round(step / np.sqrt(2)))  # both errors add up in each channel
            costs[Waves(size, joint, True)] = _cost(_joined(found) * (step / joint))
    return min(costs, key=lambda waves: costs[waves])


def _cost(found: np.ndarray) -> float:
    return float(np.log2(1 + np.square(found)).sum())


def _rounded(found: np.ndarray) -> np.ndarray:
    """To whole numbers, rather toward 0: the more so where all around is near 0."""
    sizes = np.abs(found)
    around = sizes.copy()
    around[:, 1:] += sizes[:, :-1]
    around[:, :-1] += sizes[:, 1:]
    around[1:] += sizes[:-1]
    around[:-1] += sizes[1:]
    up = np.where(around < _LONELY, _UP_ALONE, _UP)
    return (np.sign(found) * np.floor(sizes + up)).astype(np.int64)


def _walk(told: np.ndarray, teller: NumberWriter | NumberReader) -> None:
    """Tell whole coefficients (channel, window, size), or fill them in."""
    channels, windows, size = told.shape
    lanes = max(1, windows // _STEPS)
    length = -(-windows // lanes)
    lasting = np.zeros((channels, lanes, size))
    before = np.zeros((channels, lanes, size + 4))
    for step in range(length):
        at = np.arange(step, windows, length)
        for channel in range(channels):
            now = np.zeros((len(at), size + 4))
            past, mean = before[channel, : len(at)], lasting[channel, : len(at)]
            old = past[:, 2:-2] * 2 + past[:, 1:-3] + past[:, 3:-1] + (past[:, :-4] + past[:, 4:]) * 0.5
            expected = (old * 0.5 + mean) * 0.25
            beside = np.abs(told[channel - 1, at]) if channel else None
            for number, (first, every) in enumerate(_PASSES):
                places = slice(first, None, every)
                contexts = _contexts(number, places, expected, now, beside)
                if isinstance(teller, NumberWriter):
                    teller.put(told[channel, at, places].ravel(), contexts.ravel())
                else:
                    told[channel, at, places] = teller.take(contexts.ravel()).reshape(contexts.shape)
                now[:, 2:-2][:, places] = np.abs(told[channel, at, places])
            mean += (now[:, 2:-2] - mean) * 0.125
            past[:] = now


def _contexts(
    turn: int, places: slice, expected: np.ndarray, now: np.ndarray, beside: np.ndarray | None
) -> np.ndarray:
    """How large each coefficient is expected to be, as uint8 contexts; shape (lane, place).

    Args:
        turn: its place in _PASSES: from the second on, neighbours of the same window are known.
        places: those told in this turn.
        expected: by the windows before; shape (lane, size).
        now: magnitudes of this window, 0 where they are not known; two more at each end.
        beside: coefficients of the channel before, where there is one.
    """
    found = expected[:, places]
    if turn:
        away, share = (2, 0.25) if turn == 1 else (1, 1 / 3)
        size = expected.shape[1]
        near = now[:, 2 - away : 2 - away + size] + now[:, 2 + away : 2 + away + size]
        found = found * (1 - 2 * share) + near[:, places] * share
    if beside is not None:
        found = found * 0.75 + beside[:, places] * 0.25
    return levels_of(np.ascontiguousarray(found))
