"""Gridded arrays, as the tasks see them: see tasks/modalities.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from isthmus.coding.container import ArchiveReader
from isthmus.data.grids import Grids, is_grid, open_grid
from isthmus.limits import Limits
from isthmus.model import AnyModel
from isthmus.tasks.compressed import CompressResult
from isthmus.tasks.grids.archive import decompress_grid, grid_facts
from isthmus.tasks.grids.verify import verify_grid
from isthmus.tasks.grids.writing import compress_grid
from isthmus.tasks.modalities import Checked, Modality
from isthmus.tasks.orders import CompressOrder, DecompressOrder
from isthmus.tasks.restored import DecompressResult

WHY = "Gridded arrays are kept as they are, or within bounds"


class GriddedArrays(Modality):
    """Files of netCDF, zarrs, objects of xarray."""

    plural = "gridded arrays"

    def is_source(self, source: Any) -> bool:
        """By its name, or what a folder holds."""
        return is_grid(source)

    def open(self, source: Any, *, header: bool | None, skip_bad: bool) -> Grids:
        """See `open_grid`."""
        return open_grid(source)

    def compress(self, source: Any, output: str | Path | BinaryIO, order: CompressOrder) -> CompressResult:
        """See `compress_grid`."""
        order.only({"mode", "max_error", "bounds"}, WHY)
        return compress_grid(
            source,
            output,
            mode=order.mode,
            max_error=order.max_error,
            error_mode=order.error_mode,
            bounds=order.bounds,
            effort=order.effort,
            workers=order.workers,
            force=order.force,
            progress=order.progress,
        )

    def decompress(
        self, archive: str | Path | bytes, directory: Path, order: DecompressOrder
    ) -> DecompressResult:
        """See `decompress_grid`."""
        order.only({"variables"}, WHY)
        return decompress_grid(archive, directory, order)

    def verify(self, path: Path, model: AnyModel | None, against: Any, limits: Limits) -> Checked:
        """See `verify_grid`."""
        return Checked(*verify_grid(path, against, limits))

    def facts(self, reader: ArchiveReader) -> tuple[str, dict[str, Any]]:
        """See `grid_facts`."""
        return grid_facts(reader)
