"""Clips for benchmarks of video, and what other encoders make of them."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from isthmus.data.video import Frame, Kind, VideoSource, write_clip


@dataclass(frozen=True)
class Encoder:
    """An encoder of FFmpeg, with its settings."""

    name: str
    codec: str
    options: dict[str, str]


def first_frames(path: Path, count: int) -> tuple[Kind, list[Frame]]:
    """The first frames of a clip."""
    video = VideoSource(path)
    (clip,) = video.clips
    frames = []
    for frame in video.frames(clip):
        frames.append(frame)
        if len(frames) == count:
            break
    return video.kind(clip), frames


def as_file(kind: Kind, frames: Sequence[Frame], folder: Path) -> Path:
    """Those frames as a clip of their own, without loss."""
    path = folder / "clip.mkv"
    write_clip(path, kind, frames, force=True)
    return path


@dataclass(frozen=True)
class Coded:
    """What an encoder made: the bytes of its packets, no container; PSNR of the first plane, dB."""

    bytes: int
    psnr_db: float
    encode_cpu_s: float


def by_rival(encoder: Encoder, kind: Kind, frames: Sequence[Frame]) -> Coded:
    """Code frames, decode them, compare."""
    memory, size = io.BytesIO(), 0
    started = time.process_time()
    with av.open(memory, "w", format="matroska") as target:
        stream = target.add_stream(encoder.codec, rate=25, options=encoder.options)
        stream.width, stream.height, stream.pix_fmt = kind.width, kind.height, kind.layout
        for number, frame in enumerate(frames):
            made = av.VideoFrame(kind.width, kind.height, kind.layout)
            for plane, samples in zip(made.planes, frame.planes, strict=True):
                rows = np.zeros((len(samples), plane.line_size), np.uint8)
                rows[:, : samples.shape[1]] = samples
                plane.update(rows.tobytes())
            made.pts, made.time_base = number, Fraction(1, 25)
            for packet in stream.encode(made):
                size += packet.size
                target.mux(packet)
        for packet in stream.encode():
            size += packet.size
            target.mux(packet)
    spent = time.process_time() - started
    memory.seek(0)
    with av.open(memory) as source:
        back = [first_plane(each, kind) for each in source.decode(video=0)]
    assert len(back) == len(frames), (encoder.name, len(back), len(frames))
    return Coded(size, psnr_db([each.planes[0] for each in frames], back), round(spent, 2))


def first_plane(frame: Any, kind: Kind) -> np.ndarray:
    """(row, column)."""
    plane = frame.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: kind.height, : kind.width].copy()


def psnr_db(truth: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> float:
    """Of all frames together; 99 where nothing was lost."""
    lost = float(np.mean([np.square(a.astype(float) - b).mean() for a, b in zip(truth, found, strict=True)]))
    return 99.0 if lost == 0 else float(10 * np.log10(255**2 / lost))


def bytes_at(curve: Sequence[Coded], psnr: float) -> int | None:
    """What an encoder takes at a PSNR, between the points of its curve; None beyond them."""
    points = sorted((each.psnr_db, each.bytes) for each in curve)
    if not points[0][0] <= psnr <= points[-1][0]:
        return None
    return round(float(np.exp(np.interp(psnr, *np.array([(p, np.log(b)) for p, b in points]).T))))
