"""An .isz file opened for decoding: its reader, and the parts of a model that belong to it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from isthmus.coding.container import ArchiveReader, Block
from isthmus.data import Layout
from isthmus.data.stacks import Stacks
from isthmus.errors import ConfigError, DamagedFile, ModelNeeded, UseError
from isthmus.limits import DEFAULT_LIMITS, Limits
from isthmus.model import Model
from isthmus.spec import DataSpec
from isthmus.tasks.blocks import Samples, decode_block, layers_needed
from isthmus.tasks.metadata import unpack_metadata
from isthmus.tasks.modalities import modality_in
from isthmus.tasks.parts import AUTOENCODER, Parts, Toolbox, parts_of, unpack_parts
from isthmus.tasks.promise import Promise
from isthmus.tasks.workers import map_blocks


@dataclass(frozen=True)
class Opened:
    """An archive with what it takes to decode it."""

    reader: ArchiveReader
    spec: DataSpec
    layout: Layout
    promise: Promise
    tools: Toolbox = field(repr=False)

    def approximately(self) -> Opened:
        """The same archive, whose lossy samples are computed in floats and not checked."""
        return replace(self, tools=replace(self.tools, approximate=True))

    def samples(self, start: int, stop: int, layer: str | None = None) -> Stacks:
        """Decode samples start … stop - 1; see `stacks`."""
        return Stacks(self.stacks(start, stop, layer))

    def stacks(
        self, start: int, stop: int, layer: str | None = None, *, workers: int = 1
    ) -> Iterator[Samples]:
        """Decode samples start … stop - 1 block by block, reading only the blocks and layers it takes.

        Args:
            start, stop: items of the archive.
            layer: "preview", "bound" or "lossless"; a block without it gives the nearest finer one
                it has. None takes the finest.
            workers: processes that decode.
        """
        limits, made = self.reader.limits, 0
        limits.require("output_bytes", sample_bytes(self.spec) * (stop - start), "The output")
        numbers = self.reader.blocks_for(start, stop)
        tasks = (self.task(number, start, stop, layer) for number in numbers)
        workers = max(1, min(workers, len(numbers)))
        for samples in map_blocks(BlockDecoder(self.tools, self.spec), tasks, workers):
            made += samples.nbytes if isinstance(samples, np.ndarray) else sum(s.nbytes for s in samples)
            limits.require("output_bytes", made, "The output")
            yield samples

    def task(self, number: int, start: int, stop: int, layer: str | None = None) -> Task:
        """Read what it takes to restore the samples of block `number` that lie in start … stop - 1."""
        header = self.reader.blocks[number].header
        size = sample_bytes(self.spec) * header.count
        self.reader.limits.require("block_bytes", size, f"Block {number}")
        names = [info.name for info in header.layers]
        block = self.reader.read_block(number, layers_needed(header.plan, names, layer, self.tools))
        items = np.concatenate([np.arange(run.start, run.stop) for run in block.runs])
        inside = np.flatnonzero((items >= start) & (items < stop))
        whole = len(inside) == len(items)
        return Task(block, tuple(names), None if whole else tuple(inside.tolist()))


def sample_bytes(spec: DataSpec) -> int:
    """Of one sample; 0 where samples differ in size, which only their blocks tell."""
    return math.prod(side or 0 for side in spec.shape) * np.dtype(spec.dtype).itemsize


@dataclass(frozen=True)
class Task:
    """One block to decode."""

    block: Block
    names: tuple[str, ...]
    """All its layers, read or not."""
    places: tuple[int, ...] | None
    """Which of its samples are wanted; None for all."""


@dataclass(frozen=True)
class BlockDecoder:
    """All it takes to decode blocks; sent to worker processes once."""

    tools: Toolbox
    spec: DataSpec

    def __call__(self, task: Task) -> Samples:
        """The wanted samples of one block."""
        samples = decode_block(self.tools, self.spec, task.block, task.names)
        if task.places is None:
            return samples
        if isinstance(samples, np.ndarray):
            return samples[list(task.places)]
        return [samples[place] for place in task.places]


def open_archive(
    source: str | Path | bytes, model: Model | None = None, *, limits: Limits = DEFAULT_LIMITS
) -> Opened:
    """Open an archive and find its decoder, embedded or given.

    Raises:
        ModelNeeded: the archive only names its model, and `model` is missing or another.
        TooLarge: it asks for more than the limits allow.
    """
    with ExitStack() as unless_whole:
        reader = unless_whole.enter_context(ArchiveReader(source, limits=limits))
        if (modality := modality_in(reader.header)) is not None:
            raise UseError(
                f"{reader.name} holds {modality.plural}: decompress, verify and info take it, nothing else."
            )
        opened = _opened(reader, model)
        unless_whole.pop_all()  # the caller closes it now
    return opened


def _opened(reader: ArchiveReader, model: Model | None) -> Opened:
    try:
        spec = DataSpec.from_dict(reader.header["spec"])
        layout = unpack_metadata(Layout.from_dict(reader.extras["layout"]), reader.extras, reader.limits)
        wanted = dict(reader.header["parts"])
    except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as wrong:
        raise DamagedFile(f"{reader.name}: the header or index lacks {wrong}.") from wrong
    if len(layout) != reader.items:
        counts = f"the index names {len(layout)} items, the blocks hold {reader.items}"
        raise DamagedFile(f"{reader.name}: {counts}.")
    runs = [entry.header.runs for entry in reader.blocks]
    if any(len(run) > 1 for run in runs) or [run[0].start for run in runs] != sorted(
        r[0].start for r in runs
    ):
        raise DamagedFile(f"{reader.name}: its blocks do not hold the samples in their order.")
    parts = parts_named(reader, wanted, model)
    if parts.decoder is not None and not parts.decoder.spec.accepts(spec):
        kinds = f"{spec.summary()}, its model makes {parts.decoder.spec.summary()}"
        raise DamagedFile(f"{reader.name} says that it holds samples of {kinds}.")
    return Opened(reader, spec, layout, Promise.from_dict(reader.header), Toolbox(parts))


def parts_named(reader: ArchiveReader, wanted: dict[str, str], model: Model | None) -> Parts:
    """The parts that the header names, embedded or given."""
    if not wanted:
        return Parts()
    if model is not None:
        return _given_parts(reader, wanted, parts_of(model))
    packed = reader.model_bytes
    if packed is None:
        raise ModelNeeded(
            f"{reader.name} names model {_short(wanted)} but does not hold it. "
            "Give that model with -m MODEL.ism."
        )
    parts = unpack_parts(packed, reader.limits.model_bytes)
    if parts.hashes() != wanted:
        raise DamagedFile(
            f"{reader.name}: the model inside is {_short(parts.hashes())}, not {_short(wanted)}."
        )
    return parts


def _given_parts(reader: ArchiveReader, wanted: dict[str, str], parts: Parts) -> Parts:
    if any(parts.hashes().get(name) != told for name, told in wanted.items()):
        raise ModelNeeded(
            f"{reader.name} was made with model {_short(wanted)}, the model given is "
            f"{_short(parts.hashes())}. Give the model it was made with."
        )
    return parts


def _short(hashes: dict[str, str]) -> str:
    return f"{str(hashes.get(AUTOENCODER, next(iter(hashes.values()), 'none')))[:16]}…"
