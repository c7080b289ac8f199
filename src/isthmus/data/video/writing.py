"""Frames → a file of video: FFV1, which keeps every bit, in Matroska."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.video.clips import Frame
from isthmus.data.video.kinds import LAYOUTS, Kind, av
from isthmus.data.video.sound import EXACT, opened_sound
from isthmus.data.video.times import Times
from isthmus.errors import MachineError
from isthmus.files import atomic_write

_MATROSKA_TICK_S = Fraction(1, 1000)
_CODEC = {"level": "3", "slicecrc": "1"}
_USUAL_RATE = Fraction(25)


def ending_for(times: Times, kind: Kind) -> str:
    """The container a clip comes back in: .mkv; .nut where milliseconds could not keep its frames apart.

    >>> kind = Kind("gray", 8, 8, Fraction(1, 90000), Fraction(0))
    >>> ending_for(Times.of([0, 3003, 6006]), kind), ending_for(Times.of([0, 3, 6]), kind)
    ('.mkv', '.nut')
    """
    if times.first < 0:
        return ".nut"
    told = [round(each * kind.tick_s / _MATROSKA_TICK_S) for each in times.ticks.tolist()]
    return ".mkv" if all(a < b for a, b in pairwise(told)) else ".nut"


def write_clip(
    path: Path, kind: Kind, frames: Iterable[Frame], *, sound: bytes = b"", force: bool = False
) -> None:
    """Put frames into a file, whole or not at all.

    Args:
        path: ends in .mkv or .nut.
        kind: of the frames.
        frames: in order.
        sound: audio tracks, as `read_sound` gives them.
        force: replace a file that is there already.
    Raises:
        MachineError: it cannot be written.
    """
    module = av()
    container = "nut" if path.suffix == ".nut" else "matroska"
    try:
        with atomic_write(path, force=force) as file, ExitStack() as stack:
            target = stack.enter_context(module.open(file, "w", format=container, options=EXACT))
            stream = _stream(target, kind)
            tracks = _Tracks(stack, target, sound)
            for frame in frames:
                made = _made(module, frame, kind)
                tracks.until(float(frame.ticks * kind.tick_s))
                for packet in stream.encode(made):
                    target.mux(packet)
            for packet in stream.encode():
                target.mux(packet)
            tracks.until(float("inf"))
    except (module.error.FFmpegError, ValueError) as wrong:
        raise MachineError(f"{path} cannot be written as video: {wrong}.") from wrong


def _stream(target: Any, kind: Kind) -> Any:
    stream = target.add_stream("ffv1", rate=kind.rate or _USUAL_RATE, options=_CODEC)
    stream.width, stream.height, stream.pix_fmt = kind.width, kind.height, kind.layout
    stream.time_base = stream.codec_context.time_base = kind.tick_s
    context = stream.codec_context
    context.color_range, context.colorspace = kind.range, kind.space
    context.color_primaries, context.color_trc = kind.primaries, kind.transfer
    if kind.aspect:
        context.sample_aspect_ratio = kind.aspect
    if kind.rotation:
        stream.set_display_rotation(kind.rotation)
    return stream


class _Tracks:
    """Audio packets, handed on as time goes by."""

    def __init__(self, stack: ExitStack, target: Any, sound: bytes) -> None:
        self._target, self._waiting = target, None
        self._packets: Iterator[Any] = iter(())
        if sound:
            source = stack.enter_context(opened_sound(sound))
            tracks = list(source.streams.audio)
            self._copies = {track.index: target.add_stream_from_template(track) for track in tracks}
            self._packets = (packet for packet in source.demux(tracks) if packet.dts is not None)
        self._waiting = next(self._packets, None)

    def until(self, time_s: float) -> None:
        """Write all packets up to a time."""
        while self._waiting is not None and float(self._waiting.dts * self._waiting.time_base) <= time_s:
            self._waiting.stream = self._copies[self._waiting.stream.index]
            self._target.mux(self._waiting)
            self._waiting = next(self._packets, None)


def _made(module: Any, frame: Frame, kind: Kind) -> Any:
    """A frame as the encoder takes it."""
    made = module.VideoFrame(kind.width, kind.height, kind.layout)
    made.pts, made.time_base = frame.ticks, kind.tick_s
    made.color_range, made.colorspace = kind.range, kind.space
    planes = frame.planes
    if LAYOUTS[kind.layout].packed:
        green, blue, red, *rest = planes
        planes = (
            np.stack([blue, green, red, *(rest or [np.zeros_like(red)])], axis=-1).reshape(kind.height, -1),
        )
    for plane, samples in zip(made.planes, planes, strict=True):
        narrow = samples.astype(samples.dtype.newbyteorder("<"))
        rows = np.zeros((len(narrow), plane.line_size), np.uint8)
        data = np.ascontiguousarray(narrow).view(np.uint8).reshape(len(narrow), -1)
        rows[:, : data.shape[1]] = data
        plane.update(rows.tobytes()[: plane.buffer_size])
    return made
