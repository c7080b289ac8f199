"""A channel → windows of several lengths, each told by the means of some 32 cells.

A window that is to hold a period may be long, but what makes it odd is seen in 32 numbers as well as in
300, and distances between them cost a tenth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_CELLS = 32
SHORT, MIDDLE, LONG = 16, 64, 256
"""Rows of the three windows, before the two longer ones are made to hold whole periods."""
PARTS = 12
"""No window is longer than so many parts of the rows that are learned from."""
LEAST_ROWS = 3 * SHORT
LEAST_KNOWN = 0.5
"""Share of a window that must not be a gap."""


@dataclass(frozen=True)
class Scale:
    """Windows of one length."""

    cell: int
    """Rows whose mean is one number."""
    cells: int
    """Of a window."""

    @property
    def rows(self) -> int:
        """Of a window."""
        return self.cell * self.cells

    @classmethod
    def of(cls, rows: int) -> Scale:
        """About so many rows.

        >>> Scale.of(288), Scale.of(20)
        (Scale(cell=9, cells=32), Scale(cell=1, cells=20))
        """
        cell = -(-rows // MOST_CELLS)
        return cls(cell, max(1, round(rows / cell)))


def scales_of(period: int | None, rows: int) -> tuple[Scale, ...]:
    """The windows to look through, the shortest first.

    Args:
        period: of the series; the longer windows hold whole ones, but for a part of a cell.
        rows: that are learned from.

    >>> [scale.rows for scale in scales_of(24, 5000)]
    [16, 72, 261]
    >>> [scale.rows for scale in scales_of(288, 5000)]
    [16, 64, 288]
    """
    lengths = [SHORT, *(_whole(length, period, rows) for length in (MIDDLE, LONG))]
    return tuple(dict.fromkeys(Scale.of(max(1, min(length, rows // 3))) for length in lengths))


def _whole(length: int, period: int | None, rows: int) -> int:
    length = min(length, rows // PARTS)
    if period is None or period > rows // 8 or period > 2 * length:
        return length
    return max(1, round(length / period)) * period


@dataclass(frozen=True, eq=False)
class Channel:
    """A channel's running sums, from which windows are cut."""

    sums: np.ndarray
    """float64 (rows + 1,)."""
    known: np.ndarray
    """int64 (rows + 1,): how many rows before each one are no gap."""

    @classmethod
    def of(cls, values: np.ndarray) -> Channel:
        """From (rows,) numbers around 0; a gap (NaN) is bridged by a straight line."""
        there = np.isfinite(values)
        bridged = values.astype(np.float64)
        if not there.all():
            places = np.flatnonzero(there)
            gaps = np.flatnonzero(~there)
            bridged[gaps] = np.interp(gaps, places, bridged[places]) if len(places) else 0.0
        return cls(np.append(0.0, np.cumsum(bridged)), np.append(0, np.cumsum(there)))

    def __len__(self) -> int:
        return len(self.sums) - 1

    def windows(self, scale: Scale, starts: np.ndarray) -> np.ndarray:
        """float32 (starts, cells): NaN throughout where most of a window is a gap."""
        edges = starts[:, None] + scale.cell * np.arange(scale.cells + 1)
        means = (np.diff(self.sums[edges], axis=1) / scale.cell).astype(np.float32)
        known = self.known[edges[:, -1]] - self.known[edges[:, 0]]
        means[known < LEAST_KNOWN * scale.rows] = np.nan
        return means

    def starts(self, scale: Scale, stride: int) -> np.ndarray:
        """int64: of windows, so many rows apart, and of the last one."""
        last = len(self) - scale.rows
        if last < 0:
            return np.zeros(0, np.int64)
        return np.unique(np.append(np.arange(0, last + 1, stride), last))
