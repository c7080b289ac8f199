"""A series that is read in parts: one stamp a row, and one number a row in every channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from isthmus.data.source import Skipped


class Part(NamedTuple):
    """Rows that follow one another in time."""

    rows: np.ndarray
    """int64 (rows,): their numbers in the file, from 0."""
    values: np.ndarray
    """float64 (rows, channels); NaN where nothing stands, which is a gap."""


@dataclass(frozen=True)
class Stamp:
    """The column of a series that says when."""

    name: str
    kind: str
    """"date" (seconds since 1970) or "number" (of any unit)."""


@dataclass(frozen=True, eq=False)
class SeriesSource:
    """A series that is read anew, from its beginning, as often as asked."""

    name: str
    channels: tuple[str, ...]
    stamp: Stamp | None
    """None where rows are stamped by their numbers alone."""
    stamps: np.ndarray | None = field(repr=False)
    """float64 (rows,): ascending, in the order of the parts; None where there is no such column."""
    read: Callable[[], Iterator[np.ndarray]] = field(repr=False)
    """float64 (rows, channels) parts in the file's order."""
    read_stamps: Callable[[], Iterator[str]] | None = field(repr=False)
    """The stamps as they stand in the file, in the file's order."""
    order: np.ndarray | None = field(default=None, repr=False)
    """int64 (rows,): which row of the file comes when, where they were not in the order of their stamps."""
    left_out: tuple[str, ...] = ()
    """Columns that are no channels, each with what it is."""
    notes: tuple[str, ...] = ()
    """What was found and done about stamps, in a sentence each."""
    skipped: list[Skipped] = field(default_factory=list)
    """Rows that were left out while reading."""

    def parts(self) -> Iterator[Part]:
        """All rows in the order of their stamps, some megabytes at a time."""
        self.skipped.clear()
        if self.order is not None:
            yield Part(self.order, np.concatenate(list(self.read()))[self.order])
            return
        start = 0
        for values in self.read():
            yield Part(np.arange(start, start + len(values)), values)
            start += len(values)

    def whole(self) -> Part:
        """All rows at once."""
        parts = list(self.parts())
        return Part(np.concatenate([p.rows for p in parts]), np.concatenate([p.values for p in parts]))

    def stamp_texts(self) -> Iterator[str]:
        """The stamp of every row as it stands in the file, in the order of the parts."""
        assert self.read_stamps is not None, "a series without stamps"
        if self.order is None:
            yield from self.read_stamps()
            return
        texts = list(self.read_stamps())
        yield from (texts[row] for row in self.order)

    def summary(self) -> str:
        """One phrase for people: "2 channels by the stamps in 'date'"."""
        count = len(self.channels)
        by = "by row numbers" if self.stamp is None else f"by the stamps in {self.stamp.name!r}"
        return f"{count:,} channel{'s' * (count > 1)} {by}"
