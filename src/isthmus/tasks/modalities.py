"""Kinds of data that have archives of their own, by what headers call them, and how tasks find them.

Arrays and images share the archives of tasks/archive.py; whatever is another kind is a line here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from isthmus.coding.container import ArchiveReader
from isthmus.errors import IsthmusError
from isthmus.limits import Limits
from isthmus.model import AnyModel
from isthmus.registry import Registry
from isthmus.tasks.compressed import CompressResult
from isthmus.tasks.orders import CompressOrder, DecompressOrder
from isthmus.tasks.restored import DecompressResult

MODALITIES = Registry(
    "modality",
    {
        "audio": "isthmus.tasks.audio.room:Audio",
        "grid": "isthmus.tasks.grids.room:GriddedArrays",
        "table": "isthmus.tasks.tables.room:Tables",
        "video": "isthmus.tasks.video.room:Video",
    },
)


class Checked(NamedTuple):
    """What `verify` found in an archive whose checksums are right."""

    problems: list[str]
    against: str | None
    """The name of what it was compared with."""
    promise: str
    """What the header promises, where that can be checked."""


class Modality(ABC):
    """What a kind of data knows to do; it imports nothing heavy before it must."""

    plural: str
    """What archives hold, for people."""

    @abstractmethod
    def is_source(self, source: Any) -> bool:
        """Whether a path, or an object, is of this kind."""

    @abstractmethod
    def open(self, source: Any, *, header: bool | None, skip_bad: bool) -> Any:
        """What `compress` takes, looked at: it has `raw_bytes`, and `skipped` items."""

    @abstractmethod
    def compress(self, source: Any, output: str | Path | BinaryIO, order: CompressOrder) -> CompressResult:
        """Write an archive."""

    @abstractmethod
    def decompress(
        self, archive: str | Path | bytes, directory: Path, order: DecompressOrder
    ) -> DecompressResult:
        """Restore its files."""

    @abstractmethod
    def verify(self, path: Path, model: AnyModel | None, against: Any, limits: Limits) -> Checked:
        """Decode everything, and compare it with the originals where they are given."""

    @abstractmethod
    def facts(self, reader: ArchiveReader) -> tuple[str, dict[str, Any]]:
        """A title, and what `info` tells beside sizes."""


def modality_for(source: Any) -> Modality | None:
    """Whose source that is; None where it is one of arrays or images."""
    found = (_made(name) for name in MODALITIES)
    return next((modality for modality in found if modality.is_source(source)), None)


def modality_in(header: Mapping[str, Any]) -> Modality | None:
    """Whose archive has this header; None where it is one of arrays or images, or says nothing."""
    spec = header.get("spec")
    name = spec.get("modality") if isinstance(spec, dict) else None
    return _made(name) if isinstance(name, str) and name in MODALITIES else None


def modality_of(archive: str | Path | bytes, limits: Limits) -> Modality | None:
    """Whose archive that is; a damaged one is nobody's as far as can be told."""
    try:
        with ArchiveReader(archive, limits=limits) as reader:
            return modality_in(reader.header)
    except IsthmusError:
        return None


def _made(name: str) -> Modality:
    made: Modality = MODALITIES.find(name)()
    return made
