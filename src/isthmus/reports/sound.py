"""What `denoise` made of recordings → one self-contained HTML page: spectrograms before and after."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.audio import AudioSource, Recording, open_audio
from isthmus.data.audio.spectrogram import Spectrogram, loudness
from isthmus.errors import UseError
from isthmus.files import refuse_existing
from isthmus.reports.html import Picture, Section, TableRow, key_figures, sides, table
from isthmus.reports.page import framed, write_page
from isthmus.reports.pictures import data_uri
from isthmus.tasks.sound import SoundDenoiseResult

SHOWN, LISTED = 6, 200
SHOWN_S = 6.0
"""Seconds of each recording that are drawn."""
SIDES = (320, 160)
"""Pixels of a spectrogram, across and down, at most."""
MOST_HEARD_S = 600.0
"""Of a recording, that is compared with the clean one."""


def write_sound_page(
    path: str | Path,
    noisy: Any,
    denoised: str | Path,
    clean: Any,
    result: SoundDenoiseResult,
    *,
    force: bool = False,
) -> Path:
    """Write the page.

    Args:
        path: of the page.
        noisy: what was denoised.
        denoised: the folder that it was written to.
        clean: the same recordings without noise, by the same names, where they are at hand.
        result: of `denoise_sound`.
        force: replace an existing page.
    Raises:
        OutputExists: nothing was written.
        UseError: the clean recordings are not those.
    """
    path = Path(path)
    refuse_existing(path, force=force)
    before = open_audio(noisy, skip_bad=True)  # what was bad is named already
    after = open_audio(result.files[0] if len(result.files) == 1 else denoised)
    truth = None if clean is None else open_audio(clean)
    kinds = [("noisy", before), ("denoised", after), *([] if truth is None else [("clean", truth)])]
    compared = _compared(before, after, truth)
    sections = [_figures(result, compared), _spectrograms(kinds, compared)]
    if truth is not None:
        sections.append(_list(compared))
    page = framed(
        name=before.name,
        about=f"{result.recordings:,} recordings, noise taken away",
        verdict=_verdict(compared),
        measured="Spectrograms: time to the right, frequency upwards, from silence (dark) to full scale.",
        sections="\n".join(section.to_html() for section in sections),
        notices=result.notices,
    )
    write_page(path, page, force=force)
    return path


@dataclass(frozen=True)
class Compared:
    """One recording, beside the clean one or, without that, beside itself before."""

    name: str
    before_db: float | None
    """Signal to noise, where a clean recording is at hand."""
    after_db: float | None
    taken_db: float
    """How much softer than the recording is what was taken from it."""


def _compared(before: AudioSource, after: AudioSource, truth: AudioSource | None) -> list[Compared]:
    found = []
    for recording in before.recordings[:LISTED]:
        noisy, made = (_heard(each, _by_name(each, recording.name), MOST_HEARD_S) for each in (before, after))
        before_db = after_db = None
        if truth is not None:
            clean = _heard(truth, _by_name(truth, recording.name), MOST_HEARD_S)
            before_db, after_db = snr_db(clean, noisy), snr_db(clean, made)
        found.append(Compared(recording.name, before_db, after_db, snr_db(noisy, made)))
    return found


def _means(compared: list[Compared]) -> tuple[float, float] | None:
    """Before and after, where clean recordings are at hand."""
    pairs = [
        (c.before_db, c.after_db) for c in compared if c.before_db is not None and c.after_db is not None
    ]
    return (float(np.mean([b for b, _ in pairs])), float(np.mean([a for _, a in pairs]))) if pairs else None


def _verdict(compared: list[Compared]) -> str:
    means = _means(compared)
    if means is None:
        taken = np.median([each.taken_db for each in compared])
        return f"What was taken away is {taken:.1f} dB softer than the recordings (median)."
    before, after = means
    return f"{after - before:+.2f} dB: signal to noise {before:.2f} dB before, {after:.2f} after, on average."


def _figures(result: SoundDenoiseResult, compared: list[Compared]) -> Section:
    means, clipped = _means(compared), ", ".join(result.clipped[:2]) or "none"
    shown = [
        ("recordings", f"{result.recordings:,}", "all written"),
        ("sound", f"{result.seconds:,.1f} s", "in all"),
        ("clipped", f"{len(result.clipped):,}", clipped),
    ]
    if means is not None:
        shown.insert(0, ("gain", f"{means[1] - means[0]:+.2f} dB", "signal to noise, mean of recordings"))
    return Section("figures", "In short", "", key_figures(shown))


def _spectrograms(kinds: list[tuple[str, AudioSource]], compared: list[Compared]) -> Section:
    first = kinds[0][1].recordings
    chosen = np.linspace(0, len(first) - 1, min(SHOWN, len(first))).astype(int).tolist()
    by_name, groups = {each.name: each for each in compared}, dict[str, list[Picture]]()
    for place in dict.fromkeys(chosen):
        recording = first[place]
        shown_s = min(SHOWN_S, recording.frames / recording.kind.rate)
        title = f"{recording.name}, {shown_s:.3g} s, up to {recording.kind.rate / 2000:g} kHz"
        told = by_name.get(recording.name)
        dbs = (None, None, None) if told is None else (told.before_db, told.after_db, None)
        groups[title] = [
            _drawn(source, recording.name, kind if db is None else f"{kind}, {db:.1f} dB")
            for (kind, source), db in zip(kinds, dbs, strict=False)
        ]
    lead = f"{', '.join(kind for kind, _ in kinds)}; the first {SHOWN_S:g} seconds at most, first channel."
    return Section("spectrograms", "Before and after", lead, sides(groups, kind="spectrogram"))


def _drawn(source: AudioSource, name: str, caption: str) -> Picture:
    recording = _by_name(source, name)
    heard = _heard(source, recording, SHOWN_S)
    loud = loudness(Spectrogram.of_rate(recording.kind.rate).analyse(heard)).T[::-1]
    rows, columns = (_places(count, most) for count, most in zip(loud.shape, SIDES[::-1], strict=True))
    pixels = np.rint(255 * np.clip(loud[np.ix_(rows, columns)], 0, 1)).astype(np.uint8)
    return Picture(data_uri(pixels), caption, pixels.shape[1], pixels.shape[0])


def _places(count: int, most: int) -> np.ndarray:
    """Evenly spaced, no more than that."""
    return np.linspace(0, count - 1, min(count, most)).astype(int)


def _list(compared: list[Compared]) -> Section:
    rows = [
        TableRow(
            [c.name, f"{c.before_db:.2f} dB", f"{c.after_db:.2f} dB", f"{c.after_db - c.before_db:+.2f} dB"]
        )
        for c in compared
        if c.before_db is not None and c.after_db is not None
    ]
    return Section(
        "recordings",
        "Recording by recording",
        "Signal-to-noise ratio beside the clean recording.",
        table(["recording", "before", "after", "gain"], rows, words=[0]),
    )


def snr_db(clean: np.ndarray, other: np.ndarray) -> float:
    """How much louder a signal is than its difference to another.

    >>> round(snr_db(np.ones(10), np.full(10, 1.1)), 1)
    20.0
    """
    length = min(len(clean), len(other))
    noise = np.square(other[:length].astype(np.float64) - clean[:length]).sum()
    return float(10 * np.log10((np.square(clean[:length], dtype=np.float64).sum() + 1e-20) / (noise + 1e-20)))


def _by_name(source: AudioSource, name: str) -> Recording:
    stem = name.rpartition(".")[0]
    for recording in source.recordings:
        if recording.name == name or recording.name.rpartition(".")[0] == stem or len(source.recordings) == 1:
            return recording
    raise UseError(f"{source.name} must hold a recording {name!r} too; it does not.")


def _heard(source: AudioSource, recording: Recording, seconds: float) -> np.ndarray:
    """The first channel, -1 to 1, of so many seconds at most."""
    found, left = [np.zeros(0, np.float32)], round(seconds * recording.kind.rate)
    for piece in source.pieces(recording):
        found.append(piece[:left, 0].astype(np.float32) / np.float32(recording.kind.full_scale))
        left -= len(piece)
        if left <= 0:
            break
    return np.nan_to_num(np.concatenate(found))
