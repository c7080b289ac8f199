"""Tables → archives; the inverse is in archive.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from isthmus.coding.blocks import Layer
from isthmus.coding.container import ArchiveWriter
from isthmus.errors import UseError
from isthmus.files import refuse_existing
from isthmus.model.known_rows import KnownRows
from isthmus.tasks.compressed import CompressResult, Winner
from isthmus.tasks.orders import Progress
from isthmus.tasks.tables.archive import ROWS, TABLE
from isthmus.tasks.tables.blocks import CodedRows, decode_rows, encode_rows
from isthmus.tasks.tables.promise import make_promise
from isthmus.tasks.tables.rounding import rounded
from isthmus.tasks.tables.rows import Rows
from isthmus.tasks.tables.sources import OpenTable, TableForm
from isthmus.tasks.workers import map_blocks, worker_count

KNOWN_ROWS = 1 << 15
"""That a model holds at most."""


@dataclass(frozen=True)
class _Coded:
    """A block, ready to be written."""

    rows: int
    size: int
    """By which progress is told."""
    coded: CodedRows


@dataclass(frozen=True)
class _Coder:
    """All it takes to code rows; sent to worker processes once."""

    form: TableForm
    bounds: Sequence[Fraction]
    known: Rows | None

    def __call__(self, chunk: Any) -> _Coded:
        rows = rounded(self.form.rows_of(chunk, self.known), self.bounds, alone=self.known is None)
        return _Coded(rows.count, self.form.size_of(chunk), encode_rows(rows, self.known))


def compress_table(
    source: Any,
    output: str | Path | BinaryIO,
    *,
    known: KnownRows | None = None,
    max_error: float | None = None,
    error_mode: str = "abs",
    bounds: Mapping[str, float] | None = None,
    workers: int | None = 1,
    force: bool = False,
    header: bool | None = None,
    progress: Progress | None = None,
) -> CompressResult:
    """Write a table as an archive.

    Args:
        source: a path (.csv, .tsv, .txt, .jsonl, .parquet, .arrow), or a DataFrame of pandas,
            polars or PyArrow.
        output: the .isz file, or a binary file object.
        known: rows of a model for such tables, which `decompress` then needs too.
        max_error: how far any number may be from its original; None asks for equal ones. Words, dates and
            what is missing stay as they are.
        error_mode: "abs"; "rel", times the range of its column.
        bounds: how far the numbers of a column may be, by its name; 0 keeps a column as it is.
        workers: processes; None takes one a core where the file is large. Same bytes for any.
        force: replace an existing output.
        header: whether the first row of a text file names the columns; None looks.
        progress: told how much is done and how much there is, in bytes of text or in rows, after each block.
    Raises:
        UseError: a bound that cannot be, or for a column that is not there.
        NoData, BadItem: the source is no table.
    """
    table = source if isinstance(source, OpenTable) else OpenTable(source, header=header)
    target = Path(output) if isinstance(output, (str, Path)) else output
    if isinstance(target, Path):
        refuse_existing(target, force=force)
    promise = make_promise(table, max_error, error_mode, bounds or {})
    before = None if known is None else _fitting(known, table.form)
    work = _Coder(table.form, promise.fractions(table.form.columns), before)
    parts = {} if known is None else {ROWS: known.hash}
    start: dict[str, Any] = {"mode": promise.mode, "parts": parts, "spec": {"modality": TABLE}}
    if promise.bounds:
        start["bounds"] = dict(promise.bounds)
    count, done, payloads, rival, winners = 0, 0, 0, 0, dict[str, Winner]()
    with ArchiveWriter(target, start, force=force) as writer:
        for block in map_blocks(work, table.chunks(), worker_count(workers, table.file_bytes, slow=True)):
            coded = block.coded
            layer = Layer(promise.layer, coded.payload, coded.crc)
            writer.add_block(range(count, count + block.rows), coded.plan, [layer])
            count, payloads, rival = (
                count + block.rows,
                payloads + len(coded.payload),
                rival + coded.parquet_bytes,
            )
            for name, won in coded.coders.items():
                before_it = winners.get(name, Winner(0, 0))
                winners[name] = Winner(before_it.blocks + won.blocks, before_it.bytes + won.bytes)
            done += block.size
            if progress is not None:
                progress(min(done, table.size), table.size)
        writer.finish(None, {"table": table.form.to_dict(), "rivals": {"parquet": rival}})
    return CompressResult(
        output=target if isinstance(target, Path) else None,
        mode=promise.mode,
        promise=promise.summary(),
        samples=count,
        original_bytes=table.file_bytes,
        source_bytes=table.file_bytes,
        archive_bytes=writer.length,
        model_bytes=0,
        payload_bytes=payloads,
        overhead_bytes=writer.length - payloads,
        metadata_bytes=0,
        winners=dict(sorted(winners.items(), key=lambda pair: -pair[1].bytes)),
        rivals={"parquet": rival},
        quality=None,
        psnr_db=None,
        advice=(),
        items="rows",
        contested="column",
    )


def rows_held(model: Any, *, embed: bool) -> KnownRows | None:
    """The rows that a model holds for archives that only name it.

    Raises:
        UseError: the model is none for tables, or was made from a matrix; or it was to be embedded.
    """
    if model is None:
        return None
    known: KnownRows | None = getattr(model, "known_rows", None)
    if known is None:
        raise UseError("The model holds no rows of tables: fit one on such a file, or leave -m out.")
    if embed:
        raise UseError(
            "A table's archive cannot hold its model, whose rows would cost what they save. Add --no-embed, "
            "and give -m to decompress too; or leave -m out."
        )
    return known


def _fitting(known: KnownRows, form: TableForm) -> Rows:
    rows = decode_rows(known.plan, known.payload)
    if len(rows.columns) != len(form.columns):
        raise UseError(
            f"The model was made for tables of {len(rows.columns)} columns; this one has "
            f"{len(form.columns)}. "
            "Leave -m out, or fit a model on such a table."
        )
    return rows


def known_rows_of(source: Any, *, header: bool | None = None) -> KnownRows:
    """Rows of a table for a model to hold: stretches of its first chunk."""
    table = OpenTable(source, header=header)
    rows = table.form.rows_of(next(table.chunks()))
    coded = encode_rows(rows.stretches(KNOWN_ROWS))
    return KnownRows(coded.plan, coded.payload)
