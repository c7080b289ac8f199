"""Archives of tables → files; the inverse is in writing.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isthmus.coding.container import ArchiveReader
from isthmus.errors import DamagedFile, ModelNeeded
from isthmus.files import atomic_write, refuse_existing
from isthmus.limits import Limits
from isthmus.model import AnyModel
from isthmus.model.known_rows import KnownRows
from isthmus.tasks.orders import DecompressOrder
from isthmus.tasks.restored import DecompressResult
from isthmus.tasks.tables.blocks import decode_rows
from isthmus.tasks.tables.promise import TablePromise
from isthmus.tasks.tables.rows import Rows
from isthmus.tasks.tables.sources import TableForm, form_from_dict
from isthmus.tasks.workers import map_blocks, worker_count

ROWS = "rows"
"""The part of a model that a table's archive may need: rows of its kind."""
MOST_COLUMNS = 200
"""That `info` names."""
TABLE = "table"
"""What the spec of such an archive calls it."""


@dataclass(frozen=True)
class OpenedTable:
    """An archive of a table, ready to be decoded."""

    reader: ArchiveReader
    form: TableForm
    promise: TablePromise
    known: Rows | None

    def rows(self, *, workers: int = 1) -> Iterator[Rows]:
        """All rows, block by block."""
        made, limits = 0, self.reader.limits
        tasks = (self.task(number) for number in range(len(self.reader.blocks)))
        for rows in map_blocks(_Decoder(self.known, limits), tasks, workers):
            made += rows.nbytes()
            limits.require("output_bytes", made, "The output")
            yield rows

    def task(self, number: int) -> _Task:
        """What it takes to decode a block."""
        block = self.reader.read_block(number)
        if len(block.layers) != 1 or block.layers[0].name != self.promise.layer:
            raise DamagedFile(f"Block {number} has not the one layer that a table has.")
        layer = block.layers[0]
        return _Task(str(block.plan), layer.payload, layer.content_crc, len(block.items))


@dataclass(frozen=True)
class _Task:
    """A block, read."""

    plan: str
    payload: bytes
    crc: int
    """Of its rows."""
    rows: int


@dataclass(frozen=True)
class _Decoder:
    """Sent to worker processes once."""

    known: Rows | None
    limits: Limits

    def __call__(self, task: _Task) -> Rows:
        rows = decode_rows(task.plan, task.payload, self.known, limits=self.limits)
        if rows.crc() != task.crc or rows.count != task.rows:
            raise DamagedFile("The rows of a block do not match their checksum.")
        return rows


def rows_in(known: KnownRows) -> Rows:
    """The rows that a model holds."""
    rows = decode_rows(known.plan, known.payload)
    if rows.text is not None:
        raise DamagedFile("The model's rows of tables are not columns.")
    return rows


def opened_table(reader: ArchiveReader, known: KnownRows | None) -> OpenedTable:
    """An archive of a table that is open, ready to be decoded.

    Raises:
        ModelNeeded: it names rows of a model, and `known` are none or others.
    """
    told, parts = told_table(reader), reader.header.get("parts")
    if not parts:
        return told
    if known is None or parts != {ROWS: known.hash}:
        raise ModelNeeded(
            f"{reader.name} was made with the rows of a model. Give that model with -m MODEL.ism."
        )
    return replace(told, known=rows_in(known))


def known_by(model: AnyModel | None) -> KnownRows | None:
    """The rows that a model holds, if any."""
    return getattr(model, "known_rows", None)


def told_table(reader: ArchiveReader) -> OpenedTable:
    """An archive of a table, as far as it says itself what it holds."""
    form, promise = form_from_dict(reader.extras.get("table", {})), TablePromise.from_dict(reader.header)
    return OpenedTable(reader, form, promise, None)


def table_facts(reader: ArchiveReader) -> tuple[str, dict[str, Any]]:
    """A title, and facts for people."""
    opened = told_table(reader)
    columns = opened.form.columns
    bounds = {name: f"within {bound:.6g}" for name, bound in opened.promise.bounds.items()}
    return f"archive of a table of {len(columns):,} columns", {
        "rows": f"{reader.items:,} in {len(reader.blocks)} blocks",
        "file": opened.form.name,
        "mode": opened.promise.summary(),
        "model": "its rows are needed" if reader.header.get("parts") else "none",
        **{name: bounds.get(name, "as it was") for name in columns[:MOST_COLUMNS]},
    }


def decompress_table(
    archive: str | Path | bytes, directory: Path, order: DecompressOrder
) -> DecompressResult:
    """Restore the file of a table's archive; see `decompress`."""
    with ExitStack() as stack:
        reader = stack.enter_context(ArchiveReader(archive, limits=order.limits))
        opened = opened_table(reader, known_by(order.model))
        path = directory / opened.form.name
        refuse_existing(path, force=order.force)
        count = worker_count(order.workers, opened.reader.length * 8, slow=True)
        with atomic_write(path, force=order.force) as file:
            opened.form.write(file, opened.rows(workers=count))
        return DecompressResult((path,), opened.reader.items, directory, items="rows")
