"""Clips → an archive; its inverse is in archive.py."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from isthmus.coding.blocks import Layer
from isthmus.coding.container import ArchiveWriter
from isthmus.coding.video import ADAPTIVE
from isthmus.data.names import check_names
from isthmus.data.video import Clip, Frame, Kind, Times, VideoSource, open_video, restored_names
from isthmus.data.video.placing import Placing
from isthmus.data.video.writing import rehearse, restoring_notices
from isthmus.errors import BadItem, UseError
from isthmus.files import target_of
from isthmus.model import VideoModel
from isthmus.tasks.compressed import CompressResult, Winner, path_of
from isthmus.tasks.orders import CompressOrder
from isthmus.tasks.results import notices_of, refuse_notices
from isthmus.tasks.video.blocks import Coder, Made, Run
from isthmus.tasks.video.cuts import Told, frames_at_once, gathered
from isthmus.tasks.video.lossy import PREDICTED
from isthmus.tasks.video.promise import VideoPromise, make_promise
from isthmus.tasks.workers import map_blocks, worker_count

PACKETS = "packets"
"""The plan, and the layer, of a block that holds audio as it is."""


def compress_video(
    source: str | Path | VideoSource, output: str | Path | BinaryIO, order: CompressOrder
) -> CompressResult:
    """Write clips as an archive; a block at a time is in memory.

    Args:
        source: a file of video, or a folder of such files.
        output: the .isz file, or a binary file object.
        order: "lossless" is its default mode, "bounded" with a bound, "lossy" with a model made by
            `fit_video`, for clips of 8 bits. A bound counts steps of a sample. Effort says in how many ways
            samples are predicted. Progress is told in frames.
    Raises:
        UseError: the wishes contradict each other.
        NoData, BadItem, MissingExtra: see VideoSource.
    """
    model, force = order.model, order.force
    if not isinstance(model, VideoModel | None):
        raise UseError("Video is compressed by a model of video: make one with isthmus fit on clips.")
    promise = make_promise(
        order.mode, order.max_error, order.error_mode, quality=order.quality,
        model_hash=None if model is None else model.hash,
    )  # fmt: skip
    video = open_video(source, skip_bad=order.skip_bad)
    target = target_of(output, force=force)
    count = worker_count(order.workers, video.raw_bytes, slow=True)
    notices = video_notices(video)
    refuse_notices(notices, strict=order.strict)
    tally = _Tally(promise, sum(max(1, each.expected) for each in video.clips), list(notices))
    coder, told = Coder(promise, order.effort, None if promise.quality is None else model), list[Told]()
    plan = ADAPTIVE if promise.quality is None else PREDICTED
    packed = coder.model.decoder.packed if coder.model is not None and order.embed_model else None
    with ArchiveWriter(target, promise.to_header(), force=force) as writer:
        for clip in video.clips:
            kind, timing = video.kind(clip), _Timing()
            if coder.model is not None and kind.top != 255:
                raise BadItem(f"{clip.name} must have 8 bits a sample to be lossy; it is {kind.summary()}.")
            for made in map_blocks(coder, _runs(video, clip, kind, timing), count):
                layer = Layer(promise.layer, made.payload, made.crc)
                writer.add_block(range(tally.frames, tally.frames + made.frames), plan, [layer])
                tally.add(made, kind)
                if order.progress is not None:
                    order.progress(min(tally.frames, tally.expected), tally.expected)
            told.append(Told(clip.name, kind, Times.of(timing.ticks), False))
            tally.notices += timing.notices(clip.name)
        told = _add_sounds(writer, video, told, tally)
        tally.notices += [
            each for clip in told for each in restoring_notices(clip.name, clip.kind, clip.times)
        ]
        refuse_notices(tally.notices, strict=order.strict)
        ends = [Placing.of(each.times, each.kind).ending for each in told]
        check_names(restored_names(zip((each.name for each in told), ends, strict=True)))
        writer.finish(packed, {"video": [each.to_list() for each in told]})
    return tally.result(video, target, writer.length, 0 if packed is None else len(packed))


@dataclass
class _Timing:
    """When the frames of a clip are shown, as they are read."""

    ticks: list[int] = field(default_factory=list)
    guessed: int = 0

    def add(self, frame: Frame) -> None:
        """Take in a frame."""
        self.ticks.append(frame.ticks)
        self.guessed += not frame.is_timed

    def notices(self, name: str) -> list[str]:
        """A sentence where times were made up."""
        if not self.guessed:
            return []
        many = f"{self.guessed:,} of {len(self.ticks):,} frames"
        return [f"{name} does not say when {many} are shown; they follow one another at its rate"]


def _runs(video: VideoSource, clip: Clip, kind: Kind, timing: _Timing) -> Iterator[Run]:
    """The frames of each block; their times are added to `timing`."""
    for frames in gathered(video.frames(clip), frames_at_once(kind)):
        for frame in frames:
            timing.add(frame)
        yield Run(kind, frames)


def _add_sounds(writer: ArchiveWriter, video: VideoSource, told: list[Told], tally: _Tally) -> list[Told]:
    """Write the audio of each clip, behind the frames of all; rehearse how each clip will be restored."""
    found, item = [], tally.frames
    for clip, each in zip(video.clips, told, strict=True):
        rehearse(each.name, each.kind, each.times)
        data, notices = restorable_sound(video, clip, each.times)
        tally.notices += notices
        if data:
            writer.add_block([item], PACKETS, [Layer(PACKETS, data, zlib.crc32(data))])
            item, tally.sound_bytes = item + 1, tally.sound_bytes + len(data)
        found.append(replace(each, has_sound=bool(data)))
    return found


def restorable_sound(video: VideoSource, clip: Clip, times: Times) -> tuple[bytes, list[str]]:
    """The audio of a clip that can be written beside its frames, and what is left out of it."""
    sound = video.sound(clip)
    notices = [f"left out: {clip.name}: {each}" for each in sound.dropped]
    if not sound.data:
        return b"", notices
    try:
        rehearse(clip.name, clip.kind, times, sound.data)
    except BadItem as wrong:
        return b"", [*notices, f"left out: {clip.name}: its audio: {wrong}"]
    return sound.data, notices


def video_notices(video: VideoSource) -> tuple[str, ...]:
    """What is lost where clips are written anew."""
    return (*notices_of(video), *(f"left out: {each}" for each in video.beside))


@dataclass
class _Tally:
    """Sums over blocks."""

    promise: VideoPromise
    expected: int
    notices: list[str]
    frames: int = 0
    blocks: int = 0
    raw_bytes: int = 0
    samples: int = 0
    payload_bytes: int = 0
    sound_bytes: int = 0
    lost: float = 0.0

    def add(self, made: Made, kind: Kind) -> None:
        """Take in a block."""
        self.frames += made.frames
        self.blocks += 1
        self.raw_bytes += made.frames * kind.frame_bytes
        self.samples += made.frames * sum(high * wide for high, wide in kind.shapes)
        self.payload_bytes += len(made.payload)
        self.lost += made.lost

    @property
    def psnr_db(self) -> float | None:
        """Over all samples; None where nothing was lost."""
        return 10 * math.log10(self.samples / self.lost) if self.lost else None

    def result(
        self, video: VideoSource, target: Path | BinaryIO, length: int, model_bytes: int
    ) -> CompressResult:
        """What compressing gave."""
        close = "" if self.psnr_db is None else f", PSNR {self.psnr_db:.2f} dB"
        plan = ADAPTIVE if self.promise.quality is None else PREDICTED
        return CompressResult(
            output=path_of(target),
            mode=self.promise.mode,
            promise=self.promise.summary() + close,
            samples=self.frames,
            original_bytes=self.raw_bytes,
            source_bytes=video.file_bytes,
            source_names=[each.name for each in video.clips],
            archive_bytes=length,
            model_bytes=model_bytes,
            payload_bytes=self.payload_bytes,
            metadata_bytes=self.sound_bytes,
            winners={plan: Winner(self.blocks, self.payload_bytes)},
            rivals={},
            quality=self.promise.quality,
            psnr_db=self.psnr_db,
            notices=tuple(self.notices),
            items="frames",
        )
