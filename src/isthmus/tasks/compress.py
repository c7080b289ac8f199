"""Files ⇄ archive: `compress` and, beside it, its inverse `decompress`."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from isthmus.coding.container import ArchiveReader, ArchiveWriter, Layer, Sizes
from isthmus.data import Source, open_source, write_source
from isthmus.data.grouping import blocks
from isthmus.errors import UseError
from isthmus.model import Model
from isthmus.tasks.archive import open_archive
from isthmus.tasks.blocks import LATENTS, PLAN, encode_block
from isthmus.tasks.results import Result, size


@dataclass(frozen=True)
class CompressResult(Result):
    """What `compress` made; every byte of the file is in one of the sizes."""

    output: Path | None
    samples: int
    original_bytes: int
    """The samples as plain arrays."""
    source_bytes: int
    """The original files on the disk."""
    archive_bytes: int
    model_bytes: int
    payload_bytes: int
    overhead_bytes: int
    """Header, block headers, index, footer."""

    def summary(self) -> str:
        """One line for a terminal."""
        ratio = self.original_bytes / max(1, self.archive_bytes)
        where = f" → {self.output}" if self.output else ""
        return (
            f"Lossy: {self.samples:,} samples, {size(self.original_bytes)} → {size(self.archive_bytes)} "
            f"({ratio:.1f}×; of it model {size(self.model_bytes)}, codes {size(self.payload_bytes)}, "
            f"headers and index {size(self.overhead_bytes)}){where}"
        )


def compress(
    source: Any,
    model: Model,
    output: str | Path | BinaryIO,
    *,
    embed_model: bool = True,
    skip_bad: bool = False,
    force: bool = False,
) -> CompressResult:
    """Write `source` as a lossy archive.

    Args:
        source: a path, a name, an array, or an opened Source.
        model: made by `fit` on data of this kind.
        output: the .isz file, or a binary file object.
        embed_model: keep the decode part of the model in the archive, so that it needs nothing
            else; without it, `decompress` wants the model again.
        skip_bad: leave unreadable items out.
        force: replace an existing output.
    Raises:
        SpecMismatch: the model was made for other data.
        OutputExists, MachineError: nothing was written.
    """
    source = source if isinstance(source, Source) else open_source(source, skip_bad=skip_bad)
    model.require_fits(source.spec)
    target = Path(output) if isinstance(output, (str, Path)) else output
    header = {"spec": source.spec.to_dict(), "model": model.hash, "mode": "lossy"}
    packed = model.decoder.to_bytes() if embed_model else None
    payload_bytes = 0
    with ArchiveWriter(target, header, force=force) as writer:
        for block in blocks(source):
            payload, crc = encode_block(model, source.read(block))
            payload_bytes += len(payload)
            writer.add_block(range(block[0], block[-1] + 1), PLAN, [Layer(LATENTS, payload, crc)])
        writer.finish(packed, {"layout": source.layout.to_dict()})
    return CompressResult(
        output=target if isinstance(target, Path) else None,
        samples=len(source),
        original_bytes=source.raw_bytes,
        source_bytes=source.file_bytes,
        archive_bytes=writer.length,
        model_bytes=len(packed or b""),
        payload_bytes=payload_bytes,
        overhead_bytes=writer.length - len(packed or b"") - payload_bytes,
    )


@dataclass(frozen=True)
class DecompressResult(Result):
    """What `decompress` restored."""

    files: tuple[Path, ...]
    samples: int
    directory: Path

    def summary(self) -> str:
        """One line for a terminal."""
        what = self.files[0].name if len(self.files) == 1 else f"{len(self.files):,} files"
        return f"Restored {self.samples:,} samples as {what} in {self.directory}"


def decompress(
    archive: str | Path | bytes,
    directory: str | Path,
    *,
    model: Model | None = None,
    items: tuple[int, int] | None = None,
    force: bool = False,
) -> DecompressResult:
    """Restore the files of an archive.

    Args:
        archive: the .isz file, or its bytes.
        directory: where to put the files.
        model: needed only where the archive does not hold its own.
        items: (start, stop) to restore only those samples.
        force: replace existing files.
    """
    directory = Path(directory)
    opened = open_archive(archive, model)
    with opened.reader:
        start, stop = _range(items, opened.reader.items)
        files = write_source(
            opened.layout.select(start, stop),
            opened.spec,
            opened.samples(start, stop),
            directory,
            force=force,
        )
    return DecompressResult(tuple(files), stop - start, directory)


def restore(archive: str | Path | bytes, *, model: Model | None = None) -> np.ndarray | list[np.ndarray]:
    """All samples of an archive as one array, or as a list where they differ in size."""
    opened = open_archive(archive, model)
    with opened.reader:
        samples = list(opened.samples(0, opened.reader.items))
    return np.stack(samples) if opened.spec.is_fixed else samples


def _range(items: tuple[int, int] | None, count: int) -> tuple[int, int]:
    start, stop = items if items is not None else (0, count)
    if not 0 <= start < stop <= count:
        raise UseError(f"--items must lie within 0:{count} and not be empty; got {start}:{stop}.")
    return start, stop


def compress_bytes(source: Any, model: Model) -> tuple[bytes, CompressResult, Sizes]:
    """As `compress`, in memory."""
    file = io.BytesIO()
    result = compress(source, model, file)
    data = file.getvalue()
    return data, result, ArchiveReader(data).sizes()
