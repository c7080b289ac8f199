"""An open file of video → its frames as planes; what is damaged is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from isthmus.data.video.kinds import FULL_RANGE, LARGEST_SIDE, LAYOUTS, SAME, Kind, av
from isthmus.errors import BadItem

COVER = 1 << 10
"""FFmpeg's mark of a still picture that belongs to audio."""
_PLANAR = {"bgr0": "gbrp", "bgra": "gbrap"}
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own decoders of these pass transparency over."""
_ALPHA_ID = (1).to_bytes(8, "big")
_BESIDE = "matroska_block_additional"
_LATE_S, _LATE_FRAMES = 0.5, 2
"""How much before the end that its header tells a file may end."""
_TIMED = ("matroska", "mov", "flv", "asf")
"""Containers that tell how long they last; of others, FFmpeg guesses."""


def picture_stream(container: Any, name: str) -> Any:
    """The first stream of moving pictures."""
    found = next((each for each in container.streams.video if not int(each.disposition) & COVER), None)
    if found is None:
        raise BadItem(f"{name} has no video. Leave it out with --skip-bad.")
    if found.codec_context is None:
        raise BadItem(f"{name} is coded in a way that this FFmpeg cannot decode. Convert it first.")
    found.thread_type = "AUTO"
    return found


def has_alpha(container: Any, stream: Any) -> bool:
    """Whether transparency stands beside the pictures of WebM; reads the first packet."""
    if stream.codec_context.name not in _ALPHA_DECODERS:
        return False
    packet = next(container.demux(stream), None)
    container.seek(0)
    if packet is None or not packet.has_sidedata(_BESIDE):
        return False
    return bytes(packet.get_sidedata(_BESIDE))[:8] == _ALPHA_ID


def decoder_of(stream: Any, name: str, *, alpha: bool) -> Any:
    """What decodes a stream; BadItem where its transparency would be lost."""
    own = stream.codec_context
    if not alpha:
        return own
    module = av()
    try:
        found = module.CodecContext.create(_ALPHA_DECODERS[own.name], "r")
    except (module.error.FFmpegError, ValueError, LookupError):
        raise BadItem(
            f"{name} has transparency, which only the decoder {_ALPHA_DECODERS[own.name]} reads; this FFmpeg "
            "has none. Convert the clip first."
        ) from None
    found.extradata = own.extradata
    found.thread_type = "AUTO"
    return found


def decoded(container: Any, stream: Any, name: str, *, alpha: bool, expected: int) -> Iterator[Any]:
    """Frames as FFmpeg has them, in the order in which they are shown.

    Args:
        container, stream: open, at their beginning.
        name: of the file, for messages.
        alpha: whether transparency stands beside them.
        expected: packets of this stream that there must be; 0 where that is not known.
    Raises:
        BadItem: one is damaged or missing.
    """
    decoder, packets, count, end_s = decoder_of(stream, name, alpha=alpha), 0, 0, Fraction(0)
    for packet in container.demux():
        if packet.size and packet.pts is not None:
            end_s = max(end_s, (packet.pts + (packet.duration or 0)) * packet.time_base)
        if packet.stream.index != stream.index:
            continue
        packets += packet.size > 0
        is_last = not packet.size or packet.is_corrupt
        for frame in decoder.decode(None if is_last else packet):
            if frame.is_corrupt or (alpha and "a" not in frame.format.name):
                raise BadItem(
                    f"{name} is damaged at frame {count:,}. Copy it again, or keep what comes before with "
                    "--skip-bad."
                )
            yield frame
            count += 1
        if packet.is_corrupt:
            raise _cut(name, f"its packet {packets - 1:,} is not whole", count)
    if not count:
        raise BadItem(f"{name} holds no frame. Leave it out with --skip-bad.")
    if packets < expected:
        raise _cut(name, f"it says {expected:,} frames and has {packets:,}", count)
    late_s = _LATE_S + _LATE_FRAMES / (stream.average_rate or 25)
    lasts_s = (container.duration or 0) / 1e6
    if container.format.name.startswith(_TIMED) and end_s + late_s < lasts_s:
        raise _cut(name, f"it says {lasts_s:.2f} s and ends after {float(end_s):.2f} s", count)


def _cut(name: str, why: str, count: int) -> BadItem:
    return BadItem(f"{name} is cut short: {why}. Copy it again, or keep {count:,} frames with --skip-bad.")


def kind_of(stream: Any, frame: Any, name: str, *, alpha: bool = False) -> Kind:
    """What a frame has in common with all others.

    Args:
        frame: by the stream's own decoder, which lacks transparency where `alpha`.
    """
    told = frame.format.name
    layout = SAME.get(told, told)
    if alpha:
        layout = layout.replace("yuv", "yuva")
    if layout not in LAYOUTS:
        raise BadItem(
            f"{name} holds samples as {told}, which this version does not keep; it keeps grey, YUV and RGB "
            "of 8 to 16 bits. Convert it first."
        )
    if not (1 <= frame.width <= LARGEST_SIDE and 1 <= frame.height <= LARGEST_SIDE):
        raise BadItem(f"{name} must have sides of 1 to {LARGEST_SIDE:,}; it is {frame.width}×{frame.height}.")
    return Kind(
        layout,
        frame.width,
        frame.height,
        Fraction(frame.time_base or stream.time_base),
        Fraction(stream.average_rate or 0),
        FULL_RANGE if told.startswith("yuvj") else int(frame.color_range),
        int(frame.colorspace),
        int(frame.color_primaries),
        int(frame.color_trc),
        Fraction(stream.sample_aspect_ratio or 0),
        int(frame.rotation),
    )


def require_same(kind: Kind, frame: Any, name: str, number: int) -> None:
    """Raise BadItem where a frame has another size or form than the first one."""
    layout = SAME.get(frame.format.name, frame.format.name)
    if (layout, frame.width, frame.height) != (kind.layout, kind.width, kind.height):
        other = replace(kind, layout=layout if layout in LAYOUTS else kind.layout)
        other = replace(other, width=frame.width, height=frame.height)
        raise BadItem(
            f"{name} changes from {kind.summary()} to {other.summary()} at frame {number:,}; a clip must "
            "keep one size. Cut it there, or keep what comes before with --skip-bad."
        )


def planes_of(frame: Any, kind: Kind) -> tuple[np.ndarray, ...]:
    """The samples of a decoded frame: uint8 or uint16 (row, column) for each plane."""
    planar = _PLANAR.get(kind.layout, kind.layout)
    if frame.format.name != planar and not frame.format.name.startswith("yuvj"):
        frame = frame.reformat(format=planar)
    dtype = np.dtype(np.uint8 if kind.top < 256 else "<u2")
    found = []
    for plane, (high, wide) in zip(frame.planes, kind.shapes, strict=True):
        rows = np.frombuffer(plane, dtype).reshape(-1, plane.line_size // dtype.itemsize)
        found.append(rows[:high, :wide].astype(dtype.newbyteorder("=")))
    return tuple(found)
