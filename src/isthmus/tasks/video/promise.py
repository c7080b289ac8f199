"""What an archive of video promises: every sample as it was, or within a bound. It stands in the header."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isthmus.errors import DamagedFile, UseError
from isthmus.tasks.promise import BOUND, BOUNDED, LOSSLESS, LOSSY

VIDEO = "video"
"""What the spec of such an archive calls it."""
_MOST_ERROR = 1 << 15


@dataclass(frozen=True)
class VideoPromise:
    """How far a sample may be from what it was; 0: not at all."""

    error: int = 0

    @property
    def mode(self) -> str:
        """In the words of other archives."""
        return BOUNDED if self.error else LOSSLESS

    @property
    def layer(self) -> str:
        """What its blocks' only layer is called."""
        return BOUND if self.error else LOSSLESS

    def summary(self) -> str:
        """A few words for people."""
        return f"every sample within ±{self.error}" if self.error else "lossless, every sample as it was"

    def to_header(self) -> dict[str, Any]:
        """The header of an archive; `from_header` undoes it."""
        header: dict[str, Any] = {"mode": self.mode, "parts": {}, "spec": {"modality": VIDEO}}
        return header | {"bound": self.error} if self.error else header

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> VideoPromise:
        """As a header tells it; DamagedFile for what no writer tells."""
        error = header.get("bound", 0)
        possible = type(error) is int and 0 <= error <= _MOST_ERROR
        if not possible or header.get("mode") != cls(error).mode:
            raise DamagedFile("The header misstates what became of the video.")
        return cls(error)


def make_promise(mode: str | None, max_error: float | None, error_mode: str = "abs") -> VideoPromise:
    """What follows from what was asked.

    Raises:
        UseError: it contradicts itself, or needs what is not there.

    >>> make_promise(None, 2.5).summary()
    'every sample within ±2'
    """
    if mode == LOSSY:
        raise UseError(
            "Video is kept as it is, or within a bound: ask for --lossless, or for --max-error E, in steps "
            "of a sample (0 to 255 in most clips)."
        )
    if max_error is None:
        if mode == BOUNDED:
            raise UseError("Say how far samples may be from what they were: --max-error E.")
        return VideoPromise()
    if mode == LOSSLESS:
        raise UseError("--max-error is for bounded archives: leave it out, or --lossless.")
    if error_mode != "abs":
        raise UseError(f"The samples of video are bounded in their own steps: leave out {error_mode!r}.")
    if not (math.isfinite(max_error) and 0 <= max_error <= _MOST_ERROR):
        raise UseError(f"--max-error must be 0 to {_MOST_ERROR:,}; got {max_error}.")
    return VideoPromise(math.floor(max_error))
