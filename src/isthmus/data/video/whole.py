"""A file of video → whether it holds the bytes that its container counts, and no more."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Iterator
from typing import Any

from isthmus.data.audio.contents import at
from isthmus.data.audio.ogg import read_pages

_TOP = (0x1A45DFA3, 0x18538067, 0xEC, 0xBF)
"""Elements of Matroska that stand in no other: heads, segments, what fills gaps."""
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_SEEN = 1 << 16
_NUT_INDEX = bytes.fromhex("4e58dd672f23e64e")
_LONG = (1 << 56) - 1
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot", b"sidx", b"moof")
_PLANES = {
    "mono": (1, 0, 1, 1), "420": (1, 2, 2, 2), "411": (1, 2, 4, 1), "422": (1, 2, 2, 1),
    "444": (3, 0, 1, 1), "444alpha": (4, 0, 1, 1),
}  # fmt: skip
"""By what Y4M calls a form: planes of full size, smaller ones, and how many columns and rows these cover."""


def fault_of(path: Any) -> str:
    """Why something is missing or not counted, as what follows the file's name; empty where nothing is."""
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        head = at(file, 0, 512)
        look = next((look for is_it, look in _LOOKS if is_it(head)), None)
        return "" if look is None else look(file, end)


def _cut(counted: int, follow: int) -> str:
    return f"is cut short: it counts {counted:,} bytes and has {follow:,}"


def _matroska(file: Any, end: int) -> str:
    place = 0
    while (element := _element(file, place, end)) is not None:
        name, start, size = element
        if name not in _TOP:
            return ""
        if size == _LONG:  # written without going back: what it holds tells where it ends
            return _cut_inside(file, start, end)
        if start + size > end:
            return _cut(start + size, end)
        place = start + size
    return ""


def _cut_inside(file: Any, place: int, end: int) -> str:
    """Whether the last part of something whose length is not told ends before it should."""
    while (element := _element(file, place, end)) is not None:
        _, start, size = element
        if size == _LONG:
            place = start
        elif start + size > end:
            return _cut(start + size, end)
        else:
            place = start + size
    return ""


def _element(file: Any, place: int, end: int) -> tuple[int, int, int] | None:
    """The name of an EBML element, where it begins, and its size, _LONG where it is not told."""
    head = at(file, place, 12)
    if place >= end or not head or not head[0]:
        return None
    wide = 9 - head[0].bit_length()
    if wide > 4 or len(head) <= wide or not head[wide]:
        return None
    long = 9 - head[wide].bit_length()
    size = int.from_bytes(head[wide : wide + long], "big") & ((1 << 7 * long) - 1)
    unknown = size == (1 << 7 * long) - 1
    return int.from_bytes(head[:wide], "big"), place + wide + long, _LONG if unknown else size


def _boxes(file: Any, end: int) -> str:
    """MP4, MOV, 3GP."""
    place, clips = 0, 0
    while end - place >= 8:
        size, name = struct.unpack(">I4s", at(file, place, 8))
        if not all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in name):
            break
        clips += name == b"moov"
        if size == 1:
            size = int.from_bytes(at(file, place + 8, 8), "big")
        if size == 0:  # to the end
            return ""
        if size < 8:
            break
        if place + size > end:
            return _cut(place + size, end)
        place += size
    several = f"holds {clips} clips one behind the other, of which only the first could be read"
    return several if clips > 1 else ""


def _avi(file: Any, end: int) -> str:
    place = 0
    while at(file, place, 4) == b"RIFF" and end - place >= 12:
        size = struct.unpack("<I", at(file, place + 4, 4))[0]
        if place + 8 + size > end and size < 0x7FFFF000:
            return _cut(place + 8 + size, end)
        if size < 4 or size >= 0x7FFFF000:  # whoever wrote it did not come back to say
            return ""
        place += 8 + size + size % 2
    return ""


def _more(file: Any, place: int, end: int) -> str:
    """Whether anything but zeros stands behind what a container counts."""
    if end - place > 1 and at(file, place, 1 << 16).strip(b"\0"):
        return f"counts {place:,} bytes, where {end - place:,} more follow"
    return ""


def _ogg(file: Any, end: int) -> str:
    pages = read_pages(file, 0, end)
    return pages.fault or ("holds clips one behind the other" if pages.is_chained else "")


def _flash(file: Any, end: int) -> str:
    place = 9 + 4
    while end - place >= 11 and at(file, place, 1)[0] & 0x1F in (8, 9, 18):
        size = 11 + int.from_bytes(at(file, place + 1, 3), "big") + 4
        if place + size > end:
            return _cut(place + size, end)
        place += size
    return _cut(place + 11, end) if 0 < end - place < 11 else _more(file, place, end)


def _windows(file: Any, end: int) -> str:
    """ASF, WMV."""
    data = at(file, 0, _ASF_SEEN)
    place = data.find(_ASF_FILE)
    if place < 0 or len(data) < place + 92:
        return ""
    size, flags = struct.unpack("<Q40xI", data[place + 40 : place + 92])
    if flags & 1:  # it was broadcast, so nobody knew
        return ""
    return _cut(size, end) if size > end else _more(file, size, end)


def _transport(file: Any, end: int) -> str:
    """MPEG-TS, of packets of one size."""
    size = 192 if at(file, 4, 1) == b"\x47" and at(file, 196, 1) == b"\x47" else 188
    left = end % size
    return f"is cut short: its last packet has {left} of {size} bytes" if left else ""


def _program(file: Any, end: int) -> str:
    """MPEG-PS."""
    for place, size in _packs(file, end):
        if place + size > end:
            return _cut(place + size, end)
    return ""


def _packs(file: Any, end: int) -> Iterator[tuple[int, int]]:
    place = 0
    while (head := at(file, place, 14))[:3] == b"\0\0\1" and len(head) >= 6:
        if head[3] == 0xB9:
            place += 4
            continue
        if head[3] == 0xBA:
            size = 12 if head[4] >> 6 != 1 else 14 + (head[13] & 7 if len(head) > 13 else 0)
        else:
            size = 6 + int.from_bytes(head[4:6], "big")
        yield place, size
        place += size


def _plain(file: Any, end: int) -> str:
    """Y4M, of frames of one size."""
    line = at(file, 0, 512).partition(b"\n")[0].decode("ascii", "replace")
    told = {word[:1]: word[1:] for word in line.split()[1:]}
    form = told.get("C", "420")
    name = next((each for each in sorted(_PLANES, reverse=True) if form.startswith(each)), None)
    try:
        wide, high = int(told["W"]), int(told["H"])
    except (KeyError, ValueError):
        return ""
    if name is None:
        return ""
    whole, small, over, down = _PLANES[name]
    samples = whole * wide * high + small * -(-wide // over) * -(-high // down)
    size = samples * (2 if re.search(r"p\d\d$", form) else 1) + len(b"FRAME\n")
    left = (end - len(line) - 1) % size
    return f"is cut short: its last frame has {left:,} of {size:,} bytes" if left else ""


def _nut(file: Any, end: int) -> str:
    """NUT, which ends with an index and, before a checksum, says how long that is."""
    length = int.from_bytes(at(file, max(0, end - 12), 8), "big")
    has_index = length <= end and at(file, end - length, 8) == _NUT_INDEX
    return "" if has_index else "is cut short: the index at its end is missing"


_LOOKS: tuple[tuple[Callable[[bytes], bool], Callable[[Any, int], str]], ...] = (
    (lambda head: head.startswith(b"\x1aE\xdf\xa3"), _matroska),
    (lambda head: head[4:8] in _BOXES, _boxes),
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"AVI ", _avi),
    (lambda head: head.startswith(b"OggS"), _ogg),
    (lambda head: head.startswith(b"FLV"), _flash),
    (lambda head: head.startswith(bytes.fromhex("3026b2758e66cf11")), _windows),
    (lambda head: head[:1] == head[188:189] == b"\x47" or head[4:5] == head[196:197] == b"\x47", _transport),
    (lambda head: head.startswith(b"\0\0\1\xba"), _program),
    (lambda head: head.startswith(b"YUV4MPEG2"), _plain),
    (lambda head: head.startswith(b"nut/multimedia container"), _nut),
)
