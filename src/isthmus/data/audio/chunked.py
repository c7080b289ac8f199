"""Files of chunks, WAV, RF64 and AIFF, and those of a plain head, AU → what stands in them beside samples.

Programs that stop before they are done, and pipes, leave a header that counts fewer samples than follow. One
that counts none is mended; of any other, nobody can say whether what follows are samples.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from isthmus.data.audio import tags
from isthmus.data.audio.contents import Contents, at
from isthmus.data.listing import listed

UNKNOWN = 0x7FFFF000
"""A count of bytes from here on is what a program writes that does not know how many will follow."""
_FULL = 0xFFFFFFFF
_STRUCTURE = frozenset(b"fmt |fact|data|ds64|PEAK|JUNK|junk|PAD |FLLR|COMM|SSND|FVER".split(b"|"))
"""Chunks that say how samples stand, or nothing."""
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_SPEAKERS = {1: 0x4, 2: 0x3, 4: 0x33, 6: 0x3F, 8: 0xFF}
"""By channels: the speakers that libsndfile writes."""


@dataclass(frozen=True)
class Chunk:
    """One part of a file."""

    name: bytes
    place: int
    """Of its contents."""
    size: int
    """As it says itself."""

    @property
    def stop(self) -> int:
        """Where its contents end."""
        return self.place + self.size


def look_through_riff(file: Any, start: int, end: int) -> Contents:
    """WAV and RF64."""
    order = ">" if at(file, start, 4) == b"RIFX" else "<"
    found, place = _chunks(file, start + 12, end, order)
    by_name = {each.name: each for each in reversed(found)}
    long, form = by_name.get(b"ds64"), by_name.get(b"fmt ")
    sound = by_name.get(b"data") or _overlong(file, place, end, order, b"data")
    if sound is None or form is None:
        return Contents()
    count_at, count_form = sound.place - 4, order + "I"
    if long is not None and sound.size == _FULL:
        count_at, count_form = long.place + 8, "<Q"
        sound = Chunk(sound.name, sound.place, struct.unpack("<Q", at(file, count_at, 8))[0])
    tag, channels, _, _, block, bits = struct.unpack(
        order + "HHIIHH", at(file, form.place, 16).ljust(16, b"\0")
    )
    is_plain = tag in (_PCM, _FLOAT, _EXTENSIBLE)
    contents = _of_chunks(file, found, sound, end, order, block if is_plain else 1)
    beside = contents.beside
    if tag == _EXTENSIBLE and form.size >= 24:
        valid, speakers = struct.unpack(order + "HI", at(file, form.place + 18, 6))
        beside += (f"that {valid} of {bits} bits count",) * (valid not in (0, bits))
        beside += ("the speakers that its channels are for",) * (speakers != _SPEAKERS.get(channels, 0))
    if contents.change:
        patch = struct.pack(count_form, min(end - sound.place, (1 << 8 * struct.calcsize(count_form)) - 1))
        return Contents(beside, "", {count_at: patch}, contents.change)
    return Contents(beside, contents.fault, sample_bytes=contents.sample_bytes if is_plain else None)


def look_through_aiff(file: Any, start: int, end: int) -> Contents:
    """AIFF and AIFF-C."""
    found, place = _chunks(file, start + 12, end, ">")
    by_name = {each.name: each for each in reversed(found)}
    form, sound = by_name.get(b"COMM"), by_name.get(b"SSND") or _overlong(file, place, end, ">", b"SSND")
    if sound is None or form is None or form.size < 18:
        return Contents()
    head, lead = at(file, form.place, 22), 8  # the sound begins with two numbers
    channels, bits = struct.unpack(">H4xH", head[:8])
    is_plain = form.size < 22 or head[18:22] in (
        b"NONE",
        b"twos",
        b"sowt",
        b"fl32",
        b"fl64",
        b"FL32",
        b"FL64",
    )
    block = channels * -(-bits // 8) if is_plain else 1
    inner = Chunk(sound.name, sound.place + lead, max(0, sound.size - lead))
    contents = _of_chunks(file, found, inner, end, ">", block)
    beside = contents.beside + (f"that it has {bits} bits a sample",) * (bits % 8 > 0)
    if contents.change:
        size = end - sound.place
        patches = {sound.place - 4: struct.pack(">I", min(size, _FULL))}
        patches[form.place + 2] = struct.pack(">I", (size - lead) // max(1, block))
        return Contents(beside, "", patches, contents.change)
    return Contents(beside, contents.fault, sample_bytes=contents.sample_bytes if is_plain else None)


def look_through_au(file: Any, start: int, end: int) -> Contents:
    """AU, in either order of bytes."""
    order = ">" if at(file, start, 4) == b".snd" else "<"
    head = at(file, start + 4, 20)
    if len(head) < 20:
        return Contents()
    place, count, coding, _, channels = struct.unpack(order + "5I", head)
    block = {2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8}.get(coding, 0) * channels
    note = at(file, start + 24, max(0, place - 24)).strip(b"\0")
    sound = Chunk(b"data", start + place, count)
    contents = _of_chunks(file, [], sound, end, order, block or 1, has_chunks=False)
    beside = (("its annotation",) if note else ()) + contents.beside
    if contents.change:
        return Contents(beside, "", {start + 8: struct.pack(order + "I", _FULL)}, contents.change)
    return Contents(beside, contents.fault, sample_bytes=contents.sample_bytes if block else None)


def _of_chunks(
    file: Any,
    found: list[Chunk],
    sound: Chunk,
    end: int,
    order: str,
    block: int,
    *,
    has_chunks: bool = True,
) -> Contents:
    """What stands beside the chunk of samples, and whether it counts those that follow; `change` if none."""
    follow = end - sound.place
    if sound.size > follow:
        beside = _named(file, found)
        if sound.size >= UNKNOWN:
            return Contents(beside + _broken(follow, block), sample_bytes=follow)
        return Contents(
            beside, f"is cut short: its header counts {sound.size:,} bytes of samples, {follow:,} follow"
        )
    more, place = _chunks(file, sound.stop, end, order) if has_chunks else ([], sound.stop)
    beside = _named(file, [*(each for each in found if each.place < sound.place), *more])
    if any(each.name == sound.name for each in more):
        return Contents(beside, "holds samples in several chunks, of which only the first could be read")
    last, names = tags.trailing(file, place, end)
    rest = last - place
    if rest and not sound.size and not more:
        change = f"has a header that counts 0 bytes of samples, where {follow:,} follow, which were read"
        return Contents(beside + _broken(follow, block), change=change)
    beside += _broken(sound.size, block) + names
    if rest > 1 and not _is_blank(file, place, last):
        fault = f"counts {sound.size:,} bytes of samples in its header, where {rest:,} more bytes follow"
        return Contents(beside, fault)
    if rest and at(file, place, 2) != b"\0":  # one of these fills up to an even place
        beside += (f"{rest:,} byte{'s' * (rest > 1)} behind its last chunk",)
    return Contents(beside, sample_bytes=sound.size)


def _chunks(file: Any, place: int, end: int, order: str) -> tuple[list[Chunk], int]:
    """The chunks from a place on, and where what follows is none."""
    found: list[Chunk] = []
    while end - place >= 8:
        name, size = struct.unpack(order + "4sI", at(file, place, 8))
        if not _is_name(name) or size > end - place - 8:
            break
        found.append(Chunk(name, place + 8, size))
        place += 8 + size
        if size % 2 and place < end and not _is_name(at(file, place, 4)):
            place += 1  # to an even place; some programs forget it
    return found, place


def _overlong(file: Any, place: int, end: int, order: str, name: bytes) -> Chunk | None:
    """The chunk of that name which begins there and says that it is longer than the file."""
    if end - place < 8 or at(file, place, 4) != name:
        return None
    return Chunk(name, place + 8, struct.unpack(order + "I", at(file, place + 4, 4))[0])


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name)


def _named(file: Any, chunks: list[Chunk]) -> tuple[str, ...]:
    """What the chunks are called that say more than how samples stand."""
    names = []
    for each in chunks:
        if each.size and each.name not in _STRUCTURE:
            kind = at(file, each.place, 4) if each.name == b"LIST" else b""
            names.append((each.name + b" " + kind).decode("ascii", "replace").strip())
    names = list(dict.fromkeys(names))
    return (f"the chunk{'s' * (len(names) > 1)} {listed(names)}",) if names else ()


def _broken(count: int, block: int) -> tuple[str, ...]:
    """What is left of a frame that is not whole."""
    left = count % block if block else 0
    return (f"{left:,} byte{'s' * (left > 1)} of a last frame that is not whole",) if left else ()


def _is_blank(file: Any, place: int, end: int) -> bool:
    """Whether all bytes are 0."""
    while place < end:
        data = at(file, place, min(end - place, 1 << 20))
        if not data or data.strip(b"\0"):
            return False
        place += len(data)
    return True
