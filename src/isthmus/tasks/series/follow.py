"""Lines of a series as they come → an answer to each, by what was there until then."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from isthmus.data.tables.schema import MISSING
from isthmus.errors import UseError
from isthmus.model.series_detector import SeriesDetector
from isthmus.model.series_reasons import Explainer, Span
from isthmus.tasks.detect import FALSE_ALARMS, Alarm
from isthmus.tasks.lines import csv_lines
from isthmus.tasks.series.detect import COLUMNS, sentence

BEFORE = 64
"""Rows beside the longest window that are remembered, for reasons."""


class Answer(NamedTuple):
    """To one line; its fields are the columns of an answer, "" where nothing can be said."""

    row: int | str
    stamp: str
    anomaly_score: str
    p_value: str
    is_anomaly: int | str
    reason: str


class Follower:
    """Judges rows one by one; a row's score asks nothing of those that come later.

    Args:
        detector: made by `fit_series_detector`.
        alarm: which rows are reported: by the share of usual rows alone, as the others are not known yet.
    Raises:
        UseError: the alarm asks for more than can be known.
    """

    def __init__(self, detector: SeriesDetector, alarm: Alarm | None = None) -> None:
        alarm = alarm or Alarm()
        if alarm.discoveries is not None or alarm.contamination is not None:
            raise UseError(
                "Lines are judged as they come, so which share of all is reported is not known: "
                "use --false-alarms."
            )
        self._share = alarm.false_alarms or FALSE_ALARMS
        self._detector = detector
        self._columns: tuple[str, ...] | None = None
        self._known = np.zeros((0, len(detector.channels)), np.float32)
        self._last = -np.inf
        self._rows = self._lines = 0

    def answer(self, line: str) -> Answer | None:
        """The answer to a line; None for the line that names the columns, and for empty ones."""
        self._lines += 1
        if not line.strip():
            return None
        try:
            cells = [cell.strip() for cell in next(csv.reader([line.removeprefix("\ufeff")]))]
            if self._columns is None and self._names_columns(cells):
                return None
            stamp, values = self._read(cells)
        except (ValueError, csv.Error) as wrong:
            return Answer("", "", "", "", "", f"line {self._lines:,} is left out: {wrong}")
        return self._judged(stamp, values)

    def _names_columns(self, cells: Sequence[str]) -> bool:
        """Whether the first line names them; otherwise they are those of the model, in its order."""
        names = list(self._detector.channels)
        stamp = self._detector.stamp
        if set(names) <= set(cells):
            self._columns = tuple(cells)
            return True
        self._columns = tuple(names if stamp is None or len(cells) == len(names) else [stamp.name, *names])
        return False

    def _read(self, cells: Sequence[str]) -> tuple[str, np.ndarray]:
        """Stamp and float64 (channels,); ValueError, with a sentence, for what is none."""
        assert self._columns is not None
        if len(cells) != len(self._columns):
            raise ValueError(f"it must have {len(self._columns):,} cells; it has {len(cells):,}.")
        found = dict(zip(self._columns, cells, strict=True))
        stamp = self._detector.stamp
        text = "" if stamp is None else found.get(stamp.name, "")
        values = np.array([_number(name, found[name]) for name in self._detector.channels])
        if stamp is not None and stamp.name in found:
            try:
                when = stamp.read(text)
            except ValueError:
                raise ValueError(f"{stamp.name} must be a stamp; it is {text!r}.") from None
            if not when >= self._last:
                raise ValueError(f"its stamp {text!r} lies before the one above.")
            self._last = when
        return text, values

    def _judged(self, stamp: str, values: np.ndarray) -> Answer:
        detector = self._detector
        row, self._rows = self._rows, self._rows + 1
        mine = detector.in_spreads(values[None])
        self._known = np.concatenate([self._known, mine])[-(detector.longest + BEFORE) :]
        if row + 1 < detector.least:
            return Answer(row, stamp, "", "", 0, f"too early: {detector.least} rows are needed")
        last = len(self._known) - 1
        (score,), (channel,) = detector.score_until(self._known, np.array([last]))
        p = float(detector.p_values(np.array([score]), until=True)[0])
        odd = p <= self._share
        reason = self._reason(int(channel), last, row) if odd else ""
        return Answer(row, stamp, f"{score:.6g}", f"{p:.6g}", int(odd), reason)

    def _reason(self, channel: int, last: int, row: int) -> str:
        span = Span(last, last, last, (channel,))
        return sentence(Explainer(self._detector, self._known, None, row - last).reasons(span, until=True))


def follow(lines: Iterable[str], detector: SeriesDetector, alarm: Alarm | None = None) -> Iterator[str]:
    """The lines of a CSV: the names of its columns, then one answer for each line, as soon as it is there."""
    follower = Follower(detector, alarm)
    return csv_lines(COLUMNS, (answer for line in lines if (answer := follower.answer(line)) is not None))


def _number(name: str, cell: str) -> float:
    if cell in MISSING:
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"{name} must be a number; it is {cell!r}.") from None
