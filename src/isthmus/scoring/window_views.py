"""Windows of a channel → how odd they are, by their nearest neighbours and by a linear autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from isthmus.scoring.spread import Spread
from isthmus.scoring.usual import Usual

CODE = 4
"""Numbers that the linear autoencoder has for a window; what it leaves unexplained is one of its views."""
CLEAN_SHARE = 0.75
"""Of the windows, where odd ones may hide among them."""
AT_ONCE = 1024
TINY = 1e-9


@dataclass(frozen=True, eq=False)
class LikeWindows:
    """The distance to the k-th nearest of the windows that were there, those that overlap left out.

    Source: discords, Keogh et al. 2005 (there k = 1 and overlap is the trivial match).
    """

    windows: np.ndarray
    """float32 (windows, cells)."""
    places: np.ndarray
    """int64 (windows,): where each began."""
    rows: int
    """Of a window."""
    neighbour: int

    @cached_property
    def _squares(self) -> np.ndarray:
        return np.square(self.windows).sum(axis=1)

    def log_distance(self, windows: np.ndarray, places: np.ndarray | None) -> np.ndarray:
        """float64 (windows,).

        Args:
            windows: float32 (windows, cells).
            places: where each began in the series that was learned from; None for another series.
        """
        found = np.empty(len(windows))
        for start in range(0, len(windows), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            found[some] = self._squared(windows[some], None if places is None else places[some])
        return 0.5 * np.log(np.maximum(found, TINY))

    def _squared(self, windows: np.ndarray, places: np.ndarray | None) -> np.ndarray:
        squared = windows @ (-2 * self.windows.T)
        squared += self._squares
        squared += np.square(windows).sum(axis=1)[:, None]
        if places is not None:
            self._forget_overlaps(squared, places)
        place = min(self.neighbour, squared.shape[1]) - 1
        nearest: np.ndarray = np.partition(squared, place, axis=1)[:, place]
        return np.where(np.isinf(nearest), np.nan, nearest)

    def _forget_overlaps(self, squared: np.ndarray, places: np.ndarray) -> None:
        first = np.searchsorted(self.places, places - self.rows, side="right")
        last = np.searchsorted(self.places, places + self.rows, side="left")
        for row, (low, high) in enumerate(zip(first, last, strict=True)):
            squared[row, low:high] = np.inf


@dataclass(frozen=True, eq=False)
class LinearWindows:
    """A linear autoencoder of windows: the distance of code and rest together, and the rest alone."""

    spread: Spread
    back: np.ndarray
    """float64 (cells, cells - code): along which windows usually vary least."""

    @classmethod
    def learn(cls, windows: np.ndarray, *, share: float) -> LinearWindows:
        """By the principal components of the tightest share of the windows."""
        spread = Spread.of(windows, share=share)
        _, vectors = np.linalg.eigh(spread.covariance)  # ascending
        code = min(CODE, windows.shape[1] // 2)
        return cls(spread, np.ascontiguousarray(vectors[:, : windows.shape[1] - code]))

    def log_distances(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """float64 (windows,), twice: of code and rest, each by what is usual; of the rest alone."""
        rest = (windows - self.spread.centre) @ self.back
        return self.spread.log_distance(windows), np.log(np.square(rest).sum(axis=1) + TINY)


def usual_of(distances: np.ndarray) -> Usual:
    """Middle and spread of known log distances."""
    known = distances[np.isfinite(distances)]
    return Usual.of(known) if len(known) else Usual(0.0, 1.0)
