"""The forms of audio files: container, samples, rate and channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.data.names import ends_in, name_apart
from isthmus.errors import DamagedFile, MissingExtra

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au")
MOST_CHANNELS = 64
MOST_RATE = 1 << 24

INTEGERS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
"""How samples are stored, by libsndfile's names, and in how many bits."""
FLOATS: dict[str, np.dtype] = {"FLOAT": np.dtype(np.float32), "DOUBLE": np.dtype(np.float64)}
SAME = ("WAV", "WAVEX", "RF64", "FLAC", "AIFF", "AU")
"""Containers that come back as they were."""
PLAYED = (
    *("VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"),
    *("ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "NMS_ADPCM_16", "NMS_ADPCM_24", "NMS_ADPCM_32"),
    *("GSM610", "G721_32", "G723_24", "G723_40"),
)
"""How samples are stored that lost something before: what they play has 16 bits, by custom or by design."""


@dataclass(frozen=True, order=True)
class Kind:
    """What all samples of a recording have in common.

    >>> Kind("OGG", "VORBIS", 44100, 2).restored
    Kind(container='WAV', subtype='PCM_16', rate=44100, channels=2)
    >>> Kind("WAV", "PCM_24", 48000, 1).summary()
    'WAV, 24 bit, 48 kHz, mono'
    """

    container: str
    subtype: str
    rate: int
    """Frames a second."""
    channels: int

    @property
    def is_kept(self) -> bool:
        """Whether the file comes back in the same form."""
        return self.container in SAME and (self.subtype in INTEGERS or self.subtype in FLOATS)

    @property
    def is_known(self) -> bool:
        """Whether all that the file plays comes back: 24 bits in a container of another kind would not."""
        return self.is_kept or (self.container in (*SAME, "OGG", "MP3") and self.subtype in PLAYED)

    @property
    def restored(self) -> Kind:
        """The form in which it comes back: what was compressed with loss, as 16-bit WAV."""
        return self if self.is_kept else Kind("WAV", "PCM_16", self.rate, self.channels)

    @property
    def is_float(self) -> bool:
        """Whether samples are floats."""
        return self.subtype in FLOATS

    @property
    def bits(self) -> int:
        """Of a sample."""
        kind = self.restored
        return 8 * FLOATS[kind.subtype].itemsize if kind.is_float else INTEGERS[kind.subtype]

    @property
    def read_as(self) -> np.dtype:
        """What libsndfile is asked for: a type that holds all bits, at its upper end."""
        if self.is_float:
            return FLOATS[self.subtype]
        return np.dtype(np.int16 if self.bits <= 16 else np.int32)

    @property
    def shift(self) -> int:
        """How many bits below the samples stay empty in `read_as`."""
        return 0 if self.is_float else 8 * self.read_as.itemsize - self.bits

    @property
    def full_scale(self) -> float:
        """The magnitude that samples reach at most; of floats 1, by custom."""
        return 1.0 if self.is_float else float(1 << (self.bits - 1))

    def summary(self) -> str:
        """For people."""
        sample = f"{self.bits} bit float" if self.is_float else f"{self.bits} bit"
        how = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")
        return f"{self.container}, {sample}, {self.rate / 1000:g} kHz, {how}"

    def to_list(self) -> list[Any]:
        """JSON-ready."""
        return [self.container, self.subtype, self.rate, self.channels]

    @classmethod
    def from_list(cls, values: Any) -> Kind:
        """Undo `to_list`; DamagedFile for what no restored kind is."""
        try:
            container, subtype, rate, channels = values
        except (TypeError, ValueError):
            raise DamagedFile("A kind of audio is not told as it must be.") from None
        numbers = type(rate) is int and type(channels) is int
        if not (numbers and 1 <= rate <= MOST_RATE and 1 <= channels <= MOST_CHANNELS):
            raise DamagedFile("A kind of audio has a rate or channels that cannot be.")
        kind = cls(str(container), str(subtype), rate, channels)
        if not kind.is_kept:
            raise DamagedFile(f"Audio cannot come back as {container} of {subtype}.")
        return kind


def is_audio_name(name: str) -> bool:
    """Whether a file is audio by its name; hidden ones are not."""
    return ends_in(name, SUFFIXES)


def restored_names(names: Mapping[str, Kind]) -> list[str]:
    """The name under which each file comes back: song.wav for song.mp3, apart from all others.

    >>> song, plain = Kind("MP3", "MPEG_LAYER_III", 8000, 1), Kind("WAV", "PCM_16", 8000, 1)
    >>> restored_names({"a.mp3": song, "a.wav": plain})
    ['a.mp3.wav', 'a.wav']
    """
    taken = {name.casefold() for name, kind in names.items() if kind.is_kept}
    found = []
    for name, kind in names.items():
        told = name
        if not kind.is_kept:
            told = name_apart(name, ".wav", taken)
            taken.add(told.casefold())
        found.append(told)
    return found


def soundfile() -> Any:
    """The module that reads and writes files.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import soundfile as module
    except (ImportError, OSError) as wrong:  # OSError: without libsndfile
        raise MissingExtra(
            "Audio is read with soundfile, which is not installed: pip install 'isthmus[audio]'."
        ) from wrong
    return module
