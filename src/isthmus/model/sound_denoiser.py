"""A net that takes noise from recordings ⇄ `.ism`: it is told a spectrogram, and mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from isthmus.data.audio.planes import PLANES, TAPS, mended, planes_of
from isthmus.data.audio.spectrogram import Spectrogram
from isthmus.errors import SpecMismatch, UseError
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.ops import ops_from_json
from isthmus.exact.program import Program
from isthmus.model.denoiser import net_facts
from isthmus.model.saved import Saved

AT_ONCE_S, MARGIN_S = 10.0, 0.5
"""Seconds that are looked at together, and of those before and behind that are looked at too."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SoundDenoiser(Saved):
    """What takes noise from recordings of one rate; every channel by itself."""

    kind = "sound denoiser"
    made_by = "isthmus fit recordings/ --recipe denoise"

    rate: int
    loudness: float
    """Root mean square of what it learned from, full scale being 1."""
    program: Program
    """(PLANES · bins, windows) → (2 · TAPS · bins, windows): see data/audio/planes.py."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Recordings, steps, seconds: for people."""

    def __post_init__(self) -> None:
        # It may come from a file by anybody.
        bins = self._view.bins
        ends = self.program.start, self.program.result
        if self.rate < 1 or ends != ((PLANES * bins, None), (2 * TAPS * bins, None)):
            raise ValueError("a denoiser of no recordings")
        if not 0 <= self.loudness < np.inf:
            raise ValueError("the loudness that a denoiser learned")

    def require_rate(self, rate: int) -> None:
        """Raise SpecMismatch unless it was taught at that rate."""
        if rate != self.rate:
            raise SpecMismatch(
                f"The model takes noise from recordings of {self.rate:,} Hz; this one has {rate:,}. "
                "Fit one on such recordings, or convert these first."
            )

    def denoise(self, signal: np.ndarray) -> np.ndarray:
        """float32 (samples,), -1 to 1 → the same without noise."""
        return np.concatenate([*self.pieces([signal]), np.zeros(0, np.float32)])

    def pieces(self, signal: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """A signal in pieces → the same without noise, in other pieces; a few seconds are held at a time."""
        stream = self.stream()
        for piece in signal:
            yield from stream.take(piece)
        yield from stream.end()

    def stream(self) -> Stream:
        """For a signal that comes piece by piece."""
        cell = self._view.hop  # every piece is cut into the windows that the whole would be cut into
        most, margin = (max(cell, round(s * self.rate) // cell * cell) for s in (AT_ONCE_S, MARGIN_S))
        return Stream(self._taken, most, margin)

    def _taken(self, signal: np.ndarray) -> np.ndarray:
        if not len(signal) or not np.ptp(signal):
            return signal  # there is nothing to hear, or a voltage alone
        frames = self._view.analyse(signal)
        said = self._runner(planes_of(frames)[None])[0]
        return self._view.synthesise(mended(frames, said), len(signal))

    @cached_property
    def _view(self) -> Spectrogram:
        return Spectrogram.of_rate(self.rate)

    @cached_property
    def _runner(self) -> FloatRunner:
        return FloatRunner(self.program)

    def told(self) -> dict[str, Any]:
        """All but tensors and provenance, JSON-ready."""
        return {
            "rate": self.rate,
            "loudness": self.loudness,
            "taps": TAPS,
            "ops": [op.to_json() for op in self.program.ops],
        }

    def tensors(self) -> Mapping[str, np.ndarray]:
        """Of the net."""
        return self.program.tensors

    @classmethod
    def from_saved(cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> SoundDenoiser:
        """Undo `told` and `tensors`."""
        if "taps" not in document:
            raise UseError(
                "The model takes noise from recordings as was done before Isthmus 0.1.0 was released, which "
                f"is gone; make it again: {cls.made_by}"
            )
        rate = int(document["rate"])
        start = PLANES * Spectrogram.of_rate(rate).bins, None
        program = Program(start, ops_from_json(document["ops"]), tensors)
        loudness = float(document["loudness"])
        return cls(rate=rate, loudness=loudness, program=program, provenance=dict(document["provenance"]))

    def summary(self) -> str:
        """What it is for."""
        return f"denoiser for recordings of {self.rate:,} Hz"

    def facts(self) -> dict[str, str]:
        """What `info` tells."""
        return net_facts(
            self.provenance, self.program, "recordings", str(self.provenance.get("noise", "unknown"))
        )


class Stream:
    """A signal in pieces → the same without noise, as soon as there is enough of it.

    Args:
        change: what takes the noise from a stretch.
        most: samples that are changed together.
        margin: samples before and behind that are looked at too.
    """

    def __init__(self, change: Callable[[np.ndarray], np.ndarray], most: int, margin: int) -> None:
        self._change, self._most, self._margin = change, most, margin
        self._held, self._before = np.zeros(0, np.float32), 0

    def take(self, piece: np.ndarray) -> Iterator[np.ndarray]:
        """More of the signal, float32 (samples,); what is done by then comes out."""
        self._held = np.concatenate([self._held, piece.astype(np.float32)])
        while len(self._held) - self._before >= self._most + self._margin:
            last = self._before + self._most
            yield self._change(self._held[: last + self._margin])[self._before : last]
            self._held, self._before = self._held[last - self._margin :], self._margin

    def end(self) -> Iterator[np.ndarray]:
        """There is no more of it: the rest."""
        if len(self._held) > self._before:
            yield self._change(self._held)[self._before :]
        self._held, self._before = np.zeros(0, np.float32), 0
