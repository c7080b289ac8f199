"""A table → the table with its wrong cells mended where that is sure, suggestions, and a log of every change.

Nothing is changed below the confidence asked for. Images take another road, tasks/items.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.config import require
from isthmus.data.names import fitted
from isthmus.data.tables import Schema, TableSource
from isthmus.errors import UseError
from isthmus.files import refuse_existing
from isthmus.model.detector import Detector
from isthmus.tasks.clean_result import LOG, CleanResult, log_lines
from isthmus.tasks.imputing import imputed
from isthmus.tasks.issue import Issue
from isthmus.tasks.issues import find_issues
from isthmus.tasks.items import ItemsResult, clean_items, holds_items
from isthmus.tasks.lines import csv_lines, write_lines
from isthmus.tasks.mending import mended_frame, mended_rows
from isthmus.tasks.repeated_rows import near_repeats, repeats
from isthmus.tasks.results import notices_of, refuse_notices

CONFIDENCE = 0.9
"""From which on a cell is mended; of such changes, about so many are right."""

DUPLICATES_SHOWN = 10_000


def clean(
    source: Any,
    output: str | Path | None = None,
    *,
    log: str | Path | None = None,
    confidence: float | None = None,
    suggest: bool = False,
    schema: Schema | None = None,
    header: bool | None = None,
    skip_bad: bool = False,
    impute: bool = False,
    odd_rows: bool = False,
    dry_run: bool = False,
    strict: bool = False,
    force: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> CleanResult | ItemsResult:
    """Find wrong cells, and mend those that are known; of images, find those that are no use.

    Args:
        source: a path, a matrix, a DataFrame, or an opened TableSource; or images, see `clean_items`.
        output: a .csv of the mended table, or a folder for the images that are kept; None writes none.
        log: a .csv of the changes; None puts it beside the output, NAME.changes.csv.
        confidence: from which on a cell is mended, 0 to 1; below it, a change is only suggested. None is 0.9.
        suggest: change nothing, and suggest all changes.
        schema: kinds of columns that are known better than their cells tell.
        header: whether a text file's first row names the columns; None looks.
        skip_bad: leave rows out that cannot be read.
        impute: fill missing cells by autoencoders too, where they guess known ones well; takes PyTorch.
        odd_rows: list rows that are anomalous as a whole too, as `detect` finds them; takes PyTorch.
        dry_run: find, and write nothing.
        strict: refuse to write where anything would be left out.
        force: replace existing outputs.
        say: told in a line each what was seen.

    confidence, suggest, schema, header, impute and odd_rows are for tables alone.
    """
    if holds_items(source):
        wishes = {"--confidence": confidence is not None, "--suggest": suggest, "--schema": schema,
                  "--impute": impute, "--header": header is not None, "--odd-rows": odd_rows}  # fmt: skip
        _require_no_wishes(source, [name for name, given in wishes.items() if given])
        return clean_items(source, output, log=log, dry_run=dry_run, strict=strict, force=force, say=say)
    return clean_table(
        source,
        output,
        log=log,
        confidence=confidence,
        suggest=suggest,
        schema=schema,
        header=header,
        skip_bad=skip_bad,
        impute=impute,
        odd_rows=odd_rows,
        dry_run=dry_run,
        strict=strict,
        force=force,
        say=say,
    )


def clean_table(
    source: Any,
    output: str | Path | None = None,
    *,
    log: str | Path | None = None,
    confidence: float | None = None,
    suggest: bool = False,
    schema: Schema | None = None,
    header: bool | None = None,
    skip_bad: bool = False,
    impute: bool = False,
    odd_rows: bool = False,
    dry_run: bool = False,
    strict: bool = False,
    force: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> CleanResult:
    """The same of tables alone; for the arguments see `clean`."""
    from isthmus.tasks.detect import fit_detector, opened  # takes PyArrow, which images do without

    confidence = CONFIDENCE if confidence is None else confidence
    require(0 < confidence <= 1, "confidence", "above 0 and at most 1", confidence)
    output = None if output is None or dry_run else Path(output)
    log = _log_beside(output, log, dry_run)
    _require_csv(output, log, force=force)
    table_source: TableSource = opened(source, schema, header, skip_bad)
    table = table_source.whole()
    notices = notices_of(table_source)
    refuse_notices(notices, strict=strict)
    say(f"{len(table):,} rows of {table_source.schema.summary()}")
    detector = fit_detector(table_source).detector if odd_rows or impute else None
    issues = find_issues(table)
    if impute and detector is not None:
        issues = _filled(issues, imputed(table, detector))
    proposed = [issue for issue in issues if issue.new is not None]
    changes = [issue for issue in proposed if issue.confidence >= confidence and not suggest]
    repeated, nearly = repeats(table), near_repeats(table)
    result = CleanResult(
        rows=len(table),
        changed=len(changes),
        suggested=len(proposed) - len(changes),
        unmended=sum(issue.new is None and issue.old is not None for issue in issues),
        missing=int(sum(cells.missing.sum() for cells in table.columns)),
        duplicates=len(repeated),
        near_duplicates=len(nearly),
        by_column=dict(Counter(issue.column for issue in issues)),
        output=output,
        log=log,
        notices=notices,
        issues=tuple(issues),
        changes=tuple(changes),
        suggestions=tuple(issue for issue in proposed if issue.confidence < confidence or suggest),
        frame=mended_frame(source, table_source, changes),
        duplicate_rows=tuple(repeated[:DUPLICATES_SHOWN]),
        near_duplicate_rows=tuple(nearly[:DUPLICATES_SHOWN]),
        odd_rows=tuple(_odd_rows(table_source, detector)) if odd_rows and detector is not None else (),
    )
    if output is not None:
        write_lines(output, csv_lines(table.schema.names, mended_rows(table_source, changes)), force=force)
    if log is not None:
        write_lines(log, csv_lines(LOG, log_lines(result, suggest=suggest)), force=force)
    return result


class Cleaner:
    """What is wrong with a table, for a notebook: find, report, get.

    >>> import numpy as np
    >>> told = Cleaner(np.array([[1, 5, 2, 7], [2, 6, 3, 8], [1, 5, 2, 7]])).find_issues().report()
    >>> "1 rows repeat another" in told
    True
    """

    def __init__(self, source: Any, *, confidence: float | None = None, schema: Schema | None = None) -> None:
        self._source, self._confidence, self._schema = source, confidence, schema
        self._found: CleanResult | None = None

    def find_issues(self) -> Cleaner:
        """Look at every cell and row."""
        self._found = clean_table(
            self._source, confidence=self._confidence, schema=self._schema, dry_run=True
        )
        return self

    def report(self) -> str:
        """What was found, in a few lines."""
        return self._result.summary()

    def get_issues(self, column: str | None = None) -> Any:
        """A pandas DataFrame: row, column, old, new, confidence, reason; of one column, or of all."""
        import pandas as pd

        issues = [issue for issue in self._result.issues if column in (None, issue.column)]
        return pd.DataFrame([[getattr(issue, name) for name in LOG] for issue in issues], columns=list(LOG))

    @property
    def _result(self) -> CleanResult:
        if self._found is None:
            self.find_issues()
        assert self._found is not None
        return self._found


def _filled(issues: list[Issue], guesses: Iterable[Issue]) -> list[Issue]:
    """With the guess for each missing cell that nothing surer is known of."""
    known = {(issue.row, issue.column): issue for issue in issues}
    for guess in guesses:
        before = known.get((guess.row, guess.column))
        if before is None or before.new is None or before.confidence < guess.confidence:
            known[guess.row, guess.column] = guess
    return list(known.values())


def _odd_rows(source: TableSource, detector: Detector) -> list[tuple[int, float, str]]:
    """Rows that are anomalous as a whole, the most anomalous first."""
    from isthmus.model.reasons import sentence
    from isthmus.tasks.detect import detect

    found = detect(source, detector)
    order = np.argsort(-found.scores, kind="stable")[: found.anomalies]
    return [
        (int(row), round(float(found.scores[row]), 4), sentence(found.reasons.get(int(row), [])))
        for row in order
        if found.is_anomaly[row]
    ]


def _log_beside(output: Path | None, log: str | Path | None, dry_run: bool) -> Path | None:
    if dry_run:
        return None
    if log is not None:
        return Path(log)
    return None if output is None else output.with_name(fitted(output.stem, ".changes.csv"))


def _require_no_wishes(source: Any, wishes: list[str]) -> None:
    if wishes:
        told = f" {source}" if isinstance(source, (str, Path)) else ""
        raise UseError(f"{', '.join(wishes)} must be left out: that is for tables, and{told} holds images.")


def _require_csv(*paths: Path | None, force: bool) -> None:
    for path in paths:
        if path is not None:
            if path.suffix != ".csv":
                raise UseError(f"A cleaned table and its log are written as .csv; got {path.name}.")
            refuse_existing(path, force=force)
