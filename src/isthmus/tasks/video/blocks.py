"""The frames of one block ⇄ its payload; sent to worker processes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from isthmus.coding.video import ADAPTIVE, Form, decode_block, encode_block
from isthmus.data.video import Frame, Kind
from isthmus.errors import DamagedFile
from isthmus.limits import DEFAULT_LIMITS, Limits


@dataclass(frozen=True)
class Run:
    """Neighbouring frames of a clip."""

    kind: Kind
    frames: tuple[Frame, ...]

    @property
    def planes(self) -> list[np.ndarray]:
        """(frame, row, column) each."""
        return [np.stack(each) for each in zip(*(frame.planes for frame in self.frames), strict=True)]


@dataclass(frozen=True)
class Made:
    """A block, ready to be written."""

    frames: int
    crc: int
    """Of the samples that come back."""
    payload: bytes
    lost: float
    """The sum of squares of what they lost, in parts of the largest value."""


@dataclass(frozen=True)
class Task:
    """A block, read."""

    plan: str
    payload: bytes
    crc: int
    frames: int
    kind: Kind


def form_of(kind: Kind) -> Form:
    """What the coder must know of frames."""
    return Form(kind.shapes, kind.top)


def crc_of(planes: list[np.ndarray]) -> int:
    """CRC-32 of samples, little-endian, plane by plane."""
    crc = 0
    for each in planes:
        crc = zlib.crc32(np.ascontiguousarray(each, each.dtype.newbyteorder("<")).tobytes(), crc)
    return crc


@dataclass(frozen=True)
class Coder:
    """Codes blocks, each sample within `error` of what it was."""

    error: int
    effort: int

    def __call__(self, run: Run) -> Made:
        """What a block holds → its payload."""
        planes, form = run.planes, form_of(run.kind)
        payload = encode_block(planes, form.top, error=self.error, effort=self.effort)
        if not self.error:
            return Made(len(run.frames), crc_of(planes), payload, 0.0)
        back = decode_block(payload, form, len(run.frames), limits=DEFAULT_LIMITS)
        apart = [mine.astype(np.int32) - theirs for mine, theirs in zip(back, planes, strict=True)]
        assert max(int(np.abs(each).max()) for each in apart) <= self.error
        lost = sum(float(np.square(each / form.top).sum()) for each in apart)
        return Made(len(run.frames), crc_of(back), payload, lost)


@dataclass(frozen=True)
class Decoder:
    """Undoes Coder; DamagedFile where that is impossible."""

    limits: Limits

    def __call__(self, task: Task) -> list[np.ndarray]:
        """The planes of a block, (frame, row, column) each."""
        if task.plan != ADAPTIVE:
            raise DamagedFile(
                "A block is coded in a way this version does not know. Update with `pip install -U isthmus`."
            )
        planes = decode_block(task.payload, form_of(task.kind), task.frames, limits=self.limits)
        if crc_of(planes) != task.crc:
            raise DamagedFile("The samples of a block do not match their checksum.")
        return planes
