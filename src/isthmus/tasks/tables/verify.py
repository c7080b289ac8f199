"""Does a table's archive decode to what was written, and is that what the original holds?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from isthmus.coding.container import ArchiveReader
from isthmus.errors import DamagedFile
from isthmus.limits import Limits
from isthmus.model import AnyModel
from isthmus.tasks.findings import Checked, Finding, damaged, different, incomparable, not_in_archive
from isthmus.tasks.tables.archive import OpenedTable, known_by, opened_table
from isthmus.tasks.tables.comparing import Differences
from isthmus.tasks.tables.sources import OpenTable, TableForm


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
        unlike = _unlike(opened.form, table.form)
        found = [unlike] if unlike is not None else list(_findings(opened, table))
        return Checked(found, table.name, promise, not_in_archive(table))


def _unlike(mine: TableForm, theirs: TableForm) -> Finding | None:
    """What is written otherwise, beside the rows."""
    if type(mine) is not type(theirs):
        return incomparable(
            f"the archive holds a {mine.kind} table, the original is {theirs.kind}: CSV and JSON lines are "
            "text, Parquet, Arrow and data frames are typed"
        )
    unlike = mine.unlike(theirs)
    return None if unlike is None else different(unlike)


def _findings(opened: OpenedTable, table: OpenTable | None) -> Iterator[Finding]:
    """At most one: the first."""
    bounds = opened.promise.fractions(opened.form.columns)
    counts = [block.header.count for block in opened.reader.blocks]
    chunks = iter(()) if table is None else table.chunks(counts)
    try:
        start = 0
        for rows, chunk in zip_longest(opened.rows(), chunks):
            if table is not None:
                if rows is None or chunk is None:
                    yield different("the original has another number of rows")
                    return
                if unlike := opened.form.differences(chunk, rows, bounds):
                    wrong = _in_words(unlike, opened.form.columns)
                    yield different(f"{wrong}, in rows {start:,} to {start + rows.count:,} (counted from 0)")
                    return
            start += 0 if rows is None else rows.count
    except DamagedFile as damage:
        yield damaged(damage)


def _in_words(unlike: Differences, names: tuple[str, ...]) -> str:
    if unlike.rows:
        return "rows are missing, or written otherwise"
    return f"the column {names[unlike.columns[0]]!r} is not as promised"
