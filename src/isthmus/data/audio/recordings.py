"""Files, folders and zips of audio → recordings, read piece by piece."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.audio.kinds import MOST_CHANNELS, MOST_RATE, Kind, is_audio_name, soundfile
from isthmus.data.beside import beside, linked_folders
from isthmus.data.names import fault_in, files_under
from isthmus.data.source import Skipped
from isthmus.errors import BadItem, NoData

LARGEST_ENTRY_BYTES = 1 << 30
LARGEST_RATIO = 1032  # deflate cannot shrink further, so a zip that claims more counts bytes twice
PIECE_FRAMES = 1 << 16
"""Read at a time."""
_UNKNOWN_BYTES = 0x7FFFFF00  # a length of data from here on is what a program writes that streams
_CUT = re.compile(r"(?:data|SSND|Data Size) *: (\d+) \(should be (\d+)\)")
"""What libsndfile says where a file has fewer bytes of samples than its head tells."""
_ENDLESS = "Last page lacks an end-of-stream bit"


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
        skip_bad: leave unreadable files out, and name them in `skipped`; reads all of them once more.
    Raises:
        NoData: there is no audio.
        BadItem: a file cannot be read, or is cut short, and `skip_bad` is False.
        MissingExtra: soundfile is not installed.
    """

    def __init__(self, source: str | Path, *, skip_bad: bool = False) -> None:
        soundfile()
        path = Path(source)
        self._folder = _open_folder(path)
        self.name = path.resolve().name if path.is_dir() else path.stem
        self.archive = path.name if isinstance(self._folder, _Zip) else None
        """The name of the .zip, where it is one."""
        skipped: list[Skipped] = []
        found: list[Recording] = []
        for name in self._folder.names:
            try:
                found.append(self._look(name, fully=skip_bad))
            except BadItem as wrong:
                if not skip_bad:
                    raise
                skipped.append(Skipped(name, str(wrong)))
        if not found:
            raise NoData(
                f"{path} holds no readable audio; files end in .wav, .flac, .ogg, .mp3, .aiff or .au."
            )
        self.recordings = tuple(sorted(found, key=lambda each: (each.kind.restored, each.kind, each.name)))
        self.skipped = tuple(skipped)
        self.ignored = (*beside(self._folder.every, set(self._folder.names), "audio"), *self._folder.links)
        self.file_bytes = sum(self._folder.size(each.name) for each in self.recordings)
        self.raw_bytes = sum(
            each.frames * each.kind.channels * each.kind.bits // 8 for each in self.recordings
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
                        f"{recording.frames - left:,}. Copy it again, or leave it out with --skip-bad."
                    )
                left -= len(piece)
                yield piece if kind.is_float else piece.astype(np.int32) >> kind.shift

    def _look(self, name: str, *, fully: bool) -> Recording:
        if fault := fault_in(name):
            raise BadItem(f"The name {name!r} {fault}, so it could not be written back. Rename it.")
        with self._opened(name) as file:
            told = _CUT.search(file.extra_info)
            if _ENDLESS in file.extra_info or (told and int(told[2]) < int(told[1]) < _UNKNOWN_BYTES):
                raise BadItem(f"{name} is cut short. Copy it again, or leave it out with --skip-bad.")
            kind = Kind(file.format, file.subtype, file.samplerate, file.channels)
            if not (1 <= kind.channels <= MOST_CHANNELS and 1 <= kind.rate <= MOST_RATE):
                raise BadItem(f"{name} must have 1 to {MOST_CHANNELS} channels; it has {kind.channels}.")
            recording = Recording(name, kind, file.frames)
        if fully or not kind.is_kept:
            # What a file of MP3 says of its length is a guess.
            recording = Recording(name, kind, self._count(recording, exact=kind.is_kept))
        return recording

    def _count(self, recording: Recording, *, exact: bool) -> int:
        if exact:
            return sum(map(len, self.pieces(recording)))
        count = 0
        with self._opened(recording.name) as file:
            while taken := len(file.read(PIECE_FRAMES, dtype="int16", always_2d=True)):
                count += taken
        return count

    @contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        module = soundfile()
        try:
            with self._folder.load(name) as data, module.SoundFile(data) as file:
                yield file
        except (module.SoundFileError, OSError, TypeError, ValueError) as wrong:
            reason = str(getattr(wrong, "error_string", wrong)).rstrip(". ")
            raise BadItem(
                f"{name} cannot be read as audio: {reason}. Leave it out with --skip-bad."
            ) from wrong


class _Files:
    """Files of a folder, or a single one."""

    def __init__(self, path: Path) -> None:
        self._root = path if path.is_dir() else path.parent
        self.every = files_under(path) if path.is_dir() else [path.name]
        self.names = sorted(filter(is_audio_name, self.every)) if path.is_dir() else self.every
        self.links = linked_folders(path) if path.is_dir() else ()

    def load(self, name: str) -> Any:
        """Open a file."""
        return (self._root / name).open("rb")

    def size(self, name: str) -> int:
        """Its bytes."""
        return (self._root / name).stat().st_size


class _Zip:
    """Files of a .zip, unpacked to memory one by one."""

    links: tuple[Skipped, ...] = ()

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as damage:
            raise NoData(f"{path} is no readable .zip: {damage}. Copy it again.") from damage
        entries = self._archive.infolist()
        if sum(entry.file_size for entry in entries) > LARGEST_RATIO * path.stat().st_size:
            raise NoData(f"{path} claims to unpack to more than a .zip of its size can hold. Make it anew.")
        self.every = [entry.filename for entry in entries if not entry.is_dir()]
        self.names = sorted(set(filter(is_audio_name, self.every)))

    def load(self, name: str) -> Any:
        """Unpack a file."""
        entry = self._archive.getinfo(name)
        if entry.file_size > LARGEST_ENTRY_BYTES:
            raise BadItem(
                f"{name} unpacks to {entry.file_size:,} bytes; a .zip's may have 1 GiB. Unpack it first."
            )
        try:
            return io.BytesIO(self._archive.read(entry))
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as damage:
            raise BadItem(f"{name} cannot be unpacked: {damage}.") from damage

    def size(self, name: str) -> int:
        """Its bytes in the .zip."""
        return self._archive.getinfo(name).compress_size


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


def _open_folder(path: Path) -> _Files | _Zip:
    return _Zip(path) if path.is_file() and path.suffix.lower() == ".zip" else _Files(path)
