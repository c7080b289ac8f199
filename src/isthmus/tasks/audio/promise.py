"""What an archive of audio promises: every sample as it was, or a quality. It stands in the header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isthmus.coding.latents import DEFAULT_QUALITY
from isthmus.errors import DamagedFile, UseError
from isthmus.tasks.promise import BOUNDED, LOSSLESS, LOSSY, PREVIEW

AUDIO = "audio"
"""What the spec of such an archive calls it."""


@dataclass(frozen=True)
class AudioPromise:
    """Lossless, or lossy at a quality of 1 to 100."""

    quality: int | None = None

    @property
    def mode(self) -> str:
        """In the words of other archives."""
        return LOSSLESS if self.quality is None else LOSSY

    @property
    def layer(self) -> str:
        """What its blocks' only layer is called."""
        return LOSSLESS if self.quality is None else PREVIEW

    def summary(self) -> str:
        """A few words for people."""
        return (
            "lossless, every sample as it was" if self.quality is None else f"lossy, quality {self.quality}"
        )

    def to_header(self) -> dict[str, Any]:
        """The header of an archive; `from_header` undoes it."""
        header: dict[str, Any] = {"mode": self.mode, "parts": {}, "spec": {"modality": AUDIO}}
        return header if self.quality is None else header | {"quality": self.quality}

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> AudioPromise:
        """As a header tells it; DamagedFile for what no writer tells."""
        quality = header.get("quality")
        possible = quality is None or (type(quality) is int and 1 <= quality <= 100)
        if not possible or header.get("mode") != cls(quality).mode:
            raise DamagedFile("The header misstates what became of the audio.")
        return cls(quality)


def make_promise(mode: str | None, quality: int | None) -> AudioPromise:
    """What follows from what was asked.

    Raises:
        UseError: it contradicts itself.

    >>> make_promise("lossy", None).summary()
    'lossy, quality 50'
    """
    if mode == BOUNDED:
        raise UseError("Audio is kept as it is, or at a quality: ask for --lossless or --lossy.")
    if mode == LOSSLESS and quality is not None:
        raise UseError("--quality is for lossy archives: leave it out, or --lossless.")
    if mode == LOSSLESS or (mode is None and quality is None):
        return AudioPromise()
    found = DEFAULT_QUALITY if quality is None else quality
    if not 1 <= found <= 100:
        raise UseError(f"--quality must be 1 to 100; got {found}.")
    return AudioPromise(found)
