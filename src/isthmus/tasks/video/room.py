"""Video, as the tasks see it: see tasks/modalities.py."""

from __future__ import annotations

from isthmus.data.video import is_video, open_video
from isthmus.tasks.modalities import Modality
from isthmus.tasks.video.archive import decompress_video, video_facts
from isthmus.tasks.video.verify import verify_video
from isthmus.tasks.video.writing import compress_video

VIDEO = Modality(
    plural="clips",
    why="Video is kept as it is, within a bound, or at a quality by a model of video",
    is_source=is_video,
    open=lambda source, header, skip_bad: open_video(source, skip_bad=skip_bad),
    write=compress_video,
    written_by=frozenset({"mode", "max_error", "model", "quality"}),
    read=decompress_video,
    read_by=frozenset({"items", "time", "model"}),
    verify=verify_video,
    facts=video_facts,
)
