"""Tags before and behind the samples of a file: ID3, APE, lyrics."""

from __future__ import annotations

import struct
from typing import Any

from isthmus.data.audio.contents import at

ID3, APE, LYRICS = "ID3 tags", "APE tags", "lyrics"
_ID3_HEAD, _ID3_OLD, _APE_FOOT = 10, 128, 32
_MOST_FILLED = 1 << 16


def leading(file: Any, place: int) -> int:
    """Where the ID3 tags that begin at a place end; the place itself where there are none."""
    while (head := at(file, place, _ID3_HEAD))[:3] == b"ID3" and len(head) == _ID3_HEAD:
        place += _ID3_HEAD + _id3_size(head)
    if place:  # some programs fill up behind their tags
        filled = at(file, place, _MOST_FILLED)
        place += len(filled) - len(filled.lstrip(b"\0"))
    return place


def trailing(file: Any, start: int, end: int) -> tuple[int, tuple[str, ...]]:
    """Where the tags at the end of a file begin, not before `start`, and what they are."""
    found: list[str] = []
    while True:
        size, name = _last_tag(file, end)
        if not size or end - size < start:
            return end, tuple(dict.fromkeys(reversed(found)))
        end -= size
        found.append(name)


def _last_tag(file: Any, end: int) -> tuple[int, str]:
    """The size of the tag that ends there, and what it is; 0 where none does."""
    if end >= _ID3_OLD and at(file, end - _ID3_OLD, 3) == b"TAG":
        return _ID3_OLD, ID3
    foot = at(file, max(0, end - _APE_FOOT), min(end, _APE_FOOT))
    if foot[:8] == b"APETAGEX" and len(foot) == _APE_FOOT:
        size, _, flags = struct.unpack("<III", foot[12:24])
        return size + (_APE_FOOT if flags >> 31 else 0), APE
    if foot[-9:] == b"LYRICS200" and foot[-15:-9].isdigit():
        return int(foot[-15:-9]) + 15, LYRICS
    if foot[-10:-7] == b"3DI":
        return _id3_size(foot[-10:]) + _ID3_HEAD, ID3
    return 0, ""


def _id3_size(head: bytes) -> int:
    """Of a tag, behind the ten bytes of its head; a foot is another ten."""
    size = 0
    for byte in head[6:10]:
        size = size << 7 | (byte & 0x7F)
    return size + (_ID3_HEAD if head[5] & 0x10 else 0)
