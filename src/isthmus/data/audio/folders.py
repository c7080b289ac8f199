"""Folders and .zip files → the files of audio in them, opened one by one."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

from isthmus.data.audio.kinds import is_audio_name
from isthmus.data.beside import linked_folders
from isthmus.data.names import files_under
from isthmus.data.source import Skipped
from isthmus.errors import BadItem, NoData

LARGEST_ENTRY_BYTES = 1 << 30
LARGEST_RATIO = 1032  # deflate cannot shrink further, so a zip that claims more counts bytes twice


class Files:
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


class Zip:
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


def open_folder(path: Path) -> Files | Zip:
    """A file or a folder, or a .zip."""
    return Zip(path) if path.is_file() and path.suffix.lower() == ".zip" else Files(path)
