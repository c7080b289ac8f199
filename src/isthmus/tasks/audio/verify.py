"""Does an archive of audio decode to what was written, and is that what the originals hold?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.container import ArchiveReader
from isthmus.data.audio import AudioSource, open_audio
from isthmus.errors import DamagedFile
from isthmus.limits import Limits
from isthmus.model import AnyModel
from isthmus.tasks.audio.archive import OpenedAudio, opened_audio
from isthmus.tasks.audio.stretches import Tape
from isthmus.tasks.audio.writing import describe
from isthmus.tasks.modalities import Checked


def verify_audio(path: Path, model: AnyModel | None, against: Any, limits: Limits) -> Checked:
    """What is wrong; no model is needed."""
    with ArchiveReader(path, limits=limits) as reader:
        opened = opened_audio(reader)
        audio = None if against is None else open_audio(against)
        is_lossy = opened.promise.quality is not None
        promise = "" if is_lossy else opened.promise.summary()
        if audio is not None:
            mine, theirs = dict(reader.extras["audio"]), describe(audio)
            if {**mine, "archive": None} != {**theirs, "archive": None}:
                return Checked(
                    ["the originals are other recordings, or in another form"], audio.name, promise
                )
        return Checked(list(_problems(opened, audio)), None if audio is None else audio.name, promise)


def _problems(opened: OpenedAudio, audio: AudioSource | None) -> Iterator[str]:
    """At most one: the first."""
    current, done, tape = -1, 0, Tape(iter(()))
    try:
        for number, samples in opened.stretches(range(len(opened.recordings))):
            if audio is None:
                continue
            if number != current:
                current, done, tape = number, 0, Tape(audio.pieces(audio.recordings[number]))
            theirs = tape.take(len(samples))
            if opened.promise.quality is None and (wrong := _first_other(samples, theirs)) is not None:
                name = audio.recordings[number].name
                yield f"{name} is not as it was, first in frame {done + wrong:,} (counted from 0)"
                return
            done += len(samples)
    except DamagedFile as damage:
        yield str(damage)


def _first_other(mine: np.ndarray, theirs: np.ndarray) -> int | None:
    """The first frame whose bits differ."""
    bits = np.dtype(f"u{mine.itemsize}")
    wrong = np.flatnonzero((mine.view(bits) != np.ascontiguousarray(theirs).view(bits)).any(axis=1))
    return int(wrong[0]) if len(wrong) else None
