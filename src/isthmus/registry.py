"""A name → "module:Class" table whose entries are imported on first use.

Outsiders add entries without touching this package, through the entry-point group
`isthmus.<kind>`: `[project.entry-points."isthmus.net"]  mine = "my_package.nets:MyNet"`.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from isthmus.errors import MissingExtra, UnknownName


class Registry(Mapping[str, str]):
    """One family of parts.

    Args:
        kind: what an entry is, in the singular, as it appears in messages ("net").
        entries: name → "module:attribute".
        extra: the optional dependency that the entries' modules need, if any.

    >>> colours = Registry("colour", {"red": "builtins:int", "green": "builtins:str"})
    >>> colours.find("red")
    <class 'int'>
    >>> colours.find("gren")
    Traceback (most recent call last):
        ...
    isthmus.errors.UnknownName: No colour called 'gren'. Did you mean 'green'? Known: green, red.
    """

    def __init__(self, kind: str, entries: Mapping[str, str], *, extra: str | None = None) -> None:
        self.kind = kind
        self.extra = extra
        self._entries = dict(entries)

    def find(self, name: str) -> Any:
        """Import and return the part called `name`; raise UnknownName or MissingExtra."""
        if name not in self:
            raise UnknownName(self._unknown(name))
        module, _, attribute = self[name].partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as missing:
            if self.extra is None or (missing.name or "").startswith("isthmus"):
                raise
            raise MissingExtra(
                f"The {self.kind} {name!r} needs {missing.name}, which is not installed: "
                f"pip install 'isthmus[{self.extra}]'."
            ) from missing

    def __getitem__(self, name: str) -> str:
        return self._entries[name] if name in self._entries else self._plugins()[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._entries, *self._plugins()}))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _plugins(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=f"isthmus.{self.kind}")}

    def _unknown(self, name: str) -> str:
        close = difflib.get_close_matches(name, list(self), n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        return f"No {self.kind} called {name!r}.{hint} Known: {', '.join(self)}."
