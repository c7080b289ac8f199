"""When the frames of a clip are shown: whole ticks, kept as runs of equal steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from isthmus.errors import DamagedFile

MOST_TICKS = 1 << 62
"""A time may be so far from 0, so that all differences fit into 64 bits."""

_SAME_S = 1e-9
"""Times that are no further apart are the same."""


@dataclass(frozen=True)
class Times:
    """Of each frame, in ticks.

    >>> times = Times.of([100, 140, 180, 200])
    >>> times.runs, times.ticks.tolist() == [100, 140, 180, 200]
    (((40, 2), (20, 1)), True)
    """

    first: int
    runs: tuple[tuple[int, int], ...]
    """A step, and how many frames follow one another by it."""

    @classmethod
    def of(cls, ticks: Sequence[int]) -> Times:
        """From the times themselves, at least one."""
        steps = (after - before for before, after in pairwise(ticks))
        return cls(ticks[0], tuple((step, len(list(group))) for step, group in groupby(steps)))

    @property
    def count(self) -> int:
        """Frames."""
        return 1 + sum(count for _, count in self.runs)

    @property
    def ticks(self) -> np.ndarray:
        """All times, int64."""
        steps = [np.full(count, step, np.int64) for step, count in self.runs]
        return np.cumsum(np.concatenate([np.array([self.first], np.int64), *steps]))

    def within(self, start_s: float, stop_s: float, tick_s: Fraction) -> np.ndarray:
        """The numbers of the frames shown from `start_s` on, before `stop_s`, counted from the first one.

        A frame is shown until the next one is, so one may have begun before `start_s`; the last one is shown
        for as long as the last step forward. A start before the first frame means the first frame.
        """
        since_s = (self.ticks - self.first) * float(tick_s)
        forward = [step for step, _ in self.runs if step > 0]
        lasts_s = forward[-1] * float(tick_s) if forward else float("inf")
        until_s = np.maximum(np.append(since_s[1:], since_s[-1] + lasts_s), since_s)
        goes_on = (since_s >= start_s - _SAME_S) | (until_s > max(start_s, since_s.min()) + _SAME_S)
        return np.flatnonzero(goes_on & (since_s < stop_s - _SAME_S))

    def summary(self, tick_s: Fraction) -> str:
        """For people."""
        first, last = (float(int(each) * tick_s) for each in (self.ticks.min(), self.ticks.max()))
        return f"{self.count:,} times from {first:g} s to {last:g} s"

    def to_list(self) -> list[Any]:
        """JSON-ready."""
        return [self.first, [list(run) for run in self.runs]]

    @classmethod
    def from_list(cls, values: Any, most: int) -> Times:
        """Undo `to_list`; DamagedFile for anything else, or more frames than `most`."""
        try:
            first, runs = values
            flat = [first, *(number for run in runs for number in run)]
            pairs = tuple((step, count) for step, count in runs)
        except (TypeError, ValueError):
            raise DamagedFile("The times of a clip are not told as they must be.") from None
        whole = all(type(each) is int for each in flat)
        if not whole or any(count < 1 for _, count in pairs) or sum(count for _, count in pairs) >= most:
            raise DamagedFile("The times of a clip are not told as they must be.")
        reached = [first]
        for step, count in pairs:
            reached.append(reached[-1] + step * count)
        if max(map(abs, reached)) >= MOST_TICKS:
            raise DamagedFile("The times of a clip are not told as they must be.")
        return cls(first, pairs)
