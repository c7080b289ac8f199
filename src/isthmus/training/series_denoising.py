"""A series → a net that takes noise from it and fills its gaps, learned from a clean or a noisy one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from isthmus.data.noise import MISSING, NoiseModel, series_noise_level
from isthmus.model.series_denoiser import SeriesDenoiser, folded, interpolated, planes_of
from isthmus.nets.denoising import FINENESS, denoising_net
from isthmus.training.denoising import SHARES, Pace, Progress, Say, as_program, autocast, carry_out

GAP_ROWS = (1, 48)
"""Of a gap that is cut to learn from, the least and the most."""
GAPPED, MOST_GONE = 0.5, 0.3
"""The share of windows that gaps are cut into, and of their values that are gone then, at most."""


@dataclass(frozen=True, kw_only=True)
class SeriesPlan:
    """How it is learned."""

    noise: NoiseModel
    from_noisy: bool = False
    """Whether the series is noisy itself, and nobody has it clean."""
    steps: int = 2000
    budget_s: float | None = None
    channels: int = 64
    blocks: int = 6
    rows: int = 256
    """Of a window; a multiple of eight."""
    batch: int = 16
    learning_rate: float = 1.5e-3
    seed: int = 0


@dataclass(frozen=True)
class SeriesLesson:
    """One batch, (window, plane, row) each but the last."""

    given: np.ndarray
    told: np.ndarray
    """How unreliable each value is."""
    wanted: np.ndarray
    counts: np.ndarray
    """Whether each wanted value is known, times how much its window counts."""


def train_series_denoiser(
    values: np.ndarray,
    channels: tuple[str, ...],
    plan: SeriesPlan,
    *,
    provenance: dict[str, Any] | None = None,
    say: Say = lambda line: None,
    progress: Progress | None = None,
) -> SeriesDenoiser:
    """Learn to take noise away.

    Args:
        values: float64 (rows, channels), one row after another in time; NaN is a gap.
        channels: their names.
        plan: how.
        provenance: for people; rows, steps and seconds are added.
        say: told in a line what is planned.
        progress: told how much is done, and of how much.
    """
    started = time.monotonic()
    torch.manual_seed(plan.seed)
    planes = planes_of(len(channels))
    net = denoising_net(planes, told=planes, channels=plan.channels, blocks=plan.blocks)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    lessons = SeriesLessons(values, plan)
    how = "while there is time" if plan.budget_s is not None else f"{plan.steps:,} times"
    say(f"{plan.batch} windows of {plan.rows} rows a step, {how}")
    pace = Pace(plan.steps, plan.budget_s, started)
    averaged, steps = carry_out(
        net, lambda step: _loss(net, lessons[step]), plan.learning_rate, pace, progress
    )
    made = {"rows": len(values), "steps": steps, "seconds": round(time.monotonic() - started, 1)}
    return SeriesDenoiser(
        channels=channels,
        lows=tuple(lessons.lows.tolist()),
        highs=tuple(lessons.highs.tolist()),
        noise=plan.noise,
        program=as_program(averaged, (2 * planes, None, None), FINENESS),
        from_noisy=plan.from_noisy,
        provenance=(provenance or {}) | made,
    )


class SeriesLessons:
    """Batches to learn from: the same for the same seed and step."""

    def __init__(self, values: np.ndarray, plan: SeriesPlan) -> None:
        self._plan, planes = plan, planes_of(values.shape[1])
        filled, known = interpolated(values), np.isfinite(values)
        self.lows, highs = filled.min(axis=0), filled.max(axis=0)  # straight lines reach no further
        self.highs = np.where(highs > self.lows, highs, self.lows + 1)
        scaled = ((filled - self.lows) / (self.highs - self.lows)).astype(np.float32)
        missing = max(0, 2 * plan.rows - len(scaled))
        self._groups = [
            np.pad(each.T.reshape(-1, planes, len(each)), ((0, 0), (0, 0), (0, missing)), mode=mode)  # type: ignore[call-overload]
            for each, mode in ((scaled, "reflect" if len(scaled) > missing else "edge"), (known, "constant"))
        ]
        told = plan.noise.kind == "gaussian"
        levels = [series_noise_level(column) if told else 0.0 for column in scaled.T]
        self._levels = np.array(levels, np.float32).reshape(-1, planes)
        """That are seen in the series as it is: of a clean one, what its own unrest is taken for."""

    def __getitem__(self, step: int) -> SeriesLesson:
        plan, (scaled, known) = self._plan, self._groups
        rng = np.random.default_rng((plan.seed, step))
        is_split = plan.from_noisy and plan.noise.kind != "gaussian"
        rows = 2 * plan.rows if is_split else plan.rows
        which = rng.integers(0, len(scaled), plan.batch)
        starts = rng.integers(0, scaled.shape[2] - rows + 1, plan.batch)
        windows, there = (
            np.stack([each[n, :, start : start + rows] for n, start in zip(which, starts, strict=True)])
            for each in (scaled, known)
        )
        if is_split:
            return self._neighbours(windows, there, rng)
        spoil = self._noisier if plan.from_noisy else self._spoilt
        return self._with_gaps(spoil(windows, self._levels[which], there, rng), rng)

    def _spoilt(
        self, windows: np.ndarray, seen: np.ndarray, there: np.ndarray, rng: np.random.Generator
    ) -> SeriesLesson:
        """Half of the windows are told the level as it is, half as it would be seen in their series."""
        if self._plan.noise.kind == "missing":
            return SeriesLesson(windows, np.zeros_like(windows), windows, there.astype(np.float32))
        spoilt, told = self._plan.noise.spoil(windows[..., None], rng)
        seen = np.where(rng.random((len(seen), 1)) < 0.5, seen, 0)[..., None]
        told = np.sqrt(np.broadcast_to(told[..., 0], windows.shape) ** 2 + seen**2).astype(np.float32)
        return SeriesLesson(spoilt[..., 0], told, windows, there.astype(np.float32))

    def _noisier(
        self, windows: np.ndarray, levels: np.ndarray, there: np.ndarray, rng: np.random.Generator
    ) -> SeriesLesson:
        """Two noisy windows out of one, whose noises are independent; see training/denoising.py."""
        share = np.asarray(rng.uniform(*SHARES, (len(windows), 1, 1)), np.float32)
        extra = rng.standard_normal(windows.shape, np.float32) * levels[..., None]
        told = np.broadcast_to(levels[..., None] * np.sqrt(1 + share**2), windows.shape)
        counts = there * (share * share / (1 + share * share))
        return SeriesLesson(windows + share * extra, told, windows - extra / share, counts)

    def _neighbours(self, windows: np.ndarray, there: np.ndarray, rng: np.random.Generator) -> SeriesLesson:
        """Of each two rows one is given and the other wanted; see training/denoising.py."""
        pairs = windows.reshape(*windows.shape[:2], -1, 2)
        both = np.asarray(there.reshape(pairs.shape).all(axis=3), np.float32)
        first = rng.integers(0, 2, (len(windows), 1, pairs.shape[2], 1))
        given, wanted = (
            np.take_along_axis(pairs, np.broadcast_to(n, (*pairs.shape[:3], 1)), axis=3)[..., 0]
            for n in (first, 1 - first)
        )
        return SeriesLesson(given, np.zeros_like(given), wanted, both)

    def _with_gaps(self, lesson: SeriesLesson, rng: np.random.Generator) -> SeriesLesson:
        """Straight lines in gaps: those of the series, and some more."""
        gone = lesson.counts == 0
        noise = self._plan.noise
        for window in gone:
            low, high = (noise.low, noise.high) if noise.kind == "missing" else (0.0, MOST_GONE)
            if noise.kind != "missing" and rng.random() > GAPPED:
                continue
            for plane in window:
                _cut(plane, rng.uniform(low, high), rng)
        given, told = lesson.given.copy(), lesson.told.copy()
        for number in np.flatnonzero(gone.any(axis=(1, 2))):
            holed = np.where(gone[number], np.nan, given[number])
            given[number] = interpolated(holed.T).T
        told[gone] = MISSING
        return SeriesLesson(given, told, lesson.wanted, lesson.counts)


def _cut(gone: np.ndarray, share: float, rng: np.random.Generator) -> None:
    """Gaps of several lengths, until about that share is gone."""
    for _ in range(64):
        if gone.mean() >= share:
            return
        length = int(rng.integers(GAP_ROWS[0], GAP_ROWS[1] + 1))
        start = int(rng.integers(0, len(gone)))
        gone[start : start + length] = True


def _loss(net: nn.Module, lesson: SeriesLesson) -> torch.Tensor:
    given = np.concatenate([folded(lesson.given), folded(lesson.told.astype(np.float32))], axis=1)
    wanted, counts = (
        torch.from_numpy(np.ascontiguousarray(folded(e))) for e in (lesson.wanted, lesson.counts)
    )
    with autocast():
        made = net(torch.from_numpy(given).to(memory_format=torch.channels_last))
    return ((made.float() - wanted).square() * counts).mean()
