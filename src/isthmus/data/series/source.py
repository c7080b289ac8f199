"""A series that is read in parts: one stamp a row, and one number a row in every channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from isthmus.config import require
from isthmus.data.source import Skipped
from isthmus.data.tables.dates import nanoseconds
from isthmus.data.tables.schema import Notation


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
    """"date" or "number" (of any unit)."""
    format: str | None = None
    """Of dates, as `tables.dates` has it; None where there are several."""

    def __post_init__(self) -> None:
        # It may come from a file by anybody.
        require(isinstance(self.name, str), "a stamp's name", "text", self.name)
        require(self.kind in ("date", "number"), "kind of a stamp", "date or number", self.kind)
        told = self.format is None or (isinstance(self.format, str) and self.kind == "date")
        require(told, "format of a stamp", "given for dates alone", self.format)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` undoes it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Stamp:
        """Undo `to_dict`; ConfigError or TypeError for what it would not have given."""
        return cls(**told)

    def read(self, text: str) -> int | float:
        """A stamp as it stands in a file → nanoseconds since 1970, or the number; whole ones exactly.

        >>> Stamp("when", "date").read("1970-01-01T00:01:00Z"), Stamp("t", "number").read(" 3.5")
        (60000000000, 3.5)

        Raises:
            ValueError: it is no such stamp.
        """
        if self.kind == "date":
            return nanoseconds(text, () if self.format is None else (self.format,))
        number = plain_number(text)
        if not isfinite(number):
            raise ValueError(f"{text!r} is no moment")
        return int(text) if text.strip().lstrip("+-").isdigit() else number


def plain_number(text: str) -> float:
    """A cell as a number; ValueError for what Python takes beyond what tables do, 1_000 and other digits."""
    if "_" in text or not text.isascii():
        raise ValueError(f"{text!r} is no number")
    return float(text)


@dataclass(frozen=True, eq=False)
class SeriesSource:
    """A series that is read anew, from its beginning, as often as asked."""

    name: str
    channels: tuple[str, ...]
    stamp: Stamp | None
    """None where rows are stamped by their numbers alone."""
    stamps: np.ndarray | None = field(repr=False)
    """datetime64 or numbers (rows,): ascending, in the order of the parts; None where there are none."""
    read: Callable[[], Iterator[np.ndarray]] = field(repr=False)
    """float64 (rows, channels) parts in the file's order."""
    read_stamps: Callable[[], Iterator[str]] | None = field(repr=False)
    """The stamps as they stand in the file, in the file's order."""
    order: np.ndarray | None = field(default=None, repr=False)
    """int64 (rows,): which row of the file comes when, where they were not in the order of their stamps."""
    moved: tuple[str, ...] = ()
    """That rows were put in the order of their stamps, if they were."""
    notes: tuple[str, ...] = ()
    """What else was found about stamps, in a sentence each."""
    skipped: list[Skipped] = field(default_factory=list)
    """Rows that were left out while reading."""
    ignored: tuple[Skipped, ...] = ()
    """Columns that are no channels."""
    notations: Mapping[str, Notation] = field(default_factory=dict)
    """Of channels whose numbers are not written as 1234.5."""
    left_out: tuple[str, ...] = ()
    """Columns that are not looked at, as asked."""

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
