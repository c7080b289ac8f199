"""A signal ⇄ its spectrogram: overlapping windows, each told by its frequencies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isthmus.config import require

WINDOW_S = 0.032
OVERLAP = 4
"""So many windows see each sample."""
SILENCE = 1e-4
"""Of full scale; below, all is told as silent."""


@dataclass(frozen=True)
class Spectrogram:
    """How signals are cut into windows; added up again, nothing is lost.

    Args:
        window: samples of a window, a power of two.

    >>> view = Spectrogram.of_rate(8000)
    >>> signal = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    >>> frames = view.analyse(signal)
    >>> frames.shape, bool(np.allclose(view.synthesise(frames, 1000), signal, atol=1e-5))
    ((19, 129), True)
    """

    window: int

    def __post_init__(self) -> None:
        power = self.window & (self.window - 1) == 0
        require(power and self.window >= 16, "a window", "a power of two, at least 16", self.window)

    @classmethod
    def of_rate(cls, rate: int) -> Spectrogram:
        """Windows of about 32 ms."""
        return cls(max(16, 1 << round(np.log2(max(1, rate) * WINDOW_S))))

    @property
    def hop(self) -> int:
        """Samples from one window to the next."""
        return self.window // OVERLAP

    @property
    def bins(self) -> int:
        """Frequencies of a window, from none to half the rate."""
        return self.window // 2 + 1

    def analyse(self, signal: np.ndarray) -> np.ndarray:
        """float32 (samples,) → complex64 (frames, bins), as large as the signal's amplitudes."""
        ahead = self.window - self.hop
        frames = -(-(len(signal) + ahead) // self.hop)
        padded = np.zeros((frames - 1) * self.hop + self.window, np.float32)
        padded[ahead : ahead + len(signal)] = signal
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.window)[:: self.hop]
        spectrum = np.fft.rfft(windows * self.taper, axis=1)
        return (spectrum * (2 / self.taper.sum())).astype(np.complex64)

    def synthesise(self, frames: np.ndarray, samples: int) -> np.ndarray:
        """Undo `analyse`, given how many samples there were: float32."""
        windows = np.fft.irfft(frames * (self.taper.sum() / 2), self.window, axis=1) * self.taper
        made = np.zeros((len(frames) + OVERLAP - 1, self.hop))
        for part in range(OVERLAP):
            made[part : part + len(frames)] += windows[:, part * self.hop : (part + 1) * self.hop]
        ahead = self.window - self.hop
        # The squared tapers add up to half the overlap everywhere.
        return (made.ravel()[ahead : ahead + samples] / (OVERLAP / 2)).astype(np.float32)

    @property
    def taper(self) -> np.ndarray:
        """What a window's samples are multiplied by, before and after."""
        return np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.window) / self.window))


def loudness(frames: np.ndarray) -> np.ndarray:
    """complex (…, bins) → float32: 0 for silence, 1 for full scale, by decibels.

    >>> [round(float(each), 2) for each in loudness(np.array([0, 1e-4, 1.0], np.complex64))]
    [0.0, 0.08, 1.0]
    """
    decades = np.log10(np.abs(frames).astype(np.float32) / SILENCE + 1)
    return (decades / -np.log10(SILENCE)).astype(np.float32)
