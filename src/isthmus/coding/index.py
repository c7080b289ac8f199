"""An archive's two ends ⇄ bytes: its start, the index, and the footer that says where the index is.

start    magic | version | length of the header | header | CRC-32 of all before
index    zstd of (length of the summary | summary | number of blocks | blocks) | CRC-32
footer   index offset | index length | generation | SHA-256 of all before | CRC-32 | end mark
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from isthmus.coding.blocks import CRC_BYTES, MARK, BlockHeader, LayerInfo
from isthmus.coding.canonical import canonical_json, parse_json
from isthmus.coding.squeeze import expand, squeeze
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.coding.version import FORMAT_VERSION, require_known_format
from isthmus.errors import DamagedFile, NotOurFile
from isthmus.limits import DEFAULT_LIMITS, Limits

# Like PNG's: a first byte that is no text, and line ends that a transfer as text would change.
MAGIC = b"\x89ISZ\r\n\x1a\n"
MODEL_MARK = b"\xb5ISM"
END_MARK = b"ISZ\xb5"

_START = struct.Struct("<8sHI")  # magic, version, length of the header
_FOOTER = struct.Struct("<QQI32s")  # index offset, index length, generation, hash
START_BYTES = _START.size
FOOTER_BYTES = _FOOTER.size + CRC_BYTES + len(END_MARK)


def write_start(header: Mapping[str, Any]) -> bytes:
    """Everything before the first block."""
    text = canonical_json(header)
    if len(text) > DEFAULT_LIMITS.header_bytes:
        raise ValueError(f"a header must take at most {DEFAULT_LIMITS.header_bytes} bytes; got {len(text)}")
    start = _START.pack(MAGIC, FORMAT_VERSION, len(text)) + text
    return start + struct.pack("<I", zlib.crc32(start))


def header_length(start: bytes, limits: Limits = DEFAULT_LIMITS) -> int:
    """The length of the header, from the first START_BYTES of a file.

    Raises:
        NotOurFile: the magic is another.
        NewerFormat: a later version wrote the file.
        NotOurFile: it is no archive, or one from before the format was frozen.
        DamagedFile: the length cannot be.
    """
    if start[: len(MAGIC)] != MAGIC:
        raise NotOurFile("It must be an .isz archive, and does not start like one. Give another file.")
    if len(start) < START_BYTES:
        raise DamagedFile("The file ends before its header.")
    _, version, length = _START.unpack(start)
    require_known_format(version, "The archive")
    if length > limits.header_bytes:
        raise DamagedFile(f"The header must take at most {limits.header_bytes} bytes; it claims {length}.")
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
    """A part of the file."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.offset + self.length


def write_model(packed: bytes) -> bytes:
    """The model's part of the file: it stands alone too, so that a scan finds it."""
    start = MODEL_MARK + write_varint(len(packed)) + packed
    return start + struct.pack("<I", zlib.crc32(start))


def read_model(part: bytes) -> bytes:
    """Undo `write_model`, given exactly its bytes."""
    if len(part) < CRC_BYTES or zlib.crc32(part[:-CRC_BYTES]) != struct.unpack("<I", part[-CRC_BYTES:])[0]:
        raise DamagedFile("The model does not match its checksum.")
    fields = ByteReader(part[:-CRC_BYTES], "The model")
    if fields.take(len(MODEL_MARK)) != MODEL_MARK:
        raise DamagedFile("The model does not start with its mark.")
    packed = fields.sized()
    fields.finish()
    return packed


@dataclass(frozen=True)
class Index:
    """What an archive holds, and where."""

    header: dict[str, Any]
    """The header again, in case the start of the file is lost."""
    blocks: tuple[BlockEntry, ...]
    model: Span | None
    extras: dict[str, Any]

    def to_bytes(self) -> bytes:
        """The index and its checksum."""
        model = self.model and [self.model.offset, self.model.length]
        summary = canonical_json({"extras": self.extras, "header": self.header, "model": model})
        parts = [write_varint(len(summary)), summary, write_varint(len(self.blocks))]
        end = len(write_start(self.header))
        for block in self.blocks:
            fields = block.header.fields()
            parts += [write_varint(block.offset - end), write_varint(len(fields)), fields]
            end = block.end
        content = b"".join(parts)
        if len(content) > DEFAULT_LIMITS.index_bytes or len(self.blocks) > DEFAULT_LIMITS.blocks:
            raise ValueError(
                f"an index must take at most {DEFAULT_LIMITS.index_bytes} bytes; got {len(content)}"
            )
        squeezed = squeeze(content)
        return squeezed + struct.pack("<I", zlib.crc32(squeezed))

    @classmethod
    def from_bytes(cls, data: bytes, end: int, limits: Limits = DEFAULT_LIMITS) -> Index:
        """Undo `to_bytes`.

        Args:
            data: the index with its checksum.
            end: where the index begins; nothing it lists may reach further.
            limits: the most that it may take.
        """
        squeezed = data[:-CRC_BYTES]
        if len(data) < CRC_BYTES or zlib.crc32(squeezed) != struct.unpack("<I", data[-CRC_BYTES:])[0]:
            raise DamagedFile("The index does not match its checksum.")
        fields = ByteReader(expand(squeezed, limits.index_bytes, "The index"), "The index")
        header, model, extras = _read_summary(fields.sized())
        blocks = tuple(_read_entries(fields, len(write_start(header)), limits))
        fields.finish()
        index = cls(header, blocks, model, extras)
        index._check_places(end)
        return index

    def gaps(self) -> list[Span]:
        """What lies between the blocks: the model, index and footer of each earlier generation."""
        end, gaps = len(write_start(self.header)), []
        for block in self.blocks:
            if block.offset > end:
                gaps.append(Span(end, block.offset - end))
            end = block.end
        return gaps

    @property
    def blocks_end(self) -> int:
        """Where the last block ends."""
        return self.blocks[-1].end if self.blocks else len(write_start(self.header))

    def _check_places(self, end: int) -> None:
        after = self.blocks_end
        inside = after <= end
        if self.model is not None:
            last = self.model.offset == after and self.model.end == end
            earlier = any(
                gap.offset == self.model.offset and self.model.end <= gap.end for gap in self.gaps()
            )
            inside = last or (earlier and after == end)
        if not inside or (self.model is None and after != end):
            raise DamagedFile("The index lists parts that overlap or lie outside the file.")


def _read_entries(fields: ByteReader, start: int, limits: Limits) -> Iterator[BlockEntry]:
    count = fields.count()
    limits.require("blocks", count, "The number of blocks")
    reached = start
    for _ in range(count):
        offset = reached + fields.varint()
        header = BlockHeader.from_fields(fields.sized())
        limits.require("block_items", header.count, "The items of a block")
        entry = BlockEntry(offset, header)
        yield entry
        reached = entry.end


def _read_summary(data: bytes) -> tuple[dict[str, Any], Span | None, dict[str, Any]]:
    summary = parse_json(data, "The index")
    if not isinstance(summary, dict) or set(summary) != {"extras", "header", "model"}:
        raise DamagedFile("The index must have extras, a header and a model, and nothing else.")
    header, model, extras = summary["header"], summary["model"], summary["extras"]
    whole = isinstance(model, list) and len(model) == 2 and all(type(n) is int and n >= 0 for n in model)
    if not (isinstance(extras, dict) and isinstance(header, dict) and (model is None or whole)):
        raise DamagedFile("The index must hold JSON objects, and where the model is or null.")
    if len(canonical_json(header)) > DEFAULT_LIMITS.header_bytes:
        raise DamagedFile("The index holds a header that is too long.")
    return header, (None if model is None else Span(*model)), extras


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
