"""Frames → a file of video: FFV1, which keeps every bit, in Matroska."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.video.clips import Frame
from isthmus.data.video.kinds import LAYOUTS, USUAL_RATE, Kind, av
from isthmus.data.video.placing import Placing
from isthmus.data.video.sound import AS_THEY_ARE, copied_track, opened_sound
from isthmus.data.video.times import Times
from isthmus.errors import BadItem, MachineError
from isthmus.files import Nowhere, atomic_write

_CODEC = {"level": "3", "slicecrc": "1"}


def write_clip(
    path: Path,
    kind: Kind,
    frames: Iterable[Frame],
    *,
    times: Times | None = None,
    sound: bytes = b"",
    force: bool = False,
) -> None:
    """Put frames into a file, whole or not at all.

    Args:
        path: ends as `Placing.of(times, kind)` says.
        kind: of the frames.
        frames: in order.
        times: of all of them; where they are not given, all frames are held in memory.
        sound: audio tracks, the data of a Sound.
        force: replace a file that is there already.
    Raises:
        MachineError: it cannot be written.
    """
    module = av()
    if times is None:
        frames = list(frames)
        times = Times.of([frame.ticks for frame in frames])

    def packets(stream: Any) -> Iterator[Any]:
        for frame in frames:
            yield from stream.encode(_made(module, frame.planes, frame.ticks, kind))
        yield from stream.encode()

    try:
        with atomic_write(path, force=force) as file:
            _mux(file, Placing.of(times, kind), kind, packets, sound)
    except (module.error.FFmpegError, ValueError) as wrong:
        raise MachineError(f"{path} cannot be written as video: {wrong}.") from wrong


def rehearse(name: str, kind: Kind, times: Times, sound: bytes = b"") -> None:
    """Write a clip with nearly empty frames to nowhere: what cannot be restored must not be compressed.

    Args:
        name: of the clip, for messages.
        kind, times: of its frames.
        sound: audio tracks, the data of a Sound.
    Raises:
        BadItem: encoder or container take neither such frames, nor such times, nor such audio.
    """
    module, placing = av(), Placing.of(times, kind)

    def packets(stream: Any) -> Iterator[Any]:
        black = [np.zeros(shape, np.uint8 if kind.top < 256 else np.uint16) for shape in kind.shapes]
        yield from stream.encode(_made(module, black, 0, kind))
        yield from stream.encode()
        for _ in range(times.count - 1):
            packet = module.Packet(1)
            packet.stream, packet.time_base = stream, kind.tick_s
            yield packet

    made: io.BytesIO = Nowhere() if sound else io.BytesIO()
    try:
        _mux(made, placing, kind, packets, sound)
        if not sound:
            made.seek(0)
            with module.open(made, format=placing.container) as back:
                shown = [packet.pts * packet.time_base for packet in back.demux(video=0) if packet.size]
            if not placing.holds(shown):
                raise BadItem(f"{name} has times that no file could hold: {times.summary(kind.tick_s)}.")
    except (module.error.FFmpegError, ValueError, TypeError) as wrong:
        raise BadItem(
            f"{name} could not be restored as {kind.summary()} with {times.summary(kind.tick_s)}: {wrong}."
        ) from wrong


def restoring_notices(name: str, kind: Kind, times: Times) -> tuple[str, ...]:
    """A sentence for each thing that a file in which a clip comes back does not say as the original did."""
    found = list(Placing.of(times, kind).notices())
    if kind.aspect not in (0, 1):
        found.append(
            f"has samples that are {kind.aspect} as wide as high, which the file that comes back does not say"
        )
    return tuple(f"{name} {each}" for each in found)


def _mux(
    file: Any, placing: Placing, kind: Kind, packets: Callable[[Any], Iterator[Any]], sound: bytes
) -> None:
    """Write the packets of frames where they belong, and those of audio between them."""
    with ExitStack() as stack:
        target = stack.enter_context(av().open(file, "w", format=placing.container, options=AS_THEY_ARE))
        stream = _stream(target, kind)
        tracks = _Tracks(stack, target, sound, placing.shift * kind.tick_s)
        for packet, shown, decoded in zip(packets(stream), placing.shown, placing.decoded, strict=True):
            packet.pts, packet.dts, packet.time_base = shown, decoded, kind.tick_s
            tracks.until(shown * kind.tick_s)
            target.mux(packet)
        tracks.until(None)


def _stream(target: Any, kind: Kind) -> Any:
    stream = target.add_stream("ffv1", rate=kind.rate or USUAL_RATE, options=_CODEC)
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

    def __init__(self, stack: ExitStack, target: Any, sound: bytes, shift_s: Fraction) -> None:
        self._target, self._copies = target, dict[int, Any]()
        self._packets: Iterator[Any] = iter(())
        if sound:
            source = stack.enter_context(opened_sound(sound))
            tracks = list(source.streams.audio)
            self._copies = {track.index: copied_track(target, track) for track in tracks}
            self._packets = _shifted(source.demux(tracks), shift_s)
        self._waiting = next(self._packets, None)

    def until(self, time_s: Fraction | None) -> None:
        """Write all packets up to a time, or all there are."""
        while (packet := self._waiting) is not None:
            if time_s is not None and packet.dts is not None and packet.dts * packet.time_base > time_s:
                return
            packet.stream = self._copies[packet.stream.index]
            self._target.mux(packet)
            self._waiting = next(self._packets, None)


def _shifted(packets: Iterable[Any], shift_s: Fraction) -> Iterator[Any]:
    """Packets that hold something, so much later."""
    for packet in packets:
        if packet.size:
            if packet.dts is not None:
                shift = round(shift_s / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            yield packet


def _made(module: Any, planes: Iterable[np.ndarray], ticks: int, kind: Kind) -> Any:
    """A frame as the encoder takes it."""
    made = module.VideoFrame(kind.width, kind.height, kind.layout)
    made.pts, made.time_base = ticks, kind.tick_s
    made.color_range, made.colorspace = kind.range, kind.space
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
