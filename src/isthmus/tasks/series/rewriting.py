"""A file of a series → the same file with other numbers in its channels: all else stays as it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.series.numbers import holds_numbers
from isthmus.data.tables.schema import Notation
from isthmus.errors import SpecMismatch
from isthmus.files import atomic_write

MORE_DIGITS = 2
"""Behind the point, than a column of text has."""


def rewrite(
    source: Path,
    target: Path,
    channels: tuple[str, ...],
    notations: Mapping[str, Notation],
    before: np.ndarray,
    after: np.ndarray,
    *,
    force: bool,
) -> None:
    """Write the file anew; where a number is as it was, so is its text.

    Args:
        source: the file of the series.
        target: where it goes.
        channels: their names.
        notations: of those whose numbers are not written as 1234.5.
        before: float64 (rows, channels), in the order of the file.
        after: what is to stand there.
        force: replace an existing file.
    Raises:
        SpecMismatch: it is written in a way that cannot be kept; nothing was written.
    """
    new = np.where((after == before) | ~np.isfinite(after), np.nan, after)
    with atomic_write(target, force=force) as file:
        if source.suffix == ".npy":
            _write_array(file, np.load(source, mmap_mode="r", allow_pickle=False), new)
            return
        if holds_numbers(source):
            _write_numbers(file, source.read_bytes(), new[:, 0])
            return
        from isthmus.tasks.tables.sources import OpenTable, TextForm

        table = OpenTable(source)
        places = {name: place for place, name in enumerate(table.form.columns)}
        if not set(channels) <= set(places):
            raise SpecMismatch(
                f"{source.name} is written in a way that cannot be kept: save it as a .csv first."
            )
        is_text = isinstance(table.form, TextForm)
        wanted = {
            places[name]: new[:, number]
            for number, name in enumerate(channels)
            if is_text or np.isfinite(new[:, number]).any()  # so that a column of whole numbers stays one
        }
        written = {places[name]: notation for name, notation in notations.items()}
        write = _write_text if is_text else _write_typed
        write(file, table, _Rows(source.name, wanted, len(new)), written)


def _write_array(file: Any, like: np.ndarray, new: np.ndarray) -> None:
    changed, shaped = np.isfinite(new).any(), new.reshape(like.shape)
    kind = np.dtype(np.float64) if changed and like.dtype.kind != "f" else like.dtype
    np.save(file, np.where(np.isnan(shaped), like, shaped).astype(kind))


def _write_numbers(file: Any, text: bytes, new: np.ndarray) -> None:
    """A text of numbers alone, and what parts them."""
    pieces = re.split(rb"(\s+)", text)
    places = [place for place in range(0, len(pieces), 2) if pieces[place]]
    printed = _printed([pieces[place].decode() for place in places], new)
    for place, word in zip(places, printed, strict=True):
        pieces[place] = word.encode()
    file.write(b"".join(pieces))


class _Rows:
    """Hands out the values of rows, some at a time."""

    def __init__(self, name: str, wanted: Mapping[int, np.ndarray], count: int) -> None:
        self._name, self._wanted, self._count, self._done = name, wanted, count, 0

    def take(self, count: int) -> dict[int, np.ndarray]:
        """Of the next rows, by the place of the column."""
        start, self._done = self._done, self._done + count
        if self._done > self._count:
            self.end()
        return {place: values[start : self._done] for place, values in self._wanted.items()}

    def end(self) -> None:
        """Raise SpecMismatch unless as many rows were written as there are."""
        if self._done != self._count:
            raise SpecMismatch(
                f"{self._name} has rows that cannot be kept as they stand: save it as a plain .csv first."
            )


def _write_text(file: Any, table: Any, rows: _Rows, notations: Mapping[int, Notation]) -> None:
    from isthmus.data.tables.lines import chunk_of

    form = table.form.form
    delimiter = form.splitter.delimiter
    file.write(form.start_bytes())
    for part in table.chunks():
        chunk = chunk_of(part, form)
        odd = dict(chunk.odd)
        read = [place for place in range(len(chunk)) if place not in odd or form.is_row(odd[place])]
        new, columns = rows.take(len(read)), list(chunk.columns)
        regular = [place not in odd for place in read]
        for column, values in new.items():
            columns[column] = _printed(columns[column], values[regular], notations.get(column), delimiter)
        for number, place in enumerate(read):
            if place in odd:
                values_here = {column: values[number] for column, values in new.items()}
                odd[place] = _row(form, odd[place], values_here, notations)
        file.write(form.to_bytes(replace(chunk, columns=columns, odd=list(odd.items()))))
    rows.end()


def _row(form: Any, row: str, new: Mapping[int, float], notations: Mapping[int, Notation]) -> str:
    """A row that is not written like the others, such as one with another line end."""
    body = row.strip("\r\n")
    cells, delimiter = form.splitter.cells(body), form.splitter.delimiter
    for column, value in new.items():
        (cells[column],) = _printed([cells[column]], np.array([value]), notations.get(column), delimiter)
    return row.replace(body, delimiter.join(cells), 1)


def _printed(
    texts: list[str], values: np.ndarray, notation: Notation | None = None, delimiter: str = ""
) -> list[str]:
    """Numbers in place of texts, written as these are; where there is none, the text stays."""
    point = (notation and notation.decimal) or "."
    fractions = (re.match("[0-9]*", text.partition(point)[2]) for text in texts[:1000])
    digits = min(12, MORE_DIGITS + max((len(found[0]) for found in fractions if found), default=0))
    printed = []
    for text, value in zip(texts, values.tolist(), strict=True):
        number = f"{value:.{digits}f}" if np.isfinite(value) else text
        if notation is not None and number is not text:
            number = notation.written(number)
        is_quoted = number is not text and (text.startswith('"') or (delimiter and delimiter in number))
        printed.append(f'"{number}"' if is_quoted else number)
    return printed


def _write_typed(file: Any, table: Any, rows: _Rows, notations: Mapping[int, Notation]) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet

    from isthmus.data.tables.texts import texts_of

    batches = []
    for batch in table.chunks():
        columns, names = list(batch.columns), batch.schema.names
        for place, values in rows.take(len(batch)).items():
            if place in notations and not pa.types.is_duration(columns[place].type):
                texts = texts_of(columns[place]).fill_null("").to_pylist()
                columns[place] = pa.array(_printed(texts, values, notations[place]), pa.large_string())
                continue
            kind = columns[place].type if pa.types.is_floating(columns[place].type) else pa.float64()
            new = pa.array(values, from_pandas=True).cast(kind)
            columns[place] = pc.coalesce(new, columns[place].cast(kind))
        batches.append(pa.record_batch(columns, names))
    rows.end()
    made = pa.Table.from_batches(batches)
    if Path(table.form.name).suffix in (".arrow", ".feather"):
        with pa.ipc.new_file(file, made.schema) as writer:
            writer.write_table(made)
    else:
        parquet.write_table(made, file, compression="zstd")
