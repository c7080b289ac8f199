"""Files of video ⇄ frames: planes of whole numbers, each frame with its time; back as FFV1, bit for bit."""

from __future__ import annotations

from isthmus.data.video.clips import Clip, Frame, VideoSource, is_video, open_video
from isthmus.data.video.kinds import SUFFIXES, Kind, restored_names
from isthmus.data.video.times import Times
from isthmus.data.video.writing import write_clip

__all__ = [
    "SUFFIXES",
    "Clip",
    "Frame",
    "Kind",
    "Times",
    "VideoSource",
    "is_video",
    "open_video",
    "restored_names",
    "write_clip",
]
