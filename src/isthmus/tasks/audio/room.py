"""Recordings, as the tasks see them: see tasks/modalities.py."""

from __future__ import annotations

from isthmus.data.audio import is_audio, open_audio
from isthmus.tasks.audio.archive import audio_facts, decompress_audio
from isthmus.tasks.audio.verify import verify_audio
from isthmus.tasks.audio.writing import compress_audio
from isthmus.tasks.modalities import Modality

AUDIO = Modality(
    plural="recordings",
    why="Audio is kept as it is, or at a quality",
    is_source=is_audio,
    open=lambda source, header, skip_bad: open_audio(source, skip_bad=skip_bad),
    write=compress_audio,
    written_by=frozenset({"mode", "quality"}),
    read=decompress_audio,
    read_by=frozenset({"items"}),
    verify=verify_audio,
    facts=audio_facts,
)
