"""A damaged .isz file → what is still whole in it: the last whole generation, blocks, the model.

An archive is opened from its end. Where that end is lost, these functions look for the parts
themselves: each begins with a mark and carries its own checksum.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from isthmus.coding.blocks import CRC_BYTES, MARK, BlockHeader
from isthmus.coding.index import (
    END_MARK,
    FOOTER_BYTES,
    MODEL_MARK,
    BlockEntry,
    Footer,
    Index,
    Span,
    read_model,
)
from isthmus.coding.varints import MAX_BITS, ByteReader
from isthmus.errors import DamagedFile, FileError, TooLarge
from isthmus.limits import Limits

_CHUNK = 1 << 20
_HEAD_BYTES = 4 + MAX_BITS // 7  # a mark and the longest varint
# A file may be made to waste time. Chance never comes near these:
_WORK = 16  # a scan gives up once candidates add up to this many times what is scanned
_TRIES = 8  # … or after so many footers with the right checksum that lead to no index


@dataclass(frozen=True)
class Generation:
    """One whole end of an archive: its index and footer, and where the file may be cut to have it."""

    footer: Footer
    index: Index
    end: int


def read_generation(file: BinaryIO, end: int, limits: Limits) -> Generation:
    """The generation whose footer ends at `end`.

    Raises:
        DamagedFile: there is none, or its index does not match its checksum.
    """
    if end < FOOTER_BYTES:
        raise DamagedFile("The file is cut short: it does not end in a footer.")
    footer = Footer.from_bytes(read_at(file, end - FOOTER_BYTES, FOOTER_BYTES))
    begin, length = footer.index_offset, footer.index_length
    if begin + length != end - FOOTER_BYTES:
        raise DamagedFile("The footer does not say where the index is.")
    limits.require("index_bytes", length, "The index")
    return Generation(footer, Index.from_bytes(read_at(file, begin, length), begin, limits), end)


def last_generation(file: BinaryIO, length: int, limits: Limits) -> Generation | None:
    """The last whole generation of a file whose end is lost, or None."""
    tries = _TRIES
    for mark in _marks(file, END_MARK, 0, length, backwards=True):
        end = mark + len(END_MARK)
        try:
            Footer.from_bytes(read_at(file, max(0, end - FOOTER_BYTES), min(end, FOOTER_BYTES)))
        except DamagedFile:  # the mark by chance
            continue
        try:
            return read_generation(file, end, limits)
        except FileError:
            tries -= 1
        if not tries:
            break
    return None


def blocks_between(file: BinaryIO, start: int, stop: int, limits: Limits) -> Iterator[BlockEntry]:
    """Every block with a whole header that begins in that part of the file; payloads are not read."""
    for mark, head in _scan(file, MARK, start, stop, limits.header_bytes):
        fields = ByteReader(head, "A block's header")
        fields.take(len(MARK))
        try:
            entry = BlockEntry(mark, BlockHeader.from_fields(fields.sized()))
        except DamagedFile:
            continue
        if entry.end <= stop and entry.header.count <= limits.block_items:
            yield entry


def model_between(file: BinaryIO, start: int, stop: int, limits: Limits) -> Span | None:
    """The last whole model in that part of the file, or None."""
    found = None
    for mark, part in _scan(file, MODEL_MARK, start, stop, limits.model_bytes):
        try:
            read_model(part)
        except DamagedFile:
            continue
        found = Span(mark, len(part))
    return found


def read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    """Exactly `length` bytes of the file, from `offset` on."""
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise DamagedFile("The file is cut short.")
    return data


def _scan(file: BinaryIO, mark: bytes, start: int, stop: int, longest: int) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of whatever stands behind `mark` and its own length and has its checksum."""
    budget, position = _WORK * (stop - start), start
    for found in _marks(file, mark, start, stop):
        if found < position:  # inside a part that is whole
            continue
        part = _framed(file, found, stop, longest)
        budget -= len(part)
        if budget < 0:
            raise TooLarge("The file is full of marks that lead nowhere; the scan for whole parts gave up.")
        if part and zlib.crc32(part[:-CRC_BYTES]) == struct.unpack("<I", part[-CRC_BYTES:])[0]:
            yield found, part
            position = found + len(part)


def _framed(file: BinaryIO, offset: int, stop: int, longest: int) -> bytes:
    """mark | length | that many bytes | CRC-32, or nothing where that does not fit."""
    head = ByteReader(read_at(file, offset, min(_HEAD_BYTES, stop - offset)), "A part")
    try:
        head.take(len(MARK))
        length = head.varint()
    except DamagedFile:
        return b""
    whole = head.position + length + CRC_BYTES
    return read_at(file, offset, whole) if length <= longest and offset + whole <= stop else b""


def _marks(file: BinaryIO, mark: bytes, start: int, stop: int, *, backwards: bool = False) -> Iterator[int]:
    """Offsets of `mark` in that part of the file, a chunk in memory at a time."""
    chunks = range(start, stop, _CHUNK)
    for offset in reversed(chunks) if backwards else chunks:
        # A mark may begin in this chunk and end in the next.
        data = read_at(file, offset, min(_CHUNK + len(mark) - 1, stop - offset))
        hits = [offset + hit.start() for hit in re.finditer(re.escape(mark), data)]
        yield from reversed(hits) if backwards else hits
