"""Files of Ogg → whether all their pages are there, and what stands beside the samples."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from isthmus.data.audio.contents import Contents, at
from isthmus.data.listing import listed

_HEAD = 27
_FIRST, _LAST = 2, 4
_MOST_HEADERS = 1 << 24
"""Bytes of a stream's first packets that are looked at."""
_SOUND = {b"\x01vorbis": 7, b"OpusHead": 8, b"\x7fFLAC": 4, b"Speex   ": 0}
"""How a stream of sound begins, and how many bytes precede the comments in its second packet."""
_ENCODER, _PICTURE = "ENCODER", "METADATA_BLOCK_PICTURE"


@dataclass
class Stream:
    """Pages of one number."""

    pages: int = 0
    has_end: bool = False
    has_gap: bool = False
    packets: list[bytes] = field(default_factory=list)
    """The first ones; the last of these may lack its end."""
    is_open: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether it begins as one of sound does."""
        return any(self.packets[0].startswith(each) for each in _SOUND)


@dataclass(frozen=True)
class Pages:
    """What a walk through all pages finds."""

    streams: tuple[Stream, ...]
    is_chained: bool
    """Whether streams begin behind the end of others."""
    rest: int
    """Bytes at the end that are no whole page."""

    @property
    def fault(self) -> str:
        """Why something is missing, as what follows the name of the file."""
        if self.rest or not all(each.has_end for each in self.streams):
            return "is cut short: its last page is missing"
        return "is damaged: pages are missing" if any(each.has_gap for each in self.streams) else ""


def look_through_ogg(file: Any, start: int, end: int) -> Contents:
    """Ogg with Vorbis, Opus or FLAC."""
    pages = read_pages(file, start, end)
    if not pages.streams:
        return Contents()
    sounds = [each for each in pages.streams if each.is_sound]
    others = len(pages.streams) - len(sounds)
    beside = (f"{others} stream{'s' * (others > 1)} that {'are' if others > 1 else 'is'} no sound",) * (
        others > 0
    )
    if sounds and len(sounds[0].packets) > 1:
        lead = next(length for begin, length in _SOUND.items() if sounds[0].packets[0].startswith(begin))
        names = comment_names(sounds[0].packets[1][lead:])
        beside += (f"the tags {listed(names)}",) if names else ()
    if pages.fault:
        return Contents(beside, pages.fault)
    if len(sounds) > 1:
        how = "one behind the other" if pages.is_chained else "side by side"
        return Contents(
            beside, f"holds {len(sounds)} recordings {how}, of which only the first could be read"
        )
    return Contents(beside)


def read_pages(file: Any, start: int, end: int) -> Pages:
    """Walk from page to page."""
    place, is_chained = start, False
    streams: dict[int, Stream] = {}
    found: list[Stream] = []
    while (head := at(file, place, _HEAD))[:4] == b"OggS" and len(head) == _HEAD:
        flags, serial, number, count = head[5], *struct.unpack("<II4xB", head[14:])
        lacing = at(file, place + _HEAD, count)
        body = place + _HEAD + count
        if len(lacing) < count or body + sum(lacing) > end:
            break
        if flags & _FIRST or serial not in streams:
            is_chained |= any(each.has_end for each in found)
            streams[serial] = Stream()
            found.append(streams[serial])
        stream = streams[serial]
        stream.has_gap |= number != stream.pages
        stream.pages = number + 1
        stream.has_end |= bool(flags & _LAST)
        if len(stream.packets) < 2 or stream.is_open:
            _gather(stream, lacing, at(file, body, sum(lacing)))
        place = body + sum(lacing)
    return Pages(tuple(found), is_chained, end - place)


def _gather(stream: Stream, lacing: bytes, data: bytes) -> None:
    """Add what a page has of the first two packets."""
    place = 0
    for size in lacing:
        if not stream.is_open:
            if len(stream.packets) == 2:
                return
            stream.packets.append(b"")
        if len(stream.packets[-1]) < _MOST_HEADERS:
            stream.packets[-1] += data[place : place + size]
        place += size
        stream.is_open = size == 255


def comment_names(data: bytes) -> list[str]:
    """The names of the comments of a block, as Vorbis, Opus and FLAC have them; not the encoder's own."""
    names: list[str] = []
    place = 4 + int.from_bytes(data[:4], "little")
    for _ in range(int.from_bytes(data[place : place + 4], "little")):
        place += 4
        if place + 4 > len(data):
            break
        size = int.from_bytes(data[place : place + 4], "little")
        name = data[place + 4 : place + 4 + min(size, 64)].partition(b"=")[0].decode("utf-8", "replace")
        names.append("a picture" if name.upper() == _PICTURE else name)
        place += size
    return [each for each in dict.fromkeys(names) if each.upper() != _ENCODER]
