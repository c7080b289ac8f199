"""Tables ⇄ archives: `compress` and `decompress` for rows and columns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from isthmus.coding.blocks import Layer
from isthmus.coding.container import ArchiveReader, ArchiveWriter
from isthmus.errors import DamagedFile, ModelNeeded, UseError
from isthmus.files import atomic_write, refuse_existing
from isthmus.limits import DEFAULT_LIMITS, Limits
from isthmus.model.known_rows import KnownRows
from isthmus.tasks.compressed import CompressResult, Winner
from isthmus.tasks.orders import Progress
from isthmus.tasks.promise import BOUND, BOUNDED, LOSSLESS
from isthmus.tasks.restored import DecompressResult
from isthmus.tasks.tables.blocks import CodedRows, Rows, decode_rows, encode_rows, rounded
from isthmus.tasks.tables.sources import OpenTable, TableForm, form_from_dict
from isthmus.tasks.workers import map_blocks, worker_count

KNOWN_ROWS = 1 << 15
"""That a model holds at most."""
ROWS = "rows"
"""The part of a model that a table's archive may need: rows of its kind."""
MOST_COLUMNS = 200
"""That `info` names."""
TABLE = "table"
"""What the spec of such an archive calls it."""


@dataclass(frozen=True)
class TablePromise:
    """How far the numbers of each column may be from their originals; what is not named is equal."""

    bounds: Mapping[str, float]

    @property
    def mode(self) -> str:
        """In the words of other archives."""
        return BOUNDED if self.bounds else LOSSLESS

    @property
    def layer(self) -> str:
        """What its blocks' only layer is called."""
        return BOUND if self.bounds else LOSSLESS

    def summary(self) -> str:
        """A few words for people."""
        if not self.bounds:
            return "lossless, to the last digit"
        told = [f"{name} within {bound:.6g}" for name, bound in self.bounds.items()]
        more = f" and {len(told) - 4} more columns" if len(told) > 4 else ""
        return f"{', '.join(told[:4])}{more}; all else as it was"

    def fractions(self, columns: Sequence[str]) -> list[Fraction]:
        """Of each column, exactly the number that its float shows; 0: equal."""
        return [Fraction(repr(float(self.bounds.get(name, 0.0)))) for name in columns]

    @classmethod
    def from_dict(cls, header: Mapping[str, Any]) -> TablePromise:
        """As a header tells it."""
        bounds = header.get("bounds", {})
        if not isinstance(bounds, dict) or not all(
            isinstance(b, float) and 0 < b < math.inf for b in bounds.values()
        ):
            raise DamagedFile("The header misstates the bounds of its columns.")
        return cls(bounds)


@dataclass(frozen=True)
class _Coded:
    """A block, ready to be written."""

    rows: int
    size: int
    """By which progress is told."""
    crc: int
    coded: CodedRows


@dataclass(frozen=True)
class _Coder:
    """All it takes to code rows; sent to worker processes once."""

    form: TableForm
    bounds: Sequence[Fraction]
    known: Rows | None

    def __call__(self, chunk: Any) -> _Coded:
        rows = rounded(self.form.rows_of(chunk, self.known), self.bounds)
        return _Coded(rows.count, self.form.size_of(chunk), rows.crc(), encode_rows(rows, self.known))


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
            layer = Layer(promise.layer, coded.payload, block.crc)
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


def make_promise(
    table: OpenTable, max_error: float | None, error_mode: str, bounds: Mapping[str, float]
) -> TablePromise:
    """The bounds that follow from what was asked.

    Raises:
        UseError: they cannot be, or no such column is there.
    """
    columns = table.form.columns
    unknown = [name for name in bounds if name not in columns]
    if unknown:
        raise UseError(
            f"There is no column {unknown[0]!r} to bound; the table has {', '.join(map(repr, columns[:12]))}."
        )
    for asked in (*bounds.values(), *([] if max_error is None else [max_error])):
        if not (math.isfinite(asked) and asked >= 0):
            raise UseError(f"A bound must be finite and at least 0; got {asked}.")
    if error_mode not in ("abs", "rel"):
        raise UseError(f"Columns of a table are bounded as abs or rel; got --error-mode {error_mode!r}.")
    found = {name: float(bound) for name, bound in bounds.items()}
    if max_error is not None and error_mode == "abs":
        found = dict.fromkeys(columns, float(max_error)) | found
    elif max_error is not None:
        found = {name: float(max_error * span) for name, span in _spans(table).items()} | found
    return TablePromise({name: bound for name, bound in found.items() if bound})


def _spans(table: OpenTable) -> dict[str, Fraction]:
    """The range of the numbers of each column that has some, over the whole table."""
    low: dict[str, Fraction] = {}
    high: dict[str, Fraction] = {}
    for chunk in table.chunks():
        for name, column in zip(table.form.columns, table.form.rows_of(chunk).columns, strict=True):
            for value in column.extremes():
                low[name] = min(low.get(name, value), value)
                high[name] = max(high.get(name, value), value)
    return {name: high[name] - low[name] for name in low}


def _fitting(known: KnownRows, form: TableForm) -> Rows:
    rows = decode_rows(known.plan, known.payload)
    if len(rows.columns) != len(form.columns):
        raise UseError(
            f"The model was made for tables of {len(rows.columns)} columns; this one has "
            f"{len(form.columns)}. "
            "Leave -m out, or fit a model on such a table."
        )
    return rows


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
    return replace(told, known=decode_rows(known.plan, known.payload))


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
    archive: str | Path | bytes,
    directory: str | Path,
    *,
    known: KnownRows | None = None,
    workers: int | None = 1,
    force: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> DecompressResult:
    """Restore the file of a table's archive; see `decompress`."""
    with ExitStack() as stack:
        opened = opened_table(stack.enter_context(ArchiveReader(archive, limits=limits)), known)
        path = Path(directory) / opened.form.name
        refuse_existing(path, force=force)
        path.parent.mkdir(parents=True, exist_ok=True)
        count = worker_count(workers, opened.reader.length * 8, slow=True)
        with atomic_write(path, force=force) as file:
            opened.form.write(file, opened.rows(workers=count))
        return DecompressResult((path,), opened.reader.items, Path(directory), items="rows")


def known_rows_of(source: Any, *, header: bool | None = None) -> KnownRows:
    """Rows of a table for a model to hold: stretches of its first chunk."""
    table = OpenTable(source, header=header)
    rows = table.form.rows_of(next(table.chunks()))
    coded = encode_rows(rows.stretches(KNOWN_ROWS))
    return KnownRows(coded.plan, coded.payload)
