"""An archive's two ends ⇄ bytes: its start, the index, and the footer that says where the index is.

start    magic | version | length of the header | header | CRC-32 of all before
index    zstd of (length of the summary | summary | number of blocks | blocks) | CRC-32
footer   index offset | index length | generation | SHA-256 of all before | CRC-32 | end mark
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from isthmus.coding.blocks import CRC_BYTES, MARK, BlockHeader, LayerInfo
from isthmus.coding.canonical import canonical_json, parse_json
from isthmus.coding.squeeze import expand, squeeze
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile, NewerFormat, NotOurFile

FORMAT_VERSION = 0
# Like PNG's: a first byte that is no text, and line ends that a transfer as text would change.
MAGIC = b"\x89ISZ\r\n\x1a\n"
END_MARK = b"ISZ\xb5"
MAX_HEADER_BYTES = 1 << 20
MAX_INDEX_BYTES = 1 << 28

_START = struct.Struct("<8sHI")  # magic, version, length of the header
_FOOTER = struct.Struct("<QQI32s")  # index offset, index length, generation, hash
START_BYTES = _START.size
FOOTER_BYTES = _FOOTER.size + CRC_BYTES + len(END_MARK)


def write_start(header: Mapping[str, Any]) -> bytes:
    """Everything before the first block."""
    text = canonical_json(header)
    if len(text) > MAX_HEADER_BYTES:
        raise ValueError(f"a header must take at most {MAX_HEADER_BYTES} bytes; got {len(text)}")
    start = _START.pack(MAGIC, FORMAT_VERSION, len(text)) + text
    return start + struct.pack("<I", zlib.crc32(start))


def header_length(start: bytes) -> int:
    """The length of the header, from the first START_BYTES of a file.

    Raises:
        NotOurFile: the magic is another.
        NewerFormat: a later version wrote the file.
        DamagedFile: the length cannot be.
    """
    if start[: len(MAGIC)] != MAGIC:
        raise NotOurFile("It must be an .isz archive, and does not start like one. Give another file.")
    if len(start) < START_BYTES:
        raise DamagedFile("The file ends before its header.")
    _, version, length = _START.unpack(start)
    if version > FORMAT_VERSION:
        raise NewerFormat(
            f"It has format {version}; this version reads formats up to {FORMAT_VERSION}. "
            "Update with `pip install -U isthmus`."
        )
    if length > MAX_HEADER_BYTES:
        raise DamagedFile(f"The header must take at most {MAX_HEADER_BYTES} bytes; it claims {length}.")
    return int(length)


def read_start(start: bytes) -> dict[str, Any]:
    """Undo `write_start`, given exactly its bytes."""
    if zlib.crc32(start[:-CRC_BYTES]) != struct.unpack("<I", start[-CRC_BYTES:])[0]:
        raise DamagedFile("The header does not match its checksum.")
    header = parse_json(start[START_BYTES:-CRC_BYTES], "The header")
    if not isinstance(header, dict):
        raise DamagedFile("The header must be a JSON object.")
    return header


@dataclass(frozen=True)
class BlockEntry:
    """Where a block stands, and its header again."""

    offset: int
    """Of its mark, in bytes from the start of the file."""
    header: BlockHeader

    @cached_property
    def overhead_bytes(self) -> int:
        """What the block takes besides its payloads: mark, header and checksum."""
        fields = len(self.header.fields())
        return len(MARK) + len(write_varint(fields)) + fields + CRC_BYTES

    @property
    def end(self) -> int:
        """Where its last payload ends."""
        return self.offset + self.overhead_bytes + self.header.payload_bytes

    def find(self, name: str) -> tuple[int, LayerInfo]:
        """The offset in the file of the layer called `name`, and what is known of it."""
        offset = self.offset + self.overhead_bytes
        for layer in self.header.layers:
            if layer.name == name:
                return offset, layer
            offset += layer.length
        raise KeyError(name)


@dataclass(frozen=True)
class Span:
    """A part of the file, with the checksum of its bytes."""

    offset: int
    length: int
    crc: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.offset + self.length


@dataclass(frozen=True)
class Index:
    """What an archive holds, and where."""

    blocks: tuple[BlockEntry, ...]
    model: Span | None
    extras: dict[str, Any]

    def to_bytes(self, start_bytes: int) -> bytes:
        """The index and its checksum, for blocks that begin after `start_bytes`."""
        model = self.model and [self.model.offset, self.model.length, self.model.crc]
        summary = canonical_json({"extras": self.extras, "model": model})
        parts = [write_varint(len(summary)), summary, write_varint(len(self.blocks))]
        end = start_bytes
        for block in self.blocks:
            fields = block.header.fields()
            parts += [write_varint(block.offset - end), write_varint(len(fields)), fields]
            end = block.end
        content = b"".join(parts)
        if len(content) > MAX_INDEX_BYTES:
            raise ValueError(f"an index must take at most {MAX_INDEX_BYTES} bytes; got {len(content)}")
        squeezed = squeeze(content)
        return squeezed + struct.pack("<I", zlib.crc32(squeezed))

    @classmethod
    def from_bytes(cls, data: bytes, start_bytes: int, end: int) -> Index:
        """Undo `to_bytes`.

        Args:
            data: the index with its checksum.
            start_bytes: where the first block may begin.
            end: where the index begins; nothing it lists may reach further.
        """
        squeezed = data[:-CRC_BYTES]
        if len(data) < CRC_BYTES or zlib.crc32(squeezed) != struct.unpack("<I", data[-CRC_BYTES:])[0]:
            raise DamagedFile("The index does not match its checksum.")
        fields = ByteReader(expand(squeezed, MAX_INDEX_BYTES, "The index"), "The index")
        summary = parse_json(fields.sized(), "The index")
        blocks, reached = [], start_bytes
        for _ in range(fields.count()):
            offset = reached + fields.varint()
            blocks.append(BlockEntry(offset, BlockHeader.from_fields(fields.sized())))
            reached = blocks[-1].end
        fields.finish()
        model, extras = _check_summary(summary)
        if (model.end if model else reached) > end or (model and model.offset < reached) or reached > end:
            raise DamagedFile("The index lists parts that overlap or lie outside the file.")
        return cls(tuple(blocks), model, extras)


def _check_summary(summary: Any) -> tuple[Span | None, dict[str, Any]]:
    if not isinstance(summary, dict) or set(summary) != {"extras", "model"}:
        raise DamagedFile("The index must have extras and a model, and nothing else.")
    model, extras = summary["model"], summary["extras"]
    whole = isinstance(model, list) and len(model) == 3 and all(isinstance(n, int) and n >= 0 for n in model)
    if not isinstance(extras, dict) or not (model is None or whole):
        raise DamagedFile("The index must hold a JSON object of extras, and where the model is or null.")
    return (None if model is None else Span(*model)), extras


def count_items(blocks: Iterable[BlockEntry], error: type[Exception]) -> int:
    """How many items there are, once each from 0 on is known to be in exactly one block."""
    runs = sorted((run.start, run.stop) for entry in blocks for run in entry.header.runs)
    end = 0
    for start, stop in runs:
        if start != end:
            raise error("Each item must be in exactly one block, and none may be missing.")
        end = stop
    return end


@dataclass(frozen=True)
class Footer:
    """The last bytes of a generation; whoever opens an archive starts here."""

    index_offset: int
    index_length: int
    """Bytes of the index with its checksum."""
    generation: int
    """0 for a new archive; each appending adds 1."""
    sha256: bytes
    """Of everything in the file before this field."""

    def to_bytes(self) -> bytes:
        """FOOTER_BYTES bytes; `from_bytes` undoes it."""
        fields = self.unhashed() + self.sha256
        return fields + struct.pack("<I", zlib.crc32(fields)) + END_MARK

    def unhashed(self) -> bytes:
        """The fields before the hash, which it covers too."""
        return struct.pack("<QQI", self.index_offset, self.index_length, self.generation)

    @classmethod
    def from_bytes(cls, data: bytes) -> Footer:
        """Undo `to_bytes`; DamagedFile if the file does not end in a footer."""
        fields, crc, mark = data[: _FOOTER.size], data[_FOOTER.size : -len(END_MARK)], data[-len(END_MARK) :]
        if len(data) != FOOTER_BYTES or mark != END_MARK:
            raise DamagedFile("The file is cut short: it does not end in a footer.")
        if zlib.crc32(fields) != struct.unpack("<I", crc)[0]:
            raise DamagedFile("The footer does not match its checksum.")
        return cls(*_FOOTER.unpack(fields))
