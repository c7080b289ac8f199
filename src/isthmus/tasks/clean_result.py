"""What `clean` found and did, for a terminal, for a program and for a log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isthmus.tasks.issue import Issue
from isthmus.tasks.results import Result, jsonable

LOG = ("row", "column", "old", "new", "confidence", "reason")
WORST = 5
"""Columns that the summary names."""


@dataclass(frozen=True)
class CleanResult(Result):
    """What `clean` found and did."""

    rows: int
    changed: int
    """Cells that were mended, missing ones filled among them."""
    suggested: int
    """Cells for which something else is suggested, and nothing was changed."""
    unmended: int
    """Cells that are called wrong, but nobody knows what should stand there."""
    missing: int
    """Cells without a value, of which some may have been filled."""
    duplicates: int
    """Rows that repeat an earlier one."""
    near_duplicates: int
    """Rows that repeat an earlier one but for one cell."""
    by_column: Mapping[str, int]
    """Issues of each column that has some."""
    output: Path | None
    log: Path | None
    issues: tuple[Issue, ...] = field(repr=False)
    """Every cell that is called wrong or missing."""
    changes: tuple[Issue, ...] = field(repr=False)
    """Those that were mended …"""
    suggestions: tuple[Issue, ...] = field(repr=False)
    """… and those that could be, by rows and columns."""
    frame: Any = field(repr=False)
    """The mended table, where a table in memory was given: of pandas, NumPy or PyArrow as that was."""
    duplicate_rows: tuple[tuple[int, int], ...] = field(repr=False)
    """(row, the earlier one that it repeats)."""
    near_duplicate_rows: tuple[tuple[int, int, str], ...] = field(repr=False)
    """(row, the earlier one, the column in which they differ)."""
    odd_rows: tuple[tuple[int, float, str], ...] = field(repr=False)
    """(row, score, reason) of rows that are anomalous as a whole, where they were asked for."""

    def summary(self) -> str:
        """A few lines for a terminal."""
        where = f" → {self.output}" if self.output else " (nothing written)"
        lines = [
            f"{self.rows:,} rows: {self.changed:,} cells mended, {self.suggested:,} suggestions, "
            f"{self.unmended:,} more look wrong, {self.missing:,} missing, "
            f"{self.duplicates:,} rows repeat another, {self.near_duplicates:,} but for one cell{where}"
        ]
        worst = sorted(self.by_column.items(), key=lambda pair: -pair[1])[:WORST]
        if worst:
            lines.append("most in " + ", ".join(f"{name} ({count:,})" for name, count in worst))
        if self.odd_rows:
            row, _, reason = self.odd_rows[0]
            lines.append(f"{len(self.odd_rows):,} rows are anomalous as a whole, first row {row:,}: {reason}")
        if self.log:
            lines.append(f"each change with its reason in {self.log}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The same for a program, with the suggestions."""
        told = [{name: getattr(issue, name) for name in LOG} for issue in self.suggestions]
        return {**super().to_dict(), "suggestions": jsonable(told)}


def log_lines(result: CleanResult, *, suggest: bool) -> Iterator[tuple[Any, ...]]:
    """Of the log: cells first, then whole rows, which no column is named for, then what was left out.

    Args:
        result: what was found.
        suggest: list the suggestions too; else `new` is what was put there, and nothing where the cell
            is wrong and was left.
    """
    left = set() if suggest else {(issue.row, issue.column) for issue in result.suggestions}
    for issue in result.issues:
        if (issue.row, issue.column) not in left:
            yield issue.row, issue.column, issue.old or "", issue.new or "", issue.confidence, issue.reason
        elif issue.wrong:
            yield issue.row, issue.column, issue.old or "", "", issue.wrong, issue.reason
    yield from (_of_row(row, f"repeats row {earlier}") for row, earlier in result.duplicate_rows)
    yield from (
        _of_row(row, f"repeats row {earlier} but for {column}")
        for row, earlier, column in result.near_duplicate_rows
    )
    yield from (
        _of_row(row, f"is anomalous as a whole, score {score}: {reason}")
        for row, score, reason in result.odd_rows
    )
    yield from (_of_row("", notice) for notice in result.notices)


def _of_row(row: int | str, reason: str) -> tuple[Any, ...]:
    return row, "", "", "", "", reason


def shown(issues: Iterable[Issue]) -> Iterator[str]:
    """One line for people each."""
    for issue in issues:
        old = "(missing)" if issue.old is None else issue.old
        new = "?" if issue.new is None else issue.new
        yield f"row {issue.row:,}, {issue.column}: {old} → {new} ({issue.confidence:.2f}: {issue.reason})"
