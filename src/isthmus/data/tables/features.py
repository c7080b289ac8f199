"""Table → matrix, as nets and distances take it; and back, to what a cell was expected to be.

A number becomes its distance from the middle in units of the usual spread. A category becomes one feature
for each frequent word. What says more than an amount (missing, no number, a rare word, an odd spelling)
becomes its surprise in bits, -log2 of how often that happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from isthmus.data.tables.schema import Column, Schema
from isthmus.data.tables.seen import ABSENT, FARTHEST, HUGE, SeenValues, counted, events_of, finite
from isthmus.data.tables.table import NO_CODE, Cells, Table, shown
from isthmus.data.tables.wording import Wording

TAIL = 3.0
"""Usual spreads; a squashed distance grows by its logarithm beyond: one wild cell cannot drown a row."""
MOST_WORDS = 24
"""Words of a category with a feature of their own: the most frequent ones …"""
LEAST_SHARE = 0.005
"""… that stand in so many of the rows."""
ONE_HOT = 1.0
"""What a word's own feature is in a row that has it."""
BITS = 3.0
"""Of surprise that count as one usual spread."""
FOLDS = 5
"""Parts of the rows that are learned from, each of which is judged by what the others held."""


def squashed(values: np.ndarray) -> np.ndarray:
    """Distances in spreads, beyond TAIL by their logarithm; `unsquashed` undoes it.

    >>> squashed(np.array([-1.0, 3.0, 2 + np.e])).round(6).tolist()
    [-1.0, 3.0, 4.0]
    """
    far = np.abs(values)
    return np.where(far > TAIL, np.sign(values) * (TAIL + np.log1p(np.maximum(far - TAIL, 0))), values)


def unsquashed(values: np.ndarray) -> np.ndarray:
    """Undo `squashed`."""
    far = np.abs(values)
    return np.where(far > TAIL, np.sign(values) * (TAIL + np.expm1(np.clip(far - TAIL, 0, 300))), values)


@dataclass(frozen=True, eq=False, kw_only=True)
class ColumnFeatures:
    """How the cells of one column become features, and what is usual there."""

    column: Column
    middle: float = 0.0
    spread: float = 0.0
    """Of numbers; 0 where all are one number."""
    bits: np.ndarray
    """float64: surprises of PRESENT, ABSENT and STRAY; of a category also of each label and of a new one."""
    seen: SeenValues
    """Which values it held."""
    frequent: np.ndarray
    """int64: which labels have features of their own."""
    wording: Wording | None = None
    """Of texts and identifiers: how they are usually written."""
    varies: bool = False
    """Whether the surprise differs between the rows it was learned from."""

    @classmethod
    def learn(cls, cells: Cells) -> ColumnFeatures:
        """From the cells of many rows."""
        bits = _bits(np.bincount(events_of(cells), minlength=3))
        middle, spread = _middle(cells)
        seen = SeenValues.learn(cells, spread=spread)
        if cells.numbers is not None:
            return cls(column=cells.column, middle=middle, spread=spread, bits=bits, seen=seen,
                       frequent=_NONE, varies=int((seen.events > 0).sum()) > 1)  # fmt: skip
        counts = counted(cells)
        if cells.column.kind in ("text", "identifier"):
            wording = Wording.learn(cells.labels, counts)
            return cls(column=cells.column, bits=bits, seen=seen, frequent=_NONE,
                       wording=wording, varies=len(cells.labels) > 1)  # fmt: skip
        counts = counts[counts > 0]
        often = np.argsort(-counts, kind="stable")[:MOST_WORDS]
        often = np.sort(often[counts[often] >= max(2, LEAST_SHARE * len(cells))])
        told = np.concatenate([bits, _bits(np.append(counts, 0))])
        return cls(column=cells.column, bits=told, seen=seen, frequent=often,
                   varies=len(np.unique(told[_places(cells, seen.words)])) > 1)  # fmt: skip

    @property
    def labels(self) -> np.ndarray:
        """The words of a category, sorted; none of other kinds."""
        return self.seen.words if self.wording is None else _NO_WORDS

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the features."""
        words = [f"is {self.labels[place]}" for place in self.frequent] if len(self.frequent) > 1 else []
        wording = list(self.wording.names) if self.wording is not None else []
        value = ["value"] if self.spread else []
        return (*value, *words, *wording, *(["surprise"] if self.varies else []))

    @property
    def own_words(self) -> np.ndarray:
        """int64: the places, among the features, of those for one word each, in the order of `frequent`."""
        return np.arange(len(self.frequent) if len(self.frequent) > 1 else 0)

    def matrix(self, cells: Cells) -> np.ndarray:
        """float64 (rows, features): 0 for what is not known."""
        made = []
        if self.spread:
            assert cells.numbers is not None
            away = (np.clip(cells.numbers, -HUGE, HUGE) - self.middle) / self.spread
            made.append(np.clip(np.nan_to_num(away), -FARTHEST, FARTHEST)[:, None])
        if len(self.frequent) > 1:
            codes = cells.coded_by(self.labels)
            made.append(ONE_HOT * (codes[:, None] == self.frequent))
        if self.wording is not None:
            made.append(self.wording.matrix(cells))
        if self.varies:
            made.append(self.surprise(cells)[:, None] / BITS)
        return np.concatenate(made, axis=1) if made else np.zeros((len(cells), 0))

    def surprise(self, cells: Cells) -> np.ndarray:
        """float64 (rows,): bits by which a cell says more than the usual one."""
        if len(self.labels):
            return self.bits[_places(cells, self.labels)]
        bits = self.bits[events_of(cells)]
        return bits if self.wording is None else bits + self.wording.surprise(cells)

    def expected(self, features: np.ndarray) -> str | None:
        """The cell that such features would come from; None where they do not say."""
        if self.spread:
            return shown(self.column, float(features[0]) * self.spread + self.middle)
        if len(self.frequent) > 1:
            return str(self.labels[self.frequent[np.argmax(features[: len(self.frequent)])]])
        if len(self.frequent) == 1:
            return str(self.labels[self.frequent[0]])
        return None

    def to_parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON-ready, and arrays by name; `from_parts` undoes it."""
        told = {
            "middle": self.middle,
            "spread": self.spread,
            "varies": self.varies,
            "seen": self.seen.facts(),
        }
        arrays = {"bits": self.bits, "frequent": self.frequent, "seen": self.seen.numbers}
        if self.wording is not None:
            arrays |= {f"wording.{name}": array for name, array in self.wording.tensors().items()}
        return told, arrays

    @classmethod
    def from_parts(
        cls, column: Column, told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> ColumnFeatures:
        """Undo `to_parts`; ValueError or KeyError for what it would not have given."""
        seen = SeenValues.from_parts(told["seen"], arrays["seen"])
        bits, frequent = arrays["bits"].astype(np.float64), arrays["frequent"].astype(np.int64)
        words = {
            name.removeprefix("wording."): a for name, a in arrays.items() if name.startswith("wording.")
        }
        is_category = not column.is_numeric and not words
        if len(bits) != (3 + len(seen.words) + 1 if is_category else 3) or not np.isfinite(bits).all():
            raise ValueError("surprises of a column")
        if ((frequent < 0) | (frequent >= max(1, len(seen.words)))).any():
            raise ValueError("frequent words of a column")
        middle, spread = float(told["middle"]), float(told["spread"])
        if not np.isfinite([middle, spread]).all() or spread < 0 or (spread and not column.is_numeric):
            raise ValueError("spread of a column")
        wording = Wording.from_tensors(words) if words else None
        return cls(column=column, middle=middle, spread=spread, bits=bits, seen=seen,
                   frequent=frequent, wording=wording, varies=bool(told["varies"]))  # fmt: skip


_NO_WORDS, _NONE = np.zeros(0, object), np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class TableFeatures:
    """All columns'.

    >>> table = Table.of_array(np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]]))
    >>> features = TableFeatures.learn(table)
    >>> features.names, features.matrix(table).round(2)[:, 0].astype(str).tolist()
    (('column_0: value',), ['-0.9', '0.0', '1.8'])
    """

    columns: tuple[ColumnFeatures, ...]

    @classmethod
    def learn(cls, table: Table) -> TableFeatures:
        """What is usual in a table of many rows."""
        return cls(tuple(ColumnFeatures.learn(cells) for cells in table.columns if cells.column.used))

    @property
    def schema(self) -> Schema:
        """Of the columns that are looked at."""
        return Schema(tuple(one.column for one in self.columns))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features: the column's and its own; a table that is always the same has one feature."""
        named = tuple(f"{one.column.name}: {name}" for one in self.columns for name in one.names)
        return named or ("nothing",)

    @cached_property
    def owners(self) -> np.ndarray:
        """int64 (features,): the place of each feature's column."""
        owners = np.repeat(np.arange(len(self.columns)), [len(one.names) for one in self.columns])
        return owners if len(owners) else np.zeros(1, np.int64)

    @cached_property
    def amounts(self) -> np.ndarray:
        """bool (features,): those that tell how much a number is."""
        return np.array([name == "value" for one in self.columns for name in one.names] or [False])

    def matrix(self, table: Table) -> np.ndarray:
        """float32 (rows, features), not squashed."""
        cells = table.select(self.schema.names).columns
        parts = [one.matrix(each) for one, each in zip(self.columns, cells, strict=True)]
        made = np.concatenate(parts, axis=1).astype(np.float32)
        return made if made.shape[1] else np.zeros((len(made), 1), np.float32)

    def novelty(self, table: Table) -> np.ndarray:
        """float64 (2, rows, columns): bits of surprise at values that a column never held; see SeenValues."""
        cells = table.select(self.schema.names).columns
        made = [one.seen.bits(each) for one, each in zip(self.columns, cells, strict=True)]
        return np.stack(made, axis=2)

    @staticmethod
    def own_novelty(table: Table) -> np.ndarray:
        """float64 (2, rows): the same of the rows learned from, each fold by what the others held, summed."""
        bits = np.zeros((2, len(table)))
        fold = np.arange(len(table)) % FOLDS
        for cells in table.columns:
            spread = _middle(cells)[1]
            for part in range(min(FOLDS, len(table)) if cells.column.used else 0):
                seen = SeenValues.learn(cells.take(np.flatnonzero(fold != part)), spread=spread)
                bits[:, fold == part] += seen.bits(cells.take(np.flatnonzero(fold == part)))
        return bits

    def to_parts(self) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
        """JSON-ready, and arrays by name; `from_parts` undoes it."""
        told: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        for place, one in enumerate(self.columns):
            mine, theirs = one.to_parts()
            told.append(mine)
            arrays |= {f"{place}.{name}": array for name, array in theirs.items()}
        return told, arrays

    @classmethod
    def from_parts(
        cls, schema: Schema, told: Sequence[Mapping[str, Any]], arrays: Mapping[str, np.ndarray]
    ) -> TableFeatures:
        """Undo `to_parts`; ValueError or KeyError for what it would not have given."""
        parts: list[dict[str, np.ndarray]] = [{} for _ in schema]
        for name, array in arrays.items():
            place, _, rest = name.partition(".")
            parts[int(place)][rest] = array
        return cls(tuple(map(ColumnFeatures.from_parts, schema, told, parts)))


def _places(cells: Cells, labels: np.ndarray) -> np.ndarray:
    """Where in `bits` each cell's surprise is."""
    codes = cells.coded_by(labels)
    return np.where(codes == NO_CODE, ABSENT, codes + 3)


def _bits(counts: np.ndarray) -> np.ndarray:
    """Of each event, smoothed by half a row: an event that never was is rarer than all rows seen."""
    return -np.log2((counts + 0.5) / (counts.sum() + 0.5 * len(counts)))


def _middle(cells: Cells) -> tuple[float, float]:
    """Middle and spread by quartiles, which odd rows cannot move; where they coincide, by the deviation."""
    numbers = np.zeros(0) if cells.numbers is None else finite(cells.numbers)
    if not len(numbers):
        return 0.0, 0.0
    middle, deviation = float(numbers.mean()), float(numbers.std())
    if deviation <= 1e-12 * max(abs(middle), 1e-300):
        return middle, 0.0
    low, median, high = np.percentile(numbers, [25, 50, 75])
    if high - low > 1e-12 * abs(median):
        return float(median), float(high - low) / 1.349
    return middle, deviation
