"""Recordings as archives: lossless beside FLAC, lossy beside Opus at equal bytes.

Everything counts: the archive as a file, with names and lengths of all recordings. FLAC is libFLAC's level 8
(soundfile's compression_level 1.0): of all recordings one behind the other, as one file, and of each alone.
Every archive is restored and compared. Constants were chosen on the other speaker and on the clips.

Lossy: the recordings of the speaker one behind the other, and ten seconds of clips, at 48 kHz where they had
44.1, which Opus does not take. Opus at some rates, its file counted whole; then ours at the best quality
whose archive is no larger. Two measures: SNR, which Opus does not aim at, and log-spectral distance (windows
of 32 ms, floor at -90 dB of full scale). Nobody listened.

    make bench NAME=audio-size
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from common import data_root, machine, publish
from scipy.signal import resample_poly

from isthmus.data.audio import AudioSource
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.verify import verify

CHOSEN_ON = "fsdd-theo, which constants were chosen on"
SPEAKERS = {"fsdd-nicolas": "fsdd/fsdd_nicolas.zip", CHOSEN_ON: "fsdd/fsdd_theo.zip"}
EFFORTS = {"fsdd-nicolas": (1, 5, 9), CHOSEN_ON: (5,)}
CLIPS = {
    "speech": ("198-209-0000.hq.ogg", 0, 10),
    "piano": ("Hungarian_Dance_number_5_-_Allegro_in_F_sharp_minor.hq.ogg", 5, 10),
    "jazz": ("Kevin_MacLeod_-_Vibe_Ace.hq.ogg", 20, 10),
    "café": ("cafe_short.wav", 0, 4),
}
LEVELS = (0.98, 0.95, 0.88)
"""Of soundfile, for Opus: 0 is 256 kbit/s a channel, 1 is 6."""


def flac_bytes(samples: np.ndarray, rate: int) -> int:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="FLAC", subtype="PCM_16", compression_level=1.0)
    return len(file.getvalue())


def recordings(path: Path) -> list[np.ndarray]:
    source = AudioSource(path)
    return [np.concatenate([*source.pieces(each)]).astype(np.int16) for each in source.recordings]


def lossless(path: Path, folder: Path, efforts: Sequence[int]) -> dict[str, Any]:
    """One archive at each effort, restored and compared."""
    parts = recordings(path)
    rate = AudioSource(path).recordings[0].kind.rate
    together, single = flac_bytes(np.concatenate(parts), rate), sum(flac_bytes(each, rate) for each in parts)
    figures: dict[str, Any] = {
        "recordings": len(parts),
        "samples": sum(map(len, parts)),
        "source_bytes": path.stat().st_size,
        "flac_together": together,
        "flac_single": single,
    }
    for effort in efforts:
        started = time.process_time()
        result = compress(path, folder / "a.isz", effort=effort, workers=1, force=True)
        coded = time.process_time()
        decompress(folder / "a.isz", folder / "back", force=True)
        restored = time.process_time()
        checked = verify(folder / "a.isz", against=path)
        if not checked.ok:
            raise SystemExit(f"{path}: {checked.problems[0]}")
        size = (folder / "a.isz").stat().st_size
        figures[f"effort_{effort}"] = {
            "bytes": size,
            "of_flac_together": round(size / together, 4),
            "of_flac_single": round(size / single, 4),
            "compress_cpu_s": round(coded - started, 2),
            "decompress_cpu_s": round(restored - coded, 2),
            "plans": {name: won.blocks for name, won in result.winners.items()},
        }
    return figures


def snr_db(original: np.ndarray, restored: np.ndarray) -> float:
    lost = original.astype(float) - restored
    return float(10 * np.log10(np.square(original.astype(float)).sum() / max(1e-9, np.square(lost).sum())))


def spectral_distance_db(original: np.ndarray, restored: np.ndarray, rate: int) -> float:
    """Root mean square over frequencies of the difference of power spectra in dB, mean over windows."""
    size = 1 << round(np.log2(rate * 0.032))
    floor = (32768 * 10 ** (-90 / 20)) ** 2 * size
    spectra = []
    for each in (original, restored):
        seen = np.lib.stride_tricks.sliding_window_view(each.astype(float), size, axis=0)[:: size // 2]
        spectra.append(10 * np.log10(np.abs(np.fft.rfft(seen * np.hanning(size))) ** 2 + floor))
    return float(np.sqrt(np.square(spectra[0] - spectra[1]).mean(axis=-1)).mean())


def judged(original: np.ndarray, restored: np.ndarray, rate: int, size: int) -> dict[str, float]:
    return {
        "bytes": size,
        "kbit_s": round(8e-3 * size * rate / len(original), 1),
        "snr_db": round(snr_db(original, restored), 2),
        "spectral_distance_db": round(spectral_distance_db(original, restored, rate), 2),
    }


def opus(samples: np.ndarray, rate: int, level: float) -> tuple[int, np.ndarray]:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="OGG", subtype="OPUS", compression_level=level)
    back, back_rate = soundfile.read(io.BytesIO(file.getvalue()), dtype="int16", always_2d=True)
    assert back_rate == rate
    found = np.zeros_like(samples)
    found[: len(back)] = back[: len(samples)]
    return len(file.getvalue()), found


def ours(path: Path, folder: Path, most: int) -> tuple[int, int, np.ndarray]:
    """The best quality whose archive is no larger: its quality, its bytes, and what it restores."""
    low, high = 1, 100
    while low < high:
        middle = (low + high + 1) // 2
        compress(path, folder / "q.isz", quality=middle, force=True)
        low, high = (middle, high) if (folder / "q.isz").stat().st_size <= most else (low, middle - 1)
    compress(path, folder / "q.isz", quality=low, force=True)
    (back,) = decompress(folder / "q.isz", folder / "back", force=True).files
    found = soundfile.read(back, dtype="int16", always_2d=True)[0]
    return low, (folder / "q.isz").stat().st_size, found


def lossy(samples: np.ndarray, rate: int, folder: Path) -> list[dict[str, Any]]:
    soundfile.write(folder / "x.wav", samples, rate)
    found = []
    for level in LEVELS:
        size, theirs = opus(samples, rate, level)
        quality, own, mine = ours(folder / "x.wav", folder, size)
        found.append(
            {
                "opus": judged(samples, theirs, rate, size),
                "ours": {"quality": quality, **judged(samples, mine, rate, own)},
            }
        )
    return found


def lossy_sets(root: Path) -> dict[str, tuple[np.ndarray, int]]:
    sets = {"fsdd-nicolas": (np.concatenate(recordings(root / SPEAKERS["fsdd-nicolas"])), 8000)}
    for name, (file, start, seconds) in CLIPS.items():
        samples, rate = soundfile.read(root / "audio-clips" / file, dtype="int16", always_2d=True)
        samples = samples[start * rate : (start + seconds) * rate]
        if rate == 44100:
            louder = resample_poly(samples / 32768, 160, 147, axis=0)
            samples, rate = np.clip(np.rint(louder * 32768), -32768, 32767).astype(np.int16), 48000
        sets[name] = samples, rate
    return sets


def main() -> None:
    before, root = machine(), data_root()
    figures: dict[str, Any] = {"lossless": {}, "lossy": {}}
    with tempfile.TemporaryDirectory() as name:
        for speaker, path in SPEAKERS.items():
            figures["lossless"][speaker] = lossless(root / path, Path(name), EFFORTS[speaker])
            print(speaker, figures["lossless"][speaker], flush=True)
        for kind, (samples, rate) in lossy_sets(root).items():
            figures["lossy"][kind] = lossy(samples, rate, Path(name))
            print(kind, figures["lossy"][kind], flush=True)
    publish("audio-size", figures, machine_then=before)


if __name__ == "__main__":
    main()
