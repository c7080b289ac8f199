"""Recordings → an archive; its inverse is in archive.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from isthmus.coding.audio import LOUDEST, MARGIN
from isthmus.coding.blocks import Layer
from isthmus.coding.container import ArchiveWriter
from isthmus.data.audio import AudioSource, open_audio
from isthmus.data.audio.kinds import restored_names
from isthmus.data.names import check_names
from isthmus.errors import BadItem
from isthmus.files import target_of
from isthmus.tasks.audio.blocks import Coder, Made, Run
from isthmus.tasks.audio.promise import AudioPromise, make_promise
from isthmus.tasks.audio.stretches import Block, Tape, blocks_of
from isthmus.tasks.compressed import CompressResult, Tally, path_of
from isthmus.tasks.orders import CompressOrder
from isthmus.tasks.results import notices_of, refuse_notices
from isthmus.tasks.workers import map_blocks, worker_count


def compress_audio(
    source: str | Path | AudioSource, output: str | Path | BinaryIO, order: CompressOrder
) -> CompressResult:
    """Write recordings as an archive.

    Args:
        source: a file of audio, a folder or a .zip of such files.
        output: the .isz file, or a binary file object.
        order: "lossless" is its default mode, "lossy" where a quality is asked for. Of a lossless archive,
            efforts 1 and 2 are quick; from 3 on every block is a contest; 8 and 9 learn for longer.
            Progress is told in recordings begun.
    Raises:
        UseError: the wishes contradict each other.
        NoData, BadItem, MissingExtra: see AudioSource; a lossy one must have finite samples.
    """
    promise = make_promise(order.mode, order.quality)
    audio = open_audio(source, skip_bad=order.skip_bad)
    notices = audio_notices(audio)
    refuse_notices(notices, strict=order.strict)
    described = describe(audio)
    check_names(described["names"])
    target = target_of(output, force=order.force)
    count = worker_count(order.workers, audio.raw_bytes, slow=True)
    blocks, tally = list(blocks_of(audio.recordings)), _Tally()
    coder = Coder(promise.quality, order.effort)
    with ArchiveWriter(target, promise.to_header(), force=order.force) as writer:
        for block, made in zip(blocks, map_blocks(coder, _runs(audio, blocks, promise), count), strict=True):
            layer = Layer(promise.layer, made.coded.payload, made.crc)
            writer.add_block(block.items, made.coded.plan, [layer])
            tally.take(made)
            if order.progress is not None:
                order.progress(block.last + 1, len(audio.recordings))
        writer.finish(None, {"audio": described, "rivals": tally.rivals.whole()})
    return replace(_result(audio, target, promise, tally, writer.length), notices=notices)


class _Tally(Tally):
    """Besides, how much of the signal was lost."""

    signal = lost = 0.0

    def take(self, made: Made) -> None:
        """Take in a block."""
        self.add(made.coded.plan, len(made.coded.payload), made.coded.rivals)
        self.signal, self.lost = self.signal + made.signal, self.lost + made.lost

    def noise(self) -> str:
        """How far what was lost lies below the signal, where something was lost; the end of a sentence."""
        if not self.lost or not self.signal:
            return ""
        return f", what is lost {10 * math.log10(self.signal / self.lost):.1f} dB below the signal"


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


def audio_notices(audio: AudioSource) -> tuple[str, ...]:
    """What is lost or changed where recordings are written anew."""
    return (*notices_of(audio), *audio.changes, *(f"left out: {each}" for each in audio.beside))


def describe(audio: AudioSource) -> dict[str, Any]:
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
        output=path_of(target),
        mode=promise.mode,
        promise=promise.summary() + tally.noise(),
        samples=len(audio.recordings),
        original_bytes=audio.raw_bytes,
        source_bytes=audio.file_bytes,
        source_names=[each.name for each in audio.recordings],
        archive_bytes=length,
        payload_bytes=tally.payload_bytes,
        winners=tally.winners,
        rivals=tally.rivals.whole(),
        quality=promise.quality,
        advice=(note,) if changed else (),
        items="recordings",
    )
