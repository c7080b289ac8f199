"""Kinds of data that have archives of their own, by what headers call them, and how tasks find them.

Arrays and images share the archives of tasks/archive.py; whatever is another kind is a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from isthmus.coding.container import ArchiveReader
from isthmus.errors import IsthmusError
from isthmus.limits import Limits
from isthmus.model import AnyModel
from isthmus.registry import Registry
from isthmus.tasks.compressed import CompressResult
from isthmus.tasks.findings import Checked
from isthmus.tasks.orders import CompressOrder, DecompressOrder
from isthmus.tasks.restored import DecompressResult

MODALITIES = Registry(
    "modality",
    {
        "audio": "isthmus.tasks.audio.room:AUDIO",
        "grid": "isthmus.tasks.grids.room:GRIDS",
        "table": "isthmus.tasks.tables.room:TABLES",
        "video": "isthmus.tasks.video.room:VIDEO",
    },
)


@dataclass(frozen=True, kw_only=True)
class Modality:
    """What is done with a kind of data; its module imports nothing heavy before it must."""

    plural: str
    """What archives hold, for people."""
    why: str
    """What can be asked of such archives, as the beginning of a sentence that refuses all else."""
    is_source: Callable[[Any], bool]
    """Whether a path, or an object, is of this kind."""
    open: Callable[[Any, bool | None, bool], Any]
    """(source, header, skip_bad) → what compressing takes: it has `raw_bytes`, and `skipped` items."""
    write: Callable[[Any, str | Path | BinaryIO, CompressOrder], CompressResult]
    written_by: frozenset[str]
    """What an order may ask for, besides how it is carried out."""
    read: Callable[[str | Path | bytes, Path, DecompressOrder], DecompressResult]
    read_by: frozenset[str]
    verify: Callable[[Path, AnyModel | None, Any, Limits], Checked]
    """Decode everything, and compare it with the originals where they are given."""
    facts: Callable[[ArchiveReader], tuple[str, dict[str, Any]]]
    """A title, and what `info` tells beside sizes."""

    def compress(self, source: Any, output: str | Path | BinaryIO, order: CompressOrder) -> CompressResult:
        """Write an archive; UseError for what it cannot have."""
        order.only(self.written_by, self.why)
        return self.write(source, output, order)

    def decompress(
        self, archive: str | Path | bytes, directory: Path, order: DecompressOrder
    ) -> DecompressResult:
        """Restore its files; UseError for what it cannot do."""
        order.only(self.read_by, self.why)
        return self.read(archive, directory, order)


def modality_for(source: Any) -> Modality | None:
    """Whose source that is; None where it is one of arrays or images."""
    found: Iterator[Modality] = (MODALITIES.find(name) for name in MODALITIES)
    return next((modality for modality in found if modality.is_source(source)), None)


def modality_in(header: Mapping[str, Any]) -> Modality | None:
    """Whose archive has this header; None where it is one of arrays or images, or says nothing."""
    spec = header.get("spec")
    name = spec.get("modality") if isinstance(spec, dict) else None
    if not isinstance(name, str) or name not in MODALITIES:
        return None
    found: Modality = MODALITIES.find(name)
    return found


def modality_of(archive: str | Path | bytes, limits: Limits) -> Modality | None:
    """Whose archive that is; a damaged one is nobody's as far as can be told."""
    try:
        with ArchiveReader(archive, limits=limits) as reader:
            return modality_in(reader.header)
    except IsthmusError:
        return None
