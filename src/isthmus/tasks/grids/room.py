"""Gridded arrays, as the tasks see them: see tasks/modalities.py."""

from __future__ import annotations

from isthmus.data.grids import is_grid, open_grid
from isthmus.tasks.grids.archive import decompress_grid, grid_facts
from isthmus.tasks.grids.verify import verify_grid
from isthmus.tasks.grids.writing import compress_grid
from isthmus.tasks.modalities import Modality

GRIDS = Modality(
    plural="gridded arrays",
    why="Gridded arrays are kept as they are, or within bounds",
    is_source=is_grid,
    open=lambda source, header, skip_bad: open_grid(source),
    write=compress_grid,
    written_by=frozenset({"mode", "max_error", "bounds"}),
    read=decompress_grid,
    read_by=frozenset({"variables"}),
    verify=verify_grid,
    facts=grid_facts,
)
