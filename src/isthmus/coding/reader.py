"""An .isz file → blocks, opened from its end and read in any order; every checksum is compared."""

from __future__ import annotations

import hashlib
import zlib
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal

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
    read_model,
    read_start,
    write_start,
)
from isthmus.coding.salvage import (
    Generation,
    blocks_between,
    last_generation,
    model_between,
    read_at,
    read_generation,
)
from isthmus.errors import DamagedFile, FileError
from isthmus.limits import DEFAULT_LIMITS, Limits

_HASH_BYTES = 1 << 20  # read at a time when the whole file is hashed
_HINT = " `isthmus repack FILE -o NEW.isz --skip-damaged` saves what is whole."

Salvage = Literal["generation", "blocks"]


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
        limits: the most that the file may ask for.
        salvage: what to do where an end of the file is damaged. None refuses; "generation" opens the
            last whole generation; "blocks" adds every whole block that no whole index lists.
            `damage` then says what was wrong, and items may be missing from the blocks.

    Raises:
        NotOurFile, NewerFormat, DamagedFile, TooLarge: see their docstrings.
        FileError: the file cannot be read.
    """

    def __init__(
        self,
        source: Path | str | bytes | BinaryIO,
        *,
        limits: Limits = DEFAULT_LIMITS,
        salvage: Salvage | None = None,
    ) -> None:
        self._stack = ExitStack()
        self.name = str(source) if isinstance(source, (str, Path)) else "The archive"
        self.limits = limits
        self.damage: tuple[str, ...] = ()
        """What was found wrong when the file was opened; only ever filled when salvaging."""
        self._file = self._open(source)
        try:
            with self._naming():
                self.length = self._file.seek(0, 2)
                self._read_ends() if salvage is None else self._salvage(salvage)
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
        start = self._read_start()
        try:
            generation = read_generation(self._file, self.length, self.limits)
        except DamagedFile as damage:
            raise DamagedFile(f"{damage}{_HINT}") from damage
        if write_start(generation.index.header) != start:
            raise DamagedFile("The file starts with another header than its index tells.")
        self._believe(generation.index, generation)
        self.items = count_items(self.blocks, DamagedFile)
        self.limits.require("items", self.items, "The number of items")
        if len(generation.index.gaps()) != self.generation:
            raise DamagedFile("The file holds bytes that belong to none of its parts.")

    def _read_start(self) -> bytes:
        """All before the first block, checked."""
        text_bytes = header_length(self._read(0, min(START_BYTES, self.length)), self.limits)
        start = self._read(0, START_BYTES + text_bytes + CRC_BYTES)
        read_start(start)
        return start

    def _believe(self, index: Index, generation: Generation | None) -> None:
        self.header = index.header
        self._start_bytes = len(write_start(index.header))
        self._index = index
        self.footer = generation.footer if generation else Footer(0, 0, 0, b"")
        self._end = generation.end if generation else self.length

    def _salvage(self, salvage: Salvage) -> None:
        """As `_read_ends`, with whatever is whole."""
        damage: list[str] = []
        try:
            header = read_start(self._read_start())
        except FileError as wrong:
            header, fault = None, wrong
            damage.append(str(wrong))
        generation = self._whole_generation(damage)
        if generation is None and header is None:
            raise fault
        if generation is not None:
            index = generation.index
        elif salvage == "generation":
            raise DamagedFile("No generation of the archive is whole." + _HINT)
        else:
            assert header is not None, "told above"
            index = Index(header, (), None, {})
        self._believe(index, generation)
        count_items(self.blocks, DamagedFile)  # a whole index contradicts itself only on purpose
        covered = self._start_bytes if generation is None else generation.end
        if salvage == "blocks" and covered < self.length:
            self._add_blocks(covered)
        self.damage = tuple(damage)
        self.items = max((run.stop for entry in self.blocks for run in entry.header.runs), default=0)
        self.limits.require("items", self.items, "The number of items")

    def _whole_generation(self, damage: list[str]) -> Generation | None:
        try:
            return read_generation(self._file, self.length, self.limits)
        except DamagedFile as wrong:
            damage.append(str(wrong))
        return last_generation(self._file, self.length, self.limits)

    def _add_blocks(self, start: int) -> None:
        """Take up the whole blocks, and the model, that stand behind `start`."""
        taken = sorted((run for entry in self.blocks for run in entry.header.runs), key=_start)
        found = list(self.blocks)
        for entry in blocks_between(self._file, start, self.length, self.limits):
            if not any(_meets(run, taken) for run in entry.header.runs):
                found.append(entry)
                for run in entry.header.runs:
                    insort(taken, run, key=_start)
            self.limits.require("blocks", len(found), "The number of blocks")
        model = self._index.model or model_between(self._file, start, self.length, self.limits)
        self._index = replace(self._index, blocks=tuple(found), model=model)

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
        return self.footer.generation

    @property
    def model(self) -> Span | None:
        """Where the embedded model is."""
        return self._index.model

    @property
    def model_bytes(self) -> bytes | None:
        """The packed decode part, or None where the archive only names its model."""
        span = self._index.model
        if span is None:
            return None
        with self._naming():
            self.limits.require("model_bytes", span.length, "The model")
            return read_model(self._read(span.offset, span.length))

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
        what = f"Layer {name!r} of block {number}"
        self.limits.require("block_bytes", info.length, what)
        payload = self._read(offset, info.length)
        if zlib.crc32(payload) != info.crc:
            raise DamagedFile(f"{what} does not match its checksum.")
        return Layer(name, payload, info.content_crc)

    def blocks_for(self, start: int, stop: int) -> list[int]:
        """The numbers of the blocks that hold any item of start to stop - 1."""

        def holds(entry: BlockEntry) -> bool:
            return any(max(run.start, start) < min(run.stop, stop) for run in entry.header.runs)

        return [number for number, entry in enumerate(self.blocks) if holds(entry)]

    def verify(self) -> list[Problem]:
        """Read the whole file and compare every checksum; an empty list is good news."""
        problems = [Problem(None, message) for message in self.damage]
        for number, entry in enumerate(self.blocks):
            try:
                header = entry.header.to_bytes()
                if self._read(entry.offset, len(header)) != header:
                    raise DamagedFile(f"The header of block {number} is not what the index says.")
                self.read_block(number)
            except FileError as damage:
                problems.append(Problem(number, str(damage)))
        for check in (lambda: self.model_bytes, self.earlier_ends):
            try:
                check()
            except FileError as damage:
                problems.append(Problem(None, str(damage)))
        if self._sha256() != self.footer.sha256:
            problems.append(Problem(None, f"{self.name} does not match the hash of the whole file."))
        return problems

    def earlier_ends(self) -> list[int]:
        """Where the file may be cut to have each earlier generation again, from 0 on.

        Raises:
            DamagedFile: an earlier footer is not where it should be.
        """
        ends = []
        for number, gap in enumerate(self._index.gaps()):
            with self._naming():
                footer = Footer.from_bytes(self._read(max(0, gap.end - FOOTER_BYTES), FOOTER_BYTES))
                index = Span(footer.index_offset, footer.index_length)
                if footer.generation != number or index.end != gap.end - FOOTER_BYTES:
                    raise DamagedFile(f"The footer of generation {number} is not what it was.")
            ends.append(gap.end)
        return ends

    def sizes(self) -> Sizes:
        """The bytes of each part; together they are the whole file."""
        layers: dict[str, int] = {}
        for layer in (layer for entry in self.blocks for layer in entry.header.layers):
            layers[layer.name] = layers.get(layer.name, 0) + layer.length
        overhead = sum(entry.overhead_bytes for entry in self.blocks)
        model = self._index.model.length if self._index.model else 0
        index = self.footer.index_length
        known = [self._start_bytes, overhead, *layers.values(), model, index, FOOTER_BYTES]
        return Sizes(
            self._start_bytes, overhead, layers, model, index, FOOTER_BYTES, self.length - sum(known)
        )

    def _read(self, offset: int, length: int) -> bytes:
        if offset + length > self.length:  # before room is made for it
            raise DamagedFile("The file is cut short.")
        return read_at(self._file, offset, length)

    def _sha256(self) -> bytes:
        digest = hashlib.sha256()
        left = self._end - FOOTER_BYTES + len(self.footer.unhashed())
        self._file.seek(0)
        while left > 0:
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


def _meets(run: range, others: Sequence[range]) -> bool:
    """Whether `run` shares an item with any of `others`, which are apart and ascend."""
    after = bisect_left(others, run.stop, key=_start)
    return after > 0 and others[after - 1].stop > run.start


def _start(run: range) -> int:
    return run.start
