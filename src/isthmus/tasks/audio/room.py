"""Recordings, as the tasks see them: see tasks/modalities.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from isthmus.coding.container import ArchiveReader
from isthmus.data.audio import AudioSource, is_audio, open_audio
from isthmus.limits import Limits
from isthmus.model import AnyModel
from isthmus.tasks.audio.archive import audio_facts, decompress_audio
from isthmus.tasks.audio.verify import verify_audio
from isthmus.tasks.audio.writing import compress_audio
from isthmus.tasks.compressed import CompressResult
from isthmus.tasks.modalities import Checked, Modality
from isthmus.tasks.orders import CompressOrder, DecompressOrder
from isthmus.tasks.restored import DecompressResult

WHY = "Audio is kept as it is, or at a quality"


class Audio(Modality):
    """Files of recordings, folders and zips of such."""

    plural = "recordings"

    def is_source(self, source: Any) -> bool:
        """By its name, or the names of what it holds."""
        return is_audio(source)

    def open(self, source: Any, *, header: bool | None, skip_bad: bool) -> AudioSource:
        """See `open_audio`."""
        return open_audio(source, skip_bad=skip_bad)

    def compress(self, source: Any, output: str | Path | BinaryIO, order: CompressOrder) -> CompressResult:
        """See `compress_audio`."""
        order.only({"mode", "quality"}, WHY)
        return compress_audio(
            source,
            output,
            mode=order.mode,
            quality=order.quality,
            effort=order.effort,
            workers=order.workers,
            skip_bad=order.skip_bad,
            force=order.force,
            progress=order.progress,
        )

    def decompress(
        self, archive: str | Path | bytes, directory: Path, order: DecompressOrder
    ) -> DecompressResult:
        """See `decompress_audio`; items are recordings."""
        order.only({"items"}, WHY)
        return decompress_audio(archive, directory, order)

    def verify(self, path: Path, model: AnyModel | None, against: Any, limits: Limits) -> Checked:
        """See `verify_audio`."""
        return Checked(*verify_audio(path, against, limits))

    def facts(self, reader: ArchiveReader) -> tuple[str, dict[str, Any]]:
        """See `audio_facts`."""
        return audio_facts(reader)
