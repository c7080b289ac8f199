"""Blocks → an .isz file, front to back: start, blocks, model, index, footer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from isthmus.coding.blocks import BlockHeader, Items, Layer
from isthmus.coding.index import (
    FOOTER_BYTES,
    BlockEntry,
    Footer,
    Index,
    Span,
    count_items,
    write_model,
    write_start,
)
from isthmus.coding.reader import ArchiveReader
from isthmus.errors import DamagedFile, UseError
from isthmus.files import append_whole, atomic_write, sync

_READ_BYTES = 1 << 20  # read at a time when what is there already is hashed


class ArchiveWriter:
    """Writes one archive, whole or not at all.

    Args:
        target: a path, or a binary file object open for writing.
        header: JSON that a reader needs before the first block.
        force: whether an existing file may be replaced.

    Raises:
        OutputExists: the file is there and `force` is False.
        MachineError: the disk is full, or the folder cannot be written to.

    >>> from io import BytesIO
    >>> memory = BytesIO()
    >>> with ArchiveWriter(memory, {"kind": "example"}) as writer:
    ...     writer.add_block(slice(0, 2), "plain", [Layer("preview", b"coded")])
    ...     writer.finish(model=None, extras={"names": ["a", "b"]})
    >>> with ArchiveReader(memory.getvalue()) as reader:
    ...     reader.extras["names"], reader.read_block(0).layers[0].payload
    (['a', 'b'], b'coded')
    """

    def __init__(
        self, target: Path | str | BinaryIO, header: Mapping[str, Any], *, force: bool = False
    ) -> None:
        self._target = Path(target) if isinstance(target, str) else target
        self._force = force
        self.header = dict(header)
        self.items = 0
        """How many items the file holds before anything is added: the number of the first new one."""
        self.extras: dict[str, Any] = {}
        """What the index says of those items."""
        self._stack = ExitStack()
        self._hash = hashlib.sha256()
        self._blocks: list[BlockEntry] = []
        self._model: Span | None = None
        self._model_bytes: bytes | None = None
        self._generation = 0
        self._appends = False
        self._finished = False
        self.length = 0

    @classmethod
    def append(cls, target: Path | str | BinaryIO, header: Mapping[str, Any]) -> ArchiveWriter:
        """A writer that adds one more generation to an existing archive, behind its end.

        Inside its `with`, `items` is the number of the first new item, and `extras` are the old
        ones: `finish` takes the extras of all items, old and new. Give `finish` the model where the
        archive lacks it; one that it has already must be the same, and is not written again.

        Should an error or Ctrl-C come before the end, the file has its old length again. Should the
        machine stop, the old archive is whole in front of what was written:
        ArchiveReader(…, salvage="generation") opens it.

        Args:
            target: a path, or a binary file object open for reading and writing.
            header: must be the archive's own.

        Raises (on entering):
            UseError: the archive has another header.
            DamagedFile: the archive is not whole; nothing may be built on it.
            MachineError: the disk is full, or another process appends at this moment.

        >>> from io import BytesIO
        >>> memory = BytesIO()
        >>> with ArchiveWriter(memory, {}) as writer:
        ...     writer.add_block([0, 1], "plain", [])
        ...     writer.finish(extras={"names": ["a", "b"]})
        >>> with ArchiveWriter.append(memory, {}) as writer:
        ...     writer.add_block([writer.items], "plain", [])
        ...     writer.finish(extras={"names": [*writer.extras["names"], "c"]})
        >>> with ArchiveReader(memory) as reader:
        ...     reader.items, reader.generation, reader.extras["names"]
        (3, 1, ['a', 'b', 'c'])
        """
        writer = cls(target, header)
        writer._appends = True
        return writer

    def __enter__(self) -> ArchiveWriter:
        with self._stack:  # a full disk at the very start must leave nothing behind either
            if self._appends:
                self._file = self._stack.enter_context(append_whole(self._target))
                self._take_over()
            else:
                self._file = self._stack.enter_context(self._opened())
                self._write(write_start(self.header))
            self._stack = self._stack.pop_all()
        return self

    def _opened(self) -> AbstractContextManager[BinaryIO]:
        if isinstance(self._target, Path):
            return atomic_write(self._target, force=self._force)
        return nullcontext(self._target)

    def _take_over(self) -> None:
        """Go on where the archive ends."""
        name = str(self._target) if isinstance(self._target, Path) else "The archive"
        reader = ArchiveReader(self._file)
        if reader.header != self.header:
            raise UseError(
                f"{name} was made of other data, with another model or in another mode, so nothing can be "
                "appended. Make an archive of its own."
            )
        self.items, self.extras = reader.items, reader.extras
        self._blocks, self._model = list(reader.blocks), reader.model
        self._model_bytes = reader.model_bytes
        self._generation = reader.generation + 1
        self._hash_old(reader, name)

    def _hash_old(self, reader: ArchiveReader, name: str) -> None:
        """Hash what is there, and go no further if it is not what it was."""
        self._file.seek(0)
        left = reader.length - FOOTER_BYTES + len(reader.footer.unhashed())
        while left:
            data = self._file.read(min(left, _READ_BYTES))
            self._hash.update(data)
            left -= len(data)
        if self._hash.digest() != reader.footer.sha256:
            raise DamagedFile(f"{name} does not match the hash of the whole file, so nothing was appended.")
        self._hash.update(self._file.read())
        self.length = reader.length

    def add_block(self, items: Items, plan: int | str, layers: Sequence[Layer]) -> None:
        """Write one block.

        Args:
            items: which items it holds, ascending: a range, a slice or a list of numbers. In the end
                each item, from 0 on, must be in exactly one block.
            plan: who coded them; a name, or a number of 0 and above.
            layers: what each of them adds, coarsest first.
        """
        header = BlockHeader.of(items, plan, layers)
        self._blocks.append(BlockEntry(self.length, header))
        self._write(header.to_bytes())
        for layer in layers:
            self._write(layer.payload)

    def finish(self, model: bytes | None = None, extras: Mapping[str, Any] | None = None) -> None:
        """Write what follows the blocks.

        Args:
            model: the packed decode part, or None where the archive only names its model.
            extras: JSON about the items, kept compressed in the index: their names.
        """
        count_items(self._blocks, ValueError)
        if self._appends and not (self._blocks and self._blocks[-1].end == self.length):
            raise ValueError("appending must add a block")
        self._write_model(model)
        index = Index(self.header, tuple(self._blocks), self._model, dict(extras or {})).to_bytes()
        footer = Footer(self.length, len(index), self._generation, b"")
        self._write(index)
        self._hash.update(footer.unhashed())
        if self._appends:
            sync(self._file)  # a footer must never reach the disk before what it speaks for
        self._write(replace(footer, sha256=self._hash.digest()).to_bytes())
        self._finished = True

    def _write_model(self, model: bytes | None) -> None:
        if self._model is not None and model not in (None, self._model_bytes):
            raise ValueError("an archive holds one model; the one to append is another")
        if self._model is None and model is not None:
            part = write_model(model)
            self._model = Span(self.length, len(part))
            self._write(part)

    def _write(self, data: bytes) -> None:
        self._hash.update(data)
        self.length += len(data)
        rest = memoryview(data)
        while rest:  # a file without a buffer may take less than it is given
            rest = rest[self._file.write(rest) :]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and not self._finished:
            error = RuntimeError("an archive must be finished: call finish() before the writer closes")
            self._stack.__exit__(RuntimeError, error, None)
            raise error
        self._stack.__exit__(kind, error, trace)
