"""A series → how odd each of its rows is, which to look at, and why."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.config import require
from isthmus.data.series import SeriesSource, open_series
from isthmus.data.source import Skipped
from isthmus.data.tables import Schema
from isthmus.errors import NoData, SpecMismatch
from isthmus.files import refuse_existing
from isthmus.model import as_kind
from isthmus.model.series_detector import (
    LEAST_KEPT,
    MODES,
    MOST_CELLS,
    MOST_ROWS,
    STRETCHES,
    SeriesDetector,
)
from isthmus.model.series_reasons import Explainer, Span, SpanReason, spans_of
from isthmus.scoring.windows import LEAST_ROWS, SHORT
from isthmus.tasks.detect import AS_ASKED, Alarm, refuse_ignored, unknown_to
from isthmus.tasks.lines import csv_lines, write_lines
from isthmus.tasks.results import Result, not_looked_at, refuse_notices

COLUMNS = ("row", "stamp", "anomaly_score", "p_value", "is_anomaly", "reason")
MOST_SPANS = 200
"""That are explained, the oddest first."""


@dataclass(frozen=True)
class SeriesDetectorResult(Result):
    """What `fit_series_detector` made."""

    model_path: Path | None
    rows: int
    channels: int
    period: int | None
    notes: tuple[str, ...]
    """What was found about stamps."""
    mode: str
    seconds: float
    detector: SeriesDetector = field(repr=False)

    def summary(self) -> str:
        """One line for a terminal."""
        where = f" → {self.model_path}" if self.model_path else ""
        channels = f"{self.channels:,} channel{'s' * (self.channels > 1)}"
        every = "no period" if self.period is None else f"a period of {self.period:,} rows"
        size = f"{self.rows:,} rows of {channels} with {every}"
        return f"Learned what is usual in {size} in {self.seconds:.1f} s{where}"


@dataclass(frozen=True)
class SeriesDetectResult(Result):
    """What `detect_series` found; rows are in the order of their stamps."""

    rows: int
    anomalies: int
    spans: int
    """Stretches of reported rows."""
    told: str
    """Which rows are reported."""
    output: Path | None
    oddest: tuple[tuple[int, int, float, str], ...]
    """First row, last row, highest score, reason: of up to ten spans."""
    notes: tuple[str, ...]
    """What was found about stamps."""
    numbers: np.ndarray = field(repr=False)
    """int64 (rows,): of the rows in the file."""
    scores: np.ndarray = field(repr=False)
    p_values: np.ndarray = field(repr=False)
    is_anomaly: np.ndarray = field(repr=False)
    reasons: tuple[tuple[Span, list[SpanReason]], ...] = field(repr=False)
    """Of the oddest spans, in their order."""
    detector: SeriesDetector = field(repr=False)
    source: SeriesSource = field(repr=False)

    def summary(self) -> str:
        """One line for a terminal, and one for the oddest span."""
        where = f" → {self.output}" if self.output else ""
        spans = f"in {self.spans:,} span{'s' * (self.spans != 1)}"
        first = f"{self.rows:,} rows, {self.anomalies:,} reported {spans} ({self.told}){where}"
        return f"{first}\noddest: {self.oddest[0][3]}" if self.oddest else first


def fit_series_detector(
    source: Any,
    output: str | Path | None = None,
    *,
    mode: str = "contaminated",
    stamp: str | None = None,
    schema: Schema | None = None,
    ignore: Sequence[str] = (),
    header: bool | None = None,
    skip_bad: bool = False,
    force: bool = False,
    strict: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> SeriesDetectorResult:
    """Learn what is usual in a series; needs no PyTorch.

    Args:
        source: as for `open_series`, or an opened SeriesSource.
        output: the .ism file; None keeps the detector in memory.
        mode: "contaminated" where odd rows may hide in it, "novelty" where all rows are usual.
        stamp: the column that says when; None looks for it.
        schema: kinds of columns that are known better than their cells tell.
        ignore: columns that are left out, such as labels; the detector remembers them.
        header: whether a text file's first row names the columns; None looks.
        skip_bad: leave rows out that cannot be read.
        force: replace an existing output.
        strict: refuse where rows, cells or columns would be left out, or rows moved.
        say: told in a line each what was seen.
    Raises:
        NoData: there are too few rows.
        UseError: `strict`, and something would be left out.
    """
    require(mode in MODES, "mode", " or ".join(MODES), mode)
    output = None if output is None else Path(output)
    if output is not None:
        refuse_existing(output, force=force)
    started = time.monotonic()
    series = _opened(source, stamp, schema, ignore, header, skip_bad, say)
    count, stretches = _stretches(series)
    if count < LEAST_ROWS:
        raise NoData(
            f"{series.name} must have at least {LEAST_ROWS} rows to tell what is usual; it has {count:,}."
        )
    say(f"{count:,} rows of {series.summary()}")
    made: dict[str, Any] = {"rows": count}
    detector = SeriesDetector.learn(stretches, series, mode, made)
    refuse_notices(notices := notices_of_series(series), strict=strict)
    made["seconds"] = seconds = round(time.monotonic() - started, 3)
    if output is not None:
        detector.save(output, force=force)
    return SeriesDetectorResult(
        model_path=output,
        rows=count,
        channels=len(series.channels),
        period=detector.period,
        notes=series.notes,
        mode=mode,
        seconds=seconds,
        notices=notices,
        detector=detector,
    )


def detect_series(
    source: Any,
    detector: Any = None,
    output: str | Path | None = None,
    *,
    mode: str = "contaminated",
    alarm: Alarm | None = None,
    stamp: str | None = None,
    schema: Schema | None = None,
    ignore: Sequence[str] = (),
    header: bool | None = None,
    skip_bad: bool = False,
    force: bool = False,
    strict: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> SeriesDetectResult:
    """Score every row of a series; needs no PyTorch.

    Args:
        source: as for `fit_series_detector`.
        detector: made by it, or its path; None fits one on the series itself.
        output: a .csv of the columns row (counted from 0 in the file), stamp, anomaly_score, p_value,
            is_anomaly, reason, in the order of the stamps.
        alarm: which rows are reported; None reports what is as odd as 1 % of usual rows.
        ignore: columns that are left out; of a detector's series, those that it does not know either.
        mode, stamp, schema, header, skip_bad, force, strict, say: as for `fit_series_detector`.
    Raises:
        SpecMismatch: the series lacks a channel that the detector knows.
    """
    output, alarm = None if output is None else Path(output), alarm or Alarm()
    if output is not None:
        refuse_existing(output, force=force)
    known = None if detector is None else as_kind(detector, SeriesDetector)
    if known is not None:
        refuse_ignored(ignore, known.channels)
    series = _opened(source, stamp, schema, ignore, header, skip_bad, say)
    place = 0 if known is None else None
    detector = known or fit_series_detector(series, mode=mode, say=say).detector
    numbers, rows = _in_spreads(series, detector)
    notices = (*notices_of_series(series), *_unknown(series, detector))
    refuse_notices(notices, strict=strict)
    if len(rows) < SHORT:
        raise NoData(f"{series.name} must have at least {SHORT} rows to be judged; it has {len(rows):,}.")
    scores, channels = detector.score(rows, place)
    p = detector.p_values(scores)
    raised = alarm.raised(scores, p)
    spans = spans_of(raised, scores, channels, bridged=detector.least)
    some = sorted(spans, key=lambda span: -scores[span.oddest])[:MOST_SPANS]
    explainer = Explainer(detector, rows, place)
    why = {span: _in_file(explainer.reasons(span), numbers) for span in some}
    del explainer, rows  # before the file is read for its stamps: they are most of the memory
    result = SeriesDetectResult(
        rows=len(scores),
        anomalies=int(raised.sum()),
        spans=len(spans),
        told=alarm.told(),
        output=output,
        oddest=tuple(
            (int(numbers[s.first]), int(numbers[s.last]), round(float(scores[s.oddest]), 4), sentence(why[s]))
            for s in some[:10]
        ),
        notes=series.notes,
        notices=notices,
        numbers=numbers,
        scores=scores,
        p_values=p,
        is_anomaly=raised,
        reasons=tuple((span, why[span]) for span in spans if span in why),
        detector=detector,
        source=series,
    )
    if output is not None:
        write_lines(output, score_lines(result), force=force)
    return result


def _in_file(why: list[SpanReason], numbers: np.ndarray) -> list[SpanReason]:
    """With the rows' numbers in the file, where their stamps put them in another order."""
    return [replace(one, first=int(numbers[one.first]), last=int(numbers[one.last])) for one in why]


def sentence(why: list[SpanReason]) -> str:
    """All reasons of a span in one."""
    return "; ".join(reason.sentence() for reason in why)


def score_lines(result: SeriesDetectResult) -> Iterator[str]:
    """The lines of a CSV: the names of its columns, then one for each row."""
    reasons: dict[int, str] = {}
    for span, why in result.reasons:
        reasons |= dict.fromkeys(range(span.first, span.last + 1), sentence(why))
    stamps = repeat("") if result.source.stamp is None else result.source.stamp_texts()
    figures = zip(stamps, result.numbers, result.scores, result.p_values, result.is_anomaly, strict=False)
    told = (
        (row, stamp, f"{score:.6g}", f"{p:.6g}", int(odd), reasons.get(at, "") if odd else "")
        for at, (stamp, row, score, p, odd) in enumerate(figures)
    )
    return csv_lines(COLUMNS, told)


def _opened(
    source: Any,
    stamp: str | None,
    schema: Schema | None,
    ignore: Sequence[str],
    header: bool | None,
    skip_bad: bool,
    say: Callable[[str], None],
) -> SeriesSource:
    if isinstance(source, SeriesSource):
        return source
    series = open_series(source, stamp=stamp, schema=schema, ignore=ignore, header=header, skip_bad=skip_bad)
    for line in (*series.notes, *not_looked_at(Skipped(name, AS_ASKED) for name in series.left_out)):
        say(line)
    return series


def notices_of_series(series: SeriesSource) -> tuple[str, ...]:
    """Of a series that was read: what is no part of it, and whether its rows were moved."""
    left_out = tuple(f"left out: {each}" for each in series.skipped)
    return (*left_out, *not_looked_at(series.ignored), *series.moved)


def _unknown(series: SeriesSource, detector: SeriesDetector) -> tuple[str, ...]:
    """Channels that the detector does not know, or knows by another name."""
    unknown = [name for name in series.channels if name not in detector.channels]
    if len(series.channels) == len(detector.channels) == len(unknown) == 1:
        return (f"the channel {unknown[0]!r} is judged as {detector.channels[0]!r}, as there is no other",)
    return not_looked_at(Skipped(name, unknown_to(detector.ignored, name)) for name in unknown)


def _stretches(series: SeriesSource) -> tuple[int, list[tuple[int, np.ndarray]]]:
    """How many rows there are, and all of them, or evenly spaced stretches where they are many."""
    most = min(MOST_ROWS, max(LEAST_KEPT, MOST_CELLS // len(series.channels)))
    count = _count(series)
    if count <= most:
        return count, [(0, series.whole().values)] if count else []
    length = most // STRETCHES
    starts = np.linspace(0, count - length, STRETCHES).astype(int)
    kept: list[list[np.ndarray]] = [[] for _ in starts]
    begin = 0
    for part in series.parts():
        for mine, start in zip(kept, starts, strict=True):
            low, high = max(start, begin), min(start + length, begin + len(part.rows))
            if low < high:
                mine.append(part.values[low - begin : high - begin].copy())
        begin += len(part.rows)
    return count, [(int(start), np.concatenate(mine)) for start, mine in zip(starts, kept, strict=True)]


def _in_spreads(series: SeriesSource, detector: SeriesDetector) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the rows, and float32 (rows, channels of the detector)."""
    lacking = [name for name in detector.channels if name not in series.channels]
    if lacking and len(detector.channels) == len(series.channels) == 1:
        lacking, places = [], [0]  # the only channel, whatever its name
    if lacking:
        raise SpecMismatch(
            f"The model was made for a series with the channel {lacking[0]!r}; this one has "
            f"{', '.join(map(repr, series.channels[:12]))}. "
            "Give a series like that one, or fit a model on this."
        )
    places = [series.channels.index(name) if name in series.channels else 0 for name in detector.channels]
    count = _count(series)
    numbers, rows = np.empty(count, np.int64), np.empty((count, len(places)), np.float32)
    start = 0
    for part in series.parts():  # straight into their place: they are most of the memory
        some = slice(start, start := start + len(part.rows))
        numbers[some], rows[some] = part.rows, detector.in_spreads(part.values[:, places])
    return numbers, rows


def _count(series: SeriesSource) -> int:
    """Rows of a series."""
    return sum(len(part.rows) for part in series.parts()) if series.stamps is None else len(series.stamps)
