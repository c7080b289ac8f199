"""The frames of one block ⇄ its payload; sent to worker processes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from isthmus.coding.video import ADAPTIVE, SAMPLE_BYTES, Form, decode_block, encode_block
from isthmus.data.video import Frame, Kind
from isthmus.errors import DamagedFile, MachineError
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
    """Codes blocks as promised; what it gives was decoded and held against the frames."""

    promise: VideoPromise
    effort: int
    model: VideoModel | None = None
    """Of lossy blocks."""

    def __call__(self, run: Run) -> Made:
        """What a block holds → its payload."""
        planes, form = run.planes, form_of(run.kind)
        DEFAULT_LIMITS.require(
            "block_bytes", SAMPLE_BYTES * len(run.frames) * form.samples, "A block of video"
        )
        if self.model is not None and self.promise.quality is not None:
            thrifty = self.effort > _QUICK_EFFORT
            made = encode_lossy(planes, self.model, self.promise.quality, thrifty=thrifty)
            plan, payload, wanted, error = PREDICTED, made.payload, made.planes, 0
        else:
            error = min(self.promise.error, form.top - 1)
            payload = encode_block(planes, form.top, error=error, effort=self.effort)
            plan, wanted = ADAPTIVE, planes
        task = Task(plan, payload, 0, len(run.frames), run.kind)
        back = _checked(task, None if self.model is None else self.model.decoder, wanted, error)
        return Made(task.frames, crc_of(back), payload, _lost(planes, back, form.top))


_QUICK_EFFORT = 2


def _checked(
    task: Task, model: VideoDecoder | None, wanted: list[np.ndarray], error: int
) -> list[np.ndarray]:
    """What a reader gets; MachineError where a sample is further from what is wanted than it may be."""
    try:
        back = _decoded(task, DEFAULT_LIMITS, model)
        pairs = list(zip(back, wanted, strict=True))
    except (DamagedFile, ValueError):
        pairs = []
    if error:
        kept = all((np.abs(mine.astype(np.int32) - theirs) <= error).all() for mine, theirs in pairs)
    else:
        kept = all(np.array_equal(mine, theirs) for mine, theirs in pairs)
    if not pairs or not kept:
        raise MachineError(
            f"{task.frames:,} frames of {task.kind.summary()} do not come back as promised on this machine, "
            "so nothing was written. Run it on another one, and report it with this file."
        )
    return back


def _lost(planes: list[np.ndarray], back: list[np.ndarray], top: int) -> float:
    lost = 0.0
    for mine, theirs in zip(back, planes, strict=True):
        apart = mine.astype(np.float32) - theirs
        lost += float(np.square(apart / top).sum(dtype=np.float64))
    return lost


@dataclass(frozen=True)
class Decoder:
    """Undoes Coder; DamagedFile where that is impossible."""

    limits: Limits
    model: VideoDecoder | None = None
    """Of lossy blocks."""

    def __call__(self, task: Task) -> list[np.ndarray]:
        """The planes of a block, (frame, row, column) each."""
        planes = _decoded(task, self.limits, self.model)
        if crc_of(planes) != task.crc:
            raise DamagedFile("The samples of a block do not match their checksum.")
        return planes


def _decoded(task: Task, limits: Limits, model: VideoDecoder | None) -> list[np.ndarray]:
    form = form_of(task.kind)
    if task.plan == PREDICTED and model is not None:
        return decode_lossy(task.payload, model, form, task.frames, limits)
    if task.plan == ADAPTIVE:
        return decode_block(task.payload, form, task.frames, limits=limits)
    raise DamagedFile(
        "A block is coded in a way this version does not know. Update with `pip install -U isthmus`."
    )
