"""Files and folders of video → clips, read frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.beside import beside, linked_folders
from isthmus.data.listing import listed
from isthmus.data.names import fault_in, files_under
from isthmus.data.source import Skipped
from isthmus.data.video.decoding import (
    decoded,
    has_alpha,
    kind_of,
    picture_stream,
    planes_of,
    require_same,
)
from isthmus.data.video.kinds import USUAL_RATE, Kind, av, is_video_name
from isthmus.data.video.leftovers import leftovers_of
from isthmus.data.video.sound import Sound, kept_sound
from isthmus.data.video.times import MOST_TICKS
from isthmus.data.video.whole import fault_of
from isthmus.errors import BadItem, NoData


@dataclass(frozen=True)
class Frame:
    """One picture."""

    ticks: int
    """When it is shown."""
    planes: tuple[np.ndarray, ...]
    """uint8 or uint16 (row, column) each."""
    is_timed: bool = True
    """Whether its file says when it is shown."""


@dataclass(frozen=True)
class Clip:
    """One file, before its frames are read."""

    name: str
    """Relative, with forward slashes."""
    kind: Kind
    """Of its frames, by the first."""
    expected: int
    """How many frames it says it has; 0 where it does not say."""
    raw_bytes: int
    """About, of all frames."""
    alpha: bool = False
    """Whether transparency stands beside its pictures."""
    leftovers: tuple[str, ...] = ()
    """What it holds besides frames and audio."""
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
        self._root = (path if path.is_dir() else path.parent).absolute()
        self.name = path.resolve().name if path.is_dir() else path.stem
        skipped: list[Skipped] = []
        found: list[Clip] = []
        every = files_under(path) if path.is_dir() else [path.name]
        names = sorted(filter(is_video_name, every)) if path.is_dir() else every
        for name in names:
            try:
                if (fault := fault_of(self._root / name)) and not skip_bad:
                    raise BadItem(f"{name} {fault}. Copy it again, or keep what there is with --skip-bad.")
                clip = self._look(name)
                if skip_bad:
                    clip, fault = self._tried(clip, fault)
                    skipped += [Skipped(name, fault)] if fault else []
                found.append(clip)
            except BadItem as wrong:
                if not skip_bad:
                    raise
                skipped.append(Skipped(name, str(wrong)))
        if not found:
            told = f" {skipped[0].reason}" if len(skipped) == 1 else ""
            raise NoData(
                f"{path} holds no readable video; files end in .mp4, .mkv, .mov, .webm, .avi …{told}"
            )
        self.clips, self.skipped = tuple(found), tuple(skipped)
        links = linked_folders(path) if path.is_dir() else ()
        self.ignored = (*beside(every, set(names), "video"), *links)
        self.file_bytes = sum((self._root / each.name).stat().st_size for each in self.clips)
        self.raw_bytes = sum(each.raw_bytes for each in self.clips)

    @property
    def beside(self) -> tuple[Skipped, ...]:
        """What stands beside frames and audio, and is gone when clips are written anew."""
        return tuple(
            Skipped(each.name, f"{listed(each.leftovers)}, as only frames and audio are kept")
            for each in self.clips
            if each.leftovers
        )

    def kind(self, clip: Clip) -> Kind:
        """What its frames are."""
        return clip.kind

    def frames(self, clip: Clip) -> Iterator[Frame]:
        """Its frames, in the order in which they are shown.

        Raises:
            BadItem: it cannot be decoded to its end, or its frames change in size or form.
        """
        yield from islice(self._decoded(clip), clip.most)

    def sound(self, clip: Clip) -> Sound:
        """Its audio tracks as they are."""
        with self._opened(clip.name) as container:
            count = len(container.streams.audio)
        return kept_sound(lambda: self._opened(clip.name), count)

    def _decoded(self, clip: Clip) -> Iterator[Frame]:
        clock, name, kind = _Clock(clip.kind), clip.name, clip.kind
        with self._opened(name) as container:
            stream = picture_stream(container, name)
            frames = decoded(container, stream, name, alpha=clip.alpha, expected=clip.expected)
            for number, frame in enumerate(frames):
                require_same(kind, frame, name, number)
                ticks = clock.ticks(frame)
                if abs(ticks) >= MOST_TICKS:
                    raise BadItem(
                        f"{name} shows frame {number:,} at {float(ticks * kind.tick_s):g} s, too far from 0 "
                        "to be kept. Mend its times, or keep what comes before with --skip-bad."
                    )
                yield Frame(ticks, planes_of(frame, kind), frame.pts is not None)

    def _tried(self, clip: Clip, fault: str) -> tuple[Clip, str]:
        """How far it can be decoded, and why no further."""
        count = 0
        try:
            for _ in self._decoded(clip):
                count += 1
        except BadItem as wrong:
            if not count:
                raise
            fault = fault or str(wrong).removeprefix(f"{clip.name} ").partition(". ")[0]
        if not fault:
            return clip, ""
        return replace(clip, most=count), f"it {fault}; {count:,} frames were kept"

    def _look(self, name: str) -> Clip:
        if fault := fault_in(name):
            raise BadItem(f"The name {name!r} {fault}, so it could not be written back. Rename it.")
        with self._opened(name) as container:
            stream = picture_stream(container, name)
            alpha = has_alpha(container, stream)
            frame = next(container.decode(stream), None)
            if frame is None:
                raise BadItem(f"{name} holds no frame. Leave it out with --skip-bad.")
            kind = kind_of(stream, frame, name, alpha=alpha)
            lasts_s = float(container.duration or 0) / 1e6
            frames = stream.frames or round(lasts_s * float(stream.average_rate or USUAL_RATE))
            expected = stream.frames if container.format.name.startswith("mov") else 0
            leftovers = leftovers_of(container, stream, frame)
            return Clip(name, kind, expected, max(1, frames) * kind.frame_bytes, alpha, leftovers)

    @contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        module = av()
        try:  # by its whole path: FFmpeg takes what stands before a colon for a protocol
            with module.open(str(self._root / name), metadata_errors="replace") as container:
                yield container
        except (module.error.FFmpegError, OSError, EOFError) as wrong:
            reason = str(getattr(wrong, "strerror", "") or wrong).rstrip(". ")
            raise BadItem(
                f"{name} cannot be decoded: {reason}. Copy it again, or leave out what is damaged with "
                "--skip-bad."
            ) from wrong


class _Clock:
    """The times of frames; where a file has none, as many as its rate says."""

    def __init__(self, kind: Kind) -> None:
        self._step = max(1, round(1 / ((kind.rate or USUAL_RATE) * kind.tick_s)))
        self._next = 0

    def ticks(self, frame: Any) -> int:
        """When a frame is shown."""
        found = self._next if frame.pts is None else int(frame.pts)
        self._next = found + self._step
        return found


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
