"""The samples of one block ⇄ its payload; sent to worker processes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from isthmus.coding.audio import WAVES, Coded, decode_block, decode_lossy, encode_block, encode_lossy
from isthmus.data.audio import Kind
from isthmus.errors import DamagedFile, MachineError
from isthmus.limits import DEFAULT_LIMITS, Limits


@dataclass(frozen=True)
class Run:
    """The frames of a block, (frame, channel), and those of its recordings that stand beside them."""

    kind: Kind
    samples: np.ndarray
    before: np.ndarray
    after: np.ndarray


@dataclass(frozen=True)
class Made:
    """A block, ready to be written."""

    crc: int
    """Of the samples that come back."""
    coded: Coded
    signal: float = 0.0
    lost: float = 0.0
    """Sums of squares, in units of full scale, of the samples and of what they lost."""


@dataclass(frozen=True)
class Task:
    """A block, read."""

    plan: str
    payload: bytes
    crc: int
    frames: int
    kind: Kind


def dtype_of(kind: Kind) -> np.dtype:
    """The type of a kind's samples while they are coded."""
    return kind.read_as if kind.is_float else np.dtype(np.int32)


def crc_of(samples: np.ndarray) -> int:
    """CRC-32 of samples, little-endian, frame by frame."""
    return zlib.crc32(np.ascontiguousarray(samples, samples.dtype.newbyteorder("<")).tobytes())


@dataclass(frozen=True)
class Coder:
    """Codes blocks, without loss where no quality is asked for; what it gives was decoded and compared."""

    quality: int | None
    effort: int

    def __call__(self, run: Run) -> Made:
        """What a block holds → its payload."""
        return self._whole(run) if self.quality is None else self._close(run, self.quality)

    def _whole(self, run: Run) -> Made:
        crc = crc_of(run.samples)
        for effort in dict.fromkeys((self.effort, _PLAIN_EFFORT)):
            coded = encode_block(run.samples, effort=effort)
            task = Task(coded.plan, coded.payload, crc, len(run.samples), run.kind)
            if _comes_back(task, run.samples):
                return Made(crc, coded)
        raise MachineError(
            f"{len(run.samples):,} frames of {run.kind.summary()} do not come back from any coder on this "
            "machine, so nothing was written. Run it on another one, and report it with this file."
        )

    def _close(self, run: Run, quality: int) -> Made:
        kind, samples = run.kind, run.samples
        payload = encode_lossy(samples, kind.bits, quality, run.before, run.after)
        back = _decoded(Task(WAVES, payload, 0, len(samples), kind), DEFAULT_LIMITS)
        lost = _power(back.astype(np.float64) - samples, kind)
        return Made(crc_of(back), Coded(WAVES, payload, {}), _power(samples, kind), lost)


_PLAIN_EFFORT = 1
"""Of the coder that is asked where the first one fails."""


@dataclass(frozen=True)
class Decoder:
    """Undoes Coder; DamagedFile where that is impossible."""

    limits: Limits

    def __call__(self, task: Task) -> np.ndarray:
        """(frame, channel)."""
        samples = _decoded(task, self.limits)
        if crc_of(samples) != task.crc:
            raise DamagedFile("The samples of a block do not match their checksum.")
        return samples


def _comes_back(task: Task, samples: np.ndarray) -> bool:
    """Whether a reader gets the very samples."""
    try:
        return Decoder(DEFAULT_LIMITS)(task).tobytes() == samples.tobytes()
    except DamagedFile:
        return False


def _decoded(task: Task, limits: Limits) -> np.ndarray:
    kind = task.kind
    shape = task.frames, kind.channels, dtype_of(kind)
    if task.plan == WAVES:
        return decode_lossy(task.payload, *shape, kind.bits, limits=limits)
    return decode_block(task.plan, task.payload, *shape, limits=limits)


def _power(samples: np.ndarray, kind: Kind) -> float:
    return float(np.square(samples / kind.full_scale).sum())
