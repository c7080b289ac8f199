"""What an archive of video promises: every sample as it was, within a bound, or a quality; see its header."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isthmus.coding.latents import DEFAULT_QUALITY, MAX_QUALITY
from isthmus.errors import DamagedFile, UseError
from isthmus.tasks.promise import BOUND, BOUNDED, LOSSLESS, LOSSY, PREVIEW

VIDEO = "video"
"""What the spec of such an archive calls it."""
_MOST_ERROR = 1 << 15


@dataclass(frozen=True)
class VideoPromise:
    """How far a sample may be from what it was, 0: not at all; or the quality at which a model told it."""

    error: int = 0
    quality: int | None = None
    model_hash: str | None = None
    """Of the model that told it."""

    @property
    def mode(self) -> str:
        """In the words of other archives."""
        return LOSSY if self.quality is not None else BOUNDED if self.error else LOSSLESS

    @property
    def layer(self) -> str:
        """What its blocks' only layer is called."""
        return {LOSSY: PREVIEW, BOUNDED: BOUND, LOSSLESS: LOSSLESS}[self.mode]

    def summary(self) -> str:
        """A few words for people."""
        if self.quality is not None:
            return f"lossy, quality {self.quality}"
        return f"every sample within ±{self.error}" if self.error else "lossless, every sample as it was"

    def to_header(self) -> dict[str, Any]:
        """The header of an archive; `from_header` undoes it."""
        parts = {} if self.model_hash is None else {VIDEO: self.model_hash}
        header: dict[str, Any] = {"mode": self.mode, "parts": parts, "spec": {"modality": VIDEO}}
        told = {"bound": self.error or None, "quality": self.quality}
        return header | {name: value for name, value in told.items() if value is not None}

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> VideoPromise:
        """As a header tells it; DamagedFile for what no writer tells."""
        error, quality, told = header.get("bound", 0), header.get("quality"), header.get("parts")
        parts: dict[str, Any] = told if isinstance(told, dict) else {}
        possible = type(error) is int and 0 <= error <= _MOST_ERROR
        possible &= quality is None or (type(quality) is int and 1 <= quality <= MAX_QUALITY)
        if not possible or (quality is not None) != (VIDEO in parts):
            raise DamagedFile("The header misstates what became of the video.")
        promise = cls(error, quality, parts.get(VIDEO))
        if header != promise.to_header():
            raise DamagedFile("The header misstates what became of the video.")
        return promise


def make_promise(
    mode: str | None,
    max_error: float | None,
    error_mode: str = "abs",
    *,
    quality: int | None = None,
    model_hash: str | None = None,
) -> VideoPromise:
    """What follows from what was asked, and from the model there is.

    Raises:
        UseError: it contradicts itself, or needs what is not there.

    >>> make_promise(None, 2.5).summary()
    'every sample within ±2'
    """
    if (
        mode == LOSSY
        or quality is not None
        or (mode is None and max_error is None and model_hash is not None)
    ):
        return _lossy(mode, max_error, quality, model_hash)
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


def _lossy(
    mode: str | None, max_error: float | None, quality: int | None, model_hash: str | None
) -> VideoPromise:
    if model_hash is None:
        raise UseError(
            "Lossy video needs a model of video, -m MODEL.ism, made by isthmus fit; without one ask for "
            "--lossless, or for --max-error E, in steps of a sample (0 to 255 in most clips)."
        )
    if mode not in (None, LOSSY) or max_error is not None:
        raise UseError("--quality is for lossy archives: leave it out, or --lossless and --max-error.")
    found = DEFAULT_QUALITY if quality is None else quality
    if not 1 <= found <= MAX_QUALITY:
        raise UseError(f"--quality must be 1 to {MAX_QUALITY}; got {found}.")
    return VideoPromise(quality=found, model_hash=model_hash)
