"""Weights that would have predicted the recent past best, for all lanes at once.

Each lane keeps running correlations of its samples, which forget slowly. All entries of the normal
equations are such correlations, at one time or another, so a step costs as much as there are lags; every
few steps the equations are solved.

Only single float64 operations on whole arrays are used, added up in an order of our own: every machine
rounds them alike, so that the reader finds the same weights.

Source: exponentially weighted least squares for lossless audio, as the first stage of MPEG-4 ALS's RLS-LMS
(ISO/IEC 14496-3) and of Sac (S. Lehmann 2007) have it; the covariance form by running sums is ours.
"""

from __future__ import annotations

import numpy as np

RIDGE = 10.0
"""Added to the diagonal, in squares of a sample's unit: silence must not make the equations singular."""
_SLIGHT = 2.0**-40
SPAN = 64
"""Steps between two times that the kept sums are moved to the front."""


def total(parts: np.ndarray) -> np.ndarray:
    """The sum over the first axis, by halves: an order that no library decides.

    >>> total(np.array([[1.0], [2.0], [4.0]])).tolist()
    [7.0]
    """
    while len(parts) > 1:
        half, odd = divmod(len(parts), 2)
        halves = parts[:half] + parts[half : 2 * half]
        if odd:
            halves[0] += parts[-1]
        parts = halves
    return parts[0]


def solve(equations: np.ndarray) -> np.ndarray:
    """Symmetric equations → their solutions, by elimination.

    Args:
        equations: float64 (unknown, unknown + 1, lane), the right side last; changed.
    Returns:
        float64 (unknown, lane); anything where equations are singular.
    """
    count = len(equations)
    for row in range(count - 1):
        factors = equations[row + 1 :, row] / equations[row, row]
        equations[row + 1 :, row + 1 :] -= factors[:, None] * equations[row, row + 1 :]
    sides, found = equations[:, count], np.empty((count, equations.shape[2]))
    for row in range(count - 1, -1, -1):
        found[row] = sides[row] / equations[row, row]
        if row:
            sides[:row] -= equations[:row, row] * found[row]
    return found


class Regression:
    """The weights of every channel's looks at the past.

    Args:
        samples: float64 (channel, step, lane), filled step by step; `start` steps of zeros come first.
        own: how many of a channel's own past samples it looks at.
        other: how many of another channel's: of the channel before, from the present on; of the first
            channel, the past of the second.
        keep: the share of the past that is kept at each step, below 1.
    """

    def __init__(self, samples: np.ndarray, own: int, other: int, keep: float) -> None:
        self._samples, self._keep = samples, keep
        self.looks = [_looks(channel, len(samples), own, other) for channel in range(len(samples))]
        self._lags = max(lag for looks in self.looks for _, lag in looks)
        pairs = {
            (a, b)
            for c, looks in enumerate(self.looks)
            for a, _ in [*looks, (c, 0)]
            for b, _ in [*looks, (c, 0)]
        }
        self._pairs = sorted(pairs)
        lanes = samples.shape[2]
        self._sums = np.zeros((self._lags + SPAN, len(pairs), self._lags + 1, lanes))
        self._now = self._lags
        self._places = [self._entries(c, looks) for c, looks in enumerate(self.looks)]
        self.weights = [np.zeros((len(looks), lanes)) for looks in self.looks]
        for weights in self.weights:
            weights[0] = 1.0  # as before
        self._learnt, self._fading = 0, 1.0
        self._strange: list[np.ndarray] = []

    def learn(self, step: int) -> None:
        """Take in the samples of a step."""
        if self._now + 1 == len(self._sums):
            self._sums[: self._lags] = self._sums[-self._lags :]
            self._now = self._lags - 1
        before, self._now = self._sums[self._now], self._now + 1
        sums = self._sums[self._now]
        np.multiply(before, self._keep, out=sums)
        for place, (a, b) in enumerate(self._pairs):
            sums[place] += self._samples[b, step - self._lags : step + 1] * self._samples[a, step]
        self._learnt, self._fading = self._learnt + 1, self._fading * self._keep
        if self._learnt == self._lags:
            # Steps that looked back beyond the first sample would teach that samples jump.
            self._strange, self._fading = [self._sums[self._now - b, p, d] for b, p, d in self._places], 1.0

    def refit(self) -> None:
        """New weights for every channel, of all that was taken in."""
        if self._learnt < 2 * self._lags:
            return
        for channel, (back, pair, lag) in enumerate(self._places):
            equations = self._sums[self._now - back, pair, lag] - self._strange[channel] * self._fading
            diagonal = np.arange(len(equations))
            equations[diagonal, diagonal] += RIDGE + equations[diagonal, diagonal] * _SLIGHT
            self.weights[channel] = solve(equations)

    def predict(self, channel: int, step: int) -> np.ndarray:
        """What the weights expect; shape (lane,)."""
        weights, done = self.weights[channel], 0
        parts = np.empty_like(weights)
        for other, first, count in _runs(self.looks[channel]):
            seen = self._samples[other, step - first - count + 1 : step - first + 1][::-1]
            np.multiply(weights[done : done + count], seen, out=parts[done : done + count])
            done += count
        return total(parts)

    def _entries(self, channel: int, looks: list[tuple[int, int]]) -> tuple[np.ndarray, ...]:
        """Where each entry of the equations stands among the sums: steps back, pair, lag."""
        columns = [*looks, (channel, 0)]
        found = []
        for a, i in looks:
            for b, j in columns:
                pair = (a, b) if i <= j else (b, a)
                found.append((min(i, j), self._pairs.index(pair), self._lags - abs(i - j)))
        table = np.array(found).reshape(len(looks), len(columns), 3)
        return tuple(table[..., part] for part in range(3))


def _looks(channel: int, channels: int, own: int, other: int) -> list[tuple[int, int]]:
    """What a channel is predicted from: pairs of a channel and how far back."""
    looks = [(channel, lag) for lag in range(1, own + 1)]
    if channels == 1:
        return looks
    return looks + (
        [(1, lag) for lag in range(1, other + 1)]
        if channel == 0
        else [(channel - 1, lag) for lag in range(other)]
    )


def _runs(looks: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """The looks as runs: channel, first lag, how many."""
    runs: list[tuple[int, int, int]] = []
    for channel, lag in looks:
        if runs and runs[-1][0] == channel:
            runs[-1] = (channel, runs[-1][1], runs[-1][2] + 1)
        else:
            runs.append((channel, lag, 1))
    return runs
