"""Files, folders and zips of audio → recordings, read piece by piece."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.audio.containers import look_through
from isthmus.data.audio.contents import Contents, Patched
from isthmus.data.audio.folders import Zip, open_folder
from isthmus.data.audio.kinds import MOST_CHANNELS, MOST_RATE, SAME, Kind, is_audio_name, soundfile
from isthmus.data.beside import beside
from isthmus.data.listing import listed
from isthmus.data.names import fault_in, files_under
from isthmus.data.source import Skipped
from isthmus.errors import BadItem, NoData

PIECE_FRAMES = 1 << 16
"""Read at a time."""
_STEP_FRAMES = 1 << 10
"""Read at a time where a file is damaged."""


@dataclass(frozen=True)
class Recording:
    """One file, before it is read."""

    name: str
    """Relative, with forward slashes."""
    kind: Kind
    frames: int


class AudioSource:
    """Recordings, sorted by kind and then by name.

    Args:
        source: a file, a folder with its sub-folders, or a .zip.
        skip_bad: leave unreadable files out, keep of damaged ones what can be read, and name them in
            `skipped`; reads all of them once more.
    Raises:
        NoData: there is no audio.
        BadItem: a file cannot be read, is cut short or miscounts its samples, and `skip_bad` is False.
        MissingExtra: soundfile is not installed.
    """

    def __init__(self, source: str | Path, *, skip_bad: bool = False) -> None:
        soundfile()
        path = Path(source)
        self._folder = open_folder(path)
        self.name = path.resolve().name if path.is_dir() else path.stem
        self.archive = path.name if isinstance(self._folder, Zip) else None
        """The name of the .zip, where it is one."""
        self._contents: dict[str, Contents] = {}
        skipped: list[Skipped] = []
        found: list[Recording] = []
        for name in self._folder.names:
            try:
                recording = self._look(name)
                if skip_bad:
                    recording, fault = self._tried(recording)
                    skipped += [Skipped(name, fault)] if fault else []
                elif fault := self._contents[name].fault:
                    raise BadItem(f"{name} {fault}. Copy it again, or keep what there is with --skip-bad.")
                found.append(recording)
            except BadItem as wrong:
                if not skip_bad:
                    raise
                skipped.append(Skipped(name, str(wrong)))
        if not found:
            told = f" {skipped[0].reason}" if len(skipped) == 1 else ""
            raise NoData(
                f"{path} holds no readable audio; files end in .wav, .flac, .ogg, .mp3, .aiff or .au.{told}"
            )
        self.recordings = tuple(sorted(found, key=lambda each: (each.kind.restored, each.kind, each.name)))
        self.skipped = tuple(skipped)
        self.ignored = (*beside(self._folder.every, set(self._folder.names), "audio"), *self._folder.links)
        self.file_bytes = sum(self._folder.size(each.name) for each in self.recordings)
        self.raw_bytes = sum(
            each.frames * each.kind.channels * each.kind.bits // 8 for each in self.recordings
        )

    @property
    def changes(self) -> tuple[str, ...]:
        """A sentence for each recording whose header was mended."""
        told = ((each.name, self._contents[each.name].change) for each in self.recordings)
        return tuple(f"{name} {change}" for name, change in told if change)

    @property
    def beside(self) -> tuple[Skipped, ...]:
        """What stands beside the samples of recordings, and is gone when they are written anew."""
        told = ((each.name, self._contents[each.name].beside) for each in self.recordings)
        return tuple(
            Skipped(name, f"{listed(words)}, as only samples are kept") for name, words in told if words
        )

    def pieces(self, recording: Recording, most: int = PIECE_FRAMES) -> Iterator[np.ndarray]:
        """The frames, (frame, channel): int32, or the floats they are; at most so many at a time.

        Raises:
            BadItem: it cannot be read to its end.
        """
        left, kind = recording.frames, recording.kind
        with self._opened(recording.name) as file:
            while left:
                piece = file.read(min(left, most), dtype=kind.read_as.name, always_2d=True)
                if not len(piece):
                    raise BadItem(
                        f"{recording.name} is cut short: it says {recording.frames:,} frames and has "
                        f"{recording.frames - left:,}. Copy it again, or keep what there is with --skip-bad."
                    )
                left -= len(piece)
                yield piece if kind.is_float else piece.astype(np.int32) >> kind.shift

    def _look(self, name: str) -> Recording:
        """What a file says of itself."""
        if fault := fault_in(name):
            raise BadItem(f"The name {name!r} {fault}, so it could not be written back. Rename it.")
        with self._folder.load(name) as file:
            contents = self._contents[name] = look_through(file)
        with self._opened(name) as file:
            kind = Kind(file.format, file.subtype, file.samplerate, file.channels)
            frames = file.frames
        if not (1 <= kind.channels <= MOST_CHANNELS and 1 <= kind.rate <= MOST_RATE):
            raise BadItem(f"{name} must have 1 to {MOST_CHANNELS} channels; it has {kind.channels}.")
        if not kind.is_known:
            raise BadItem(
                f"{name} is {kind.container} with {kind.subtype}, which this version does not keep; it keeps "
                f"{', '.join(SAME)}, Ogg and MP3. Convert it first."
            )
        if kind.is_kept:
            fault = contents.fault or _miscount(contents, kind, frames)
        else:  # what such a file says of its length may be a guess
            frames, fault = self._measured(name, kind)
            fault = contents.fault or fault
        self._contents[name] = replace(contents, fault=fault)
        return Recording(name, kind, frames)

    def _tried(self, recording: Recording) -> tuple[Recording, str]:
        """How far it can be read, and why no further."""
        name, kind = recording.name, recording.kind
        frames, fault = self._measured(name, kind)
        if frames < recording.frames and not fault:
            fault = f"is cut short: it says {recording.frames:,} frames and has {frames:,}"
        fault = self._contents[name].fault or fault
        if not fault:
            return recording, ""
        if not frames:
            raise BadItem(f"it {fault}")
        return Recording(name, kind, frames), f"it {fault}; {frames:,} frames were kept"

    def _measured(self, name: str, kind: Kind) -> tuple[int, str]:
        """How many frames can be read, and why no more."""
        count, fault = 0, ""
        for step in (PIECE_FRAMES, _STEP_FRAMES):
            count = 0
            try:
                with self._file(name) as file:
                    while taken := len(file.read(step, dtype=kind.read_as.name, always_2d=True)):
                        count += taken
                return count, ""
            except _library_faults() as wrong:
                fault = f"cannot be read to its end: {_reason(wrong)}"
        return count, fault

    @contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        try:
            with self._file(name) as file:
                yield file
        except _library_faults() as wrong:
            raise BadItem(
                f"{name} cannot be read as audio: {_reason(wrong)}. Leave it out with --skip-bad."
            ) from wrong

    @contextmanager
    def _file(self, name: str) -> Iterator[Any]:
        """What libsndfile opens; it raises what `_library_faults` names."""
        patches = self._contents[name].patches
        with (
            self._folder.load(name) as data,
            soundfile().SoundFile(Patched(data, patches) if patches else data) as file,
        ):
            yield file


def _library_faults() -> tuple[type[Exception], ...]:
    return soundfile().SoundFileError, OSError, TypeError, ValueError


def _reason(wrong: Exception) -> str:
    return str(getattr(wrong, "error_string", wrong)).rstrip(". ") or "it is damaged"


def _miscount(contents: Contents, kind: Kind, frames: int) -> str:
    """What is wrong where a file has samples of more frames than its header counts, or fewer."""
    if contents.sample_bytes is None:
        return ""
    follow = contents.sample_bytes // (kind.channels * kind.bits // 8)
    return "" if frames == follow else f"counts {frames:,} frames in its header, where {follow:,} follow"


def is_audio(source: object) -> bool:
    """Whether a path is a file of audio, or a folder or .zip that holds such files and no images."""
    if isinstance(source, AudioSource):
        return True
    if not isinstance(source, (str, Path)):
        return False
    path = Path(source)
    if path.is_dir():
        return _holds_audio(files_under(path))
    if path.is_file() and path.suffix.lower() == ".zip":
        with suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(path) as archive:
            return _holds_audio(archive.namelist())
        return False
    return is_audio_name(path.name) and not path.is_dir()


def open_audio(source: str | Path | AudioSource, *, skip_bad: bool = False) -> AudioSource:
    """Open a source, where it is not open already; see AudioSource."""
    if isinstance(source, AudioSource):
        return source
    if not Path(source).exists():
        raise NoData(f"{source} does not exist. Give a file, a folder or a .zip of audio.")
    return AudioSource(source, skip_bad=skip_bad)


def _holds_audio(names: list[str]) -> bool:
    from isthmus.data.readers.images import is_image

    return any(map(is_audio_name, names)) and not any(map(is_image, names))
