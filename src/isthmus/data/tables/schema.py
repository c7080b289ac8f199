"""What the columns of a table are: a Schema, and its TOML file, which people may edit."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
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
MOST_TOLD = 200
"""Columns that people are told of."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    >>> Column(name="price", kind="decimal", digits=2)
    Column(name='price', kind='decimal', digits=2, format=None, used=True)
    """

    name: str
    kind: str
    """"integer", "decimal" (a fixed number of printed digits), "number" (a float), "date", "boolean",
    "category", "text", "identifier" (a name that hardly ever comes twice), or "empty"."""
    digits: int | None = None
    """Printed behind the point, of a decimal."""
    format: str | None = None
    """Of a date, as strptime has it."""
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

    @property
    def is_numeric(self) -> bool:
        """Whether its cells are numbers."""
        return self.kind in NUMERIC

    def summary(self) -> str:
        """For people.

        >>> Column(name="price", kind="decimal", digits=2).summary()
        'decimal, 2 digits'
        """
        digits = f", {self.digits} digits" if self.digits is not None else ""
        form = f", {self.format}" if self.format is not None else ""
        return f"{self.kind}{digits}{form}{'' if self.used else ', not looked at'}"


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

    def require_fits(self, names: Sequence[str]) -> None:
        """Raise SpecMismatch unless a table of these columns can be read by this schema."""
        lacking = [name for name in self.names if name not in set(names)]
        if lacking:
            raise SpecMismatch(
                f"The model was made for a table with the column {lacking[0]!r}; this one "
                f"has {', '.join(map(repr, list(names)[:12]))}. "
                "Give a table like that one, or fit a model on this."
            )

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


def _told(column: Column) -> dict[str, Any]:
    """What differs from what a column is anyway."""
    rest = {key: value for key, value in asdict(column).items() if value is not None}
    return {key: value for key, value in rest.items() if key != "used" or value is False}


def _column(values: Mapping[str, Any]) -> Column:
    known = {field.name for field in fields(Column)}
    if not isinstance(values, Mapping) or not set(values) <= known or not {"name", "kind"} <= set(values):
        raise ConfigError(
            f"A column has a name, a kind, and perhaps {', '.join(sorted(known - {'name', 'kind'}))}."
        )
    return Column(**values)


def _toml(value: str | int | bool) -> str:
    # JSON's strings are TOML's basic strings, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
