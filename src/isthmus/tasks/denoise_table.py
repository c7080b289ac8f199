"""A table of noisy numbers → one with less noise: each number and what its row says of it, weighed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.config import require
from isthmus.data.noise import MOST_TAKEN
from isthmus.data.tables import Column, Table, TableSource
from isthmus.data.tables.features import ColumnFeatures, squashed, unsquashed
from isthmus.data.tables.table import shown
from isthmus.errors import UseError
from isthmus.files import refuse_existing
from isthmus.model import as_kind
from isthmus.model.detector import Detector
from isthmus.tasks.lines import csv_lines, write_lines
from isthmus.tasks.outputs import folder_and_names
from isthmus.tasks.results import Result, notices_of, refuse_notices

TRIED_ROWS = 2000
LEAST_CHANGE = 1e-3
"""Of a column's usual spread; a number that would change by less stays as it is."""


@dataclass(frozen=True)
class TableDenoiseResult(Result):
    """What `denoise_table` made."""

    output: Path
    rows: int
    changed: int
    """Numbers."""
    believed: dict[str, float] = field(repr=False)
    """How much of each column's numbers is kept, 0 to 1: the rest is what the row says."""

    def summary(self) -> str:
        """One line for a terminal."""
        told = sorted(self.believed, key=lambda name: self.believed[name])[:4]
        words = ", ".join(f"{name} {1 - self.believed[name]:.0%}" for name in told)
        return (
            f"{self.rows:,} rows: {self.changed:,} numbers in {len(self.believed):,} columns moved towards "
            f"what their rows say (most: {words or 'none'}) → {self.output}"
        )


def denoise_table(
    source: Any,
    detector: Any,
    output: str | Path,
    *,
    level: float | None,
    header: bool | None = None,
    skip_bad: bool = False,
    force: bool = False,
    strict: bool = False,
) -> TableDenoiseResult:
    """Take noise from the numbers of a table; words, dates and what is missing stay.

    The members of the detector guess each number without having seen it, so their error is independent of
    its noise, and both are weighed by how large they are.

    Args:
        source: a path, a matrix, a DataFrame.
        detector: made by `fit_detector`, or its path, on such a table, noisy or not.
        output: a .csv; or a folder, in which the table keeps its name.
        level: standard deviation of the noise, in usual spreads of each column; nothing in a table tells
            noise from what is merely not to be guessed.
        header: whether a text file's first row names the columns; None looks.
        skip_bad: leave rows out that cannot be read.
        force: replace an existing output.
        strict: refuse where rows would be left out, or numbers are none that the detector saw.
    Raises:
        UseError: no level; `output` names a file of another kind.
    """
    from isthmus.tasks.detect import opened

    if level is None:
        raise UseError(
            "A table does not say how noisy it is: give --level, in usual spreads of a column (0.2)."
        )
    require(level >= 0, "level", "at least 0", level)
    table_source: TableSource = opened(source, None, header, skip_bad)
    folder, (name,) = folder_and_names(Path(output), [f"{table_source.name}.csv"])
    target = folder / name
    refuse_existing(target, force=force)
    work = _Work(as_kind(detector, Detector), level)

    def lines() -> Iterator[str]:
        yield from csv_lines(table_source.schema.names, work.rows(table_source))
        refuse_notices((*notices_of(table_source), *work.outside()), strict=strict)

    write_lines(target, lines(), force=force)
    notices = (*notices_of(table_source), *work.outside())
    return TableDenoiseResult(target, work.count, work.changed, work.believed, notices=notices)


class _Work:
    """Chunk after chunk."""

    def __init__(self, detector: Detector, level: float) -> None:
        self._detector, self._features = detector, detector.features
        self._columns = [
            place
            for place, column in enumerate(self._features.columns)
            if column.spread and column.column.kind != "date"
        ]
        self._shares = {place: self._share(place, level) for place in self._columns}
        self._most = MOST_TAKEN * level
        self._outside = dict.fromkeys(self._columns, 0)
        self.count = self.changed = 0

    @property
    def believed(self) -> dict[str, float]:
        """See TableDenoiseResult."""
        names = self._features.columns
        return {names[place].column.name: round(share, 4) for place, share in self._shares.items()}

    def outside(self) -> tuple[str, ...]:
        """That columns held numbers which the detector never saw, as far as rows were taken."""
        told = []
        for place, count in self._outside.items():
            if count:
                column, (low, high) = self._features.columns[place], self._range(place)
                low, high = (each * column.spread + column.middle for each in (low, high))
                told.append(
                    f"{count:,} numbers of {column.column.name!r} lie outside of what the model learned, "
                    f"{low:.4g} to {high:.4g}"
                )
        return tuple(told)

    def _range(self, place: int) -> tuple[float, float]:
        """Between which the numbers lie that were learned from, in spreads."""
        kept = self._detector.kept[:, self._features.owners == place][:, 0]
        return float(kept.min()), float(kept.max())

    def rows(self, source: TableSource) -> Iterator[list[str]]:
        """The rows as they stand there, but for their numbers."""
        texts, places = source.written(), {name: at for at, name in enumerate(source.schema.names)}
        for chunk in source.chunks(self._features.schema):
            new = self._denoised(chunk)
            for row in range(len(chunk)):
                cells = list(next(texts))
                for name, column in new.items():
                    if row in column:
                        cells[places[name]] = column[row]
                yield cells
            self.count += len(chunk)
            self.changed += sum(map(len, new.values()))

    def _denoised(self, chunk: Table) -> dict[str, dict[int, str]]:
        """By column and row: the numbers that change."""
        some = chunk.select(self._features.schema.names)
        matrix = squashed(self._features.matrix(some)).astype(np.float32)
        found = {}
        for place in self._columns:
            column, cells = self._features.columns[place], some.columns[place]
            assert cells.numbers is not None
            seen, guessed = self._pair(matrix, place)
            here, (low, high) = unsquashed(seen), self._range(place)
            made = unsquashed(self._shares[place] * seen + (1 - self._shares[place]) * guessed)
            made = here + np.clip(made - here, -self._most, self._most)
            known = np.isfinite(cells.numbers)
            beyond = (here < low - self._most) | (here > high + self._most)
            self._outside[place] += int((known & beyond).sum())
            moved = known & (np.abs(made - here) > LEAST_CHANGE)
            found[column.column.name] = {
                int(row): _printed(cells.column, column, float(made[row])) for row in np.flatnonzero(moved)
            }
        return found

    def _pair(self, matrix: np.ndarray, place: int) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of a column, and what the members say of them without them; both squashed."""
        mine = self._features.owners == place
        guessed = self._detector.members.restore(np.where(mine, 0, matrix).astype(np.float32))[:, mine]
        return matrix[:, mine][:, 0].astype(np.float64), guessed[:, 0].astype(np.float64)

    def _share(self, place: int, level: float) -> float:
        """How much of a number is kept: of the error of guesses, what the noise alone does not explain."""
        kept = squashed(self._detector.kept[:TRIED_ROWS]).astype(np.float32)
        seen, guessed = self._pair(kept, place)
        error = float(np.square(seen - guessed).mean())
        return max(0.0, 1 - level**2 / error) if error > 0 else 0.0


def _printed(column: Column, features: ColumnFeatures, value: float) -> str:
    """As the table writes its numbers."""
    return shown(column, value * features.spread + features.middle)
