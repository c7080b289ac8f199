"""What all results share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.source import Skipped
from isthmus.errors import UseError


@dataclass(frozen=True, kw_only=True)
class Result:
    """The base of every task's frozen dataclass of results."""

    notices: tuple[str, ...] = ()
    """What was left out, changed or not looked at: one sentence each."""

    def summary(self) -> str:
        """One line for a terminal."""
        raise NotImplementedError(f"{type(self).__name__} must define summary")

    def to_dict(self) -> dict[str, Any]:
        """The same for a program: JSON-ready."""
        return {f.name: jsonable(getattr(self, f.name)) for f in fields(self) if f.repr}


def notices_of(source: Any) -> tuple[str, ...]:
    """What an opened source leaves out: items that cannot be read, and what is there beside the items."""
    return tuple(f"left out: {each}" for each in (*source.skipped, *source.ignored))


def not_looked_at(columns: Iterable[Skipped]) -> tuple[str, ...]:
    """A sentence for each column that a detector leaves out.

    >>> not_looked_at([Skipped("z", "the model does not know it")])
    ('not looked at: z (the model does not know it)',)
    """
    return tuple(f"not looked at: {each.name} ({each.reason})" for each in columns)


def refuse_notices(notices: Sequence[str], *, strict: bool) -> None:
    """Raise UseError if `strict` and anything would be left out; call it before anything is written.

    >>> refuse_notices(["left out: notes.txt: not an image"], strict=False)
    >>> refuse_notices(["left out: a.txt: not an image"], strict=True)
    Traceback (most recent call last):
        ...
    isthmus.errors.UseError: With --strict nothing may be left out or changed; left out: a.txt: not an image
    """
    if strict and notices:
        more = f" (and {len(notices) - 1} more)" if len(notices) > 1 else ""
        raise UseError(f"With --strict nothing may be left out or changed; {notices[0]}{more}")


def jsonable(value: Any) -> Any:
    """Paths, NumPy numbers and dataclasses as plain JSON values."""
    if isinstance(value, Result):
        return value.to_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: jsonable(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    return value


def size(count: float) -> str:
    """Bytes for people.

    >>> size(1234567), size(12)
    ('1.23 MB', '12 bytes')
    """
    if count < 1000:
        return f"{count:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 999.5:
            return f"{count:.3g} {unit}"
    return f"{count / 1000:.3g} TB"


def share_text(share: float | None) -> str:
    """A BD-rate for people.

    >>> share_text(-0.123), share_text(None)
    ('−12.3 %', 'not comparable')
    """
    return "not comparable" if share is None else f"{100 * share:+.1f} %".replace("-", "−")
