"""Tables, as the tasks see them: see tasks/modalities.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from isthmus.coding.container import ArchiveReader
from isthmus.data.tables import is_table
from isthmus.limits import Limits
from isthmus.model import AnyModel
from isthmus.tasks.compressed import CompressResult
from isthmus.tasks.modalities import Checked, Modality
from isthmus.tasks.orders import CompressOrder, DecompressOrder
from isthmus.tasks.promise import LOSSY
from isthmus.tasks.restored import DecompressResult
from isthmus.tasks.tables.archive import decompress_table, table_facts
from isthmus.tasks.tables.sources import OpenTable
from isthmus.tasks.tables.verify import verify_table
from isthmus.tasks.tables.writing import compress_table, rows_held

WHY = "A table is kept whole, lossless or within a bound"


class Tables(Modality):
    """CSV, JSON lines, Parquet, Arrow, DataFrames."""

    plural = "a table"

    def is_source(self, source: Any) -> bool:
        """By its name, or its type."""
        return isinstance(source, OpenTable) or is_table(source)

    def open(self, source: Any, *, header: bool | None, skip_bad: bool) -> OpenTable:
        """No row is left out: what is odd is kept as it is."""
        return OpenTable(source, header=header)

    def compress(self, source: Any, output: str | Path | BinaryIO, order: CompressOrder) -> CompressResult:
        """See `compress_table`."""
        known = {"model", "max_error", "bounds"} | ({"mode"} if order.mode != LOSSY else set())
        order.only(known, WHY)
        return compress_table(
            source,
            output,
            known=rows_held(order.model, embed=order.embed_model),
            max_error=order.max_error,
            error_mode=order.error_mode,
            bounds=order.bounds,
            workers=order.workers,
            force=order.force,
            progress=order.progress,
        )

    def decompress(
        self, archive: str | Path | bytes, directory: Path, order: DecompressOrder
    ) -> DecompressResult:
        """See `decompress_table`."""
        order.only({"model"}, WHY)
        known = getattr(order.model, "known_rows", None)
        return decompress_table(
            archive, directory, known=known, workers=order.workers, force=order.force, limits=order.limits
        )

    def verify(self, path: Path, model: AnyModel | None, against: Any, limits: Limits) -> Checked:
        """See `verify_table`."""
        return Checked(*verify_table(path, getattr(model, "known_rows", None), against, limits))

    def facts(self, reader: ArchiveReader) -> tuple[str, dict[str, Any]]:
        """See `table_facts`."""
        return table_facts(reader)
