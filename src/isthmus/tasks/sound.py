"""Noisy recordings → recordings without noise: `fit_denoiser` and `denoise` for audio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from isthmus._version import __version__
from isthmus.data.audio.kinds import restored_names
from isthmus.data.audio.recordings import AudioSource, Recording, open_audio
from isthmus.data.audio.writing import write_recordings
from isthmus.errors import UseError
from isthmus.model import as_kind
from isthmus.model.sound_denoiser import SoundDenoiser
from isthmus.tasks.audio.writing import audio_notices
from isthmus.tasks.learning import Say, TaughtResult, model_path, require_training
from isthmus.tasks.orders import Progress
from isthmus.tasks.outputs import folder_and_names
from isthmus.tasks.results import Result, notices_of, refuse_notices

WHITE, RECORDED = "gaussian", "recorded"
MOST_LEARNED_S = 3600.0
"""Of the clean recordings, and of the noise, that is held in memory to learn from."""
MOST_AWAY_DB = 20.0
"""By which a recording may be louder or softer than those that were learned from, unsaid: learning varies
loudness by up to 12 dB, and recordings vary."""


@dataclass(frozen=True, kw_only=True)
class SoundDenoiserResult(TaughtResult):
    """What `fit_sound_denoiser` made."""

    recordings: int
    denoiser: SoundDenoiser = field(repr=False)

    @property
    def learned_from(self) -> str:
        """For people."""
        return f"{self.recordings:,} recordings"


@dataclass(frozen=True)
class SoundDenoiseResult(Result):
    """What `denoise_sound` made."""

    files: tuple[Path, ...]
    recordings: int
    seconds: float
    """Of sound."""
    output: Path
    """The folder, or the only file."""
    clipped: tuple[str, ...]
    """Recordings that reach full scale often: they were clipped before, and stay so."""

    def summary(self) -> str:
        """One line for a terminal, and one for what was clipped."""
        line = f"{self.recordings:,} recordings, {self.seconds:,.1f} s, without noise → {self.output}"
        if not self.clipped:
            return line
        return (
            f"{line}\n{len(self.clipped):,} of them were clipped when they were made, first {self.clipped[0]}"
        )


def fit_sound_denoiser(
    source: Any,
    output: str | Path | None = None,
    *,
    noise: Any = None,
    budget_s: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    strict: bool = False,
    force: bool = False,
    say: Say = lambda line: None,
    progress: Progress | None = None,
) -> SoundDenoiserResult:
    """Learn to take noise from recordings.

    Args:
        source: clean recordings: a file, a folder, a .zip.
        output: the .ism file; None keeps the model in memory.
        noise: recordings of noise alone, of the same rate; None: white noise.
        budget_s: seconds; replaces `steps`.
        steps: of training; None takes 1,500.
        seed: of everything random.
        skip_bad: leave unreadable files out.
        strict: refuse to learn where anything was left out or changed.
        force: replace an existing output.
        say: told in a line each what is planned.
        progress: told how much is done, and of how much.
    Raises:
        MissingExtra: PyTorch or soundfile is not installed.
        UseError: recordings of several rates.
    """
    path = model_path(output, force=force)
    require_training("torch")
    clean = open_audio(source, skip_bad=skip_bad)
    beside = None if noise is None else open_audio(noise, skip_bad=skip_bad)
    notices = tuple(
        each for audio in (clean, beside) if audio for each in (*notices_of(audio), *audio.changes)
    )
    refuse_notices(notices, strict=strict)
    rate = _rate_of(clean)
    heard = [] if beside is None else _signals(beside, rate)
    signals = _signals(clean, rate)
    from isthmus.training.sound_denoising import SoundPlan, train_sound_denoiser

    kind = WHITE if noise is None else RECORDED
    say(f"{len(clean.recordings):,} recordings of {rate:,} Hz; noise: {kind}")
    plan = SoundPlan(steps=steps or 1500, budget_s=budget_s, seed=seed)
    made = {"isthmus": __version__, "trained_on": clean.name, "noise": kind}
    denoiser = train_sound_denoiser(signals, heard, rate, plan, provenance=made, say=say, progress=progress)
    if path is not None:
        denoiser.save(path, force=force)
    told = denoiser.provenance
    return SoundDenoiserResult(
        model_path=path, recordings=len(clean.recordings), noise=kind, steps=told["steps"],
        seconds=told["seconds"], denoiser=denoiser, notices=notices,
    )  # fmt: skip


def denoise_sound(
    source: Any,
    denoiser: Any,
    output: str | Path,
    *,
    skip_bad: bool = False,
    strict: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> SoundDenoiseResult:
    """Take the noise from recordings; a few seconds are held at a time, however long they are.

    Args:
        source: noisy recordings: a file, a folder, a .zip.
        denoiser: made by `fit_sound_denoiser`, or its path.
        output: a folder for the recordings, named and typed as they were (those compressed with loss as
            .wav); or, of a single file, its name, with such an ending.
        skip_bad: leave unreadable files out.
        strict: refuse, before anything is written, what would leave anything out or change it unasked, or is
            of a loudness that the denoiser never heard.
        force: replace existing files.
        progress: told recordings done and in all.
    Raises:
        SpecMismatch: recordings of another rate than the denoiser's.
        UseError: `output` names one file for several, or one of another kind.
    """
    denoiser, noisy = as_kind(denoiser, SoundDenoiser), open_audio(source, skip_bad=skip_bad)
    for recording in noisy.recordings:
        denoiser.require_rate(recording.kind.rate)
    names, archive = restored_names({each.name: each.kind for each in noisy.recordings}), noisy.archive
    folder, placed = folder_and_names(Path(output), names if archive is None else [archive])
    names, archive = (placed, None) if archive is None else (names, placed[0])
    notices = (*audio_notices(noisy), *_unheard(noisy, denoiser))
    refuse_notices(notices, strict=strict)
    work = _Work(noisy, denoiser, progress)
    made = [
        Recording(name, each.kind.restored, each.frames)
        for name, each in zip(names, noisy.recordings, strict=True)
    ]
    files = write_recordings(made, work.all_pieces(), folder, archive=archive, force=force)
    seconds = sum(each.frames / each.kind.rate for each in noisy.recordings)
    return SoundDenoiseResult(
        tuple(files),
        len(noisy.recordings),
        round(seconds, 2),
        Path(output),
        tuple(work.clipped),
        notices=notices,
    )


def _unheard(noisy: AudioSource, denoiser: SoundDenoiser) -> tuple[str, ...]:
    """That recordings are of a loudness that the denoiser never heard, or hold what is no sound."""
    found = []
    for recording in noisy.recordings:
        power, silenced, scale = 0.0, 0, np.float32(recording.kind.full_scale)
        for piece in noisy.pieces(recording):
            silenced += int((~np.isfinite(piece)).sum())
            power += float(np.square(_heard(piece, scale), dtype=np.float64).sum())
        loudness = np.sqrt(power / max(1, recording.frames * recording.kind.channels))
        if silenced:
            found.append(f"{recording.name}: {silenced:,} samples that are no numbers count as silence")
        if loudness > 0 and denoiser.loudness > 0:
            away_db = 20 * np.log10(loudness / denoiser.loudness)
            if abs(away_db) > MOST_AWAY_DB:
                found.append(
                    f"{recording.name} is {abs(away_db):.0f} dB {'louder' if away_db > 0 else 'softer'} than "
                    "what the model learned from"
                )
    return tuple(found)


def _heard(piece: np.ndarray, scale: np.float32) -> np.ndarray:
    """Samples as float32, -1 to 1."""
    return np.nan_to_num(piece.astype(np.float32) / scale, posinf=1, neginf=-1)


class _Work:
    """Recordings one after the other."""

    def __init__(self, noisy: AudioSource, denoiser: SoundDenoiser, progress: Progress | None) -> None:
        self._noisy, self._denoiser, self._progress = noisy, denoiser, progress
        self.clipped: list[str] = []

    def all_pieces(self) -> Iterator[Iterator[np.ndarray]]:
        """The pieces of each."""
        for number, recording in enumerate(self._noisy.recordings):
            yield self._pieces(recording)
            if self._progress is not None:
                self._progress(number + 1, len(self._noisy.recordings))

    def _pieces(self, recording: Recording) -> Iterator[np.ndarray]:
        """(frames, channels): every channel by itself, side by side."""
        scale, at_full = np.float32(recording.kind.full_scale), 0
        tracks = [Track(self._denoiser) for _ in range(recording.kind.channels)]
        for piece in self._noisy.pieces(recording):
            heard = _heard(piece, scale)
            at_full += int((np.abs(heard) >= 0.9999).sum())
            for track, signal in zip(tracks, heard.T, strict=True):
                track.take(signal)
            yield from _typed(tracks, recording, scale)
        for track in tracks:
            track.end()
        yield from _typed(tracks, recording, scale)
        if at_full > 0.001 * recording.frames * recording.kind.channels:
            self.clipped.append(recording.name)


class Track:
    """One channel, fed piece by piece."""

    def __init__(self, denoiser: SoundDenoiser) -> None:
        self._stream = denoiser.stream()
        self.ready: list[np.ndarray] = []

    def take(self, signal: np.ndarray) -> None:
        """More of the signal."""
        self.ready += self._stream.take(signal)

    def end(self) -> None:
        """No more of it."""
        self.ready += self._stream.end()


def _typed(tracks: Sequence[Track], recording: Recording, scale: np.float32) -> Iterator[np.ndarray]:
    """What all tracks have ready, in the recording's own type."""
    while all(track.ready for track in tracks):
        made = np.stack([track.ready.pop(0) for track in tracks], axis=1)
        if recording.kind.is_float:
            yield made.astype(recording.kind.read_as)
        else:
            yield np.clip(np.round(made * scale), -scale, scale - 1).astype(np.int32)


def _rate_of(source: AudioSource) -> int:
    rates = sorted({each.kind.rate for each in source.recordings})
    if len(rates) > 1:
        raise UseError(
            f"{source.name} must have one rate to learn from; it has {', '.join(map(str, rates))} Hz. "
            "Convert them first."
        )
    return rates[0]


def _signals(source: AudioSource, rate: int) -> list[np.ndarray]:
    """Every channel of the recordings, float32, up to an hour of them."""
    found, left = [], MOST_LEARNED_S * rate
    for recording in source.recordings:
        if recording.kind.rate != rate:
            raise UseError(
                f"The noise must have the rate of the recordings, {rate:,} Hz; {recording.name} has "
                f"{recording.kind.rate:,} Hz. Convert it first."
            )
        if left <= 0:
            break
        frames = np.concatenate([*source.pieces(recording), np.zeros((0, recording.kind.channels))])
        heard = np.nan_to_num(frames.astype(np.float32) / np.float32(recording.kind.full_scale))
        found += [np.ascontiguousarray(channel) for channel in heard.T if len(channel)]
        left -= heard.size
    if not found:
        raise UseError(f"{source.name} must hold sound to learn from; every recording is empty.")
    return found
