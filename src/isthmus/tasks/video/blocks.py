"""The frames of one block ⇄ its payload; sent to worker processes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from isthmus.coding.video import ADAPTIVE, Form, decode_block, encode_block
from isthmus.data.video import Frame, Kind
from isthmus.errors import DamagedFile
from isthmus.limits import DEFAULT_LIMITS, Limits
from isthmus.model import VideoModel
from isthmus.model.video_model import VideoDecoder
from isthmus.tasks.video.lossy import PREDICTED, decode_lossy, encode_lossy
from isthmus.tasks.video.promise import VideoPromise


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
    """Codes blocks as promised."""

    promise: VideoPromise
    effort: int
    model: VideoModel | None = None

    def __call__(self, run: Run) -> Made:
        """What a block holds → its payload."""
        planes, form, error = run.planes, form_of(run.kind), self.promise.error
        if self.promise.quality is not None:
            assert self.model is not None
            thrifty = self.effort > _QUICK_EFFORT
            made = encode_lossy(planes, self.model, self.promise.quality, thrifty=thrifty)
            return _made(made.payload, planes, made.planes, form.top)
        payload = encode_block(planes, form.top, error=error, effort=self.effort)
        if not error:
            return _made(payload, planes, planes, form.top)
        back = decode_block(payload, form, len(run.frames), limits=DEFAULT_LIMITS)
        pairs = zip(back, planes, strict=True)
        assert all((np.abs(mine.astype(np.int32) - theirs) <= error).all() for mine, theirs in pairs)
        return _made(payload, planes, back, form.top)


_QUICK_EFFORT = 2


def _made(payload: bytes, planes: list[np.ndarray], back: list[np.ndarray], top: int) -> Made:
    lost = 0.0
    if planes is not back:
        for mine, theirs in zip(back, planes, strict=True):
            apart = mine.astype(np.float32) - theirs
            lost += float(np.square(apart / top).sum(dtype=np.float64))
    return Made(len(planes[0]), crc_of(back), payload, lost)


@dataclass(frozen=True)
class Decoder:
    """Undoes Coder; DamagedFile where that is impossible."""

    limits: Limits
    model: VideoDecoder | None = None
    """Of lossy blocks."""

    def __call__(self, task: Task) -> list[np.ndarray]:
        """The planes of a block, (frame, row, column) each."""
        form = form_of(task.kind)
        if task.plan == PREDICTED and self.model is not None:
            planes = decode_lossy(task.payload, self.model, form, task.frames, self.limits)
        elif task.plan == ADAPTIVE:
            planes = decode_block(task.payload, form, task.frames, limits=self.limits)
        else:
            raise DamagedFile(
                "A block is coded in a way this version does not know. Update with `pip install -U isthmus`."
            )
        if crc_of(planes) != task.crc:
            raise DamagedFile("The samples of a block do not match their checksum.")
        return planes
