"""Values of a series → after how many rows they repeat themselves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

LEAST_PROMINENCE = 0.1
"""How far a peak of the autocorrelation must stand out for there to be a period at all …"""
SHARE = 0.8
"""… and, of the peak that stands out most, for an earlier one to be taken instead."""
MOST_ROWS = 50_000
MOST_LAG = 2_000
CLIPPED = 3.0
"""Spreads from the middle at which values are cut, so that one spike does not decide."""
MOST_CHANNELS = 64


def period(values: np.ndarray) -> int | None:
    """The first lag at which the series looks like itself again, all channels together.

    The peak of the autocorrelation that stands out most (its prominence, not its height: a slow drift
    is high at all lags), or an earlier one that stands out nearly as much, as multiples of a period do.

    Args:
        values: (rows, channels); NaN is a gap.
    Returns:
        Rows, at least 2; None where nothing repeats.
    Source: autocorrelation with a peak rule, as Paparrizos et al. 2022 (TSB-UAD) do with its highest peak.

    >>> rows = np.arange(1000)
    >>> period(np.sin(rows * 2 * np.pi / 25)[:, None] + 0.01 * rows[:, None])
    25
    """
    from scipy.signal import find_peaks

    each = [one for one in _autocorrelations(values[:MOST_ROWS]) if one is not None]
    if not each:
        return None
    peaks, told = find_peaks(np.mean(each, axis=0), prominence=LEAST_PROMINENCE)
    if not len(peaks):
        return None
    prominences = told["prominences"]
    return int(peaks[prominences >= SHARE * prominences.max()][0])


def _autocorrelations(values: np.ndarray) -> Iterator[np.ndarray | None]:
    """Of each channel; None where it is constant, or too short."""
    lags = min(len(values) // 4, MOST_LAG)
    for channel in range(0, values.shape[1], -(-values.shape[1] // MOST_CHANNELS)):
        yield _autocorrelation(_calmed(values[:, channel]), lags) if lags >= 3 else None


def _calmed(values: np.ndarray) -> np.ndarray:
    """In spreads from the middle, far ones cut, gaps in the middle."""
    known = values[np.isfinite(values)]
    if not len(known):
        return np.zeros(len(values))
    low, middle, high = np.percentile(known, [25, 50, 75])
    spread = (high - low) / 1.349 or known.std() or 1.0
    away = np.nan_to_num((values - middle) / spread, nan=0.0, posinf=CLIPPED, neginf=-CLIPPED)
    return np.clip(away, -CLIPPED, CLIPPED)


def _autocorrelation(values: np.ndarray, lags: int) -> np.ndarray | None:
    """float64 (lags + 1,), each lag by as many pairs as it has."""
    from scipy.signal import detrend

    away, count = detrend(values), len(values)
    power = np.abs(np.fft.rfft(away, 2 * count)) ** 2
    sums = np.fft.irfft(power)[: lags + 1]
    if sums[0] < 1e-9 * count:
        return None
    found: np.ndarray = sums / sums[0] * (count / (count - np.arange(lags + 1)))
    return found
