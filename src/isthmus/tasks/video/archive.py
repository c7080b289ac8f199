"""An archive of video → files; its inverse is in writing.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.container import ArchiveReader
from isthmus.data.names import check_names, prepare_outputs
from isthmus.data.video import Frame, Times, restored_names, write_clip
from isthmus.data.video.placing import Placing
from isthmus.data.video.writing import restoring_notices
from isthmus.errors import DamagedFile, ModelNeeded, UseError
from isthmus.model import AnyModel, VideoModel
from isthmus.model.video_model import VideoDecoder
from isthmus.tasks.orders import DecompressOrder
from isthmus.tasks.restored import DecompressResult
from isthmus.tasks.video.blocks import Decoder, Task
from isthmus.tasks.video.cuts import Cut, Told, frames_at_once
from isthmus.tasks.video.promise import VideoPromise
from isthmus.tasks.workers import map_blocks, worker_count


@dataclass(frozen=True)
class OpenedVideo:
    """An archive of video, ready to be decoded."""

    reader: ArchiveReader
    clips: tuple[Told, ...]
    cuts: tuple[Cut, ...]
    """Of each block of frames."""
    promise: VideoPromise
    model: VideoDecoder | None = None
    """Of a lossy archive."""

    def frames(self, clip: int, wanted: np.ndarray, *, workers: int = 1) -> Iterator[Frame]:
        """Frames of a clip, in order.

        Args:
            clip: its number.
            wanted: the numbers of frames in it, ascending.
        """
        ticks = self.clips[clip].times.ticks
        needed = [
            number for number, cut in enumerate(self.cuts) if cut.clip == clip and _inside(cut, wanted).size
        ]
        decoded = map_blocks(Decoder(self.reader.limits, self.model), map(self.task, needed), workers)
        for number, planes in zip(needed, decoded, strict=True):
            cut = self.cuts[number]
            for frame in _inside(cut, wanted).tolist():
                yield Frame(int(ticks[frame]), tuple(each[frame - cut.first] for each in planes))

    def task(self, number: int) -> Task:
        """What it takes to decode a block of frames."""
        block = self.reader.read_block(number)
        if [layer.name for layer in block.layers] != [self.promise.layer]:
            raise DamagedFile(f"Block {number} has not the one layer that video has.")
        layer, cut = block.layers[0], self.cuts[number]
        return Task(str(block.plan), layer.payload, layer.content_crc, cut.frames, self.clips[cut.clip].kind)

    def sound(self, clip: int) -> bytes:
        """The audio of a clip, as `VideoSource.sound` gives it."""
        if not self.clips[clip].has_sound:
            return b""
        number = len(self.cuts) + sum(each.has_sound for each in self.clips[:clip])
        (layer,) = self.reader.read_block(number).layers
        return layer.payload


def _inside(cut: Cut, wanted: np.ndarray) -> np.ndarray:
    return wanted[(wanted >= cut.first) & (wanted < cut.first + cut.frames)]


def opened_video(
    reader: ArchiveReader, model: AnyModel | None = None, *, decodes: bool = True
) -> OpenedVideo:
    """An archive of video that is open, ready to be decoded.

    Args:
        model: needed where a lossy archive does not hold its own.
        decodes: whether frames will be asked for, so that the model must be there.
    Raises:
        DamagedFile: it contradicts itself.
        ModelNeeded: the model is neither held nor given, or another one was given.
    """
    told = reader.extras.get("video")
    if not isinstance(told, list) or not told:
        raise DamagedFile(f"{reader.name} does not say which clips it holds.")
    clips = tuple(map(Told.from_list, told))
    check_names([each.name for each in clips])
    total = sum(each.times.count * each.kind.frame_bytes for each in clips)
    reader.limits.require("output_bytes", total, "The output")
    needed = sum(-(-each.times.count // frames_at_once(each.kind)) + each.has_sound for each in clips)
    if needed != len(reader.blocks):  # before anything is made for each
        raise DamagedFile(f"{reader.name} has other blocks than its clips need.")
    cuts, first = [], 0
    for number, clip in enumerate(clips):
        at_once = frames_at_once(clip.kind)
        starts = range(0, clip.times.count, at_once)
        cuts += [Cut(number, start, min(at_once, clip.times.count - start)) for start in starts]
    lengths = [cut.frames for cut in cuts] + [1] * sum(clip.has_sound for clip in clips)
    for entry, length in zip(reader.blocks, lengths, strict=False):
        if entry.header.runs != (range(first, first + length),):
            break
        first += length
    if first != sum(lengths):
        raise DamagedFile(f"{reader.name} has other blocks than its clips need.")
    promise = VideoPromise.from_header(reader.header)
    decoder = _model_of(reader, promise, model) if decodes else None
    return OpenedVideo(reader, clips, tuple(cuts), promise, decoder)


def _model_of(reader: ArchiveReader, promise: VideoPromise, given: AnyModel | None) -> VideoDecoder | None:
    wanted = promise.model_hash
    if wanted is None:
        return None
    held = reader.model_bytes
    if held is not None:
        found = VideoDecoder.from_bytes(held, max_bytes=reader.limits.model_bytes)
        if found.hash != wanted:
            raise DamagedFile(f"{reader.name} holds another model than it names.")
        return found
    if not isinstance(given, VideoModel):
        raise ModelNeeded(
            f"{reader.name} was made with a model of video that it does not hold, {wanted[:12]}…. "
            "Give it with -m."
        )
    if given.hash != wanted:
        raise ModelNeeded(
            f"{reader.name} was made with the model {wanted[:12]}…; the one given is {given.hash[:12]}…."
        )
    return given.decoder


def video_facts(reader: ArchiveReader) -> tuple[str, dict[str, Any]]:
    """A title, and facts for people."""
    opened = opened_video(reader, decodes=False)
    clips, frames = opened.clips, sum(each.times.count for each in opened.clips)
    seconds = sum(float(np.ptp(each.times.ticks) * each.kind.tick_s) for each in clips)
    kinds = sorted({each.kind.summary() for each in clips})
    count, sounds = len(clips), sum(each.has_sound for each in clips)
    return f"archive of {count:,} clip{'' if count == 1 else 's'} of video", {
        "frames": f"{frames:,} in {len(opened.cuts):,} blocks, over {seconds:,.1f} s",
        "kinds": "; ".join(kinds),
        "files": f"{count:,} ({clips[0].name}{' …' * (count > 1)})",
        **({"sound": f"of {sounds:,}, as it was"} if sounds else {}),
        "mode": opened.promise.summary(),
    }


def decompress_video(
    archive: str | Path | bytes, directory: str | Path, order: DecompressOrder
) -> DecompressResult:
    """Restore the clips of an archive of video; see `decompress`.

    Items are frames, counted through all clips; a time asks for the frames shown within it, of each clip.
    A clip that is not restored whole has no audio.
    """
    with ExitStack() as stack:
        opened = opened_video(stack.enter_context(ArchiveReader(archive, limits=order.limits)), order.model)
        wanted = _wanted(opened, order)
        times = {clip: _times(opened, clip, frames) for clip, frames in wanted.items()}
        names = restored_names(
            [
                (opened.clips[clip].name, Placing.of(each, opened.clips[clip].kind).ending)
                for clip, each in times.items()
            ]
        )
        paths = prepare_outputs(names, Path(directory), force=order.force)
        processes = worker_count(order.workers, opened.reader.length * 4, slow=True)
        notices: list[str] = []
        for path, (clip, frames) in zip(paths, wanted.items(), strict=True):
            told = opened.clips[clip]
            is_whole = len(frames) == told.times.count
            pictures = opened.frames(clip, frames, workers=processes)
            sound = opened.sound(clip) if is_whole else b""
            write_clip(path, told.kind, pictures, times=times[clip], sound=sound, force=order.force)
            notices += restoring_notices(path.name, told.kind, times[clip])
            if told.has_sound and not is_whole:
                notices.append(f"left out: {told.name}: its audio, as only a part of the clip was asked for")
        count = sum(map(len, wanted.values()))
        return DecompressResult(tuple(paths), count, Path(directory), items="frames", notices=tuple(notices))


def _wanted(opened: OpenedVideo, order: DecompressOrder) -> dict[int, np.ndarray]:
    """By clip, the numbers of the frames to restore."""
    counts = [each.times.count for each in opened.clips]
    if order.time is not None:
        if order.items is not None:
            raise UseError("Give --items or --time, not both.")
        found = {
            number: each.times.within(*order.time, each.kind.tick_s)
            for number, each in enumerate(opened.clips)
        }
        kept = {number: frames for number, frames in found.items() if frames.size}
        if not kept:
            raise UseError(f"--time must begin before the end and not be empty; got {_span(order.time)}.")
        return kept
    wanted, ends = order.range_of(sum(counts)), np.cumsum(counts)
    found = {}
    for number, (count, end) in enumerate(zip(counts, ends.tolist(), strict=True)):
        frames = np.arange(max(wanted.start, end - count), min(wanted.stop, end)) - (end - count)
        if frames.size:
            found[number] = frames
    return found


def _span(time: tuple[float, float]) -> str:
    return ":".join(f"{each:g}" for each in time)


def _times(opened: OpenedVideo, clip: int, frames: np.ndarray) -> Times:
    return Times.of(opened.clips[clip].times.ticks[frames].tolist())
