"""Clean recordings and noise → a net that takes such noise from such recordings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from isthmus.data.audio.spectrogram import Spectrogram
from isthmus.model.sound_denoiser import SoundDenoiser, given_to_net
from isthmus.nets.denoising import denoising_net
from isthmus.training.denoising import Pace, Progress, Say, as_program, autocast, carry_out


@dataclass(frozen=True, kw_only=True)
class SoundPlan:
    """How it is learned."""

    least_db: float = -5.0
    most_db: float = 15.0
    """How much louder than the noise recordings are, at least and at most."""
    steps: int = 1500
    budget_s: float | None = None
    channels: int = 48
    blocks: int = 6
    frames: int = 96
    batch: int = 8
    learning_rate: float = 1.5e-3
    seed: int = 0


@dataclass(frozen=True)
class SoundLesson:
    """One batch of spectrograms, (batch, bins, frames) each but the first."""

    given: np.ndarray
    """float32 (batch, 2, bins, frames)."""
    power: np.ndarray
    """|noisy|²."""
    shared: np.ndarray
    """The real part of noisy · conj(clean)."""
    wanted: np.ndarray
    """|clean|²."""


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
    net = denoising_net(1, channels=plan.channels, blocks=plan.blocks)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    lessons = SoundLessons(clean, noise, rate, plan)
    pace = Pace(plan.steps, plan.budget_s, started)
    how = "while there is time" if plan.budget_s is not None else f"{plan.steps:,} times"
    say(f"{plan.batch} stretches of {plan.frames} windows a step, {how}")
    averaged, steps = carry_out(
        net, lambda step: _loss(net, lessons[step]), plan.learning_rate, pace, progress
    )
    made = {"recordings": len(clean), "steps": steps, "seconds": round(time.monotonic() - started, 1)}
    return SoundDenoiser(rate=rate, program=as_program(averaged, 1), provenance=(provenance or {}) | made)


class SoundLessons:
    """Batches to learn from: the same for the same seed and step."""

    def __init__(
        self, clean: Sequence[np.ndarray], noise: Sequence[np.ndarray], rate: int, plan: SoundPlan
    ) -> None:
        self._plan, self._view = plan, Spectrogram.of_rate(rate)
        self._samples = (plan.frames - 3) * self._view.hop
        self._clean = np.concatenate([*clean, np.zeros(self._samples, np.float32)])
        self._noise = [_repeated(each, self._samples) for each in noise if len(each)]

    def __getitem__(self, step: int) -> SoundLesson:
        rng = np.random.default_rng((self._plan.seed, step))
        pairs = [self._mixed(rng) for _ in range(self._plan.batch)]
        clean, noisy = (np.stack([self._view.analyse(pair[side]) for pair in pairs]) for side in (0, 1))
        given = np.stack([given_to_net(frames) for frames in noisy])
        clean, noisy = (frames[:, :, :-1].transpose(0, 2, 1) for frames in (clean, noisy))
        return SoundLesson(
            given,
            (np.abs(noisy) ** 2).astype(np.float32),
            (noisy * clean.conj()).real.astype(np.float32),
            (np.abs(clean) ** 2).astype(np.float32),
        )

    def _mixed(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A clean stretch, and the same with noise; louder or softer by up to ten decibels."""
        start = int(rng.integers(0, len(self._clean) - self._samples + 1))
        clean = self._clean[start : start + self._samples]
        noise = self._drawn(rng)
        ratio = 10 ** (rng.uniform(self._plan.least_db, self._plan.most_db) / 20)
        usual = max(_loud(clean), 0.3 * self._loudness)  # a pause is no reason for silent noise
        noise = noise * (usual / max(_loud(noise), 1e-9) / ratio)
        by = 10 ** rng.uniform(-0.5, 0.5)
        return (by * clean).astype(np.float32), (by * (clean + noise)).astype(np.float32)

    def _drawn(self, rng: np.random.Generator) -> np.ndarray:
        if not self._noise:
            return rng.standard_normal(self._samples, np.float32)
        sizes = np.array([len(each) for each in self._noise], float)
        chosen = self._noise[int(rng.choice(len(sizes), p=sizes / sizes.sum()))]
        start = int(rng.integers(0, len(chosen) - self._samples + 1))
        return chosen[start : start + self._samples]

    @property
    def _loudness(self) -> float:
        return _loud(self._clean)


def _loud(signal: np.ndarray) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.square(signal, dtype=np.float64).mean()))


def _repeated(signal: np.ndarray, least: int) -> np.ndarray:
    """At least so many samples."""
    return np.tile(signal, -(-least // len(signal))) if len(signal) < least else signal


def _loss(net: nn.Module, lesson: SoundLesson) -> torch.Tensor:
    """What is left wrong in the spectrum, in decades of the clean sound's power, on average."""
    given = torch.from_numpy(lesson.given).to(memory_format=torch.channels_last)
    with autocast():
        made = net(given)
    gain = torch.sigmoid(4 + 8 * (made.float() - given[:, :1])[:, 0])
    power, shared, wanted = (torch.from_numpy(each) for each in (lesson.power, lesson.shared, lesson.wanted))
    wrong = (gain.square() * power - 2 * gain * shared + wanted).sum(dim=(1, 2)).clamp_min(0)
    least = 1e-3 * wanted.sum(dim=(1, 2)).mean() + 1e-12
    return torch.log10(wrong + least).mean()
