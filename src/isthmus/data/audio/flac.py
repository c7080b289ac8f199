"""Files of FLAC → whether their head counts the frames that follow, and what stands beside them.

The head tells how many samples there are, or 0 where whoever wrote it could not go back. The last frame tells
its own place, and a checksum says where it ends.
"""

from __future__ import annotations

import struct
from typing import Any

from isthmus.data.audio import tags
from isthmus.data.audio.contents import Contents, at
from isthmus.data.audio.ogg import comment_names
from isthmus.data.listing import listed

_BLOCKS = {2: "data of applications", 5: "a cue sheet", 6: "pictures"}
"""By the number of a block of metadata that says more than how samples stand."""
_HEAD, _COMMENTS = 0, 4
_MOST_COMMENTS = 1 << 24
_MOST_FRAME = 1 << 20
"""Bytes of a frame, where the head does not tell."""


def look_through_flac(file: Any, start: int, end: int) -> Contents:
    """FLAC, without its ID3 tags."""
    place, beside, head, is_last = start + 4, [], b"", False
    while not is_last:
        told = at(file, place, 4)
        if len(told) < 4:
            return Contents()
        kind, size = told[0] & 0x7F, int.from_bytes(told[1:], "big")
        is_last, place = told[0] >= 0x80, place + 4 + size
        if kind == _HEAD:
            head, head_at = at(file, place - size, size), place - size
        elif kind in _BLOCKS and _BLOCKS[kind] not in beside:
            beside.append(_BLOCKS[kind])
        elif kind == _COMMENTS and (
            names := comment_names(at(file, place - size, min(size, _MOST_COMMENTS)))
        ):
            beside.append(f"the tags {listed(names)}")
    if len(head) < 34:
        return Contents()
    end, more = tags.trailing(file, place, end)
    beside += more
    packed = int.from_bytes(head[10:18], "big")
    told_frames = packed & ((1 << 36) - 1)
    largest = int.from_bytes(head[7:10], "big") or _MOST_FRAME
    frames = _counted(at(file, max(place, end - 2 * largest), 2 * largest), struct.unpack(">H", head[:2])[0])
    if frames is None:
        fault = "is cut short or damaged: its last frame is not whole" if end > place or told_frames else ""
        return Contents(tuple(beside), fault)
    if not told_frames and frames:
        patch = {head_at + 10: (packed | frames).to_bytes(8, "big")}
        change = f"has a header that counts no frames, where {frames:,} follow, which were read"
        return Contents(tuple(beside), "", patch, change)
    if told_frames > frames:
        fault = f"is cut short: its header counts {told_frames:,} frames, {frames:,} follow"
        return Contents(tuple(beside), fault)
    if told_frames < frames:
        fault = f"counts {told_frames:,} frames in its header, where {frames:,} follow"
        return Contents(tuple(beside), fault)
    return Contents(tuple(beside))


def _counted(data: bytes, block: int) -> int | None:
    """How many samples of each channel there are up to the end of the last frame; None where it is not whole.

    Args:
        data: the end of a file.
        block: samples of a frame, where all have as many.
    """
    place = len(data)
    while (place := max(data.rfind(b"\xff\xf8", 0, place), data.rfind(b"\xff\xf9", 0, place))) >= 0:
        if (count := _behind(data[place:], block)) is not None:
            return count
    return None


def _behind(frame: bytes, block: int) -> int | None:
    """How many samples there are up to the end of a frame; None where it is not a whole one."""
    if len(frame) < 10 or not (number := _number(frame)):
        return None
    first, place = number
    code, rate = frame[2] >> 4, frame[2] & 15
    if code in (6, 7):
        size = int.from_bytes(frame[place : place + code - 5], "big") + 1
        place += code - 5
    else:
        size = 192 if code == 1 else 576 << max(0, code - 2) if code < 6 else 256 << (code - 8)
    place += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if not code or place >= len(frame) or _crc(frame[:place], 0x07, 8) != frame[place]:
        return None
    if _crc(frame[:-2], 0x8005, 16) != int.from_bytes(frame[-2:], "big"):
        return None
    return (first if frame[1] & 1 else first * block) + size


def _number(frame: bytes) -> tuple[int, int] | None:
    """The number of a frame or of its first sample, written as in UTF-8, and where it ends."""
    lead = frame[4]
    count = 8 - (lead ^ 0xFF).bit_length()
    if count == 0:
        return lead, 5
    if count == 1 or count > 7 or any(byte >> 6 != 2 for byte in frame[5 : 4 + count]):
        return None
    value = lead & (0x7F >> count)
    for byte in frame[5 : 4 + count]:
        value = value << 6 | (byte & 0x3F)
    return value, 4 + count


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    table, top, mask = [], 1 << (bits - 1), (1 << bits) - 1
    for value in range(256):
        value <<= bits - 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
        table.append(value)
    crc = 0
    for byte in data:
        crc = (crc << 8 & mask) ^ table[crc >> (bits - 8) ^ byte]
    return crc
