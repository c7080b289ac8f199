"""A net that takes noise from recordings ⇄ `.ism`: it says how loud each frequency shall be, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from isthmus.data.audio.spectrogram import Spectrogram, gains, loudness
from isthmus.errors import SpecMismatch
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.ops import ops_from_json
from isthmus.exact.program import Program
from isthmus.model.denoiser import net_facts
from isthmus.model.saved import Saved

AT_ONCE_S, MARGIN_S = 10.0, 0.5
"""Seconds that are looked at together, and of those before and behind that are looked at too."""
FINENESS = 2
"""Windows that the net takes together; nets/denoising.py."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SoundDenoiser(Saved):
    """What takes noise from recordings of one rate; every channel by itself."""

    kind = "sound denoiser"
    made_by = "isthmus fit recordings/ --recipe denoise"

    rate: int
    program: Program
    """(2, bins, frames) → (1, bins, frames): loudness, and where in the spectrum a bin is → loudness."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Recordings, steps, seconds: for people."""

    def __post_init__(self) -> None:
        # It may come from a file by anybody.
        if self.program.start != (2, None, None) or self.program.result[0] != 1 or self.rate < 1:
            raise ValueError("a denoiser of no recordings")

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
        cell = FINENESS * self._view.hop  # the net takes windows together, the same in every piece
        most, margin = (max(cell, round(s * self.rate) // cell * cell) for s in (AT_ONCE_S, MARGIN_S))
        held, before = np.zeros(0, np.float32), 0
        for piece in signal:
            held = np.concatenate([held, piece.astype(np.float32)])
            while len(held) - before >= most + margin:
                made = self._taken(held[: before + most + margin])
                yield made[before : before + most]
                held = held[before + most - margin :]
                before = margin
        if len(held) > before:
            yield self._taken(held)[before:]

    def _taken(self, signal: np.ndarray) -> np.ndarray:
        frames = self._view.analyse(signal)
        given = given_to_net(frames)
        made = self._runner.in_fixed_batches(given[None], into=np.empty((1, 1, *given.shape[1:]), np.float32))
        gain = gains(made[0, 0] - given[0]).T
        return self._view.synthesise(frames * np.pad(gain, ((0, 0), (0, 1)), mode="edge"), len(signal))

    @cached_property
    def _view(self) -> Spectrogram:
        return Spectrogram.of_rate(self.rate)

    @cached_property
    def _runner(self) -> FloatRunner:
        return FloatRunner(self.program)

    def told(self) -> dict[str, Any]:
        """All but tensors and provenance, JSON-ready."""
        return {"rate": self.rate, "ops": [op.to_json() for op in self.program.ops]}

    def tensors(self) -> Mapping[str, np.ndarray]:
        """Of the net."""
        return self.program.tensors

    @classmethod
    def from_saved(cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> SoundDenoiser:
        """Undo `told` and `tensors`."""
        program = Program((2, None, None), ops_from_json(document["ops"]), tensors)
        return cls(rate=int(document["rate"]), program=program, provenance=dict(document["provenance"]))

    def summary(self) -> str:
        """What it is for."""
        return f"denoiser for recordings of {self.rate:,} Hz"

    def facts(self) -> dict[str, str]:
        """What `info` tells."""
        return net_facts(
            self.provenance, self.program, "recordings", str(self.provenance.get("noise", "unknown"))
        )


def given_to_net(frames: np.ndarray) -> np.ndarray:
    """complex (frames, bins) → float32 (2, bins - 1, frames): loudness, and the place in the spectrum."""
    loud = loudness(frames[:, :-1]).T
    place = np.broadcast_to(np.linspace(0, 1, len(loud), dtype=np.float32)[:, None], loud.shape)
    return np.stack([loud, place])
