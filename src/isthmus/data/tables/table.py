"""A table in memory: columns of numbers or of words, each cell perhaps missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from isthmus.data.tables.schema import Column, Schema

NO_CODE = -1
"""The code of a missing cell."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one column.

    >>> Cells.of_words(Column(name="sex", kind="category"), ["m", None, "f", "m"]).codes.tolist()
    [1, -1, 0, 1]
    """

    column: Column
    numbers: np.ndarray | None = None
    """float64 (rows,): NaN where a cell is missing; of numeric kinds alone."""
    codes: np.ndarray | None = None
    """int32 (rows,): the place among `labels`, NO_CODE where a cell is missing; of kinds that are words."""
    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, object))
    """The different words, sorted."""
    strays: Mapping[int, str] = field(default_factory=dict)
    """Row → the text that stands where a number must be; the number is NaN there."""
    written: Any = None
    """Of numbers: the cells as they stand in the source, an array of PyArrow's or NumPy's; None where there
    is none."""

    def __len__(self) -> int:
        values = self.codes if self.numbers is None else self.numbers
        assert values is not None, "a column without cells"
        return len(values)

    @classmethod
    def of_words(cls, column: Column, words: Sequence[str | None]) -> Cells:
        """From texts; None is missing."""
        labels = np.array(sorted({word for word in words if word is not None}), object)
        places = {word: place for place, word in enumerate(labels)}
        codes = [NO_CODE if word is None else places[word] for word in words]
        return cls(column, codes=np.array(codes, np.int32), labels=labels)

    @cached_property
    def missing(self) -> np.ndarray:
        """bool (rows,): cells without a value; a stray is none of them."""
        if self.numbers is None:
            assert self.codes is not None
            return self.codes == NO_CODE
        missing = np.isnan(self.numbers)
        missing[list(self.strays)] = False
        return missing

    def take(self, rows: np.ndarray) -> Cells:
        """Those of some rows, in that order."""
        place = {int(row): at for at, row in enumerate(rows)} if self.strays else {}
        strays = {place[row]: text for row, text in self.strays.items() if row in place}
        numbers = None if self.numbers is None else self.numbers[rows]
        codes = None if self.codes is None else self.codes[rows]
        written = None if self.written is None else self.written.take(rows)
        return replace(self, numbers=numbers, codes=codes, strays=strays, written=written)

    def coded_by(self, labels: np.ndarray) -> np.ndarray:
        """int32 (rows,): the codes among other labels; NO_CODE where missing, len(labels) for a new word."""
        assert self.codes is not None
        places = {word: place for place, word in enumerate(labels)}
        codes = np.array([*(places.get(word, len(labels)) for word in self.labels), NO_CODE], np.int32)
        return codes[self.codes]

    def as_words(self) -> tuple[np.ndarray, list[str]]:
        """int64 codes (rows,) and labels: numbers are words here, and so are texts among them."""
        if self.codes is not None:
            return self.codes.astype(np.int64), list(map(str, self.labels))
        assert self.numbers is not None
        values, inverse = np.unique(self.numbers, return_inverse=True)
        firsts = np.full(len(values), len(self.numbers))
        np.minimum.at(firsts, inverse, np.arange(len(self.numbers)))
        labels = [text or "" for text in self.texts(firsts)]
        codes = np.where(self.missing, NO_CODE, inverse).astype(np.int64)
        places: dict[str, int] = {}  # no stray is written like a number
        for row, text in self.strays.items():
            codes[row] = places.setdefault(text, len(labels) + len(places))
        return codes, [*labels, *places]

    def text(self, row: int) -> str | None:
        """A cell as it stands in the source; None where it is missing."""
        return self.texts(np.array([row]))[0]

    def texts(self, rows: np.ndarray) -> list[str | None]:
        """The same of several cells.

        >>> cells = Cells(Column(name="x", kind="number"), np.array([0.5, np.nan]))
        >>> cells.texts(np.array([1, 0]))
        [None, '0.5']
        """
        missing = self.missing[rows]
        found = iter(self._texts(rows[~missing]))
        return [None if lacks else next(found) for lacks in missing]

    def _texts(self, rows: np.ndarray) -> list[str]:
        """Of cells that are not missing."""
        if self.numbers is None:
            assert self.codes is not None
            return [str(self.labels[code]) for code in self.codes[rows]]
        if self.written is None:
            return [self.strays.get(int(row)) or shown(self.column, float(self.numbers[row])) for row in rows]
        if isinstance(self.written, np.ndarray):
            return [str(cell) for cell in self.written[rows]]
        from isthmus.data.tables.texts import texts_of  # takes PyArrow, which arrays do without

        return texts_of(self.written.take(rows)).to_pylist()


def shown(column: Column, number: float) -> str:
    """A number as the column writes it.

    >>> shown(Column(name="price", kind="decimal", digits=2), 3.1)
    '3.10'
    >>> shown(Column(name="born", kind="date", format="%Y-%m-%d"), 86400.0)
    '1970-01-02'
    >>> shown(Column(name="seen", kind="date", format="%Y-%m-%d %H:%M%z"), 60.0)
    '1970-01-01 00:01+00:00'
    """
    if not np.isfinite(number):
        return str(number)
    if column.kind == "date":
        return _date(number, column.format or "%Y-%m-%d")
    plain = _plain(column, number)
    return plain if column.notation is None else column.notation.written(plain)


def _plain(column: Column, number: float) -> str:
    if column.kind == "integer":
        return str(round(number))
    if column.kind == "decimal":
        return f"{number:.{column.digits}f}"
    return f"{number:.0f}" if 1e6 <= abs(number) < 1e15 else f"{number:.6g}"


def _date(seconds: float, form: str) -> str:
    form = form.replace("%z", "Z" if "T" in form else "+00:00")
    try:
        when = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:  # an expected date may lie beyond what a calendar holds
        return f"{seconds:.6g} s"
    return when.strftime(form.replace("%Y", f"{when.year:04}"))  # strftime writes the year 1 as 1


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of one length."""

    columns: tuple[Cells, ...]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    @property
    def schema(self) -> Schema:
        """Of its columns."""
        return Schema(tuple(cells.column for cells in self.columns))

    @classmethod
    def of_array(cls, values: np.ndarray, names: Sequence[str] | None = None) -> Table:
        """A matrix of numbers (rows, columns); NaN is missing."""
        kind = "integer" if values.dtype.kind in "iub" else "number"
        names = names or [f"column_{number}" for number in range(values.shape[1])]
        return cls(
            tuple(
                Cells(
                    Column(name=name, kind=kind),
                    np.asarray(values[:, place], np.float64),
                    written=values[:, place],
                )
                for place, name in enumerate(names)
            )
        )

    def take(self, rows: np.ndarray) -> Table:
        """Some rows, in that order."""
        return Table(tuple(cells.take(rows) for cells in self.columns))

    def select(self, names: Sequence[str]) -> Table:
        """Some columns, in that order."""
        by_name = {cells.column.name: cells for cells in self.columns}
        return Table(tuple(by_name[name] for name in names))
