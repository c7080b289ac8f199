"""One block of an archive → samples; and the preview layer in both directions.

A block's plan names the coder of each of its layers, joined by "+". The layer "preview" is the
autoencoder's: the symbols of the samples, channel by channel, coded with the model's tables. Later
layers are coded by any coder, some of them as a difference to what the layer before restores.
Where samples differ in size, every layer begins with their sizes.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from isthmus.bottlenecks.quantiser import by_channel
from isthmus.coding import coder
from isthmus.coding.blocks import Layer
from isthmus.coding.coders import Coder
from isthmus.coding.contest import decode_groups
from isthmus.coding.latents import DEFAULT_QUALITY, MAX_QUALITY
from isthmus.coding.latents.grades import as_grid
from isthmus.coding.reader import Block
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.data.grouping import BLOCK_BYTES, BLOCK_ITEMS, items_in_block
from isthmus.errors import DamagedFile
from isthmus.model import Decoder, Model
from isthmus.spec import DataSpec
from isthmus.tasks.parts import AUTOENCODER, Toolbox
from isthmus.tasks.promise import PREVIEW, ROLES

Samples = np.ndarray | Sequence[np.ndarray]
"""Samples of one shape stacked, or a list of samples of several."""
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Shapes:
    """The shape of each sample of a block, and the groups of equal ones by first appearance."""

    shapes: tuple[Shape, ...]

    @classmethod
    def of(cls, samples: Samples) -> Shapes:
        """Those of samples."""
        return cls(tuple(sample.shape for sample in samples))

    def groups(self) -> Mapping[Shape, Sequence[int]]:
        """The places of the samples of each shape."""
        found: dict[Shape, list[int]] = {}
        if self.shapes and len(set(self.shapes)) == 1:
            return {self.shapes[0]: range(len(self.shapes))}
        for place, shape in enumerate(self.shapes):
            found.setdefault(shape, []).append(place)
        return found

    def stacked(self) -> list[Shape]:
        """The shape of each group as one array, (samples, *sample)."""
        return [(len(places), *shape) for shape, places in self.groups().items()]

    def split(self, samples: Samples) -> list[np.ndarray]:
        """Samples in groups of one shape."""
        if isinstance(samples, np.ndarray):
            return [samples]
        return [np.stack([samples[place] for place in places]) for places in self.groups().values()]

    def join(self, groups: Sequence[np.ndarray]) -> Samples:
        """Undo `split`: one stack where all are of one shape."""
        if len(groups) == 1:
            return groups[0]
        samples: list[np.ndarray] = [np.empty(0)] * len(self.shapes)
        for places, group in zip(self.groups().values(), groups, strict=True):
            for place, sample in zip(places, group, strict=True):
                samples[place] = sample
        return samples


def samples_crc(samples: Samples) -> int:
    """CRC-32 of the samples' bytes, little-endian in C order, one after another."""
    crc = 0
    for sample in [samples] if isinstance(samples, np.ndarray) else samples:
        crc = zlib.crc32(np.ascontiguousarray(sample, sample.dtype.newbyteorder("<")).data, crc)
    return crc


def sizes_to_bytes(shapes: Shapes, spec: DataSpec) -> bytes:
    """What stands before a layer: height and width of each sample, where the spec leaves them open."""
    if spec.is_fixed:
        return b""
    sizes = [shape[:2] for shape in shapes.shapes]
    told = sizes[:1] if len(set(sizes)) == 1 else sizes
    return write_varint(len(told)) + b"".join(write_varint(side) for pair in told for side in pair)


def sizes_from_bytes(payload: bytes, count: int, spec: DataSpec) -> tuple[Shapes, bytes]:
    """Undo `sizes_to_bytes`: the shapes of `count` samples, and the rest of the payload.

    Raises:
        DamagedFile: no block holds so much.
    """
    if spec.is_fixed:
        if count > items_in_block(spec):
            raise DamagedFile("A block claims more samples than a block may hold.")
        return Shapes((tuple(side or 0 for side in spec.shape),) * count), payload
    fields = ByteReader(payload, "A block of images")
    told = fields.count()
    pairs: list[Shape] = [(fields.varint(), fields.varint()) for _ in range(told)]
    if told not in (1, count) or any(not 0 < side <= MAX_SIDE for pair in pairs for side in pair):
        raise DamagedFile("A block lists the sizes of its images in a way that cannot be.")
    pixels = sum(height * width for height, width in pairs) * (count // told)
    if count > BLOCK_ITEMS or pixels > MAX_BLOCK_PIXELS:
        raise DamagedFile("A block claims more pixels than a block may hold.")
    rest = tuple(side or 0 for side in spec.shape[2:])
    return Shapes(tuple((*pair, *rest) for pair in pairs) * (count // told)), fields.rest()


MAX_SIDE = 1 << 20
MAX_BLOCK_PIXELS = 1 << 31


def encode_preview(
    model: Model, groups: Sequence[np.ndarray], quality: int = DEFAULT_QUALITY, *, thrifty: bool = False
) -> tuple[bytes, list[np.ndarray]]:
    """Groups of samples → the coded symbols, after the quality where the model has several; and the symbols.

    With `thrifty`, symbols that are not worth their bits are rounded toward 0.
    """
    grades, worth = model.decoder.grades, model.worth_at(quality) if thrifty else None
    if grades is not None and worth is not None:
        scaled = _by_portions(partial(model.in_steps, quality=quality), groups)
        coded, chosen = grades.encode_thriftily([as_grid(each) for each in scaled], quality, worth)
        symbols = [each.reshape(like.shape) for each, like in zip(chosen, scaled, strict=True)]
        return write_varint(quality) + coded, symbols
    symbols = _by_portions(partial(model.quantise, quality=quality), groups)
    if grades is not None:
        return write_varint(quality) + grades.encode([as_grid(each) for each in symbols], quality), symbols
    return coder.encode(list(zip(by_channel(symbols), model.decoder.tables, strict=True))), symbols


def _by_portions(work: Callable[[np.ndarray], np.ndarray], groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [np.concatenate([work(part) for part in portions(group)]) for group in groups]


def decode_preview(
    decoder: Decoder, stream: bytes, stacked: Sequence[Shape], *, approximate: bool = False
) -> list[np.ndarray]:
    """Undo `encode_preview`, as far as the model can say: groups of samples of those shapes."""
    sides = [shape[1:3] if decoder.spec.modality == "image" else () for shape in stacked]
    codes = [decoder.code_shape(size) for size in sides]
    grids = [(shape[0], *code) for shape, code in zip(stacked, codes, strict=True)]
    quality, symbols = _symbols(decoder, stream, grids)
    return show_preview(decoder, symbols, quality, stacked, approximate=approximate)


def show_preview(
    decoder: Decoder,
    symbols: Sequence[np.ndarray],
    quality: int | None,
    stacked: Sequence[Shape],
    *,
    approximate: bool = False,
) -> list[np.ndarray]:
    """Groups of samples of those shapes, from their symbols (sample, channel, *position)."""
    decode = partial(decoder.decode, quality=quality, approximate=approximate)
    groups = []
    for shape, grid in zip(stacked, symbols, strict=True):
        size = shape[1:3] if decoder.spec.modality == "image" else None
        parts = portions(grid, math.prod(shape[1:]) * np.dtype(decoder.spec.dtype).itemsize)
        groups.append(np.concatenate([decode(part, size) for part in parts]))
    return groups


def _symbols(
    decoder: Decoder, stream: bytes, grids: Sequence[Shape]
) -> tuple[int | None, Sequence[np.ndarray]]:
    """The quality, and symbols of those shapes, (sample, channel, *position)."""
    if decoder.grades is not None:
        fields = ByteReader(stream, "A block of latents")
        quality = fields.varint()
        if not 1 <= quality <= MAX_QUALITY:
            raise DamagedFile(
                f"A block of latents has a quality of {quality}; 1 to {MAX_QUALITY} is possible."
            )
        shapes = [(*shape, *[1] * (4 - len(shape))) for shape in grids]
        found = decoder.grades.decode(fields.rest(), shapes, quality)
        return quality, [each.reshape(shape) for each, shape in zip(found, grids, strict=True)]
    counts = [math.prod(shape) // shape[1] for shape in grids]
    columns = coder.decode(stream, [(sum(counts), table) for table in decoder.tables])
    symbols, start = [], 0
    for (samples, channels, *positions), count in zip(grids, counts, strict=True):
        flat = np.stack([column[start : start + count] for column in columns])
        symbols.append(np.moveaxis(flat.reshape(channels, samples, *positions), 0, 1))
        start += count
    return None, symbols


def portions(stacked: np.ndarray, sample_bytes: int | None = None) -> list[np.ndarray]:
    """A stack in parts that a net may work on at once: at most 256 samples and about 4 MiB of them."""
    each = max(1, stacked[:1].nbytes if sample_bytes is None else sample_bytes)
    count = max(1, min(BLOCK_ITEMS, BLOCK_BYTES // each))
    return [stacked[start : start + count] for start in range(0, len(stacked), count)]


def layers_needed(plan: int | str, names: Sequence[str], wanted: str | None, tools: Toolbox) -> list[str]:
    """The layers to read for the layer `wanted`, coarsest first; the last is the one that is restored.

    Args:
        plan: of the block.
        names: of its layers.
        wanted: a role; where the block has no such layer, the nearest finer one, else the finest.
            None takes the finest.
        tools: the coders that the plan may name.
    Raises:
        DamagedFile: plan and layers do not belong together.
    """
    coders = _coder_names(plan, names)
    least = len(ROLES) if wanted is None else ROLES.index(wanted)
    target = next((place for place, name in enumerate(names) if ROLES.index(name) >= least), len(names) - 1)
    first = target
    while first > 0 and names[first] != PREVIEW and tools.coder(coders[first]).uses_given:
        first -= 1
    return list(names[first : target + 1])


def _coder_names(plan: int | str, names: Sequence[str]) -> list[str]:
    coders = str(plan).split("+")
    order = [ROLES.index(name) for name in names if name in ROLES]
    known = len(order) == len(names) == len(coders) and order == sorted(set(order)) and bool(names)
    if not known or any(
        (coder == AUTOENCODER) != (name == PREVIEW) for coder, name in zip(coders, names, strict=True)
    ):
        raise DamagedFile(
            "A block is coded in a way this version does not know. Update with `pip install -U isthmus`."
        )
    return coders


def decode_block(tools: Toolbox, spec: DataSpec, block: Block, names: Sequence[str]) -> Samples:
    """A block → its samples, as far as its layers tell.

    Args:
        tools: the coders, and the decoder of the model.
        spec: of the samples.
        block: read with the layers that `layers_needed` gave.
        names: all layers of the block, read or not.
    Raises:
        DamagedFile: the bytes are not such a block, or decode to something else than was written.
    """
    coders = dict(zip(names, _coder_names(block.plan, names), strict=True))
    groups: list[np.ndarray] | None = None
    shapes = Shapes(())
    approximate = tools.approximate and [layer.name for layer in block.layers] == [PREVIEW]
    for layer in block.layers:
        shapes, stream = sizes_from_bytes(layer.payload, sum(map(len, block.runs)), spec)
        if coders[layer.name] == AUTOENCODER:
            groups = decode_preview(_decoder_of(tools), stream, shapes.stacked(), approximate=approximate)
        else:
            found = tools.coder(coders[layer.name])
            groups = _decode_layer(found, stream, shapes, np.dtype(spec.dtype), groups)
    if groups is None:
        raise DamagedFile("A block holds no layer.")
    samples = shapes.join(groups)
    if not approximate and samples_crc(samples) != block.layers[-1].content_crc:
        raise DamagedFile(
            "Its samples do not match their checksum: archive and model do not belong together."
        )
    return samples


def _decoder_of(tools: Toolbox) -> Decoder:
    if tools.parts.decoder is None:
        raise DamagedFile("A block needs the autoencoder, and the archive does not name it.")
    return tools.parts.decoder


def _decode_layer(
    found: Coder, stream: bytes, shapes: Shapes, dtype: np.dtype, given: list[np.ndarray] | None
) -> list[np.ndarray]:
    stacked = shapes.stacked()
    if found.uses_given and (given is None or [group.shape for group in given] != stacked):
        raise DamagedFile("A layer needs the one before, and that is missing or of another shape.")
    return decode_groups(found, stream, stacked, dtype, given)


def make_layer(name: str, payload: bytes, samples: Samples) -> Layer:
    """A layer as it is written: with the checksum of what it restores."""
    return Layer(name, payload, samples_crc(samples))
