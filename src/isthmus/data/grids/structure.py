"""What a netCDF file says beside its numbers: dimensions, attributes, groups, and how variables are stored.

The same words serve netCDF 3 and netCDF 4; as JSON they stand in the index of an archive.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from isthmus.errors import DamagedFile

NUMBERS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")
"""Types of numbers, as NumPy writes them; beside them there are "char" and "string"."""
MOST_DEPTH = 64


@dataclass(frozen=True)
class Dimension:
    """The name and length of an axis that variables may share."""

    name: str
    size: int
    unlimited: bool = False


@dataclass(frozen=True)
class Attribute:
    """A named value: text, several texts, or numbers."""

    name: str
    type: str
    """One of NUMBERS, "char" or "string"."""
    data: bytes | tuple[str, ...]
    """Numbers little-endian; of "char" the bytes; of "string" the texts."""

    @property
    def value(self) -> Any:
        """A NumPy array of numbers, one text, or a tuple of texts."""
        if isinstance(self.data, tuple):
            return self.data
        if self.type == "char":
            return self.data.decode("utf-8", "surrogateescape")
        return np.frombuffer(self.data, np.dtype(self.type).newbyteorder("<"))

    def to_list(self) -> list[Any]:
        """JSON-ready; `from_list` undoes it."""
        if isinstance(self.data, tuple):
            return [self.name, self.type, list(self.data)]
        if self.type == "char" and (text := _plain(self.data)) is not None:
            return [self.name, self.type, text]
        return [self.name, self.type, {"base64": base64.b64encode(self.data).decode()}]

    @classmethod
    def from_list(cls, told: Any) -> Attribute:
        """Undo `to_list`; ValueError for anything else."""
        name, kind, data = told
        found: bytes | tuple[str, ...] = ()
        if kind == "string":
            found = tuple(map(_text, data))
        elif isinstance(data, str) and kind == "char":
            found = data.encode()
        elif kind == "char" or kind in NUMBERS:
            found = from_base64(data["base64"])
        else:
            raise ValueError(f"an attribute of type {kind!r}")
        if kind in NUMBERS and len(found) % np.dtype(kind).itemsize:
            raise ValueError("an attribute of no whole number of values")
        return cls(_text(name), kind, found)

    @classmethod
    def of(cls, name: str, value: Any) -> Attribute:
        """From text, texts or numbers.

        Raises:
            TypeError: it is none of these.

        >>> Attribute.of("scale_factor", np.float32(0.5)).to_list()
        ['scale_factor', 'f4', {'base64': 'AAAAPw=='}]
        """
        if isinstance(value, str):
            return cls(name, "char", value.encode("utf-8", "surrogateescape"))
        if isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value):
            return cls(name, "string", tuple(value))
        if isinstance(value, bytes):
            return cls(name, "char", value)
        numbers = np.atleast_1d(np.asarray(value))
        kind = f"{numbers.dtype.kind}{numbers.dtype.itemsize}"
        if kind not in NUMBERS or numbers.ndim != 1:
            raise TypeError(f"an attribute of type {numbers.dtype}")
        return cls(name, kind, numbers.astype(numbers.dtype.newbyteorder("<")).tobytes())


@dataclass(frozen=True)
class Stored:
    """A variable as its file declares it."""

    name: str
    type: str
    """One of NUMBERS, "char", "string", or the name of an enumeration."""
    dimensions: tuple[str, ...]
    attributes: tuple[Attribute, ...] = ()
    how: Mapping[str, Any] = field(default_factory=dict)
    """Of netCDF 4: chunks, filters, byte order, fill value; keys in nested.py."""

    def attribute(self, name: str) -> Any:
        """The value of an attribute, or None."""
        return next((each.value for each in self.attributes if each.name == name), None)


@dataclass(frozen=True)
class Group:
    """What is declared in one place; a file of netCDF 3 is one group."""

    name: str = ""
    dimensions: tuple[Dimension, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    variables: tuple[Stored, ...] = ()
    groups: tuple[Group, ...] = ()
    enums: Mapping[str, tuple[str, Mapping[str, int]]] = field(default_factory=dict)
    """By name: the type of number, and what each means."""

    def walk(self, above: str = "") -> Iterator[tuple[str, Group]]:
        """This group and those within, each with the path that its variables begin with."""
        yield above, self
        for group in self.groups:
            yield from group.walk(f"{above}{group.name}/")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` undoes it."""
        return {
            "name": self.name,
            "dimensions": [[each.name, each.size, each.unlimited] for each in self.dimensions],
            "attributes": [each.to_list() for each in self.attributes],
            "variables": [
                [v.name, v.type, list(v.dimensions), [each.to_list() for each in v.attributes], dict(v.how)]
                for v in self.variables
            ],
            "groups": [each.to_dict() for each in self.groups],
            "enums": {name: [kind, dict(told)] for name, (kind, told) in self.enums.items()},
        }

    @classmethod
    def from_dict(cls, told: Any, depth: int = 0) -> Group:
        """Undo `to_dict`; DamagedFile for what it would not have written."""
        try:
            if depth > MOST_DEPTH:
                raise ValueError("too many groups in one another")
            return cls(
                _text(told["name"]),
                tuple(_dimension(*each) for each in told["dimensions"]),
                tuple(map(Attribute.from_list, told["attributes"])),
                tuple(_stored(*each) for each in told["variables"]),
                tuple(cls.from_dict(each, depth + 1) for each in told["groups"]),
                {_text(name): _enum(*each) for name, each in told["enums"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as wrong:
            raise DamagedFile(f"The archive does not say how its file is built: {wrong}.") from wrong


def only(group: Group, wanted: Sequence[str], above: str = "") -> Group:
    """The same file with none but these variables, given by their paths."""
    return Group(
        group.name,
        group.dimensions,
        group.attributes,
        tuple(each for each in group.variables if above + each.name in wanted),
        tuple(only(each, wanted, f"{above}{each.name}/") for each in group.groups),
        group.enums,
    )


def from_base64(text: Any) -> bytes:
    """Bytes; ValueError for anything else."""
    return base64.b64decode(_text(text), validate=True)


def _plain(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} where a text must be")
    return value


def _size(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise ValueError(f"{value!r} where a length must be")
    return value


def _dimension(name: Any, size: Any, unlimited: Any) -> Dimension:
    return Dimension(_text(name), _size(size), bool(unlimited))


def _stored(name: Any, kind: Any, dimensions: Any, attributes: Any, how: Any) -> Stored:
    if not isinstance(how, dict):
        raise ValueError("no dictionary where storage must be told")
    return Stored(
        _text(name), _text(kind), tuple(map(_text, dimensions)),
        tuple(map(Attribute.from_list, attributes)), how,
    )  # fmt: skip


def _enum(kind: Any, told: Any) -> tuple[str, Mapping[str, int]]:
    if kind not in NUMBERS or not all(type(each) is int for each in told.values()):
        raise ValueError("an enumeration of no whole numbers")
    return kind, {_text(name): value for name, value in told.items()}
