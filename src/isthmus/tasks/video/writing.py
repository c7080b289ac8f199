"""Clips → an archive; its inverse is in archive.py."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from isthmus.coding.blocks import Layer
from isthmus.coding.container import ArchiveWriter
from isthmus.coding.video import ADAPTIVE
from isthmus.data.video import Clip, Kind, Times, VideoSource, open_video
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
    notices = notices_of(video)
    refuse_notices(notices, strict=order.strict)
    tally = _Tally(promise, sum(max(1, each.expected) for each in video.clips), list(notices))
    coder, told = Coder(promise, order.effort, None if promise.quality is None else model), list[Told]()
    plan = ADAPTIVE if promise.quality is None else PREDICTED
    packed = coder.model.decoder.packed if coder.model is not None and order.embed_model else None
    with ArchiveWriter(target, promise.to_header(), force=force) as writer:
        for clip in video.clips:
            kind, ticks = video.kind(clip), list[int]()
            if coder.model is not None and kind.top != 255:
                raise BadItem(f"{clip.name} must have 8 bits a sample to be lossy; it is {kind.summary()}.")
            for made in map_blocks(coder, _runs(video, clip, kind, ticks), count):
                layer = Layer(promise.layer, made.payload, made.crc)
                writer.add_block(range(tally.frames, tally.frames + made.frames), plan, [layer])
                tally.add(made, kind)
                if order.progress is not None:
                    order.progress(min(tally.frames, tally.expected), tally.expected)
            told.append(Told(clip.name, kind, Times.of(ticks), False))
        told = _add_sounds(writer, video, told, tally)
        writer.finish(packed, {"video": [each.to_list() for each in told]})
    return tally.result(video, target, writer.length, 0 if packed is None else len(packed))


def _runs(video: VideoSource, clip: Clip, kind: Kind, ticks: list[int]) -> Iterator[Run]:
    """The frames of each block; their times are added to `ticks`."""
    for frames in gathered(video.frames(clip), frames_at_once(kind)):
        ticks += [frame.ticks for frame in frames]
        yield Run(kind, frames)


def _add_sounds(writer: ArchiveWriter, video: VideoSource, told: list[Told], tally: _Tally) -> list[Told]:
    """Write the audio of each clip, behind the frames of all."""
    found, item = [], tally.frames
    for clip, each in zip(video.clips, told, strict=True):
        try:
            data = video.sound(clip)
        except BadItem as wrong:
            data = b""
            tally.notices.append(f"{clip.name}: {wrong} It was left out.")
        if data:
            writer.add_block([item], PACKETS, [Layer(PACKETS, data, zlib.crc32(data))])
            item, tally.sound_bytes = item + 1, tally.sound_bytes + len(data)
        found.append(replace(each, has_sound=bool(data)))
    return found


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
