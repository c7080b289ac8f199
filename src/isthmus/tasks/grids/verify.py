"""Does an archive of gridded arrays decode to what was written, and is that what the original holds?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.bound import Bound, same_bits
from isthmus.coding.container import ArchiveReader
from isthmus.data.grids import Grids, Variable, open_grid
from isthmus.errors import DamagedFile
from isthmus.limits import Limits
from isthmus.model import AnyModel
from isthmus.tasks.findings import Checked, Finding, damaged, different, incomparable, not_in_archive
from isthmus.tasks.grids.archive import OpenedGrid, opened_grid
from isthmus.tasks.grids.blocks import gap_map
from isthmus.tasks.grids.writing import describe


def verify_grid(path: Path, model: AnyModel | None, against: Any, limits: Limits) -> Checked:
    """What is wrong; no model is needed."""
    with ArchiveReader(path, limits=limits) as reader:
        opened = opened_grid(reader)
        promise = opened.promise.summary()
        if against is None:
            return Checked(list(_findings(opened, None)), None, promise)
        grids = open_grid(against)
        try:
            return Checked(list(_findings(opened, grids)), grids.name, promise, not_in_archive(grids))
        finally:
            if grids is not against:
                grids.close()


def _unlike(mine: dict[str, Any], theirs: dict[str, Any]) -> Finding | None:
    """What is told otherwise, beside the values."""
    if mine["form"] != theirs["form"]:
        return incomparable(f"the original is {theirs['form']}, the archive holds {mine['form']}")
    for ours, others in zip(mine["variables"], theirs["variables"], strict=False):
        if ours != others:
            return different(
                f"{ours[0]} in the archive is {others[0]} in the original, or of another type or shape"
            )
    if len(mine["variables"]) != len(theirs["variables"]):
        return different("the original has another number of variables")
    if mine["about"] != theirs["about"]:
        return different("the original has other attributes, dimensions or storage")
    return None


def _findings(opened: OpenedGrid, grids: Grids | None) -> Iterator[Finding]:
    """At most one: the first."""
    if grids is not None:
        unlike = _unlike(dict(opened.reader.extras["grid"]), describe(grids))
        if unlike is not None:
            yield unlike
            return
    try:
        for number, tile, values in opened.tiles(range(len(opened.variables))):
            variable = opened.variables[number]
            if grids is None:
                continue
            wrong = _wrong(grids.read(number, tile), values, variable, opened.promise.bound(variable.name))
            if wrong is not None:
                place = [int(at) + part.start for at, part in zip(wrong, tile, strict=True)]
                yield different(f"{variable.name} is not as promised, first at {place} (counted from 0)")
                return
    except DamagedFile as damage:
        yield damaged(damage)


def _wrong(
    theirs: np.ndarray, mine: np.ndarray, variable: Variable, bound: Bound | None
) -> np.ndarray | None:
    """Where the first value is that breaks the promise."""
    if mine.dtype == object:
        kept = mine == theirs
    elif bound is None:
        kept = same_bits(theirs, mine)
    else:
        gaps = gap_map(theirs, variable.gaps)
        exact = same_bits(theirs, mine) | (gaps == 0)
        kept = bound.kept(theirs, mine) & exact & (gaps == gap_map(mine, variable.gaps))
    bad = np.argwhere(~np.asarray(kept, bool))
    found: np.ndarray | None = bad[0] if len(bad) else None
    return found
