"""Blocks → an .isz file, front to back: start, blocks, model, index, footer."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from isthmus.coding.blocks import BlockHeader, Items, Layer
from isthmus.coding.index import BlockEntry, Footer, Index, Span, count_items, write_start
from isthmus.files import atomic_write


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
    >>> from isthmus.coding.reader import ArchiveReader
    >>> memory = BytesIO()
    >>> with ArchiveWriter(memory, {"kind": "example"}) as writer:
    ...     writer.add_block(slice(0, 2), "plain", [Layer("latents", b"coded")])
    ...     writer.finish(model=None, extras={"names": ["a", "b"]})
    >>> with ArchiveReader(memory.getvalue()) as reader:
    ...     reader.extras["names"], reader.read_block(0).layers[0].payload
    (['a', 'b'], b'coded')
    """

    def __init__(
        self, target: Path | str | BinaryIO, header: Mapping[str, Any], *, force: bool = False
    ) -> None:
        self._target, self._force = target, force
        self._start = write_start(header)
        self._stack = ExitStack()
        self._hash = hashlib.sha256()
        self._blocks: list[BlockEntry] = []
        self._finished = False
        self.length = 0

    def __enter__(self) -> ArchiveWriter:
        if isinstance(self._target, (str, Path)):
            self._file = self._stack.enter_context(atomic_write(Path(self._target), force=self._force))
        else:
            self._file = self._target
        with self._stack:  # a full disk at the very start must leave nothing behind either
            self._write(self._start)
            self._stack = self._stack.pop_all()
        return self

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
            extras: JSON about the items, kept compressed in the index: their names, the model's hash.
        """
        count_items(self._blocks, ValueError)
        span = None if model is None else Span(self.length, len(model), zlib.crc32(model))
        self._write(model or b"")
        index = Index(tuple(self._blocks), span, dict(extras or {})).to_bytes(len(self._start))
        footer = Footer(self.length, len(index), 0, b"")
        self._write(index)
        self._hash.update(footer.unhashed())
        footer = Footer(footer.index_offset, footer.index_length, footer.generation, self._hash.digest())
        self._write(footer.to_bytes())
        self._finished = True

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self.length += len(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and not self._finished:
            error = RuntimeError("an archive must be finished: call finish() before the writer closes")
            self._stack.__exit__(RuntimeError, error, None)
            raise error
        self._stack.__exit__(kind, error, trace)
