"""An .isz file → blocks, opened from its end and read in any order; every checksum is compared."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from isthmus.coding.blocks import CRC_BYTES, Layer
from isthmus.coding.index import (
    FOOTER_BYTES,
    START_BYTES,
    BlockEntry,
    Footer,
    Index,
    Span,
    count_items,
    header_length,
    read_start,
)
from isthmus.errors import DamagedFile, FileError

_HASH_BYTES = 1 << 20  # read at a time when the whole file is hashed


@dataclass(frozen=True)
class Block:
    """One block, read and checked."""

    runs: tuple[range, ...]
    """The items it holds, as ascending runs of neighbours."""
    plan: int | str
    """Who coded them."""
    layers: tuple[Layer, ...]

    @property
    def items(self) -> list[int]:
        """The items it holds, ascending."""
        return [item for run in self.runs for item in run]


@dataclass(frozen=True)
class Problem:
    """One thing that `verify` found wrong."""

    block: int | None
    """The number of the damaged block; None if the damage is elsewhere."""
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Sizes:
    """The bytes of each part of an archive; they add up to its length."""

    header: int
    blocks: int
    """Marks, headers and checksums of the blocks."""
    layers: dict[str, int]
    """Payloads, by the layer's name."""
    model: int
    index: int
    footer: int
    earlier: int
    """Indexes, footers and models of earlier generations."""

    @property
    def total(self) -> int:
        """The length of the file."""
        own = self.header + self.blocks + self.model + self.index + self.footer + self.earlier
        return own + sum(self.layers.values())


class ArchiveReader:
    """Opens an archive; reads the two ends at once, and a block only when it is asked for.

    `items` is how many items the blocks claim to hold. Compare it with what the header or the
    extras say of them before you make room for so many.

    Args:
        source: a path, the bytes of an archive, or a binary file object that can seek.

    Raises:
        NotOurFile, NewerFormat, DamagedFile: see their docstrings.
        FileError: the file cannot be read.
    """

    def __init__(self, source: Path | str | bytes | BinaryIO) -> None:
        self._stack = ExitStack()
        self.name = str(source) if isinstance(source, (str, Path)) else "The archive"
        self._file = self._open(source)
        try:
            with self._naming():
                self._read_ends()
        except BaseException:
            self.close()
            raise

    def _open(self, source: Path | str | bytes | BinaryIO) -> BinaryIO:
        if isinstance(source, (bytes, bytearray, memoryview)):
            return BytesIO(source)
        if not isinstance(source, (str, Path)):
            return source
        try:
            return self._stack.enter_context(Path(source).open("rb"))
        except OSError as refusal:
            reason = (refusal.strerror or str(refusal)).lower()
            raise FileError(f"{source} cannot be read: {reason}. Give the path of an .isz file.") from refusal

    def _read_ends(self) -> None:
        self.length = self._file.seek(0, 2)
        text_bytes = header_length(self._read(0, min(START_BYTES, self.length)))
        self._start_bytes = START_BYTES + text_bytes + CRC_BYTES
        if self.length < self._start_bytes + FOOTER_BYTES:
            raise DamagedFile("The file is cut short: it does not end in a footer.")
        self.header = read_start(self._read(0, self._start_bytes))
        footer_offset = self.length - FOOTER_BYTES
        self._footer = Footer.from_bytes(self._read(footer_offset, FOOTER_BYTES))
        begin, length = self._footer.index_offset, self._footer.index_length
        if begin < self._start_bytes or begin + length != footer_offset:
            raise DamagedFile("The footer does not say where the index is.")
        self._index = Index.from_bytes(self._read(begin, length), self._start_bytes, begin)
        self.items = count_items(self.blocks, DamagedFile)
        if self.generation == 0 and self.sizes().earlier:
            raise DamagedFile("The file holds bytes that belong to none of its parts.")

    @property
    def blocks(self) -> tuple[BlockEntry, ...]:
        """Where each block is, and its header."""
        return self._index.blocks

    @property
    def extras(self) -> dict[str, Any]:
        """What the writer said about the items."""
        return self._index.extras

    @property
    def generation(self) -> int:
        """0 for a new archive; each appending adds 1."""
        return self._footer.generation

    @property
    def model_bytes(self) -> bytes | None:
        """The packed decode part, or None where the archive only names its model."""
        span = self._index.model
        if span is None:
            return None
        with self._naming():
            return self._checked(span, "The model")

    def read_block(self, number: int, layers: Iterable[str] | None = None) -> Block:
        """Read block `number` and check its layers.

        Args:
            number: 0 to len(blocks) - 1.
            layers: the names of those to read; None reads all.

        Raises:
            DamagedFile: a layer does not match its checksum.
            KeyError: the block has no such layer.
        """
        entry = self.blocks[number]
        names = [layer.name for layer in entry.header.layers] if layers is None else list(layers)
        with self._naming():
            read = tuple(self._read_layer(number, name) for name in names)
        return Block(entry.header.runs, entry.header.plan, read)

    def _read_layer(self, number: int, name: str) -> Layer:
        offset, info = self.blocks[number].find(name)
        payload = self._checked(Span(offset, info.length, info.crc), f"Layer {name!r} of block {number}")
        return Layer(name, payload, info.content_crc)

    def blocks_for(self, start: int, stop: int) -> list[int]:
        """The numbers of the blocks that hold any item of start to stop - 1."""

        def holds(entry: BlockEntry) -> bool:
            return any(max(run.start, start) < min(run.stop, stop) for run in entry.header.runs)

        return [number for number, entry in enumerate(self.blocks) if holds(entry)]

    def verify(self) -> list[Problem]:
        """Read the whole file and compare every checksum; an empty list is good news."""
        problems = []
        for number, entry in enumerate(self.blocks):
            try:
                header = entry.header.to_bytes()
                if self._read(entry.offset, len(header)) != header:
                    raise DamagedFile(f"The header of block {number} is not what the index says.")
                self.read_block(number)
            except DamagedFile as damage:
                problems.append(Problem(number, str(damage)))
        try:
            _ = self.model_bytes
        except DamagedFile as damage:
            problems.append(Problem(None, str(damage)))
        if self._sha256() != self._footer.sha256:
            problems.append(Problem(None, f"{self.name} does not match the hash of the whole file."))
        return problems

    def sizes(self) -> Sizes:
        """The bytes of each part; together they are the whole file."""
        layers: dict[str, int] = {}
        for layer in (layer for entry in self.blocks for layer in entry.header.layers):
            layers[layer.name] = layers.get(layer.name, 0) + layer.length
        overhead = sum(entry.overhead_bytes for entry in self.blocks)
        model = self._index.model.length if self._index.model else 0
        index = self._footer.index_length
        earlier = self.length - sum(
            [self._start_bytes, overhead, *layers.values(), model, index, FOOTER_BYTES]
        )
        return Sizes(self._start_bytes, overhead, layers, model, index, FOOTER_BYTES, earlier)

    def _checked(self, span: Span, what: str) -> bytes:
        data = self._read(span.offset, span.length)
        if zlib.crc32(data) != span.crc:
            raise DamagedFile(f"{what} does not match its checksum.")
        return data

    def _read(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        data = self._file.read(length)
        if len(data) != length:
            raise DamagedFile("The file is cut short.")
        return data

    def _sha256(self) -> bytes:
        digest = hashlib.sha256()
        left = self._footer.index_offset + self._footer.index_length + len(self._footer.unhashed())
        self._file.seek(0)
        while left:
            data = self._file.read(min(left, _HASH_BYTES))
            if not data:
                break
            digest.update(data)
            left -= len(data)
        return digest.digest()

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Put the file's name before what is said about its parts."""
        try:
            yield
        except FileError as error:
            raise type(error)(f"{self.name}: {error}") from error.__cause__

    def close(self) -> None:
        """Close the file, if the reader opened it."""
        self._stack.close()

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
