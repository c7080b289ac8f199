"""Files and folders of video → clips, read frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.beside import beside, linked_folders
from isthmus.data.names import fault_in, files_under
from isthmus.data.source import Skipped
from isthmus.data.video.kinds import FULL_RANGE, LARGEST_SIDE, LAYOUTS, SAME, Kind, av, is_video_name
from isthmus.data.video.sound import read_sound
from isthmus.errors import BadItem, NoData

_PLANAR = {"bgr0": "gbrp", "bgra": "gbrap"}
_NOMINAL_RATE = Fraction(25)


@dataclass(frozen=True)
class Frame:
    """One picture."""

    ticks: int
    """When it is shown."""
    planes: tuple[np.ndarray, ...]
    """uint8 or uint16 (row, column) each."""


@dataclass(frozen=True)
class Clip:
    """One file, before its frames are read."""

    name: str
    """Relative, with forward slashes."""
    expected: int
    """How many frames it says it has; 0 where it does not say."""
    raw_bytes: int
    """About, of all frames."""
    most: int | None = None
    """How many frames to read, where the rest is damaged."""


class VideoSource:
    """Clips, sorted by name.

    Args:
        source: a file, or a folder with its sub-folders.
        skip_bad: leave out what cannot be decoded, and name it in `skipped`; reads all clips once more.
    Raises:
        NoData: there is no video.
        BadItem: a file cannot be read, and `skip_bad` is False.
        MissingExtra: PyAV is not installed.
    """

    def __init__(self, source: str | Path, *, skip_bad: bool = False) -> None:
        av()
        path = Path(source)
        self._root = path if path.is_dir() else path.parent
        self.name = path.resolve().name if path.is_dir() else path.stem
        skipped: list[Skipped] = []
        found: list[Clip] = []
        every = files_under(path) if path.is_dir() else [path.name]
        names = sorted(filter(is_video_name, every)) if path.is_dir() else every
        for name in names:
            try:
                clip = self._look(name)
                if skip_bad:
                    clip, fault = self._tried(clip)
                    skipped += [Skipped(name, fault)] if fault else []
                found.append(clip)
            except BadItem as wrong:
                if not skip_bad:
                    raise
                skipped.append(Skipped(name, str(wrong)))
        if not found:
            raise NoData(f"{path} holds no readable video; files end in .mp4, .mkv, .mov, .webm, .avi …")
        self.clips, self.skipped = tuple(found), tuple(skipped)
        links = linked_folders(path) if path.is_dir() else ()
        self.ignored = (*beside(every, set(names), "video"), *links)
        self.file_bytes = sum((self._root / each.name).stat().st_size for each in self.clips)
        self.raw_bytes = sum(each.raw_bytes for each in self.clips)

    def kind(self, clip: Clip) -> Kind:
        """What its frames are; looks at the first."""
        with self._opened(clip.name) as container:
            stream = _stream(container, clip.name)
            return _kind(stream, next(container.decode(stream)), clip.name)

    def frames(self, clip: Clip) -> Iterator[Frame]:
        """Its frames, in the order in which they are shown.

        Raises:
            BadItem: it cannot be decoded to its end, or its frames change in size or form.
        """
        yield from islice(self._decoded(clip), clip.most)

    def sound(self, clip: Clip) -> bytes:
        """Its audio tracks as they are, as a Matroska file; empty where there are none."""
        with self._opened(clip.name) as container:
            return read_sound(container)

    def _decoded(self, clip: Clip) -> Iterator[Frame]:
        count, kind, clock = 0, None, _Clock()
        with self._opened(clip.name) as container:
            stream = _stream(container, clip.name)
            for decoded in container.decode(stream):
                found = _kind(stream, decoded, clip.name)
                kind = kind or found
                if (found.layout, found.width, found.height) != (kind.layout, kind.width, kind.height):
                    raise BadItem(
                        f"{clip.name} changes from {kind.summary()} to {found.summary()} at frame "
                        f"{count:,}; a clip must keep one size. Cut it there, or keep what comes before "
                        "with --skip-bad."
                    )
                if decoded.is_corrupt:
                    raise BadItem(
                        f"{clip.name} is damaged at frame {count:,}. Copy it again, or keep what comes "
                        "before with --skip-bad."
                    )
                yield Frame(clock.ticks(decoded, kind), planes_of(decoded, kind))
                count += 1
        if not count:
            raise BadItem(f"{clip.name} holds no frame. Leave it out with --skip-bad.")
        if count < clip.expected:
            raise BadItem(
                f"{clip.name} is cut short: it says {clip.expected:,} frames and has {count:,}. Copy it "
                "again, or keep those with --skip-bad."
            )

    def _tried(self, clip: Clip) -> tuple[Clip, str]:
        """How far it can be decoded, and why no further."""
        count = 0
        try:
            for _ in self._decoded(clip):
                count += 1
        except BadItem as wrong:
            if not count:
                raise
            kept = Clip(clip.name, clip.expected, clip.raw_bytes, count)
            return kept, f"{wrong} {count:,} frames were kept."
        return clip, ""

    def _look(self, name: str) -> Clip:
        if fault := fault_in(name):
            raise BadItem(f"The name {name!r} {fault}, so it could not be written back. Rename it.")
        with self._opened(name) as container:
            stream = _stream(container, name)
            lasts_s = float(container.duration or 0) / 1e6
            frames = stream.frames or round(lasts_s * float(stream.average_rate or _NOMINAL_RATE))
            size = (stream.width or 0) * (stream.height or 0) * 3 // 2
            return Clip(name, stream.frames, max(1, frames) * size)

    @contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        module = av()
        try:
            with module.open(str(self._root / name)) as container:
                yield container
        except (module.error.FFmpegError, OSError, EOFError, StopIteration) as wrong:
            reason = str(getattr(wrong, "strerror", "") or wrong or "it holds no frame").rstrip(". ")
            raise BadItem(
                f"{name} cannot be decoded: {reason}. Copy it again, or leave out what is damaged with "
                "--skip-bad."
            ) from wrong


class _Clock:
    """The times of frames; where a file has none, as many as its rate says."""

    def __init__(self) -> None:
        self._last: int | None = None

    def ticks(self, frame: Any, kind: Kind) -> int:
        """When a frame is shown."""
        step = max(1, round(1 / ((kind.rate or _NOMINAL_RATE) * kind.tick_s)))
        found = frame.pts
        if found is None:
            found = 0 if self._last is None else self._last + step
        self._last = int(found)
        return self._last


def is_video(source: object) -> bool:
    """Whether a path is a file of video, or a folder that holds such files and no images."""
    if isinstance(source, VideoSource):
        return True
    if not isinstance(source, (str, Path)):
        return False
    path = Path(source)
    if path.is_dir():
        from isthmus.data.readers.images import is_image

        names = files_under(path)
        return any(map(is_video_name, names)) and not any(map(is_image, names))
    return is_video_name(path.name)


def open_video(source: str | Path | VideoSource, *, skip_bad: bool = False) -> VideoSource:
    """Open a source, where it is not open already; see VideoSource."""
    if isinstance(source, VideoSource):
        return source
    if not Path(source).exists():
        raise NoData(f"{source} does not exist. Give a file or a folder of video.")
    return VideoSource(source, skip_bad=skip_bad)


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


def _stream(container: Any, name: str) -> Any:
    pictures = container.streams.video
    found = [each for each in pictures if not int(each.disposition) & _COVER]
    if not found:
        raise BadItem(f"{name} has no video. Leave it out with --skip-bad.")
    found[0].thread_type = "AUTO"
    return found[0]


_COVER = 1 << 10  # FFmpeg's mark of a still picture that belongs to audio


def _kind(stream: Any, frame: Any, name: str) -> Kind:
    told = frame.format.name
    layout = SAME.get(told, told)
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
