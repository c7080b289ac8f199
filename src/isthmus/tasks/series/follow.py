"""Lines of a series as they come → an answer to each, by what was there until then."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np

from isthmus.data.series.source import plain_number
from isthmus.data.tables.schema import DELIMITERS, MISSING, Notation
from isthmus.data.tables.splitting import Splitter, value_of, without_ends
from isthmus.errors import UseError
from isthmus.model.series_detector import SeriesDetector
from isthmus.model.series_reasons import Explainer, Span
from isthmus.tasks.detect import FALSE_ALARMS, Alarm
from isthmus.tasks.lines import csv_lines
from isthmus.tasks.series.detect import COLUMNS, sentence

BEFORE = 64
"""Rows beside the longest window that are remembered, for reasons."""
MOST_LETTERS = 1 << 20
"""Of a line."""


class Answer(NamedTuple):
    """To one line; its fields are the columns of an answer, "" where nothing can be said."""

    row: int | str
    stamp: str
    anomaly_score: str
    p_value: str
    is_anomaly: int | str
    reason: str


class _Row(NamedTuple):
    """One line, read."""

    columns: tuple[str, ...]
    stamp: str
    when: int | float | None
    values: np.ndarray
    """float64 (channels,)."""


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
        self._delimiter: str | None = None
        self._columns: tuple[str, ...] | None = None
        self._is_named = False
        self._known = np.zeros((0, len(detector.channels)), np.float32)
        self._last = -np.inf
        self._rows = self._lines = 0

    def answer(self, line: str) -> Answer | None:
        """The answer to a line; None for one that names the columns, and for empty ones."""
        self._lines += 1
        if not line.strip():
            return None
        try:
            _refuse_unreadable(line)
            cells = self._cells(line.removeprefix("\ufeff"))
            if set(self._detector.channels) <= set(cells):
                self._columns, self._is_named = tuple(cells), True
                return None
            read = self._read(cells)
            if read.when is not None:
                if not read.when >= self._last:
                    raise ValueError(f"its stamp {read.stamp!r} lies before the one above.")
                self._last = read.when
        except ValueError as wrong:
            return Answer("", "", "", "", "", f"line {self._lines:,} is left out: {wrong}")
        self._columns = read.columns
        return self._judged(read.stamp, read.values)

    def _cells(self, line: str) -> list[str]:
        """Parted by what names the channels, gives cells that can be read, or as many as there must be."""
        if self._delimiter is not None:
            return _parted(line, self._delimiter)
        found = {delimiter: _parted(line, delimiter) for delimiter in DELIMITERS}
        names, lengths = set(self._detector.channels), {len(columns) for columns in self._layouts()}
        for fits in (names.issubset, self._is_readable, lambda cells: len(cells) in lengths - {1}):
            for delimiter, cells in found.items():
                if fits(cells):
                    self._delimiter = delimiter if len(cells) > 1 else None
                    return cells
        return found[DELIMITERS[0]]

    def _is_readable(self, cells: Sequence[str]) -> bool:
        try:
            self._read(cells)
        except ValueError:
            return False
        return True

    def _layouts(self) -> list[tuple[str, ...]]:
        """The columns that a line may have: those named, else the model's, and its stamp in front of them."""
        channels, stamp = self._detector.channels, self._detector.stamp
        if self._columns is not None and (self._is_named or len(self._columns) > len(channels)):
            return [self._columns]
        return [channels] if stamp is None else [(stamp.name, *channels), channels]

    def _read(self, cells: Sequence[str]) -> _Row:
        """A row; ValueError, with a sentence, for what is none."""
        layouts, detector = self._layouts(), self._detector
        columns = next((each for each in layouts if len(each) == len(cells)), None)
        if columns is None:
            raise ValueError(f"it must have {len(layouts[0]):,} cells; it has {len(cells):,}.")
        found = dict(zip(columns, cells, strict=True))
        values = np.array([_number(name, found[name], detector.notations) for name in detector.channels])
        stamp = detector.stamp
        if stamp is None or stamp.name not in found:
            return _Row(columns, "", None, values)
        text = found[stamp.name]
        try:
            return _Row(columns, text, stamp.read(text), values)
        except ValueError:
            raise ValueError(f"{stamp.name} must be a stamp; it is {text!r}.") from None

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


def _parted(line: str, delimiter: str) -> list[str]:
    """The cells of a line, without quotes and spaces around, parted as those of a file."""
    return [value_of(cell).strip() for cell in Splitter(delimiter).cells(without_ends(line))]


def lines_of(stream: BinaryIO) -> Iterator[str]:
    """Bytes as they come → lines; bytes that are no UTF-8 are lone surrogates, long lines are cut."""
    text = io.TextIOWrapper(stream, "utf-8", "surrogateescape")  # line ends of any kind
    try:
        while line := text.readline(MOST_LETTERS + 1):
            more = line
            while len(more) > MOST_LETTERS and not more.endswith("\n"):
                more = text.readline(MOST_LETTERS + 1)
            yield line
    finally:
        text.detach()  # the stream is not ours to close


def _refuse_unreadable(line: str) -> None:
    """Raise ValueError for a line that `lines_of` could not read as text."""
    if len(line) > MOST_LETTERS:
        raise ValueError(f"it must have at most {MOST_LETTERS:,} letters.")
    for place, letter in enumerate(line):
        if "\udc80" <= letter <= "\udcff":
            raise ValueError(f"it must be UTF-8; letter {place:,} is the byte 0x{ord(letter) - 0xDC00:02x}.")
    if "\0" in line:
        raise ValueError("it holds a zero byte.")


def _number(name: str, cell: str, notations: Mapping[str, Notation]) -> float:
    if cell in MISSING:
        return float("nan")
    try:
        if name not in notations:
            return plain_number(cell)
        from isthmus.data.tables.notation import number_in

        return number_in(cell, notations[name])
    except ValueError:
        raise ValueError(f"{name} must be a number; it is {cell!r}.") from None
