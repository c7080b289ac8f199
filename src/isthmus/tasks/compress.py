"""Files ⇄ archive: `compress` and, beside it, its inverse `decompress`.

A block holds up to 256 samples. Its one layer, "latents", is the symbols of those samples coded
channel by channel with the model's tables; where samples differ in size, their sizes come first.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from isthmus.coding import coder
from isthmus.coding.container import ArchiveReader, ArchiveWriter, Block, Layer, Sizes
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.data import Layout, Source, open_source, write_source
from isthmus.data.grouping import BLOCK_ITEMS, blocks, group_by_shape
from isthmus.errors import ConfigError, DamagedFile, ModelNeeded, UseError
from isthmus.model import Decoder, Model
from isthmus.spec import DataSpec
from isthmus.tasks.results import Result, size

LATENTS = "latents"
"""The one layer there is so far; a preview of what later layers make exact."""
PLAN = "autoencoder"


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


def encode_block(model: Model, samples: Sequence[np.ndarray]) -> tuple[bytes, int]:
    """Samples → the bytes of the layer, and the CRC-32 of their symbols."""
    groups = [model.quantise(stacked) for _, stacked in group_by_shape(samples)]
    columns = _by_channel(groups)
    sizes = b"" if model.spec.is_fixed else _sizes_to_bytes([s.shape[:2] for s in samples])
    stream = coder.encode(list(zip(columns, model.decoder.tables, strict=True)))
    return sizes + stream, symbols_crc(columns)


def decode_block(decoder: Decoder, block: Block) -> list[np.ndarray]:
    """Undo `encode_block`: the block's samples, in order."""
    sizes, columns = symbols_in(block, decoder)
    samples: list[np.ndarray] = [np.empty(0)] * len(block.items)
    start = 0
    for sides, at in _by_size(sizes).items():
        channels, *position = decoder.code_shape(sides)
        stop = start + len(at) * math.prod(position)
        symbols = np.stack([column[start:stop] for column in columns]).reshape(channels, len(at), *position)
        decoded = decoder.decode(np.moveaxis(symbols, 0, 1), sides or None)
        for index, sample in zip(at, decoded, strict=True):
            samples[index] = sample
        start = stop
    return samples


def symbols_in(block: Block, decoder: Decoder) -> tuple[list[tuple[int, ...]], list[np.ndarray]]:
    """Each sample's height and width (empty for arrays), and one column of symbols a channel.

    Raises:
        DamagedFile: the bytes are not such a block, or its symbols do not match their checksum.
    """
    layer = next((layer for layer in block.layers if layer.name == LATENTS), None)
    if layer is None or block.plan != PLAN or len(block.items) > BLOCK_ITEMS:
        raise DamagedFile(
            "It is coded in a way this version does not know. Update with `pip install -U isthmus`."
        )
    sizes, stream = _sizes_from_bytes(layer.payload, len(block.items), decoder.spec)
    count = sum(len(at) * math.prod(decoder.code_shape(sides)[1:]) for sides, at in _by_size(sizes).items())
    columns = coder.decode(stream, [(count, table) for table in decoder.tables])
    if symbols_crc(columns) != layer.content_crc:
        raise DamagedFile(
            "Its symbols do not match their checksum: archive and model do not belong together."
        )
    return sizes, columns


def _by_size(sizes: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], list[int]]:
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, sides in enumerate(sizes):
        groups.setdefault(sides, []).append(index)
    return groups


def symbols_crc(columns: Sequence[np.ndarray]) -> int:
    """CRC-32 of the symbols, channel after channel, as little-endian int32."""
    crc = 0
    for column in columns:
        crc = zlib.crc32(column.astype("<i4").tobytes(), crc)
    return crc


def _by_channel(groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Symbols (batch, channel, *position) of each shape → one column a channel."""
    columns = [np.moveaxis(g, 1, 0).reshape(g.shape[1], -1) for g in groups]
    return list(np.concatenate(columns, axis=1))


def _sizes_to_bytes(sizes: Sequence[tuple[int, ...]]) -> bytes:
    """Height and width of each sample; one pair alone where all are the same."""
    told = sizes[:1] if len(set(sizes)) == 1 else sizes
    return write_varint(len(told)) + b"".join(write_varint(side) for pair in told for side in pair)


def _sizes_from_bytes(payload: bytes, count: int, spec: DataSpec) -> tuple[list[tuple[int, ...]], bytes]:
    if spec.is_fixed:
        sides = spec.shape[:2] if spec.modality == "image" else ()
        return [tuple(side for side in sides if side is not None)] * count, payload
    fields = ByteReader(payload, "A block of images")
    told = fields.count()
    pairs: list[tuple[int, ...]] = [(fields.varint(), fields.varint()) for _ in range(told)]
    if told not in (1, count) or any(not 0 < side <= MAX_SIDE for pair in pairs for side in pair):
        raise DamagedFile("A block lists the sizes of its images in a way that cannot be.")
    if sum(h * w for h, w in pairs) * (count // told) > MAX_BLOCK_PIXELS:
        raise DamagedFile("A block claims more pixels than a block may hold.")
    return pairs * (count // told), fields.rest()


MAX_SIDE = 1 << 20
MAX_BLOCK_PIXELS = 1 << 31


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


@dataclass(frozen=True)
class Opened:
    """An archive with what it takes to decode it."""

    reader: ArchiveReader
    spec: DataSpec
    layout: Layout
    decoder: Decoder = field(repr=False)

    def samples(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Decode samples start … stop - 1, reading only the blocks that hold them."""
        for number in self.reader.blocks_for(start, stop):
            block = self.reader.read_block(number)
            for item, sample in zip(block.items, decode_block(self.decoder, block), strict=True):
                if start <= item < stop:
                    yield sample


def open_archive(source: str | Path | bytes, model: Model | None = None) -> Opened:
    """Open an archive and find its decoder, embedded or given.

    Raises:
        ModelNeeded: the archive only names its model, and `model` is missing or another.
    """
    with ExitStack() as unless_whole:
        reader = unless_whole.enter_context(ArchiveReader(source))
        opened = _opened(reader, model)
        unless_whole.pop_all()  # the caller closes it now
    return opened


def _opened(reader: ArchiveReader, model: Model | None) -> Opened:
    try:
        spec = DataSpec.from_dict(reader.header["spec"])
        layout = Layout.from_dict(reader.extras["layout"])
        wanted = str(reader.header["model"])
    except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as wrong:
        raise DamagedFile(f"{reader.name}: the header or index lacks {wrong}.") from wrong
    if len(layout) != reader.items:
        counts = f"the index names {len(layout)} items, the blocks hold {reader.items}"
        raise DamagedFile(f"{reader.name}: {counts}.")
    decoder = _decoder_of(reader, wanted, model)
    if not decoder.spec.accepts(spec):
        kinds = f"{spec.summary()}, its model makes {decoder.spec.summary()}"
        raise DamagedFile(f"{reader.name} says that it holds samples of {kinds}.")
    return Opened(reader, spec, layout, decoder)


def _decoder_of(reader: ArchiveReader, wanted: str, model: Model | None) -> Decoder:
    if model is not None and model.hash != wanted:
        raise ModelNeeded(
            f"{reader.name} was made with model {wanted[:16]}…, the model given is {model.hash[:16]}…. "
            "Give the model it was made with."
        )
    if model is not None:
        return model.decoder
    packed = reader.model_bytes
    if packed is None:
        raise ModelNeeded(
            f"{reader.name} names model {wanted[:16]}… but does not hold it. "
            "Give that model with -m MODEL.ism."
        )
    decoder = Decoder.from_bytes(packed)
    if decoder.hash != wanted:
        raise DamagedFile(f"{reader.name}: the model inside is {decoder.hash[:16]}…, not {wanted[:16]}….")
    return decoder


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
