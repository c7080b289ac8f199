"""Rows of cells → the lines of a CSV file, one at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from isthmus.files import atomic_write, to_bytes


def csv_lines(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The line of names, then one for each row.

    >>> list(csv_lines(["a", "b"], [(1, "x, y")]))
    ['a,b\\n', '1,"x, y"\\n']
    """
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(names)
    yield line.getvalue()
    for row in rows:
        line.seek(0)
        line.truncate()
        writer.writerow(row)
        yield line.getvalue()


def write_lines(path: Path, lines: Iterable[str], *, force: bool) -> None:
    """Write a text file, whole or not at all."""
    with atomic_write(path, force=force) as file:
        file.writelines(map(to_bytes, lines))
