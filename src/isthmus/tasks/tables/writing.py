"""Tables → archives; the inverse is in archive.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from isthmus.coding.blocks import Layer
from isthmus.coding.container import ArchiveWriter
from isthmus.errors import BadItem, DamagedFile, UseError
from isthmus.files import target_of
from isthmus.model.known_rows import KnownRows
from isthmus.tasks.compressed import CompressResult, Tally, Winner, path_of
from isthmus.tasks.orders import CompressOrder
from isthmus.tasks.promise import LOSSY
from isthmus.tasks.results import notices_of, refuse_notices
from isthmus.tasks.tables.archive import ROWS, TABLE, rows_in
from isthmus.tasks.tables.blocks import PARQUET, CodedRows, decode_rows, encode_rows
from isthmus.tasks.tables.comparing import Differences
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
        coded = self._coded(chunk)
        return _Coded(coded.rows, self.form.size_of(chunk), coded)

    def _coded(self, chunk: Any) -> CodedRows:
        """The block, which was decoded and held against the chunk: every block is.

        Columns that would not come back within their bounds are kept exactly; a chunk that would not come
        back at all stands as it is.
        """
        rows, bounds = self.form.rows_of(chunk, self.known), list(self.bounds)
        other = None if self.known is None else rows.first_unlike(self.known)
        if other is not None:
            raise UseError(
                f"The model was made for tables with other values in the place of the column "
                f"{self.form.columns[other]!r}. Leave -m out, or fit a model on such a table."
            )
        coded = self._by_columns(chunk, rows, bounds)
        wrong = self._differences(chunk, coded, bounds)
        if wrong and any(bounds):
            kept = [number for number in range(len(bounds)) if not (wrong.rows or number in wrong.columns)]
            bounds = [bound if number in kept else Fraction(0) for number, bound in enumerate(bounds)]
            coded = self._by_columns(chunk, rows, bounds)
            wrong = self._differences(chunk, coded, bounds)
        if wrong:
            coded = encode_rows(self.form.stored(chunk))
            wrong = self._differences(chunk, coded, bounds)
        if wrong:
            what = f"the column {self.form.columns[wrong.columns[0]]!r}" if wrong.columns else "some rows"
            raise BadItem(f"{self.form.name} cannot be kept: {what} would not come back as before.")
        return coded

    def _by_columns(self, chunk: Any, rows: Rows, bounds: Sequence[Fraction]) -> CodedRows:
        near = rounded(rows, bounds, alone=self.known is None)
        return encode_rows(near, self.known, text=self.form.text_of(chunk), table=self.form.table_of(near))

    def _differences(self, chunk: Any, coded: CodedRows, bounds: Sequence[Fraction]) -> Differences:
        """What a reader of the block would not have as promised."""
        try:
            rows = decode_rows(coded.plan, coded.payload, self.known)
            is_whole = (rows.count, rows.crc()) == (coded.rows, coded.crc)
            return self.form.differences(chunk, rows, bounds) if is_whole else Differences(rows=True)
        except DamagedFile:
            return Differences(rows=True)


def compress_table(source: Any, output: str | Path | BinaryIO, order: CompressOrder) -> CompressResult:
    """Write a table as an archive.

    Args:
        source: a path (.csv, .tsv, .txt, .jsonl, .parquet, .arrow), a DataFrame of pandas, polars or PyArrow,
            or an opened one.
        output: the .isz file, or a binary file object.
        order: bounds are of numbers, by column; words, dates and what is missing stay as they are. A model
            lends its rows, which `decompress` then needs too. Progress is told in bytes of text or in rows.
    Raises:
        UseError: a bound that cannot be, or for a column that is not there.
        NoData, BadItem: the source is no table.
    """
    if order.mode == LOSSY:
        raise UseError("A table is kept whole, lossless or within a bound: leave out --lossy.")
    known = rows_held(order.model, embed=order.embed_model)
    table = source if isinstance(source, OpenTable) else OpenTable(source)
    notices = notices_of(table)
    refuse_notices(notices, strict=order.strict)
    target = target_of(output, force=order.force)
    promise = make_promise(table, order.max_error, order.error_mode, order.bounds or {})
    before = None if known is None else _fitting(known, table.form)
    work = _Coder(table.form, promise.fractions(table.form.columns), before)
    parts = {} if known is None else {ROWS: known.hash}
    start: dict[str, Any] = {"mode": promise.mode, "parts": parts, "spec": {"modality": TABLE}}
    if promise.bounds:
        start["bounds"] = dict(promise.bounds)
    rows, done, tally, written = 0, 0, Tally(), [Counter[str]() for _ in table.form.columns]
    count = worker_count(order.workers, table.file_bytes, slow=True)
    with ArchiveWriter(target, start, force=order.force) as writer:
        for block in map_blocks(work, table.chunks(), count):
            coded = block.coded
            layer = Layer(promise.layer, coded.payload, coded.crc)
            writer.add_block(range(rows, rows + block.rows), coded.plan, [layer])
            tally.payload_bytes += len(coded.payload)
            tally.rivals.add({} if coded.parquet_bytes is None else {PARQUET: coded.parquet_bytes})
            for told, new in zip(written, coded.coders, strict=False):  # none of a block that stands as it is
                told.update(new)
            rows, done = rows + block.rows, done + block.size
            if order.progress is not None:
                order.progress(min(done, table.size), table.size)
        for told in filter(None, written):
            name, _ = told.most_common(1)[0]
            tally.add_winner(name, Winner(1, told.total()))
        writer.finish(None, {"table": table.form.to_dict(), "rivals": tally.rivals.whole()})
    return CompressResult(
        output=path_of(target),
        mode=promise.mode,
        promise=promise.summary(),
        samples=rows,
        original_bytes=table.raw_bytes,
        source_bytes=table.file_bytes,
        source_names=table.file_names,
        archive_bytes=writer.length,
        payload_bytes=tally.payload_bytes,
        winners=tally.winners,
        rivals=tally.rivals.whole(),
        items="rows",
        contested="column",
        notices=notices,
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
    rows = rows_in(known)
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
