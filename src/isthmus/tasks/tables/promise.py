"""What a table's archive promises in its header: every cell as it was, or numbers within bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from isthmus.coding.bound import Bound
from isthmus.errors import DamagedFile, UseError
from isthmus.tasks.promise import BOUND, BOUNDED, LOSSLESS
from isthmus.tasks.tables.sources import OpenTable


@dataclass(frozen=True)
class TablePromise:
    """How far the numbers of each column may be from their originals; what is not named is equal."""

    bounds: Mapping[str, float]

    @property
    def mode(self) -> str:
        """In the words of other archives."""
        return BOUNDED if self.bounds else LOSSLESS

    @property
    def layer(self) -> str:
        """What its blocks' only layer is called."""
        return BOUND if self.bounds else LOSSLESS

    def summary(self) -> str:
        """A few words for people."""
        if not self.bounds:
            return "lossless, to the last digit"
        told = [f"{name} within {bound:.6g}" for name, bound in self.bounds.items()]
        more = f" and {len(told) - 4} more columns" if len(told) > 4 else ""
        return f"{', '.join(told[:4])}{more}; all else as it was"

    def fractions(self, columns: Sequence[str]) -> list[Fraction]:
        """Of each column, exactly the number that its float shows; 0: equal."""
        return [Fraction(repr(float(self.bounds.get(name, 0.0)))) for name in columns]

    @classmethod
    def from_dict(cls, header: Mapping[str, Any]) -> TablePromise:
        """As a header tells it."""
        bounds = header.get("bounds", {})
        if not isinstance(bounds, dict) or not all(
            isinstance(b, float) and 0 < b < math.inf for b in bounds.values()
        ):
            raise DamagedFile("The header misstates the bounds of its columns.")
        return cls(bounds)


def make_promise(
    table: OpenTable, max_error: float | None, error_mode: str, bounds: Mapping[str, float]
) -> TablePromise:
    """The bounds that follow from what was asked.

    Raises:
        UseError: they cannot be, or no such column is there.
    """
    columns = table.form.columns
    unknown = [name for name in bounds if name not in columns]
    if unknown:
        raise UseError(
            f"There is no column {unknown[0]!r} to bound; the table has {', '.join(map(repr, columns[:12]))}."
        )
    for name in bounds:
        if bounds[name] and (reason := table.form.no_bound(name)) is not None:
            raise UseError(f"A bound is for whole numbers and floats, and the column {name!r} {reason}.")
    for asked in (*bounds.values(), *([] if max_error is None else [max_error])):
        if not (math.isfinite(asked) and asked >= 0):
            raise UseError(f"A bound must be finite and at least 0; got {asked}.")
    if error_mode not in ("abs", "rel"):
        raise UseError(f"Columns of a table are bounded as abs or rel; got --error-mode {error_mode!r}.")
    if not any(bounds.values()) and not max_error:
        return TablePromise({})
    spans = _spans(table)
    rounded = {name: span for name, span in spans.items() if name not in table.form.index}
    for name, bound in bounds.items():
        if bound and name not in spans:
            raise UseError(f"The column {name!r} {_NONE}: leave its bound out.")
    if max_error and not rounded and not any(bounds.values()):
        raise UseError(f"{table.form.name} {_NONE} in any column: leave the bound out.")
    found = {name: float(bound) for name, bound in bounds.items()}
    if max_error and error_mode == "abs":
        found = dict.fromkeys(rounded, float(max_error)) | found
    elif max_error:
        found = {name: Bound.relative(max_error, *span).value for name, span in rounded.items()} | found
    return TablePromise({name: bound for name, bound in found.items() if bound})


_NONE = "holds no numbers, or too few, that can be bounded (such as 3 or 1.5, with a point)"


def _spans(table: OpenTable) -> dict[str, tuple[Fraction, Fraction]]:
    """The least and the greatest number of each column that has some, over the whole table."""
    low: dict[str, Fraction] = {}
    high: dict[str, Fraction] = {}
    for chunk in table.chunks():
        for name, column in zip(table.form.columns, table.form.rows_of(chunk).columns, strict=True):
            for value in column.extremes():
                low[name] = min(low.get(name, value), value)
                high[name] = max(high.get(name, value), value)
    return {name: (low[name], high[name]) for name in low}
