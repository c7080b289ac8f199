"""Recordings → an archive; its inverse is in archive.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import numpy as np

from isthmus.coding.audio import LOUDEST, MARGIN
from isthmus.coding.blocks import Layer
from isthmus.coding.container import ArchiveWriter
from isthmus.data.audio import AudioSource, open_audio
from isthmus.data.audio.kinds import restored_names
from isthmus.errors import BadItem
from isthmus.files import refuse_existing
from isthmus.tasks.audio.blocks import Coder, Made, Run
from isthmus.tasks.audio.promise import AudioPromise, make_promise
from isthmus.tasks.audio.stretches import Block, Tape, blocks_of
from isthmus.tasks.compressed import CompressResult, Winner
from isthmus.tasks.orders import Progress
from isthmus.tasks.workers import map_blocks, worker_count


def compress_audio(
    source: str | Path | AudioSource,
    output: str | Path | BinaryIO,
    *,
    mode: str | None = None,
    quality: int | None = None,
    effort: int = 5,
    workers: int | None = 1,
    skip_bad: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> CompressResult:
    """Write recordings as an archive.

    Args:
        source: a file of audio, a folder or a .zip of such files.
        output: the .isz file, or a binary file object.
        mode: "lossless" (the default) or "lossy".
        quality: 1 to 100, of a lossy archive; asks for one. 50 where nothing is said.
        effort: of a lossless one: 1 and 2 are quick; from 3 on every block is a contest; 8 and 9 learn for
            longer.
        workers: processes; None takes one a core where the data are large. Same bytes for any.
        skip_bad: leave unreadable files out.
        force: replace an existing output.
        progress: told recordings begun and in all, after each block.
    Raises:
        UseError: the wishes contradict each other.
        NoData, BadItem, MissingExtra: see AudioSource; a lossy one must have finite samples.
    """
    promise = make_promise(mode, quality)
    audio = open_audio(source, skip_bad=skip_bad)
    target = Path(output) if isinstance(output, (str, Path)) else output
    if isinstance(target, Path):
        refuse_existing(target, force=force)
    count = worker_count(workers, audio.raw_bytes, slow=True)
    blocks, tally = list(blocks_of(audio.recordings)), _Tally()
    coder = Coder(promise.quality, effort)
    with ArchiveWriter(target, promise.to_header(), force=force) as writer:
        for block, made in zip(blocks, map_blocks(coder, _runs(audio, blocks, promise), count), strict=True):
            layer = Layer(promise.layer, made.coded.payload, made.crc)
            writer.add_block(block.items, made.coded.plan, [layer])
            tally.add(made)
            if progress is not None:
                progress(block.last + 1, len(audio.recordings))
        writer.finish(None, {"audio": describe(audio), "rivals": tally.whole()})
    return _result(audio, target, promise, tally, writer.length)


@dataclass
class _Tally:
    """Sums over blocks."""

    blocks: int = 0
    payload_bytes: int = 0
    signal: float = 0.0
    lost: float = 0.0

    def __post_init__(self) -> None:
        self.winners: dict[str, Winner] = {}
        self._rivals: dict[str, tuple[int, int]] = {}

    def add(self, made: Made) -> None:
        """Take in a block."""
        coded = made.coded
        self.signal, self.lost = self.signal + made.signal, self.lost + made.lost
        self.blocks += 1
        self.payload_bytes += len(coded.payload)
        won = self.winners.get(coded.plan, Winner(0, 0))
        self.winners[coded.plan] = Winner(won.blocks + 1, won.bytes + len(coded.payload))
        for name, size in coded.rivals.items():
            blocks, total = self._rivals.get(name, (0, 0))
            self._rivals[name] = blocks + 1, total + size

    def noise(self) -> str:
        """How far what was lost lies below the signal, where something was lost; the end of a sentence."""
        if not self.lost or not self.signal:
            return ""
        return f", what is lost {10 * math.log10(self.signal / self.lost):.1f} dB below the signal"

    def whole(self) -> dict[str, int]:
        """The bytes of each plan that was tried on every block."""
        return {name: total for name, (blocks, total) in self._rivals.items() if blocks == self.blocks}


def _runs(audio: AudioSource, blocks: list[Block], promise: AudioPromise) -> Iterator[Run]:
    """What each block holds."""
    tapes = ((number, Tape(audio.pieces(each))) for number, each in enumerate(audio.recordings))
    number, tape = next(tapes)
    last = np.empty((0, 0))
    for block in blocks:
        taken = []
        goes_on = len(last) > 0 and block.stretches[0].recording == number
        for stretch in block.stretches:
            while number < stretch.recording:
                number, tape = next(tapes)
            taken.append(tape.take(stretch.frames))
            if promise.quality is not None and block.kind.is_float:
                _require_finite(taken[-1], audio.recordings[number].name)
        samples = np.concatenate(taken)
        yield Run(block.kind, samples, last if goes_on else samples[:0], tape.peek(MARGIN, samples[:0]))
        last = taken[-1][-MARGIN:]


def _require_finite(samples: np.ndarray, name: str) -> None:
    if not (np.abs(samples) <= LOUDEST).all():  # NaN is not, either
        raise BadItem(
            f"{name} holds NaN, infinities or samples beyond ±{LOUDEST:g}, which no quality can tell. "
            "Compress it with --lossless."
        )


def describe(audio: AudioSource) -> dict[str, object]:
    """What the index says of recordings: kinds, each with how many there are; names and frames in order."""
    names = restored_names({each.name: each.kind for each in audio.recordings})
    kinds = [
        [*kind.to_list(), len(list(group))]
        for kind, group in groupby(each.kind.restored for each in audio.recordings)
    ]
    frames = [each.frames for each in audio.recordings]
    return {"kinds": kinds, "names": names, "frames": frames, "archive": audio.archive}


def _result(
    audio: AudioSource, target: Path | BinaryIO, promise: AudioPromise, tally: _Tally, length: int
) -> CompressResult:
    changed = sum(not each.kind.is_kept for each in audio.recordings)
    note = (
        f"{changed:,} of {len(audio.recordings):,} recordings were compressed with loss before: they come "
        "back as 16-bit WAV, the samples that they play, and may take more bytes than they did."
    )
    return CompressResult(
        output=target if isinstance(target, Path) else None,
        mode=promise.mode,
        promise=promise.summary() + tally.noise(),
        samples=len(audio.recordings),
        original_bytes=audio.raw_bytes,
        source_bytes=audio.file_bytes,
        archive_bytes=length,
        model_bytes=0,
        payload_bytes=tally.payload_bytes,
        overhead_bytes=length - tally.payload_bytes,
        metadata_bytes=0,
        winners=dict(sorted(tally.winners.items(), key=lambda pair: -pair[1].blocks)),
        rivals=tally.whole(),
        quality=promise.quality,
        psnr_db=None,
        advice=(note,) if changed else (),
        items="recordings",
    )
