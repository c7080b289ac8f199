"""Does a table's archive decode to what was written, and is that what the original holds?"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.coding.container import ArchiveReader
from isthmus.errors import DamagedFile
from isthmus.limits import Limits
from isthmus.model import AnyModel
from isthmus.tasks.findings import Checked, Finding, damaged, different, incomparable, not_in_archive
from isthmus.tasks.tables.archive import OpenedTable, known_by, opened_table
from isthmus.tasks.tables.rounding import reach_of
from isthmus.tasks.tables.rows import Rows, Taken
from isthmus.tasks.tables.sources import OpenTable


def verify_table(path: Path, model: AnyModel | None, against: Any, limits: Limits) -> Checked:
    """What is wrong.

    Without the model that it names, nothing is decoded, unless there is something to compare with.
    """
    known = known_by(model)
    with ArchiveReader(path, limits=limits) as reader:
        if reader.header.get("parts") and known is None and against is None:
            return Checked([], None, "")
        opened = opened_table(reader, known)
        table = against if against is None or isinstance(against, OpenTable) else OpenTable(against)
        promise = opened.promise.summary()
        if table is None:
            return Checked(list(_findings(opened, None)), None, promise)
        unlike = _unlike(opened.form.to_dict(), table.form.to_dict())
        found = [unlike] if unlike is not None else list(_findings(opened, table))
        return Checked(found, table.name, promise, not_in_archive(table))


def _unlike(mine: dict[str, Any], theirs: dict[str, Any]) -> Finding | None:
    """What is written otherwise, beside the rows."""
    if mine["kind"] != theirs["kind"]:
        return incomparable(
            f"the archive holds a {mine['kind']} table, the original is {theirs['kind']}: CSV and JSON "
            "lines are text, Parquet, Arrow and data frames are typed"
        )
    if {**mine, "name": None} != {**theirs, "name": None}:
        return different("the original has other columns, or is written in another way")
    return None


def _findings(opened: OpenedTable, table: OpenTable | None) -> Iterator[Finding]:
    """At most one: the first."""
    bounds = opened.promise.fractions(opened.form.columns)
    chunks = iter(()) if table is None else table.chunks()
    try:
        start = 0
        for rows, chunk in zip_longest(opened.rows(), chunks):
            if table is not None:
                if rows is None or chunk is None:
                    yield different("the original has another number of rows")
                    return
                wrong = _differs(rows, opened.form.rows_of(chunk, rows), bounds, opened.form.columns)
                if wrong is not None:
                    yield different(f"{wrong}, in rows {start:,} to {start + rows.count:,} (counted from 0)")
                    return
            start += 0 if rows is None else rows.count
    except DamagedFile as damage:
        yield damaged(damage)


def _differs(mine: Rows, theirs: Rows, bounds: list[Fraction], names: tuple[str, ...]) -> str | None:
    """What is not as promised."""
    if (mine.count, mine.odd, mine.is_bare) != (theirs.count, theirs.odd, theirs.is_bare):
        return "rows are missing, or written otherwise"
    for name, bound, ours, other in zip(names, bounds, mine.columns, theirs.columns, strict=True):
        if not _kept(ours, other, bound):
            return f"the column {name!r} is not as promised"
    return None


def _kept(mine: Taken, theirs: Taken, bound: Fraction) -> bool:
    if "step" in mine.head and theirs.floats is not None:
        return _steps_kept(mine, theirs, bound)
    marks, others = (each.marks if any(each.marks or ()) else None for each in (mine, theirs))
    if marks != others or mine.opaque != theirs.opaque:
        return False
    told = np.array([not mark for mark in marks]) if marks else slice(None)
    if mine.numbers is not None and theirs.numbers is not None:
        reach = reach_of(mine.head, bound) if mine.is_amount else Fraction(0)
        return bool((np.abs(mine.numbers[told] - theirs.numbers[told]) <= int(reach)).all())
    if mine.floats is not None and theirs.floats is not None:
        return bool(Bound(float(bound)).kept(theirs.floats, mine.floats).all())
    return (mine.numbers is None) == (theirs.numbers is None)


def _steps_kept(mine: Taken, theirs: Taken, bound: Fraction) -> bool:
    from isthmus.data.tables import typed

    assert theirs.floats is not None
    told = typed.Typed(typed.STEPPED, 0, mine.marks, mine.numbers, step=mine.head["step"])
    floats, nulls = typed.floats_of(told, theirs.floats.dtype)
    others = np.array([bool(mark) for mark in theirs.marks or [""] * len(floats)], bool)
    kept = Bound(float(bound)).kept(theirs.floats[~others], floats[~others])
    return bool((nulls == others).all() and kept.all())
