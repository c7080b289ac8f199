"""One channel → how odd each of its rows is, through windows of several lengths.

Each scale has its views (window_views.py); a row's view is that of the window around it, or, where nothing
after the row may count, of the window that ends with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from isthmus.scoring.usual import Usual
from isthmus.scoring.views import together
from isthmus.scoring.window_views import CLEAN_SHARE, LikeWindows, LinearWindows, usual_of
from isthmus.scoring.windows import SHORT, Channel, Scale

FOLDS = 4
"""Stretches of usual rows, of which each is judged by what the others tell."""
LEAST_WINDOWS = 50
"""That other stretches must hold for that."""
NEIGHBOUR_SHARE = 1 / 300
"""Of the windows that are kept: the neighbour whose distance counts where odd ones may hide among them."""
DENSE_ROWS = 100_000
"""Of more rows, fewer windows are looked at: those that are SPARSE of their length apart, or EVERY rows."""
UNIT = 0.75
"""Quantile of the scores of the rows that were learned from that is a score of 1. Higher ones are told by too
few windows that do not overlap, so that a channel whose own came out low would decide for all; and odd rows,
where they are many in a channel, would raise it and hide."""
LEAST_UNIT = 0.5
Stretch = tuple[int, Channel]
"""Where rows that follow one another begin in the series, and their values."""


@dataclass(frozen=True, eq=False)
class ScaleViews:
    """What windows of one length look like."""

    scale: Scale
    like: LikeWindows
    linear: LinearWindows | None
    """None for the shortest windows: their every noise is far from a plane."""

    @classmethod
    def learn(
        cls, scale: Scale, windows: np.ndarray, places: np.ndarray, *, clean: bool, most: int
    ) -> ScaleViews:
        """From windows that are no gaps, in the order of their places.

        Args:
            scale: of the windows.
            windows: float32 (windows, cells).
            places: where each begins.
            clean: whether none of them is odd.
            most: windows that are kept to be compared with.
        """
        some = _drawn(len(windows), most)
        neighbour = 1 if clean else max(1, round(NEIGHBOUR_SHARE * len(some)))
        like = LikeWindows(windows[some], places[some], scale.rows, neighbour)
        if scale.rows <= SHORT:
            return cls(scale, like, None)
        return cls(scale, like, LinearWindows.learn(windows, share=1.0 if clean else CLEAN_SHARE))

    def distances(self, windows: np.ndarray, places: np.ndarray | None) -> np.ndarray:
        """float64 (views, windows): logarithms; NaN for gaps."""
        found = np.full((3 if self.linear else 1, len(windows)), np.nan)
        known = np.isfinite(windows[:, 0])
        some = windows[known]
        found[0, known] = self.like.log_distance(some, None if places is None else places[known])
        if self.linear is not None:
            found[1:, known] = self.linear.log_distances(some)
        return found


@dataclass(frozen=True, eq=False)
class ChannelJudge:
    """Judges rows of one channel."""

    scales: tuple[Scale, ...]
    stretches: Sequence[Stretch]
    """Of rows that are learned from."""
    clean: bool
    """Whether all of these are usual."""
    most: int
    """Windows of each length that are kept to be compared with."""

    def away(self, channel: Channel, place: int | None) -> np.ndarray:
        """float64 (views, rows): usual spreads from the middle, by the windows around each row.

        Args:
            channel: rows that follow one another.
            place: where they begin in the series that was learned from; None for another series.
        """
        each = zip(self.scales, self._views, self._usual, strict=True)
        return np.concatenate([self._around(channel, place, *one) for one in each])

    def away_until(self, channel: Channel, rows: np.ndarray, place: int | None) -> np.ndarray:
        """float64 (views, rows): the same of some rows, by the windows that end with each of them."""
        found = []
        for scale, views, usual in zip(self.scales, self._views, self._usual, strict=True):
            starts = rows + 1 - scale.rows
            there = starts >= 0
            away = np.full((len(usual), len(rows)), NOTHING)
            if there.any():
                windows = channel.windows(scale, starts[there])
                places = None if place is None else starts[there] + place
                away[:, there] = _told(views.distances(windows, places), usual)
            found.append(away)
        return np.concatenate(found)

    def scores(self, channel: Channel, place: int | None) -> np.ndarray:
        """float64 (rows,): above 1 is odder than three quarters of usual rows."""
        return together([*self.away(channel, place)]) / self.level

    def scores_until(self, channel: Channel, rows: np.ndarray, place: int | None) -> np.ndarray:
        """float64 (rows,): the same, by what is there when each row comes."""
        return together([*self.away_until(channel, rows, place)]) / self.level_until

    @cached_property
    def own(self) -> np.ndarray:
        """float64 (rows,): of the rows that were learned from; usual ones by what the others tell."""
        return self._own_raw / self.level

    @cached_property
    def own_until(self) -> np.ndarray:
        """float64: the same by the windows that end with a row, of every fourth row that has them all."""
        return self._own_until_raw / self.level_until

    @cached_property
    def level(self) -> float:
        """The score that a quarter of the rows exceeds."""
        return _level(self._own_raw)

    @cached_property
    def level_until(self) -> float:
        """The same by the windows that end with a row."""
        return _level(self._own_until_raw)

    @cached_property
    def _own_raw(self) -> np.ndarray:
        parts = []
        for at, (_, channel) in enumerate(self.stretches):
            found = [
                _folded(_told(own[at].distances, usual), own[at].starts, scale.rows, len(channel))
                for own, usual, scale in zip(self._own, self._usual, self.scales, strict=True)
            ]
            parts.append(together([*np.concatenate(found)]))
        return np.concatenate(parts)

    @cached_property
    def _own_until_raw(self) -> np.ndarray:
        longest = max(scale.rows for scale in self.scales)
        parts = []
        for at, (_, channel) in enumerate(self.stretches):
            ends = np.arange(longest - 1, len(channel), EVERY)
            found = []
            for own, usual, scale in zip(self._own, self._usual, self.scales, strict=True):
                away, starts = _told(own[at].distances, usual), own[at].starts
                nearest = np.searchsorted(starts, ends + 1 - scale.rows, side="right") - 1
                found.append(away[:, nearest])
            parts.append(together([*np.concatenate(found)]))
        return np.concatenate(parts)

    def _around(
        self, channel: Channel, place: int | None, scale: Scale, views: ScaleViews, usual: list[Usual]
    ) -> np.ndarray:
        starts = channel.starts(scale, stride_of(scale, len(channel)))
        if not len(starts):
            return np.full((len(usual), len(channel)), NOTHING)
        distances = np.concatenate(
            [
                views.distances(
                    channel.windows(scale, starts[some : some + AT_ONCE]),
                    None if place is None else starts[some : some + AT_ONCE] + place,
                )
                for some in range(0, len(starts), AT_ONCE)
            ],
            axis=1,
        )
        return _folded(_told(distances, usual), starts, scale.rows, len(channel))

    @cached_property
    def _views(self) -> list[ScaleViews]:
        return [self._learn(scale, *self._windows_of(scale), self.most) for scale in self.scales]

    @cached_property
    def _usual(self) -> list[list[Usual]]:
        return [
            [usual_of(view) for view in np.concatenate([one.distances for one in own], axis=1)]
            for own in self._own
        ]

    @cached_property
    def _own(self) -> list[list[_Own]]:
        return [self._own_of(scale, views) for scale, views in zip(self.scales, self._views, strict=True)]

    def _own_of(self, scale: Scale, views: ScaleViews) -> list[_Own]:
        """The distances of the windows that were learned from, stretch by stretch."""
        folds = self._folds(scale) if self.clean else []
        found = []
        for place, channel in self.stretches:
            starts = channel.starts(scale, stride_of(scale, len(channel)))
            windows, places = channel.windows(scale, starts), starts + place
            distances = views.distances(windows, places)
            for low, high, others in folds:
                mine = (places >= low) & (places < high)
                if mine.any():
                    distances[:, mine] = others.distances(windows[mine], None)
            found.append(_Own(starts, distances))
        return found

    def _folds(self, scale: Scale) -> list[tuple[int, int, ScaleViews]]:
        """Stretches, and the views of the windows outside each; none where there are too few."""
        windows, places = self._windows_of(scale)
        edges = places[np.linspace(0, len(places) - 1, FOLDS + 1).astype(int)]
        edges[-1] += 1
        found = []
        for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            others = (places + scale.rows <= low) | (places >= high + scale.rows)
            if others.sum() < LEAST_WINDOWS:
                return []
            # no denser than those of all: the nearest one must not be nearer than it will be
            most = max(1, round(self.most * others.mean()))
            found.append((low, high, self._learn(scale, windows[others], places[others], most)))
        return found

    def _learn(self, scale: Scale, windows: np.ndarray, places: np.ndarray, most: int) -> ScaleViews:
        return ScaleViews.learn(scale, windows, places, clean=self.clean, most=most)

    def _windows_of(self, scale: Scale) -> tuple[np.ndarray, np.ndarray]:
        """All windows that are learned from, gaps left out, and their places."""
        stride = max(1, sum(len(channel) for _, channel in self.stretches) // MOST_LEARNED)
        windows, places = [], []
        for place, channel in self.stretches:
            starts = channel.starts(scale, stride)
            windows.append(channel.windows(scale, starts))
            places.append(starts + place)
        both, where = np.concatenate(windows), np.concatenate(places)
        known = np.isfinite(both[:, 0])
        if not known.any():
            return np.zeros((1, scale.cells), np.float32), np.zeros(1, np.int64)
        return both[known], where[known]


@dataclass(frozen=True, eq=False)
class _Own:
    """Windows of one stretch that were learned from."""

    starts: np.ndarray
    distances: np.ndarray


EVERY = 4
SPARSE = 1 / 8
AT_ONCE = 1 << 15
MOST_LEARNED = 20_000
NOTHING = -10.0
"""Spreads from the middle of a row that no window tells anything of: the least there is."""


def _drawn(count: int, most: int) -> np.ndarray:
    """int64: which of so many windows are kept; not every n-th, which could beat with a period."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def stride_of(scale: Scale, rows: int) -> int:
    """Rows from one window that is looked at to the next."""
    return scale.cell if rows <= DENSE_ROWS else max(EVERY, round(SPARSE * scale.rows))


def _told(distances: np.ndarray, usual: list[Usual]) -> np.ndarray:
    away = np.stack([each.away(one) for each, one in zip(usual, distances, strict=True)])
    return np.where(np.isnan(away), NOTHING, away)


def _folded(away: np.ndarray, starts: np.ndarray, rows: int, count: int) -> np.ndarray:
    """(views, windows) → float64 (views, rows): each row by the windows around it."""
    if not len(starts):
        return np.full((len(away), count), NOTHING)
    middles = starts + (rows - 1) / 2
    return np.stack([np.interp(np.arange(count), middles, view) for view in away])


def _level(scores: np.ndarray) -> float:
    return max(LEAST_UNIT, float(np.quantile(scores, UNIT))) if len(scores) else 1.0
