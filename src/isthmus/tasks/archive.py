"""An .isz file opened for decoding: its reader, and the decoder that belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from isthmus.coding.container import ArchiveReader
from isthmus.data import Layout
from isthmus.errors import ConfigError, DamagedFile, ModelNeeded
from isthmus.model import Decoder, Model
from isthmus.spec import DataSpec
from isthmus.tasks.blocks import decode_block


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
