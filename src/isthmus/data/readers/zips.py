"""Images in a .zip, read where they lie; written back as a .zip."""

from __future__ import annotations

import calendar
import io
import time
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np

from isthmus.data.beside import beside
from isthmus.data.metadata import Metadata
from isthmus.data.names import check_names, prepare_outputs
from isthmus.data.readers.arrays import take
from isthmus.data.readers.image_names import restored_bytes, restored_names
from isthmus.data.readers.images import ImageSource, is_image
from isthmus.data.source import Layout
from isthmus.errors import BadItem, NoData
from isthmus.files import atomic_write
from isthmus.spec import DataSpec

LARGEST_ENTRY_BYTES = 1 << 30
LARGEST_RATIO = 1032  # deflate cannot shrink further, so a zip that claims more counts bytes twice
FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold: no clock may change the bytes
LAST_DATE = (2107, 12, 31, 23, 59, 58)


class Zip(ImageSource):
    """The images in one .zip, in the order of their names."""

    @classmethod
    def matches(cls, source: object) -> bool:
        """See Source."""
        return isinstance(source, Path) and source.is_file() and source.suffix.lower() == ".zip"

    @classmethod
    def open(cls, source: Path, *, skip_bad: bool = False, trainable: bool = True) -> Zip:
        """See Source."""
        return cls(source, skip_bad)

    @classmethod
    def write(
        cls,
        layout: Layout,
        spec: DataSpec,
        samples: Iterable[np.ndarray],
        directory: Path,
        *,
        force: bool = False,
    ) -> list[Path]:
        """See Source."""
        names = restored_names(layout, spec)
        check_names(names)
        paths = prepare_outputs([str(layout.options.get("archive", "images.zip"))], directory, force=force)
        remaining = iter(samples)
        # Stored, not deflated: the images are compressed already.
        with atomic_write(paths[0], force=force) as file, zipfile.ZipFile(file, "w") as archive:
            for name, member in zip(names, layout.members, strict=True):
                entry = zipfile.ZipInfo(name, _date(member.metadata))
                archive.writestr(entry, restored_bytes(take(remaining, spec), name, layout, member))
        return paths

    def __init__(self, source: Path, skip_bad: bool) -> None:
        try:
            self._archive = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, OSError) as damage:
            raise NoData(f"{source} is no readable .zip: {damage}. Copy it again.") from damage
        zip_bytes = source.stat().st_size
        self._archive_name = source.name
        entries = self._archive.infolist()
        self._require_honest(entries, zip_bytes)
        names = sorted({entry.filename for entry in entries if is_image(entry.filename)})
        super().__init__(names, name=source.stem, reader="zip", skip_bad=skip_bad)
        every = (entry.filename for entry in entries if not entry.is_dir())
        self.ignored = beside(every, set(names), "an image")
        taken = {self._archive.getinfo(name) for name in self._names}
        others = sum(entry.compress_size for entry in entries if entry not in taken)
        self.file_bytes = max(0, zip_bytes - others)

    def load(self, name: str) -> BinaryIO:
        """See ImageSource."""
        entry = self._archive.getinfo(name)
        if entry.file_size > LARGEST_ENTRY_BYTES:
            raise BadItem(
                f"{name} unpacks to {entry.file_size} bytes; in a .zip an image may have 1 GiB. "
                "Unpack the .zip first."
            )
        try:
            return io.BytesIO(self._archive.read(entry))
        except (
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            EOFError,
            RuntimeError,
            NotImplementedError,
        ) as damage:
            raise BadItem(f"{name} cannot be unpacked: {damage}.") from damage

    def modified_s(self, name: str) -> int | None:
        """See ImageSource; a zip tells the time of some place, and not of which."""
        date = self._archive.getinfo(name).date_time
        try:
            return calendar.timegm(datetime(*date).timetuple())
        except ValueError:  # such as the month 0
            return None

    def _options(self, renamed: Mapping[str, str]) -> dict[str, object]:
        return {"archive": self._archive_name, **({"renamed": renamed} if renamed else {})}

    def _require_honest(self, entries: Iterable[zipfile.ZipInfo], zip_bytes: int) -> None:
        claimed = sum(entry.file_size for entry in entries)
        if claimed > LARGEST_RATIO * zip_bytes:
            raise NoData(
                f"{self._archive_name} claims to unpack to {claimed} bytes, more than a .zip of its size "
                "can hold. Make it anew from images that you trust."
            )


def _date(metadata: Metadata) -> tuple[int, int, int, int, int, int]:
    """Year to second, as near as a zip can say: from 1980 to 2107, every other second."""
    if metadata.modified_s is None:
        return FIRST_DATE
    year, month, day, hour, minute, second = time.gmtime(metadata.modified_s)[:6]
    return max(FIRST_DATE, min(LAST_DATE, (year, month, day, hour, minute, min(second, 59))))
