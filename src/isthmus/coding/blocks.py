"""One block's header ⇄ bytes. A block stands alone: it says which items it holds, who coded them,
and where each layer ends, with checksums; so a scan for its mark finds it even without an index.

    mark | varint length of the fields | fields | CRC-32 of all before | payload of each layer
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from isthmus.coding.varints import ByteReader, write_text, write_varint
from isthmus.errors import DamagedFile

MARK = b"\xb5ISB"  # no UTF-8 text holds its first byte followed by a letter
CRC_BYTES = 4

Items = range | slice | Sequence[int]


@dataclass(frozen=True)
class Layer:
    """One layer of a block: what decoding it adds to the layers before."""

    name: str
    """What it is: "latents" …"""
    payload: bytes
    """The coded bytes."""
    content_crc: int = 0
    """CRC-32 of what the exact runner makes of the payload; compared by whoever decodes it."""


@dataclass(frozen=True)
class LayerInfo:
    """What a block's header tells of a layer."""

    name: str
    length: int
    """Bytes of the payload."""
    crc: int
    """CRC-32 of the payload."""
    content_crc: int


@dataclass(frozen=True)
class BlockHeader:
    """Which items a block holds, who coded them, and how long each layer is.

    >>> header = BlockHeader.of(slice(0, 16), "plain", [Layer("latents", b"\\x07")])
    >>> BlockHeader.from_fields(header.fields()) == header
    True
    """

    runs: tuple[range, ...]
    """The items, as ascending runs of neighbours."""
    plan: int | str
    """Who coded them, as the model's document explains it."""
    layers: tuple[LayerInfo, ...]

    @property
    def payload_bytes(self) -> int:
        """The bytes of all layers together."""
        return sum(layer.length for layer in self.layers)

    @property
    def count(self) -> int:
        """How many items the block claims to hold."""
        return sum(run.stop - run.start for run in self.runs)

    @classmethod
    def of(cls, items: Items, plan: int | str, layers: Iterable[Layer]) -> BlockHeader:
        """The header of a block about to be written."""
        infos = [LayerInfo(x.name, len(x.payload), zlib.crc32(x.payload), x.content_crc) for x in layers]
        if len({info.name for info in infos}) < len(infos):
            raise ValueError("the layers of a block must have different names")
        return cls(_runs(items), plan, tuple(infos))

    def fields(self) -> bytes:
        """The fields as they stand in the block and again in the index; `from_fields` undoes it."""
        parts = [write_varint(self.plan + 1) if isinstance(self.plan, int) else b"\0" + write_text(self.plan)]
        parts.append(write_varint(len(self.runs)))
        end = 0
        for run in self.runs:
            parts += [write_varint(run.start - end), write_varint(len(run))]
            end = run.stop
        parts.append(write_varint(len(self.layers)))
        for layer in self.layers:
            crcs = struct.pack("<II", layer.crc, layer.content_crc)
            parts += [write_text(layer.name), write_varint(layer.length), crcs]
        return b"".join(parts)

    @classmethod
    def from_fields(cls, data: bytes) -> BlockHeader:
        """Undo `fields`; DamagedFile for anything that it would not have written."""
        fields = ByteReader(data, "A block's header")
        number = fields.varint()
        plan = number - 1 if number else fields.text()
        runs, end = [], 0
        for _ in range(fields.count()):
            start = end + fields.varint()
            end = start + fields.varint()
            runs.append(range(start, end))
        layers = tuple(
            LayerInfo(fields.text(), fields.varint(), fields.unsigned32(), fields.unsigned32())
            for _ in range(fields.count())
        )
        fields.finish()
        header = cls(tuple(runs), plan, layers)
        if not header._is_possible():
            raise DamagedFile("A block's header lists items or layers in a way that cannot be.")
        return header

    def _is_possible(self) -> bool:
        apart = all(
            before.stop < after.start for before, after in zip(self.runs, self.runs[1:], strict=False)
        )
        names = {layer.name for layer in self.layers}
        return apart and bool(self.runs) and all(self.runs) and len(names) == len(self.layers)

    def to_bytes(self) -> bytes:
        """All that stands before the payloads."""
        fields = self.fields()
        start = MARK + write_varint(len(fields)) + fields
        return start + struct.pack("<I", zlib.crc32(start))


def _runs(items: Items) -> tuple[range, ...]:
    """Ascending item numbers as runs of neighbours.

    >>> _runs([0, 1, 2, 7, 9, 10])
    (range(0, 3), range(7, 8), range(9, 11))
    """
    if isinstance(items, slice):
        items = range(items.start or 0, items.stop, items.step or 1)
    if isinstance(items, range) and items.step == 1 and items:
        return (items,)
    runs: list[range] = []
    for item in map(int, items):
        if runs and item < runs[-1].stop:
            raise ValueError("the items of a block must ascend")
        if runs and item == runs[-1].stop:
            runs[-1] = range(runs[-1].start, item + 1)
        else:
            runs.append(range(item, item + 1))
    if not runs or runs[0].start < 0:
        raise ValueError("a block must hold at least one item, and none below 0")
    return tuple(runs)
