"""Video, as the tasks see it: see tasks/modalities.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from isthmus.coding.container import ArchiveReader
from isthmus.data.video import VideoSource, is_video, open_video
from isthmus.errors import UseError
from isthmus.limits import Limits
from isthmus.model import AnyModel, VideoModel
from isthmus.tasks.compressed import CompressResult
from isthmus.tasks.modalities import Checked, Modality
from isthmus.tasks.orders import CompressOrder, DecompressOrder
from isthmus.tasks.restored import DecompressResult
from isthmus.tasks.video.archive import decompress_video, video_facts
from isthmus.tasks.video.verify import verify_video
from isthmus.tasks.video.writing import compress_video

WHY = "Video is kept as it is, within a bound, or at a quality by a model of video"


class Video(Modality):
    """Files of video, and folders of such."""

    plural = "clips"

    def is_source(self, source: Any) -> bool:
        """By its name, or the names of what it holds."""
        return is_video(source)

    def open(self, source: Any, *, header: bool | None, skip_bad: bool) -> VideoSource:
        """See `open_video`."""
        return open_video(source, skip_bad=skip_bad)

    def compress(self, source: Any, output: str | Path | BinaryIO, order: CompressOrder) -> CompressResult:
        """See `compress_video`."""
        order.only({"mode", "max_error", "model", "quality"}, WHY)
        if not isinstance(order.model, VideoModel | None):
            raise UseError("Video is compressed by a model of video: make one with isthmus fit on clips.")
        return compress_video(
            source,
            output,
            mode=order.mode,
            max_error=order.max_error,
            error_mode=order.error_mode,
            model=order.model,
            quality=order.quality,
            embed_model=order.embed_model,
            effort=order.effort,
            workers=order.workers,
            skip_bad=order.skip_bad,
            force=order.force,
            progress=order.progress,
        )

    def decompress(
        self, archive: str | Path | bytes, directory: Path, order: DecompressOrder
    ) -> DecompressResult:
        """See `decompress_video`; items are frames."""
        order.only({"items", "time", "model"}, WHY)
        return decompress_video(archive, directory, order)

    def verify(self, path: Path, model: AnyModel | None, against: Any, limits: Limits) -> Checked:
        """See `verify_video`."""
        return Checked(*verify_video(path, model, against, limits))

    def facts(self, reader: ArchiveReader) -> tuple[str, dict[str, Any]]:
        """See `video_facts`."""
        return video_facts(reader)
