"""Steps of symbols ⇄ one message: each symbol by the table that its number names.

The numbers of a step may follow from the symbols of the steps before, so the reader is asked step
by step. Within a step, symbols of one table stand together, which is what keeps the coder fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import constriction
import numpy as np

from isthmus.coding.coder import WORD, entropy_model, open_words
from isthmus.coding.tables import Table
from isthmus.coding.varints import ByteReader, read_signed, write_signed, write_varint
from isthmus.errors import DamagedFile


def encode_steps(steps: Iterable[tuple[np.ndarray, np.ndarray]], tables: Sequence[Table]) -> bytes:
    """Code steps in order: pairs of symbols and of their tables' numbers, of one shape each.

    Of each step no more is kept than a byte or two for a symbol.

    >>> tables = [Table(0, [3, 4, 1]), Table(-1, [1, 1, 1, 1])]
    >>> steps = [(np.array([0, 1, -1]), np.array([0, 0, 1])), (np.array([900]), np.array([1]))]
    >>> reader = StepReader(ByteReader(encode_steps(steps, tables), "A message"), tables)
    >>> [reader.take(numbers).tolist() for _, numbers in steps]
    [[0, 1, -1], [900]]
    """
    ranges, runs, in_full = _Ranges(tables), [], []
    for symbols, numbers in steps:
        order, theirs = _by_table(numbers)
        values = symbols.ravel()[order]
        entries, told = ranges.entries(values, theirs)
        in_full.append(write_signed(values[told]))
        stops = np.cumsum(np.bincount(theirs, minlength=len(tables)))
        narrow = entries.astype(np.min_scalar_type(int(entries.max(initial=0))))
        runs += [(table, run) for table, run in enumerate(np.split(narrow, stops[:-1])) if run.size]
    return _message(runs, b"".join(in_full), tables)


def encode_sorted(values: np.ndarray, keys: np.ndarray, tables: Sequence[Table]) -> bytes:
    """Code values in their order; a key is step · tables + table, and keys never fall."""
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    theirs = keys % len(tables)
    entries, told = _Ranges(tables).entries(values, theirs)
    stops = [*starts[1:].tolist(), keys.size]
    runs = [
        (int(theirs[start]), entries[start:stop])
        for start, stop in zip(starts.tolist(), stops[: len(starts)], strict=True)
    ]
    return _message(runs, write_signed(values[told]), tables)


def _message(runs: Sequence[tuple[int, np.ndarray]], in_full: bytes, tables: Sequence[Table]) -> bytes:
    """Runs of entries of one table each, in order, and the values that are told in full."""
    models = [entropy_model(table) for table in tables]
    coder = constriction.stream.stack.AnsCoder()
    for table, entries in reversed(runs):  # ANS is a stack
        coder.encode_reverse(entries.astype(np.int32, copy=False), models[table])
    return write_varint(len(in_full)) + in_full + coder.get_compressed().astype(WORD).tobytes()


def _by_table(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The order in which the symbols of a step are coded, and the tables' numbers in that order: uint16."""
    flat = numbers.ravel().astype(np.uint16)
    order = np.argsort(flat, kind="stable")  # by radix
    return order, flat[order]


class _Ranges:
    """The values that tables have entries for."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.lows = np.array([table.low for table in tables])
        self.escapes = np.array([table.escape for table in tables])

    def entries(self, values: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """int32 entries of values by tables of those numbers, and which values are told in full."""
        entries = values - self.lows[theirs]
        escapes = self.escapes[theirs]
        told = (entries < 0) | (entries >= escapes)
        return np.where(told, escapes, entries).astype(np.int32), told


class StepReader:
    """Undoes `encode_steps`, one step at a time."""

    def __init__(self, fields: ByteReader, tables: Sequence[Table]) -> None:
        self._escaped = read_signed(fields.sized())
        self._used = 0
        self._coder = open_words(fields.rest())
        self._ranges = _Ranges(tables)
        self._models = [entropy_model(table) for table in tables]

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """The symbols of one step, int64, of the shape of `numbers`, which name each one's table."""
        order, theirs = _by_table(numbers)
        counts = np.bincount(theirs, minlength=len(self._models)).tolist()
        entries = np.concatenate(
            [self._coder.decode(self._models[table], count) for table, count in enumerate(counts) if count]
        )
        values = entries + self._ranges.lows[theirs]
        escaped = np.flatnonzero(entries == self._ranges.escapes[theirs])
        told = self._escaped[self._used : self._used + escaped.size]
        if told.size != escaped.size:
            raise DamagedFile("A coded message lacks values that its symbols call for.")
        values[escaped] = told
        self._used += escaped.size
        symbols = np.empty(order.size, np.int64)
        symbols[order] = values
        return symbols.reshape(numbers.shape)

    def finish(self) -> None:
        """Check that nothing is left."""
        if self._used != self._escaped.size or not self._coder.is_empty():
            raise DamagedFile("A coded message holds more than its symbols.")
