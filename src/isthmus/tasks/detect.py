"""A table → how odd each row is, which rows to look at, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.config import require
from isthmus.data.source import Skipped
from isthmus.data.tables import Column, Schema, Table, TableSource, is_table, open_table
from isthmus.data.tables.tablefile import joined
from isthmus.errors import NoData, UseError
from isthmus.files import refuse_existing
from isthmus.model import as_kind
from isthmus.model.detector import Detector
from isthmus.model.reasons import Reason, reasons, sentence
from isthmus.scoring.conformal import discoveries
from isthmus.tasks.learning import Say, model_path, require_training
from isthmus.tasks.lines import csv_lines, write_lines
from isthmus.tasks.results import Result, not_looked_at, notices_of, refuse_notices
from isthmus.tasks.tables.writing import known_rows_of

MODES = ("contaminated", "novelty")
FALSE_ALARMS = 0.01
"""Of usual rows, that are reported where nothing else is asked for."""
LEARN_ROWS = 50_000
"""Rows that a detector learns from; of more, a random choice."""
MOST_REASONS = 1000
"""Rows that are explained, the oddest first."""
AS_ASKED = "as asked"
"""Why a column is not looked at."""
COLUMNS = ("row", "anomaly_score", "p_value", "is_anomaly", "reason")


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Which rows are reported; at most one of them is given."""

    false_alarms: float | None = None
    """Share of usual rows that may be reported."""
    discoveries: float | None = None
    """Share of the reported rows that may be usual."""
    contamination: float | None = None
    """Share of all rows that is reported."""

    def __post_init__(self) -> None:
        given = {name: share for name, share in vars(self).items() if share is not None}
        if len(given) > 1:
            raise UseError(f"Only one of {', '.join(given)} can say which rows are reported.")
        for name, share in given.items():
            require(0 < share < 1, name, "between 0 and 1", share)

    def raised(self, scores: np.ndarray, p: np.ndarray) -> np.ndarray:
        """bool (rows,)."""
        if self.discoveries is not None:
            return discoveries(p, self.discoveries)
        if self.contamination is not None:
            count = round(self.contamination * len(scores))
            found = np.zeros(len(scores), bool)
            found[np.argsort(-scores, kind="stable")[:count]] = True
            return found
        return p <= (self.false_alarms or FALSE_ALARMS)

    def told(self) -> str:
        """In words."""
        if self.discoveries is not None:
            return f"at most {self.discoveries:.0%} of them usual rows, as expected"
        if self.contamination is not None:
            return f"the oddest {self.contamination:.2%} of all rows"
        return f"as odd as {self.false_alarms or FALSE_ALARMS:.2%} of usual rows or odder"


@dataclass(frozen=True)
class DetectorResult(Result):
    """What `fit_detector` made."""

    model_path: Path | None
    rows: int
    columns: int
    unused: tuple[Skipped, ...]
    """Columns that are not looked at, each with the reason."""
    mode: str
    seconds: float
    detector: Detector = field(repr=False)

    def summary(self) -> str:
        """One line for a terminal."""
        where = f" → {self.model_path}" if self.model_path else ""
        size = f"{self.rows:,} rows of {self.columns:,} columns"
        return f"Learned what is usual in {size} in {self.seconds:.1f} s{where}"


@dataclass(frozen=True)
class DetectResult(Result):
    """What `detect` found."""

    rows: int
    anomalies: int
    told: str
    """Which rows are reported."""
    output: Path | None
    oddest: tuple[tuple[int, float, str], ...]
    """Row, score, reason: of up to ten reported rows."""
    unused: tuple[Skipped, ...]
    scores: np.ndarray = field(repr=False)
    p_values: np.ndarray = field(repr=False)
    is_anomaly: np.ndarray = field(repr=False)
    reasons: Mapping[int, list[Reason]] = field(repr=False)
    """By row, of the oddest reported ones."""
    detector: Detector = field(repr=False)

    def summary(self) -> str:
        """One line for a terminal, and one for the oddest row."""
        where = f" → {self.output}" if self.output else ""
        first = f"{self.rows:,} rows, {self.anomalies:,} reported ({self.told}){where}"
        if not self.oddest:
            return first
        row, _, reason = self.oddest[0]
        return f"{first}\noddest: row {row:,}: {reason}"


def fit_detector(
    source: Any,
    output: str | Path | None = None,
    *,
    mode: str = "contaminated",
    schema: Schema | None = None,
    ignore: Sequence[str] = (),
    header: bool | None = None,
    budget_s: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    force: bool = False,
    strict: bool = False,
    say: Say = lambda line: None,
) -> DetectorResult:
    """Learn what is usual in a table.

    Args:
        source: a path, a matrix, a DataFrame, or an opened TableSource.
        output: the .ism file; None keeps the detector in memory.
        mode: "contaminated" where odd rows may hide in it, "novelty" where all rows are usual.
        schema: kinds of columns that are known better than their cells tell.
        ignore: columns that are left out, such as labels; the detector remembers them.
        header: whether a text file's first row names the columns; None looks.
        budget_s: seconds to train at most.
        steps: of training; None takes 300, whatever the number of rows.
        seed: of everything random.
        skip_bad: leave rows out that cannot be read.
        force: replace an existing output.
        strict: refuse to leave anything out that was not asked to be.
        say: told in a line each what was seen.
    Raises:
        SpecMismatch: a column to ignore that is not there.
        UseError: `strict`, and something would be left out.
    """
    require(mode in MODES, "mode", " or ".join(MODES), mode)
    require(steps is None or steps >= 1, "steps", "at least 1", steps)
    path = model_path(output, force=force)
    require_training("torch")
    table_source = opened(source, schema, header, skip_bad, ignore=ignore)
    if not any(column.used for column in table_source.schema):
        raise NoData(f"No column of {table_source.name} is left to look at. Ignore fewer.")
    table, rows = sampled(table_source, seed)
    refuse_notices(notices := notices_of(table_source), strict=strict)
    say(f"{rows:,} rows of {table_source.schema.summary()}")
    from isthmus.training.detecting import train_detector

    detector = train_detector(table, mode, seed=seed, budget_s=budget_s, steps=steps)
    if path is not None and not isinstance(source, (np.ndarray, TableSource)) and is_table(source):
        detector = replace(detector, known_rows=known_rows_of(source, header=header))
    ignored = tuple(column.name for column in table_source.schema if not column.used)
    detector = replace(detector, ignored=ignored)
    _, unused = unused_columns(table_source.schema, detector)
    for line in not_looked_at(unused):
        say(line)
    if path is not None:
        detector.save(path, force=force)
    return DetectorResult(
        model_path=path,
        rows=rows,
        columns=len(detector.features.columns),
        unused=unused,
        mode=mode,
        seconds=float(detector.provenance["seconds"]),
        notices=notices,
        detector=detector,
    )


def detect(
    source: Any,
    detector: Any = None,
    output: str | Path | None = None,
    *,
    mode: str = "contaminated",
    alarm: Alarm | None = None,
    schema: Schema | None = None,
    ignore: Sequence[str] = (),
    header: bool | None = None,
    budget_s: float | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    force: bool = False,
    strict: bool = False,
    say: Say = lambda line: None,
) -> DetectResult:
    """Score every row of a table.

    Args:
        source: as for `fit_detector`.
        detector: made by `fit_detector`, or its path; None fits one on the table itself.
        output: a .csv of the columns row (counted from 0), anomaly_score, p_value, is_anomaly, reason.
        alarm: which rows are reported; None reports what is as odd as 1 % of usual rows.
        ignore: columns that are left out; of a detector's table, those that it does not know either.
        mode, schema, header, budget_s, seed, skip_bad, force, strict, say: as for `fit_detector`.
    Raises:
        SpecMismatch: the table lacks a column that the detector knows.
        UseError: `strict`, and something would be left out; or the detector looks at an ignored column.
    """
    output, alarm = None if output is None else Path(output), alarm or Alarm()
    if output is not None:
        refuse_existing(output, force=force)
    known = None if detector is None else as_kind(detector, Detector)
    like = None if known is None else known.features.schema
    if like is not None:
        refuse_ignored(ignore, like.names)
    table_source = opened(source, schema, header, skip_bad, like=like, ignore=ignore)
    if known is None:
        known = fit_detector(table_source, mode=mode, budget_s=budget_s, seed=seed, say=say).detector
    unknown, asked = unused_columns(table_source.schema, known)
    for line in not_looked_at(asked) if detector is not None else ():  # or fitting has said so
        say(line)
    scores = np.concatenate([known.scores(part) for part in table_source.chunks(known.features.schema)])
    notices = (
        *notices_of(table_source),
        *not_looked_at(unknown),
        *other_kinds(table_source.schema, known.features.schema),
    )
    refuse_notices(notices, strict=strict)
    p = known.p_values(scores)
    raised = alarm.raised(scores, p)
    why = _reasons(table_source, known, scores, raised)
    order = [int(row) for row in np.argsort(-scores, kind="stable")[:10] if raised[row]]
    result = DetectResult(
        rows=len(scores),
        anomalies=int(raised.sum()),
        told=alarm.told(),
        output=output,
        oddest=tuple((row, round(float(scores[row]), 4), sentence(why.get(row, []))) for row in order),
        unused=(*unknown, *asked),
        notices=notices,
        scores=scores,
        p_values=p,
        is_anomaly=raised,
        reasons=why,
        detector=known,
    )
    if output is not None:
        write_lines(output, score_lines(result), force=force)
    return result


def sampled(source: TableSource, seed: int, most: int = LEARN_ROWS) -> tuple[Table, int]:
    """A random choice of the rows in their order, all of them where there are few; and how many there are.

    Every row gets a random number, and those with the least stay: each chunk is read once.
    """
    random = np.random.default_rng(seed)
    kept: list[Table] = []
    numbers: list[np.ndarray] = []
    rows, limit = 0, np.inf
    for part in source.chunks():
        mine = random.random(len(part))
        rows += len(part)
        some = np.flatnonzero(mine <= limit)
        kept.append(part.take(some))
        numbers.append(mine[some])
        if sum(map(len, numbers)) > 2 * most:
            kept, numbers, limit = _fewer(kept, numbers, most)
    kept, numbers, _ = _fewer(kept, numbers, most)
    return kept[0], rows


def _fewer(
    kept: list[Table], numbers: list[np.ndarray], most: int
) -> tuple[list[Table], list[np.ndarray], float]:
    table, drawn = joined(kept), np.concatenate(numbers)
    if len(drawn) <= most:
        return [table], [drawn], np.inf
    limit = float(np.partition(drawn, most - 1)[most - 1])
    some = np.flatnonzero(drawn <= limit)
    return [table.take(some)], [drawn[some]], limit


def unused_columns(schema: Schema, detector: Detector) -> tuple[tuple[Skipped, ...], tuple[Skipped, ...]]:
    """The columns of a table that a detector does not look at, each with the reason.

    Returns:
        Those that nobody asked to leave out here, and those that were asked to be.
    """
    known = set(detector.features.schema.names)
    unknown = [column.name for column in schema if column.used and column.name not in known]
    asked = [column.name for column in schema if not column.used]
    return (
        tuple(Skipped(name, unknown_to(detector.ignored, name)) for name in unknown),
        tuple(Skipped(name, AS_ASKED) for name in asked),
    )


def unknown_to(ignored: Sequence[str], name: str) -> str:
    """Why a model does not look at a column that it does not know."""
    return "the model was made without it" if name in ignored else "the model does not know it"


def other_kinds(schema: Schema, known: Schema) -> Iterator[str]:
    """A sentence for each column that holds something else than the model knows of it."""
    here = {column.name: column for column in schema}
    for column in known:
        mine = here[column.name]
        families = {column.family, mine.family}
        if len(families) > 1 and "empty" not in families:
            yield f"not as the model knows it: {column.name} ({mine.kind} here, {column.kind} in the model)"


def refuse_ignored(ignore: Sequence[str], known: Sequence[str]) -> None:
    """Raise UseError where a model looks at what is to be ignored."""
    for name in ignore:
        if name in known:
            raise UseError(
                f"The model looks at {name!r}, so it cannot be ignored here. "
                f"Fit one without it: isthmus fit SOURCE --ignore {name}"
            )


def opened(
    source: Any,
    schema: Schema | None,
    header: bool | None,
    skip_bad: bool,
    *,
    like: Schema | None = None,
    ignore: Sequence[str] = (),
) -> TableSource:
    """A table, with what is known better of its columns; one that is open already stays as it is."""
    if isinstance(source, TableSource):
        return source
    wishes: dict[str, Column] = {} if schema is None else {column.name: column for column in schema}
    return open_table(source, wishes=wishes, like=like, ignore=ignore, header=header, skip_bad=skip_bad)


def _reasons(
    source: TableSource, detector: Detector, scores: np.ndarray, raised: np.ndarray
) -> dict[int, list[Reason]]:
    """Of the oddest reported rows."""
    asked = np.sort(np.flatnonzero(raised)[np.argsort(-scores[raised], kind="stable")[:MOST_REASONS]])
    found: dict[int, list[Reason]] = {}
    start = 0
    for part in source.chunks(detector.features.schema) if len(asked) else ():
        mine = asked[(asked >= start) & (asked < start + len(part))]
        found |= dict(zip(mine.tolist(), reasons(detector, part, (mine - start).tolist()), strict=True))
        start += len(part)
    return found


def score_lines(result: DetectResult) -> Iterator[str]:
    """The lines of a CSV: the names of its columns, then one for each row."""
    figures = zip(result.scores, result.p_values, result.is_anomaly, strict=True)
    told = (
        (row, f"{score:.6g}", f"{p:.6g}", int(odd), sentence(result.reasons.get(row, [])))
        for row, (score, p, odd) in enumerate(figures)
    )
    return csv_lines(COLUMNS, told)
