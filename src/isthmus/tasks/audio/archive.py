"""An archive of recordings → files; its inverse is in writing.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.container import ArchiveReader
from isthmus.data.audio import Kind, Recording, write_recordings
from isthmus.data.names import check_names, fault_in
from isthmus.errors import DamagedFile
from isthmus.tasks.audio.blocks import Decoder, Task
from isthmus.tasks.audio.promise import AudioPromise
from isthmus.tasks.audio.stretches import Block, blocks_of, by_recording
from isthmus.tasks.orders import DecompressOrder
from isthmus.tasks.restored import DecompressResult
from isthmus.tasks.workers import map_blocks, worker_count

_MOST_FRAMES = 1 << 48


def recordings_told(reader: ArchiveReader) -> tuple[tuple[Recording, ...], str | None]:
    """The recordings of an archive, and the name of the .zip they came from; DamagedFile."""
    try:
        told = reader.extras["audio"]
        names, frames, archive = told["names"], told["frames"], told["archive"]
        counts = [each[4] for each in told["kinds"]]
        numbers = [*frames, *counts]
        if not all(type(each) is int and 0 <= each < _MOST_FRAMES for each in numbers):
            raise ValueError
        if not names or sum(counts) != len(names):
            raise ValueError
        kinds = [Kind.from_list(each[:4]) for each in told["kinds"] for _ in range(each[4])]
        for name in [*names, *([] if archive is None else [archive])]:
            if not isinstance(name, str) or fault_in(name):
                raise ValueError
        check_names(names)
        found = tuple(Recording(*each) for each in zip(names, kinds, frames, strict=True))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as wrong:
        raise DamagedFile(f"{reader.name} does not say which recordings it holds.") from wrong
    return found, archive


@dataclass(frozen=True)
class OpenedAudio:
    """An archive of recordings, ready to be decoded."""

    reader: ArchiveReader
    recordings: tuple[Recording, ...]
    archive: str | None
    blocks: tuple[Block, ...]
    promise: AudioPromise

    def stretches(self, wanted: range, *, workers: int = 1) -> Iterator[tuple[int, np.ndarray]]:
        """The frames of recordings, in order: number of the recording, and some of its frames."""
        needed = [
            n for n, block in enumerate(self.blocks) if any(s.recording in wanted for s in block.stretches)
        ]
        decoded = map_blocks(Decoder(self.reader.limits), map(self.task, needed), workers)
        for number, samples in zip(needed, decoded, strict=True):
            first = 0
            for stretch in self.blocks[number].stretches:
                if stretch.recording in wanted:
                    yield stretch.recording, samples[first : first + stretch.frames]
                first += stretch.frames

    def task(self, number: int) -> Task:
        """What it takes to decode a block."""
        block = self.reader.read_block(number)
        if [layer.name for layer in block.layers] != [self.promise.layer]:
            raise DamagedFile(f"Block {number} has not the one layer that audio has.")
        layer, told = block.layers[0], self.blocks[number]
        return Task(str(block.plan), layer.payload, layer.content_crc, told.frames, told.kind)


def opened_audio(reader: ArchiveReader) -> OpenedAudio:
    """An archive of audio that is open, ready to be decoded; DamagedFile where it contradicts itself."""
    recordings, archive = recordings_told(reader)
    total = sum(each.frames * each.kind.channels * each.kind.bits // 8 for each in recordings)
    reader.limits.require("output_bytes", total, "The output")
    kinds = [each.kind for each in recordings]
    if kinds != sorted(kinds):
        raise DamagedFile(f"{reader.name} tells its recordings in an order that cannot be.")
    blocks = tuple(blocks_of(recordings))
    if [entry.header.runs for entry in reader.blocks] != [(block.items,) for block in blocks]:
        raise DamagedFile(f"{reader.name} has other blocks than its recordings need.")
    return OpenedAudio(reader, recordings, archive, blocks, AudioPromise.from_header(reader.header))


def audio_facts(reader: ArchiveReader) -> tuple[str, dict[str, Any]]:
    """A title, and facts for people."""
    opened = opened_audio(reader)
    kinds = [(kind, len(list(group))) for kind, group in groupby(each.kind for each in opened.recordings)]
    seconds = sum(each.frames / each.kind.rate for each in opened.recordings)
    count = len(opened.recordings)
    return f"archive of {count:,} recording{'' if count == 1 else 's'}", {
        "lasting": f"{seconds:,.1f} s in {len(opened.blocks)} blocks",
        "kinds": "; ".join(f"{number:,} × {kind.summary()}" for kind, number in kinds),
        "files": f"{count:,} ({opened.recordings[0].name}{' …' * (count > 1)})",
        "mode": opened.promise.summary(),
    }


def decompress_audio(
    archive: str | Path | bytes, directory: Path, order: DecompressOrder
) -> DecompressResult:
    """Restore the files of an archive of audio; see `decompress`. Items are recordings."""
    with ExitStack() as stack:
        opened = opened_audio(stack.enter_context(ArchiveReader(archive, limits=order.limits)))
        count = len(opened.recordings)
        wanted = order.range_of(count)
        chosen = opened.recordings[wanted.start : wanted.stop]
        processes = worker_count(order.workers, opened.reader.length * 4, slow=True)
        runs = by_recording(count, opened.stretches(wanted, workers=processes), wanted)
        files = write_recordings(chosen, runs, directory, archive=opened.archive, force=order.force)
        return DecompressResult(tuple(files), len(chosen), directory, items="recordings")
