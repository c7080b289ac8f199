"""Samples ⇄ one block of an archive.

A block holds up to 256 samples. Its one layer, "latents", is the symbols of those samples coded
channel by channel with the model's tables; where samples differ in size, their sizes come first.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence

import numpy as np

from isthmus.bottlenecks.quantiser import by_channel
from isthmus.coding import coder
from isthmus.coding.container import Block
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.data.grouping import BLOCK_ITEMS, group_by_shape
from isthmus.errors import DamagedFile
from isthmus.model import Decoder, Model
from isthmus.spec import DataSpec

LATENTS = "latents"
"""The one layer there is so far; a preview of what later layers make exact."""
PLAN = "autoencoder"


def encode_block(model: Model, samples: Sequence[np.ndarray]) -> tuple[bytes, int]:
    """Samples → the bytes of the layer, and the CRC-32 of their symbols."""
    groups = [model.quantise(stacked) for _, stacked in group_by_shape(samples)]
    columns = by_channel(groups)
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
