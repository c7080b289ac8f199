"""Clean recordings and noise → a net that takes such noise from such recordings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from isthmus.data.audio.planes import PLANES, TAPS, planes_of
from isthmus.data.audio.spectrogram import OVERLAP, Spectrogram
from isthmus.model.sound_denoiser import SoundDenoiser
from isthmus.nets.sound import sound_net
from isthmus.training.denoising import Pace, Progress, Say, as_program, autocast, carry_out

FASTER, COLOURED_DB = (0.1, 0.2), (2.0, 5.0)
"""Of clean recordings and of noise: how much faster or slower they may be played, and by how much, usually,
some of their frequencies are made louder than others."""
_QUIETEST = 0.1
"""Of the recordings' loudness; what is quieter counts as if it were so loud."""


@dataclass(frozen=True, kw_only=True)
class SoundPlan:
    """How it is learned."""

    least_db: float = -3.0
    most_db: float = 12.0
    """How much louder than the noise recordings are, at least and at most."""
    steps: int = 1500
    budget_s: float | None = None
    channels: int = 192
    frames: int = 100
    batch: int = 8
    learning_rate: float = 1.5e-3
    seed: int = 0


@dataclass(frozen=True)
class SoundLesson:
    """One batch of stretches."""

    noisy: np.ndarray
    """complex64 (batch, windows, bins)."""
    given: np.ndarray
    """float32 (batch, planes, windows): what the net is told of them."""
    clean: np.ndarray
    """float32 (batch, samples)."""
    power: np.ndarray
    """float32 (batch,): of the clean stretch, or of one that is barely heard."""


def train_sound_denoiser(
    clean: Sequence[np.ndarray],
    noise: Sequence[np.ndarray],
    rate: int,
    plan: SoundPlan,
    *,
    provenance: dict[str, Any] | None = None,
    say: Say = lambda line: None,
    progress: Progress | None = None,
) -> SoundDenoiser:
    """Learn to take noise away.

    Args:
        clean: float32 (samples,) each, -1 to 1.
        noise: the same, of noise alone; none: white noise.
        rate: of all.
        plan: how.
        provenance: for people; steps and seconds are added.
        say: told in a line what is planned.
        progress: told how much is done, and of how much.
    """
    started = time.monotonic()
    torch.manual_seed(plan.seed)
    view = Spectrogram.of_rate(rate)
    planes, made = PLANES * view.bins, 2 * TAPS * view.bins
    net = sound_net(planes, made, channels=plan.channels)
    lessons = SoundLessons(clean, noise, rate, plan)
    pace = Pace(plan.steps, plan.budget_s, started)
    how = "while there is time" if plan.budget_s is not None else f"{plan.steps:,} times"
    say(f"{plan.batch} stretches of {plan.frames} windows a step, {how}")
    averaged, steps = carry_out(
        net, lambda step: _loss(net, view, lessons[step]), plan.learning_rate, pace, progress
    )
    told = {"recordings": len(clean), "steps": steps, "seconds": round(time.monotonic() - started, 1)}
    program = as_program(averaged, (planes, None))
    return SoundDenoiser(
        rate=rate, loudness=lessons.loudness, program=program, provenance=(provenance or {}) | told
    )


class SoundLessons:
    """Batches to learn from: the same for the same seed and step."""

    def __init__(
        self, clean: Sequence[np.ndarray], noise: Sequence[np.ndarray], rate: int, plan: SoundPlan
    ) -> None:
        self._plan, self._view = plan, Spectrogram.of_rate(rate)
        self._samples = (plan.frames - OVERLAP + 1) * self._view.hop
        self._clean, self._noise = ([each for each in some if len(each)] for some in (clean, noise))
        longest = self._longest(FASTER[0])
        self._clean_shares = _shares([min(len(each), longest) for each in self._clean])
        self._noise_shares = _shares([len(each) for each in self._noise])
        self.loudness = _loud(np.concatenate(self._clean))

    def __getitem__(self, step: int) -> SoundLesson:
        rng = np.random.default_rng((self._plan.seed, step))
        pairs = [self._mixed(rng) for _ in range(self._plan.batch)]
        clean, noisy = (np.stack([pair[side] for pair in pairs]).astype(np.float32) for side in (0, 1))
        frames = np.stack([self._view.analyse(each) for each in noisy])
        given = np.stack([planes_of(each) for each in frames])
        least = self._samples * (_QUIETEST * self.loudness) ** 2
        power = np.maximum(np.square(clean).sum(axis=1), least).astype(np.float32)
        return SoundLesson(frames, given, clean, power)

    def _mixed(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A clean stretch, and the same with noise; louder or softer by up to eight decibels."""
        clean, noise = self._spoken(rng), self._heard(rng)
        ratio = 10 ** (rng.uniform(self._plan.least_db, self._plan.most_db) / 20)
        usual = max(_loud(clean), 0.3 * self.loudness)  # a pause is no reason for silent noise
        noise = noise * (usual / max(_loud(noise), 1e-9) / ratio)
        by = 10 ** rng.uniform(-0.4, 0.4)
        return by * clean, by * (clean + noise)

    def _spoken(self, rng: np.random.Generator) -> np.ndarray:
        """Recordings one after the other, from the beginning of one or from anywhere."""
        least = self._longest(FASTER[0])
        parts: list[np.ndarray] = []
        while sum(len(part) for part in parts) < 2 * least:
            chosen = self._clean[int(rng.choice(len(self._clean), p=self._clean_shares))]
            parts.append(_cut(chosen, min(len(chosen), least), rng) * 10 ** rng.uniform(-0.2, 0.2))
        joined = np.concatenate(parts)
        start = 0 if rng.random() < 0.5 else int(rng.integers(0, len(joined) - least + 1))
        return self._varied(joined[start : start + least], FASTER[0], COLOURED_DB[0], rng)

    def _heard(self, rng: np.random.Generator) -> np.ndarray:
        """Noise alone; half of the time of two places at once, as there is never enough of it."""
        if not self._noise:
            return rng.standard_normal(self._samples, np.float32)
        least, made = self._longest(FASTER[1]), np.zeros(self._samples)
        for _ in range(int(rng.integers(1, 3))):
            chosen = self._noise[int(rng.choice(len(self._noise), p=self._noise_shares))]
            stretch = _cut(_repeated(chosen, least), least, rng)
            stretch = self._varied(stretch, FASTER[1], COLOURED_DB[1], rng)
            made += stretch / max(_loud(stretch), 1e-9) * 10 ** rng.uniform(-1, 0)
        return made

    def _longest(self, faster: float) -> int:
        """Samples that are needed for a stretch, however fast it is played."""
        return round(self._samples * (1 + faster))

    def _varied(
        self, signal: np.ndarray, faster: float, coloured_db: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Half of the time as it is, half of the time faster or slower and of another colour."""
        if rng.random() < 0.5:
            return signal[: self._samples]
        taken = signal[: round(self._samples * rng.uniform(1 - faster, 1 + faster))]
        spectrum = np.fft.rfft(taken)[: self._samples // 2 + 1]
        places = np.linspace(0, 6, len(spectrum))
        colour_db = np.interp(places, np.arange(7), rng.normal(0, coloured_db, 7))
        made = np.fft.irfft(spectrum * 10 ** (colour_db / 20), self._samples)
        return made * (self._samples / len(taken))


def _shares(lengths: Sequence[int]) -> np.ndarray:
    """Of each in the sum of all."""
    return np.array(lengths, float) / max(1, sum(lengths))


def _cut(signal: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    start = int(rng.integers(0, len(signal) - samples + 1))
    return signal[start : start + samples]


def _loud(signal: np.ndarray) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.square(signal, dtype=np.float64).mean()))


def _repeated(signal: np.ndarray, least: int) -> np.ndarray:
    """At least so many samples."""
    return np.tile(signal, -(-least // len(signal))) if len(signal) < least else signal


def _loss(net: nn.Module, view: Spectrogram, lesson: SoundLesson) -> torch.Tensor:
    """What is left wrong in the signal, in decades of the clean one's power, on average."""
    with autocast():
        said = net(torch.from_numpy(lesson.given))
    clean, power = torch.from_numpy(lesson.clean), torch.from_numpy(lesson.power)
    made = synthesised(mended(torch.from_numpy(lesson.noisy), said.float()), view, clean.shape[1])
    return torch.log10((made - clean).square().sum(dim=1) / power + 1e-3).mean()


def mended(frames: torch.Tensor, said: torch.Tensor) -> torch.Tensor:
    """`data.audio.planes.mended`, for batches."""
    batch, windows, bins = frames.shape
    real, imaginary = said.view(batch, 2, TAPS, bins, windows).transpose(3, 4).unbind(1)
    reach, factors = TAPS // 2, torch.complex(real, imaginary)
    framed = nn.functional.pad(frames, (0, 0, reach, reach))
    return frames + sum(factors[:, tap] * framed[:, tap : tap + windows] for tap in range(TAPS))


def synthesised(frames: torch.Tensor, view: Spectrogram, samples: int) -> torch.Tensor:
    """`Spectrogram.synthesise`, for batches."""
    taper = torch.from_numpy(view.taper).float()
    windows = torch.fft.irfft(frames * (taper.sum() / 2), view.window, dim=2) * taper
    parts = windows.unflatten(2, (OVERLAP, view.hop)).unbind(2)  # each (batch, windows, hop)
    pad = nn.functional.pad
    padded = [pad(part, (0, 0, n, OVERLAP - 1 - n)) for n, part in enumerate(parts)]
    made = torch.stack(padded).sum(dim=0)
    ahead = view.window - view.hop
    return made.flatten(1)[:, ahead : ahead + samples] / (OVERLAP / 2)
