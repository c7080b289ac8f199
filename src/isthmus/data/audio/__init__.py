"""Files of audio ⇄ samples: wav, flac, aiff, au as they are; ogg and mp3 as the 16-bit samples they play."""

from __future__ import annotations

from isthmus.data.audio.kinds import SUFFIXES, Kind
from isthmus.data.audio.recordings import AudioSource, Recording, is_audio, open_audio
from isthmus.data.audio.writing import write_recordings

__all__ = ["SUFFIXES", "AudioSource", "Kind", "Recording", "is_audio", "open_audio", "write_recordings"]
