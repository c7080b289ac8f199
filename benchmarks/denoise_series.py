"""Noise taken from time series, and gaps filled, beside filters that need no training.

Record 100 of the MIT-BIH arrhythmia database (two leads, 360 Hz) and ETT (7 channels, hourly). Normal noise
of 5 and 10 % of each channel's range is added; the first part, which is learned from, is never measured. SNR
in dB, the mean over channels, before and after: a net that learned from the clean first part, and one that
learned from the first part with such noise and never saw a clean one. Beside them, each with the width or the
wavelet that suits the truth of the measured part best (which nobody has: it favours them), a Savitzky-Golay
filter of second order, a moving average, and wavelet shrinkage (scikit-image's BayesShrink). Then gaps of 6
and of 24 rows are cut into the clean measured part: root mean square error in them, as a share of the range,
beside straight lines.

    make bench NAME=denoise-series
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from common import machine, publish
from scipy.ndimage import uniform_filter1d
from scipy.signal import savgol_filter
from series_size import ecg, ett
from skimage.restoration import denoise_wavelet

from isthmus.model import SeriesDenoiser
from isthmus.model.series_denoiser import interpolated
from isthmus.tasks.denoise_series import fit_series_denoiser

LEVELS = (0.05, 0.1)
STEPS = 800
WIDTHS = (3, 5, 7, 9, 13, 17, 25, 35)
GAPS = (6, 24)
SETS: dict[str, tuple[Callable[[], Any], int, int]] = {
    "ecg": (ecg, 100_000, 20_000),
    "ett": (ett, 12_000, 5_420),
}
"""How a series is read, and how many rows are learned from, and measured behind them."""


def snr(made: np.ndarray, truth: np.ndarray) -> float:
    power = ((truth - truth.mean(axis=0)) ** 2).mean(axis=0)
    return float((10 * np.log10(power / ((made - truth) ** 2).mean(axis=0))).mean())


def filters(noisy: np.ndarray, truth: np.ndarray) -> Iterator[tuple[str, float]]:
    """The best of each, by the truth."""
    by_width: dict[str, Callable[[int], np.ndarray]] = {
        "savitzky_golay": lambda width: savgol_filter(noisy, width, 2, axis=0),
        "moving_average": lambda width: uniform_filter1d(noisy, width, axis=0),
    }
    for name, work in by_width.items():
        yield name, max(snr(work(width), truth) for width in WIDTHS)
    names = ("sym4", "sym8", "db4", "haar")
    yield "wavelet", max(snr(np.stack([_wavelet(c, name) for c in noisy.T], axis=1), truth) for name in names)


def _wavelet(channel: np.ndarray, name: str) -> np.ndarray:
    low, high = channel.min(), channel.max()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return denoise_wavelet((channel - low) / (high - low), wavelet=name, mode="soft") * (high - low) + low


def denoised(rows: np.ndarray, measured: np.ndarray) -> dict[str, Any]:
    random, spans = np.random.default_rng(0), np.ptp(rows, axis=0)
    known = fit_series_denoiser(rows, steps=STEPS, levels=(0.0, 0.15)).denoiser
    found: dict[str, Any] = {}
    for level in LEVELS:
        noisy = measured + random.normal(size=measured.shape) * level * spans
        before = rows + random.normal(size=rows.shape) * level * spans
        blind = fit_series_denoiser(before, steps=STEPS, from_noisy=True).denoiser
        case = {
            "before": snr(noisy, measured),
            "from_clean": snr(known.denoise(noisy), measured),
            "from_clean_level_told": snr(known.denoise(noisy, level), measured),
            "from_noisy": snr(blind.denoise(noisy), measured),
            **dict(filters(noisy, measured)),
        }
        found[str(level)] = {name: round(value, 2) for name, value in case.items()}
        print(level, found[str(level)], flush=True)
    found["gaps"] = {str(length): filled(known, measured, length, spans) for length in GAPS}
    print(found["gaps"], flush=True)
    return found


def filled(net: SeriesDenoiser, truth: np.ndarray, length: int, spans: np.ndarray) -> dict[str, float]:
    """Gaps of one channel at a time, so that the others may help; and of all channels at once."""
    random, found = np.random.default_rng(1), {}
    for name, together in (("one_channel", False), ("all_channels", True)):
        holed = truth.copy()
        for start in range(64, len(truth) - 64 - length, 8 * length):
            which = slice(None) if together else random.integers(truth.shape[1])
            holed[start : start + length, which] = np.nan
        gaps = np.isnan(holed)
        for how, made in (
            ("net", net.denoise(holed, 0.0, fill=True)),
            ("straight_lines", interpolated(holed)),
        ):
            errors = ((made - truth) / spans)[gaps]
            found[f"{name}_{how}"] = round(float(np.sqrt((errors**2).mean())), 5)
    return found


def main() -> None:
    before, figures = machine(), {}
    torch.set_num_threads(1)
    for name, (read, learned, measured) in SETS.items():
        values = read()[1].to_numpy(np.float64)
        figures[name] = denoised(values[:learned], values[learned : learned + measured])
    publish("denoise-series", figures, machine_then=before)


if __name__ == "__main__":
    main()
