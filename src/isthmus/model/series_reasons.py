"""Why a span of a series is odd: its channel, its rows, what was usual there, and what is.

What is usual is told by stretches that the detector learned from whose surroundings are most like those of
the span: their level, their swing, and how they jump from row to row. Where a channel is odd only beside
the others, these tell what was to be expected of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from isthmus.data.tables.features import squashed, unsquashed
from isthmus.model.series_detector import TOGETHER, SeriesDetector

CONTEXT = 48
"""Rows before and behind a span by which like stretches are found."""
CELL = 4
"""Rows of the surroundings that are compared as one number."""
LIKE = 40
"""Stretches that tell what is usual …"""
APART = 3
"""… each so many rows from the next: neighbours tell the same."""
LONGEST = 512
"""Rows of a span that are looked at, around the oddest."""
RANGE = (0.05, 0.95)
"""Quantiles between which a figure is usual."""
LEAST_OUTSIDE = 0.25
"""Of the range's width, by which a figure must lie outside it to be the reason."""
MOST_CHANNELS = 3
LEAST_SHARE = 0.2
"""Of a span's rows in which a channel must be the oddest, to be named."""
Figure = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class SpanReason:
    """Of one channel in one span."""

    channel: str
    first: int
    last: int
    """The span, in rows of the series."""
    figure: str
    """"level", "swing", "jumps", or "course", where none of these is unusual by itself."""
    seen: float | None
    low: float | None
    high: float | None
    """Between which it usually is."""
    beside: bool = False
    """Whether that is said of it beside the other channels."""

    def sentence(self) -> str:
        """For people: "load, rows 210 to 260: level usually 3 to 5, here 9"."""
        rows = f"row {self.first:,}" if self.first == self.last else f"rows {self.first:,} to {self.last:,}"
        if self.seen is None or self.low is None or self.high is None:
            return f"{self.channel}, {rows}: its course is unlike what was seen"
        beside = " beside the other channels" if self.beside else ""
        usual = f"usually {self.low:.4g} to {self.high:.4g}{beside}, here {self.seen:.4g}"
        return f"{self.channel}, {rows}: {self.figure} {usual}"


@dataclass(frozen=True, eq=False)
class Span:
    """Rows that are reported together."""

    first: int
    last: int
    """Places in `rows` of an Explainer."""
    oddest: int
    """The place of the highest score."""
    channels: tuple[int, ...]
    """The oddest ones, TOGETHER among them."""


def spans_of(raised: np.ndarray, scores: np.ndarray, channels: np.ndarray, bridged: int) -> list[Span]:
    """Reported rows → spans, those that are so near to one another taken for one.

    Args:
        raised: bool (rows,).
        scores: float64 (rows,).
        channels: int32 (rows,): each row's oddest.
        bridged: rows between two spans that make them one.

    >>> raised = np.array([0, 1, 1, 0, 1, 0, 0, 0, 0, 1], bool)
    >>> [(s.first, s.last) for s in spans_of(raised, raised * 1.0, np.zeros(10, int), 2)]
    [(1, 4), (9, 9)]
    """
    places = np.flatnonzero(raised)
    cuts = np.flatnonzero(np.diff(places) > bridged) + 1
    found = []
    for rows in np.split(places, cuts) if len(places) else []:
        counts = Counter(channels[rows].tolist()).most_common(MOST_CHANNELS)
        named = tuple(channel for channel, count in counts if count >= LEAST_SHARE * len(rows))
        oddest = int(rows[np.argmax(scores[rows])])
        found.append(Span(int(rows[0]), int(rows[-1]), oddest, named))
    return found


class Explainer:
    """Explains spans of rows.

    Args:
        detector: gave the scores.
        rows: what its `in_spreads` made of rows that follow one another.
        place: where they begin in the series that was learned from; None for another series.
        first: the number of the first row, in sentences.
    """

    def __init__(self, detector: SeriesDetector, rows: np.ndarray, place: int | None, first: int = 0) -> None:
        self._detector, self._rows, self._place, self._first = detector, rows, place, first
        self._like = lru_cache(maxsize=64)(self._like_of)

    def reasons(self, span: Span, *, until: bool = False) -> list[SpanReason]:
        """Of each channel of a span, the oddest first.

        Args:
            span: places in the rows.
            until: leave out what is behind the span.
        """
        found: dict[str, SpanReason] = {}
        for number in span.channels:
            one = self._beside(span) if number == TOGETHER else self._alone(span, number, until)
            found.setdefault(one.channel, one)
        return [
            replace(one, first=one.first + self._first, last=one.last + self._first) for one in found.values()
        ]

    def _alone(self, span: Span, number: int, until: bool) -> SpanReason:
        course = SpanReason(
            self._detector.channels[number], span.first, span.last, "course", None, None, None
        )
        for wider in (0, *(scale.rows // 2 for scale in self._detector.scales)):
            found = self._figure(self._widened(span, wider, until), number, until)
            if found is not None:
                return found
        return course

    def _widened(self, span: Span, rows: int, until: bool) -> Span:
        """With what is around it: a window may be odd whose middle alone is not."""
        behind = 0 if until else rows
        before = 2 * rows if until else rows
        first, last = max(0, span.first - before), min(len(self._rows) - 1, span.last + behind)
        return replace(span, first=first, last=last)

    def _figure(self, span: Span, number: int, until: bool) -> SpanReason | None:
        """The most unusual figure of a span; None where all are as usual."""
        first, last = _within(span)
        values = self._rows[first : last + 1, number].astype(np.float64)
        others = self._like(number, first, last, until)
        best, reason = LEAST_OUTSIDE, None
        if not np.isfinite(values).any() or not len(others):
            return None
        for figure, of, shift in _figures(len(values)):
            seen, usual = float(of(values[None])[0]), of(others)
            usual = usual[np.isfinite(usual)]
            if not len(usual) or not np.isfinite(seen):
                continue
            low, high = np.quantile(usual, RANGE)
            outside = max(low - seen, seen - high) / max(high - low, 0.1)
            if outside > best:
                best = outside
                here, least, most = (self._unscaled(number, float(each), shift) for each in (seen, low, high))
                name = self._detector.channels[number]
                reason = SpanReason(name, span.first, span.last, figure, here, least, most)
        return reason

    def _unscaled(self, number: int, value: float, shift: bool) -> float:
        middle = float(self._detector.middle[number]) if shift else 0.0
        return middle + value * float(self._detector.spread[number])

    def _like_of(self, number: int, first: int, last: int, until: bool) -> np.ndarray:
        """float64 (stretches, rows): the courses of that many rows in like surroundings."""
        length = last + 1 - first
        before = min(CONTEXT, first)
        behind = 0 if until else min(CONTEXT, len(self._rows) - last - 1)
        mine = self._rows[first - before : last + 1 + behind, number]
        found, distances = [], []
        for start, rows in self._detector.stretches():
            column = rows[:, number]
            if len(column) < len(mine):
                continue
            windows = np.lib.stride_tricks.sliding_window_view(column, len(mine))[::APART]
            away = _distances(windows, mine, before, behind)
            if self._place is not None:
                begins = start + APART * np.arange(len(windows))
                overlap = np.abs(begins - (self._place + first - before)) < len(mine)
                away = np.where(overlap, np.inf, away)
            found.append(windows[:, before : before + length])
            distances.append(away)
        if not found:
            return np.zeros((0, length))
        away = np.concatenate(distances)
        nearest = np.argsort(away, kind="stable")[:LIKE]
        nearest = nearest[np.isfinite(away[nearest])]
        return np.concatenate(found)[nearest].astype(np.float64)

    def _beside(self, span: Span) -> SpanReason:
        """The channel that the others least expect."""
        first, last = _within(span)
        rows = np.nan_to_num(squashed(self._rows[first : last + 1]), nan=0.0)
        spread = self._detector.spread_together
        precision = np.linalg.inv(spread.covariance)
        alone = np.diag(precision)
        rest = (rows - spread.centre) @ precision / alone  # what each is beyond what the others tell
        number = int(np.argmax(np.abs(rest.mean(axis=0)) * np.sqrt(alone)))
        usual = 1.645 * float(1 / np.sqrt(alone[number]))
        seen, expected = rows[:, number].mean(), (rows - rest)[:, number].mean()
        ends = np.array([seen, expected - usual, expected + usual])
        here, low, high = (self._unscaled(number, float(one), True) for one in unsquashed(ends))
        name = self._detector.channels[number]
        return SpanReason(name, span.first, span.last, "level", here, low, high, beside=True)


def _within(span: Span) -> tuple[int, int]:
    """The part of a span that is looked at."""
    if span.last - span.first < LONGEST:
        return span.first, span.last
    first = min(max(span.first, span.oddest - LONGEST // 2), span.last + 1 - LONGEST)
    return first, first + LONGEST - 1


def _figures(rows: int) -> Sequence[tuple[str, Figure, bool]]:
    """Name, how it is worked out from (stretches, rows), and whether it lies around the channel's middle."""
    level = ("level", lambda values: np.nanmean(_any(values), axis=1), True)
    if rows < 4:
        return (level,)
    swing = ("swing", lambda values: np.nanmax(_any(values), axis=1) - np.nanmin(_any(values), axis=1), False)
    jumps = ("jumps", lambda values: np.nanmean(np.abs(np.diff(_any(values), axis=1)), axis=1), False)
    return level, swing, jumps


def _any(values: np.ndarray) -> np.ndarray:
    """Stretches without any number hold zeros, so that no mean is one of nothing."""
    return np.where(
        np.isfinite(values).sum(axis=1, keepdims=True) > 1, values, np.nan_to_num(values, nan=0.0)
    )


def _distances(windows: np.ndarray, mine: np.ndarray, before: int, behind: int) -> np.ndarray:
    """float64 (windows,): how unlike the surroundings are; all alike where there are none."""
    away = np.zeros(len(windows))
    sides = [(0, before)] if before else []
    sides += [(len(mine) - behind, len(mine))] if behind else []
    for low, high in sides:
        cells = (high - low) // CELL * CELL
        if not cells:
            continue
        theirs = np.nan_to_num(windows[:, low : low + cells]).reshape(len(windows), -1, CELL).mean(axis=2)
        own = np.nan_to_num(mine[low : low + cells]).reshape(-1, CELL).mean(axis=1)
        away += np.square(squashed(theirs) - squashed(own)).sum(axis=1)
    return away
