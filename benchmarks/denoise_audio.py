"""Café noise taken from spoken digits: SI-SDR before and after, beside noisereduce.

Clean speech: FSDD's test recordings, by its index rule; noise: the last 40 % of the café recording, mixed
at 0, 5 and 10 dB. Learned from FSDD's other recordings, and from the first 60 % of the café and the other
clips as noise.
noisereduce is run both ways it has: stationary with a second of the noise alone, and not stationary.

    make bench NAME=denoise-audio
"""

from __future__ import annotations

import argparse
import io
import time
import zipfile
from statistics import median
from typing import Any

import noisereduce
import numpy as np
import soundfile
from common import data_root, machine, publish
from scipy.signal import resample_poly

from isthmus.config import parse_duration
from isthmus.model.sound_denoiser import SoundDenoiser
from isthmus.training.sound_denoising import SoundPlan, train_sound_denoiser

RATE, SNRS, SHARE, TEST_BELOW = 8000, (0, 5, 10), 0.6, 5
SPEAKERS = ("nicolas", "theo")


def speech() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Training and test recordings."""
    parts: tuple[list[np.ndarray], list[np.ndarray]] = [], []
    for speaker in SPEAKERS:
        with zipfile.ZipFile(data_root() / "fsdd" / f"fsdd_{speaker}.zip") as found:
            for name in sorted(name for name in found.namelist() if name.endswith(".wav")):
                signal, rate = soundfile.read(io.BytesIO(found.read(name)), dtype="float32")
                assert rate == RATE
                index = int(name.removesuffix(".wav").rsplit("_", 1)[1])
                parts[index < TEST_BELOW].append(signal)
    return parts


def clip(name: str) -> np.ndarray:
    """One of the clips, mono, at the rate of the speech."""
    signal, rate = soundfile.read(data_root() / "audio-clips" / name, dtype="float32", always_2d=True)
    common = np.gcd(rate, RATE)
    return resample_poly(signal.mean(axis=1), RATE // common, rate // common).astype(np.float32)


def si_sdr(clean: np.ndarray, made: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio, dB (Le Roux et al. 2019)."""
    clean, made = clean - clean.mean(), made - made.mean()
    target = clean * (made @ clean) / max(1e-12, clean @ clean)
    return float(10 * np.log10((target @ target + 1e-12) / (np.square(made - target).sum() + 1e-12)))


def mixed(clean: np.ndarray, cafe: np.ndarray, snr: float, number: int) -> np.ndarray:
    start = int(np.random.default_rng((number, snr)).integers(0, len(cafe) - len(clean) + 1))
    noise = cafe[start : start + len(clean)]
    return clean + noise * np.sqrt(np.square(clean).mean() / np.square(noise).mean() / 10 ** (snr / 10))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--budget", type=parse_duration, default="30m", help="of the training")
    parser.add_argument("--steps", type=int, help="of the training, instead of a budget")
    asked, before = parser.parse_args(), machine()
    budget_s = None if asked.steps else asked.budget
    train, test = speech()
    cafe = clip("cafe_short.wav")
    cut = int(SHARE * len(cafe))
    others = [
        clip(path.name)
        for path in sorted((data_root() / "audio-clips").glob("*.ogg"))
        if not path.name.startswith("198-")  # that one is speech
    ]
    plan = SoundPlan(budget_s=budget_s, steps=asked.steps or 1, least_db=-1.0, most_db=11.0)
    # The café counts nine times as much as all other clips together.
    noise = [np.tile(cafe[:cut], max(1, 9 * sum(map(len, others)) // cut)), *others]
    denoiser: SoundDenoiser = train_sound_denoiser(train, noise, RATE, plan, say=print)
    alone = cafe[cut : cut + RATE]
    ways = {
        "ours": lambda signal: denoiser.denoise(signal),
        "noisereduce_stationary": lambda signal: noisereduce.reduce_noise(
            signal, RATE, y_noise=alone, stationary=True
        ),
        "noisereduce": lambda signal: noisereduce.reduce_noise(signal, RATE),
    }
    figures: dict[str, Any] = {"test_recordings": len(test), "fit": dict(denoiser.provenance)}
    for snr in SNRS:
        gains: dict[str, list[float]] = {way: [] for way in ways}
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for number, clean in enumerate(test):
            noisy = mixed(clean, cafe[cut:], snr, number).astype(np.float32)
            start = si_sdr(clean, noisy)
            for way, work in ways.items():
                begun = time.perf_counter()
                made = work(noisy)
                seconds[way].append(time.perf_counter() - begun)
                gains[way].append(si_sdr(clean, made) - start)
        figures[f"at_{snr}_db"] = {
            way: {"si_sdr_gain_db": round(float(np.mean(each)), 3), "seconds": round(median(seconds[way]), 4)}
            for way, each in gains.items()
        }
        print(snr, figures[f"at_{snr}_db"], flush=True)
    publish("denoise-audio", figures, machine_then=before)


if __name__ == "__main__":
    main()
