"""What a file of video holds besides the frames of its first stream and its audio: none of it comes back."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterable
from typing import Any

from isthmus.data.listing import listed
from isthmus.data.video.decoding import COVER

_STRUCTURE = re.compile(
    r"major_brand|minor_version|compatible_brands|encoder|handler_name|vendor_id|duration|alpha_mode|software"
    r"|_statistics_.*|bps(-.*)?|number_of_(frames|bytes)(-.*)?|filename|mimetype",
    re.IGNORECASE,
)
"""Tags that say how a file was written, or what its header says too."""
_SILENT = (("language", "und"), ("language", "eng"))
"""What containers say of pictures where nobody said anything."""
_TRACKS = {
    "subtitle": "subtitle track",
    "data": "data track",
    "attachment": "attachment",
    "video": "video track",
}
_BESIDE_FRAMES = {
    "A53_CC": "closed captions",
    "MASTERING_DISPLAY_METADATA": "the display it was made on",
    "CONTENT_LIGHT_LEVEL": "how bright it becomes",
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DOVI_METADATA": "Dolby Vision",
    "STEREO3D": "how two views are packed",
    "SPHERICAL": "how it wraps around",
    "ICC_PROFILE": "a colour profile",
    "GOP_TIMECODE": "time codes",
    "S12M_TIMECODE": "time codes",
    "AFD": "the active part of the picture",
    "PANSCAN": "pan and scan",
}
"""What frames may carry, by FFmpeg's names."""


def leftovers_of(container: Any, stream: Any, frame: Any) -> tuple[str, ...]:
    """In a few words each.

    Args:
        container: open.
        stream: whose frames are kept.
        frame: the first of them.
    """
    others = [each for each in container.streams if each.index != stream.index and each.type != "audio"]
    covers = sum(each.type == "video" and bool(int(each.disposition) & COVER) for each in others)
    counts = Counter(_TRACKS.get(each.type, "track") for each in others)
    counts["video track"] -= covers
    counts |= Counter({"cover picture": covers, "chapter": len(container.chapters())})
    found = [f"{count:,} {what}{'s' * (count > 1)}" for what, count in counts.items() if count > 0]
    tags = _tags([container.metadata, stream.metadata])
    found += [f"the tag{'s' * (len(tags) > 1)} {listed(tags)}"] if tags else []
    found += ["which fields its frames are made of"] if frame.interlaced_frame else []
    found += dict.fromkeys(_carried(frame))
    return tuple(found)


def _tags(told: Iterable[Any]) -> list[str]:
    """The names of tags, each once."""
    found = {
        name: None
        for tags in told
        for name, value in tags.items()
        if not _STRUCTURE.fullmatch(name) and (name, value) not in _SILENT
    }
    return list(found)


def _carried(frame: Any) -> Iterable[str]:
    for each in frame.side_data:
        name = each.type.name
        if name in _BESIDE_FRAMES:
            yield _BESIDE_FRAMES[name]
        if name == "DISPLAYMATRIX" and _is_mirrored(bytes(each)):
            yield "that it is mirrored"


def _is_mirrored(matrix: bytes) -> bool:
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    return bool(a * d - b * c < 0)
