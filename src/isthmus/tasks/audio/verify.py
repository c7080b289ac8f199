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
from isthmus.tasks.findings import Checked, Finding, compare_with, damaged, different, not_in_archive


def verify_audio(path: Path, model: AnyModel | None, against: Any, limits: Limits) -> Checked:
    """What is wrong; no model is needed."""
    with ArchiveReader(path, limits=limits) as reader:
        opened = opened_audio(reader)
        promise = "" if opened.promise.quality is not None else opened.promise.summary()
        if against is None:
            return Checked(list(_findings(opened, None)), None, promise)
        audio, found = compare_with(
            lambda skip_bad: open_audio(against, skip_bad=skip_bad),
            lambda audio: list(_findings(opened, audio)),
        )
        return Checked(found, audio.name, promise, not_in_archive(audio))


def _findings(opened: OpenedAudio, audio: AudioSource | None) -> Iterator[Finding]:
    """At most one: the first."""
    if audio is not None:
        held, given = dict(opened.reader.extras["audio"]), describe(audio)
        if {**held, "archive": None} != {**given, "archive": None}:
            yield different("the originals are other recordings, or in another form")
            return
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
                yield different(f"{name} is not as it was, first in frame {done + wrong:,} (counted from 0)")
                return
            done += len(samples)
    except DamagedFile as damage:
        yield damaged(damage)


def _first_other(mine: np.ndarray, theirs: np.ndarray) -> int | None:
    """The first frame whose bits differ."""
    bits = np.dtype(f"u{mine.itemsize}")
    wrong = np.flatnonzero((mine.view(bits) != np.ascontiguousarray(theirs).view(bits)).any(axis=1))
    return int(wrong[0]) if len(wrong) else None
