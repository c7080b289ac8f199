"""The samples of one block ⇄ its payload; sent to worker processes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from isthmus.coding.audio import WAVES, Coded, decode_block, decode_lossy, encode_block, encode_lossy
from isthmus.data.audio import Kind
from isthmus.errors import DamagedFile
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
    """Codes blocks, without loss where no quality is asked for."""

    quality: int | None
    effort: int

    def __call__(self, run: Run) -> Made:
        """What a block holds → its payload."""
        kind, samples = run.kind, run.samples
        if self.quality is None:
            return Made(crc_of(samples), encode_block(samples, effort=self.effort))
        payload = encode_lossy(samples, kind.bits, self.quality, run.before, run.after)
        made = Task(WAVES, payload, 0, len(samples), kind)
        back = _decoded(made, DEFAULT_LIMITS)
        lost = _power(back.astype(np.float64) - samples, kind)
        return Made(crc_of(back), Coded(WAVES, payload, {}), _power(samples, kind), lost)


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


def _decoded(task: Task, limits: Limits) -> np.ndarray:
    kind = task.kind
    shape = task.frames, kind.channels, dtype_of(kind)
    if task.plan == WAVES:
        return decode_lossy(task.payload, *shape, kind.bits, limits=limits)
    return decode_block(task.plan, task.payload, *shape, limits=limits)


def _power(samples: np.ndarray, kind: Kind) -> float:
    return float(np.square(samples / kind.full_scale).sum())
