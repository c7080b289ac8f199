"""What the columns of a table are: a Schema, and its TOML file, which people may edit."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from isthmus.config import require
from isthmus.errors import ConfigError, SpecMismatch

NUMERIC = ("integer", "decimal", "number", "date")
"""Kinds whose cells are numbers; a date is seconds since 1970."""
WORDED = ("boolean", "category", "text", "identifier")
"""Kinds whose cells are words."""
KINDS = (*NUMERIC, *WORDED, "empty")
MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?")
"""What stands in a cell that has no value."""
DELIMITERS = (",", "\t", ";", "|")
"""What may part the cells of a row."""
MOST_COLUMNS = 100_000
MOST_UNIT = 16
"""Letters of a currency or a unit."""
MOST_TOLD = 200
"""Columns that people are told of."""


@dataclass(frozen=True, kw_only=True)
class Notation:
    """How the numbers of a column are written, where it is not as 1234.5.

    >>> Notation(decimal=",", thousands=".", suffix=" €").written("-1234.50")
    '-1.234,50 €'
    """

    decimal: str | None = None
    """"," in front of the fraction; None is a point."""
    thousands: str | None = None
    """Between groups of digits: "," or "." or "'" or " ", which stands for every kind of space."""
    prefix: str | None = None
    """A currency in front of each number …"""
    suffix: str | None = None
    """… or a unit behind it, with the space that parts them."""

    def __post_init__(self) -> None:
        # It may come from a file by anybody.
        require(self.decimal in (None, ","), "decimal of a notation", '","', self.decimal)
        known = (None, *(mark for mark in (",", ".", "'", " ") if mark != (self.decimal or ".")))
        require(self.thousands in known, "thousands of a notation", "another mark", self.thousands)
        for unit in (self.prefix, self.suffix):
            sound = unit is None or (isinstance(unit, str) and 0 < len(unit) <= MOST_UNIT)
            require(sound, "prefix or suffix of a notation", f"1 to {MOST_UNIT} letters", unit)

    def to_dict(self) -> dict[str, str]:
        """What differs from 1234.5, JSON-ready."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def written(self, plain: str) -> str:
        """A number printed as 1234.5, written in this way."""
        sign = "-" if plain.startswith("-") else ""
        whole, point, fraction = plain.removeprefix("-").partition(".")
        if self.thousands and whole.isdecimal():
            whole = f"{int(whole):,}".replace(",", self.thousands)
        number = whole + (self.decimal or ".") * bool(point) + fraction
        return f"{sign}{self.prefix or ''}{number}{self.suffix or ''}"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    >>> Column(name="price", kind="decimal", digits=2).summary()
    'decimal, 2 digits'
    """

    name: str
    kind: str
    """"integer", "decimal" (a fixed number of printed digits), "number" (a float), "date", "boolean",
    "category", "text", "identifier" (a name that hardly ever comes twice), or "empty"."""
    digits: int | None = None
    """Printed behind the point, of a decimal."""
    format: str | None = None
    """Of a date, as strptime has it."""
    notation: Notation | None = None
    """Of numbers; None where they are written as 1234.5."""
    used: bool = True
    """Whether detecting and cleaning look at it."""

    def __post_init__(self) -> None:
        # It may come from a file by anybody.
        require(isinstance(self.name, str), "a column's name", "text", self.name)
        require(self.kind in KINDS, f"kind of the column {self.name!r}", ", ".join(KINDS), self.kind)
        within = self.digits is None or (type(self.digits) is int and 0 <= self.digits <= 18)
        require(within, f"digits of the column {self.name!r}", "0 to 18", self.digits)
        require(isinstance(self.used, bool), f"used of the column {self.name!r}", "true or false", self.used)
        told = isinstance(self.format, str) if self.kind == "date" else self.format is None
        require(told, f"format of the column {self.name!r}", "given for dates alone", self.format)
        plain = self.notation is None or (isinstance(self.notation, Notation) and self.is_amount)
        require(plain, f"notation of the column {self.name!r}", "given for numbers alone", self.notation)

    @property
    def is_numeric(self) -> bool:
        """Whether its cells are numbers, or dates, which are numbers too."""
        return self.kind in NUMERIC

    @property
    def is_amount(self) -> bool:
        """Whether its cells are numbers, and no dates."""
        return self.is_numeric and self.kind != "date"

    @property
    def family(self) -> str:
        """Kinds that can be read as one another: "number", "date", "word" or "empty"."""
        if self.is_numeric:
            return "number" if self.is_amount else "date"
        return "word" if self.kind in WORDED else self.kind

    @property
    def noun(self) -> str:
        """What a cell of it is, where it is a number: "number", "date", or "time" of a day.

        >>> Column(name="at", kind="date", format="%H:%M").noun
        'time'
        """
        if self.is_amount or self.format is None:
            return "number"
        return "date" if any(part in self.format for part in ("%Y", "%y", "%d", "%j")) else "time"

    def summary(self) -> str:
        """For people.

        >>> Column(name="price", kind="decimal", digits=2, notation=Notation(decimal=",")).summary()
        'decimal, 2 digits, written as -1234,5'
        """
        digits = f", {self.digits} digits" if self.digits is not None else ""
        form = f", {self.format}" if self.format is not None else ""
        number = "-1234" if self.kind == "integer" else "-1234.5"
        notation = f", written as {self.notation.written(number)}" if self.notation is not None else ""
        return f"{self.kind}{digits}{form}{notation}{'' if self.used else ', not looked at'}"


@dataclass(frozen=True)
class Schema:
    """The columns, in their order; no two have one name.

    >>> schema = Schema((Column(name="age", kind="integer"), Column(name="sex", kind="category")))
    >>> Schema.from_toml(schema.to_toml()) == schema
    True
    """

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        require(0 < len(names) <= MOST_COLUMNS, "columns", f"1 to {MOST_COLUMNS:,}", len(names))
        twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()
        require(not twice, "column names", "different from one another", sorted(twice))

    def __len__(self) -> int:
        return len(self.columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all columns."""
        return tuple(column.name for column in self.columns)

    def summary(self) -> str:
        """One phrase for people: "14 columns: 6 integer, 8 category"."""
        kinds = [column.kind for column in self.columns]
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds)
        return f"{len(kinds):,} column{'s' * (len(kinds) > 1)}: {counts}"

    def facts(self) -> dict[str, str]:
        """Each column's kind for people, by name; of very many the first ones."""
        told = {column.name: column.summary() for column in self.columns[:MOST_TOLD]}
        left = len(self.columns) - len(told)
        return told | ({"…": f"{left:,} more"} if left else {})

    def changed_by(self, wishes: Mapping[str, Column]) -> Schema:
        """The same columns, those among `wishes` as these say.

        Raises:
            SpecMismatch: a wish for a column that is not there.
        """
        unknown = [name for name in wishes if name not in self.names]
        if unknown:
            raise SpecMismatch(
                f"The schema tells of a column {unknown[0]!r}, which is not in the table. "
                f"Its columns are {', '.join(map(repr, self.names[:12]))}."
            )
        return Schema(tuple(wishes.get(column.name, column) for column in self.columns))

    def ignoring(self, names: Sequence[str]) -> Schema:
        """The same columns, some of them not looked at.

        Raises:
            SpecMismatch: a name that is not there.
        """
        for name in names:
            if name not in self.names:
                close = difflib.get_close_matches(name, self.names, n=1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise SpecMismatch(
                    f"There is no column {name!r} to ignore.{hint} "
                    f"The columns are {', '.join(map(repr, self.names[:12]))}."
                )
        return Schema(
            tuple(replace(column, used=column.used and column.name not in names) for column in self)
        )

    def reading(self, known: Schema) -> Schema:
        """A model's columns, their numbers and dates read as this table writes them.

        Raises:
            SpecMismatch: this table lacks one.
        """
        mine = {column.name: column for column in self.columns}
        lacking = [name for name in known.names if name not in mine]
        if lacking:
            raise SpecMismatch(
                f"The model was made for a table with the column {lacking[0]!r}; this one "
                f"has {', '.join(map(repr, self.names[:12]))}. "
                "Give a table like that one, or fit a model on this."
            )
        return Schema(tuple(_reading(column, mine[column.name]) for column in known))

    def to_dict(self) -> list[dict[str, Any]]:
        """JSON-ready; `from_dict` undoes it."""
        return [_told(column) for column in self.columns]

    @classmethod
    def from_dict(cls, values: Sequence[Mapping[str, Any]]) -> Schema:
        """Undo `to_dict`; ConfigError for what it would not have given."""
        return cls(tuple(map(_column, values)))

    def to_toml(self) -> str:
        """One [[column]] each, to be edited; `from_toml` undoes it."""
        blocks = [
            "# Kinds: " + ", ".join(KINDS) + ".\n# used = false: detecting and cleaning leave it alone.\n"
        ]
        for column in self.columns:
            lines = [f"{key} = {_toml(value)}" for key, value in _told(column).items()]
            blocks.append("\n".join(["[[column]]", *lines, ""]))
        return "\n".join(blocks)

    @classmethod
    def from_toml(cls, text: str) -> Schema:
        """Undo `to_toml`.

        Raises:
            ConfigError: it is no TOML, or tells no columns.
        """
        try:
            told = tomllib.loads(text)
        except tomllib.TOMLDecodeError as wrong:
            raise ConfigError(f"The schema is no TOML: {wrong}.") from wrong
        columns = told.get("column")
        if not isinstance(columns, list) or set(told) != {"column"}:
            raise ConfigError("A schema is a list of [[column]] with name and kind, and nothing else.")
        return cls.from_dict(columns)

    @classmethod
    def read(cls, path: Path) -> Schema:
        """From a TOML file."""
        try:
            return cls.from_toml(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as wrong:
            raise ConfigError(f"The schema {path} cannot be read: {wrong}.") from wrong


def _reading(known: Column, found: Column) -> Column:
    alike = known.is_numeric and known.family == found.family
    return replace(known, format=found.format, notation=found.notation) if alike else known


def _told(column: Column) -> dict[str, Any]:
    """What differs from what a column is anyway."""
    rest = {key: value for key, value in asdict(column).items() if value is not None}
    if column.notation is not None:
        rest["notation"] = column.notation.to_dict()
    return {key: value for key, value in rest.items() if key != "used" or value is False}


def _column(values: Mapping[str, Any]) -> Column:
    known = {field.name for field in fields(Column)}
    if not isinstance(values, Mapping) or not set(values) <= known or not {"name", "kind"} <= set(values):
        raise ConfigError(
            f"A column has a name, a kind, and perhaps {', '.join(sorted(known - {'name', 'kind'}))}."
        )
    notation = values.get("notation")
    if notation is None:
        return Column(**values)
    marks = {field.name for field in fields(Notation)}
    if not isinstance(notation, Mapping) or not set(notation) <= marks:
        raise ConfigError(f"A notation has {', '.join(sorted(marks))}, and nothing else; got {notation!r}.")
    return Column(**{**values, "notation": Notation(**notation)})


def _toml(value: str | int | bool | Mapping[str, str]) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(text)}" for key, text in value.items()) + " }"
    # JSON's strings are TOML's basic strings, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
