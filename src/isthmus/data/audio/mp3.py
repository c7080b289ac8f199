"""Files of MP3 → whether all frames are there that their first one counts, and what stands beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from isthmus.data.audio import tags
from isthmus.data.audio.contents import Contents, at

_RATES = (44100, 48000, 32000)
_KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Of a frame, by version and layer."""


@dataclass(frozen=True)
class _Frame:
    size: int
    """In bytes."""
    counts_at: int
    """Where a first frame tells how many there are."""


def is_frame(head: bytes) -> bool:
    """Whether four bytes begin a frame."""
    return _frame(head) is not None


def look_through_mp3(file: Any, start: int, end: int) -> Contents:
    """MPEG audio, without the ID3 tags before it."""
    end, beside = tags.trailing(file, start, end)
    first = _frame(at(file, start, 4))
    if first is None:
        return Contents(beside)
    told_frames, told_bytes = _counts(at(file, start, first.size), first.counts_at)
    place, frames, junk = start, 0, 0
    while place < end:
        frame = _frame(at(file, place, 4))
        if frame is None:
            further = _next(file, place, end)
            junk, place = junk + further - place, further
            continue
        if place + frame.size > end:
            return Contents(beside, "is cut short: its last frame is not whole")
        frames, place = frames + 1, place + frame.size
    beside += (f"{junk:,} bytes that are no frames",) * (junk > 0)
    if told_frames is None:
        return Contents(beside)
    sounding = frames - 1  # the first one holds no sound, but what is told of the others
    if sounding < told_frames - (told_bytes is None) and end - start < (told_bytes or 1 << 62):
        return Contents(beside, f"is cut short: it counts {told_frames:,} frames and has {sounding:,}")
    if sounding > told_frames + 1:
        return Contents(beside, f"counts {told_frames:,} frames in its first one, where {sounding:,} follow")
    return Contents(beside)


def _frame(head: bytes) -> _Frame | None:
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version = {3: 1, 2: 2, 0: 2.5}.get(head[1] >> 3 & 3)
    layer, kbits, rate = 4 - (head[1] >> 1 & 3), head[2] >> 4, head[2] >> 2 & 3
    if version is None or layer == 4 or kbits in (0, 15) or rate == 3:
        return None
    bits = 1000 * _KBITS[(1, layer) if version == 1 else (2, 1 if layer == 1 else 2)][kbits - 1]
    hertz = int(_RATES[rate] / {1: 1, 2: 2, 2.5: 4}[version])
    padding = head[2] >> 1 & 1
    if layer == 1:
        return _Frame((12 * bits // hertz + padding) * 4, 0)
    samples = 576 if layer == 3 and version != 1 else 1152
    is_mono = head[3] >> 6 == 3
    side = (17 if is_mono else 32) if version == 1 else (9 if is_mono else 17)
    return _Frame(samples // 8 * bits // hertz + padding, 4 + side)


def _counts(frame: bytes, place: int) -> tuple[int | None, int | None]:
    """How many frames and bytes a first frame says that there are."""
    if frame[place : place + 4] in (b"Xing", b"Info"):
        flags, place = frame[place + 7], place + 8
        told = []
        for flag in (1, 2):
            told.append(int.from_bytes(frame[place : place + 4], "big") if flags & flag else None)
            place += 4 if flags & flag else 0
        return told[0], told[1]
    if frame[36:40] == b"VBRI":
        return int.from_bytes(frame[50:54], "big"), int.from_bytes(frame[46:50], "big")
    return None, None


def _next(file: Any, place: int, end: int) -> int:
    """The place of the next two frames that follow one another; or the end."""
    data = at(file, place, min(end - place, 1 << 24))
    found = 0
    while (found := data.find(b"\xff", found + 1)) >= 0:
        frame = _frame(data[found : found + 4])
        if frame and (found + frame.size == end - place or _frame(at(file, place + found + frame.size, 4))):
            return place + found
    return end
