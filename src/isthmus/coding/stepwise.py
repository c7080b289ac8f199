"""Steps of symbols ⇄ one message: each symbol by the table that its number names.

The numbers of a step may follow from the symbols of the steps before, so the reader is asked step
by step. Within a step, symbols of one table stand together, which is what keeps the coder fast.
"""

from __future__ import annotations

from collections.abc import Sequence

import constriction
import numpy as np

from isthmus.coding.coder import WORD, entropy_model, open_words
from isthmus.coding.tables import Table
from isthmus.coding.varints import ByteReader, read_signed, write_signed, write_varint
from isthmus.errors import DamagedFile


def encode_steps(steps: Sequence[tuple[np.ndarray, np.ndarray]], tables: Sequence[Table]) -> bytes:
    """Code steps in order: pairs of symbols and of their tables' numbers, of one shape each.

    >>> tables = [Table(0, [3, 4, 1]), Table(-1, [1, 1, 1, 1])]
    >>> steps = [(np.array([0, 1, -1]), np.array([0, 0, 1])), (np.array([900]), np.array([1]))]
    >>> reader = StepReader(ByteReader(encode_steps(steps, tables), "A message"), tables)
    >>> [reader.take(numbers).tolist() for _, numbers in steps]
    [[0, 1, -1], [900]]
    """
    keys, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for step, (symbols, numbers) in enumerate(steps):
        flat = numbers.ravel()
        order = np.argsort(flat.astype(np.uint16), kind="stable")  # by radix
        keys.append(flat[order].astype(np.int64) + step * len(tables))
        values.append(symbols.ravel()[order].astype(np.int64))
    return encode_sorted(np.concatenate(values), np.concatenate(keys), tables)


def encode_sorted(values: np.ndarray, keys: np.ndarray, tables: Sequence[Table]) -> bytes:
    """Code values in their order; a key is step · tables + table, and keys never fall."""
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    theirs = keys % len(tables)
    lows, escapes = _lows_and_escapes(tables)
    entries = values - lows[theirs]
    told = (entries < 0) | (entries >= escapes[theirs])
    entries = np.where(told, escapes[theirs], entries).astype(np.int32)
    models = [entropy_model(table) for table in tables]
    coder = constriction.stream.stack.AnsCoder()
    stops = [keys.size, *starts[:0:-1].tolist()]
    for start, stop in zip(starts[::-1].tolist(), stops[: len(starts)], strict=True):
        coder.encode_reverse(entries[start:stop], models[theirs[start]])  # reversed: ANS is a stack
    in_full = write_signed(values[told])
    return write_varint(len(in_full)) + in_full + coder.get_compressed().astype(WORD).tobytes()


def _lows_and_escapes(tables: Sequence[Table]) -> tuple[np.ndarray, np.ndarray]:
    """Each table's first value, and its entry for what is told in full; int64."""
    return np.array([table.low for table in tables]), np.array([table.escape for table in tables])


class StepReader:
    """Undoes `encode_steps`, one step at a time."""

    def __init__(self, fields: ByteReader, tables: Sequence[Table]) -> None:
        self._escaped = read_signed(fields.sized())
        self._used = 0
        self._coder = open_words(fields.rest())
        self._lows, self._escapes = _lows_and_escapes(tables)
        self._models = [entropy_model(table) for table in tables]

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """The symbols of one step, int64, of the shape of `numbers`, which name each one's table."""
        flat = numbers.ravel()
        order = np.argsort(flat.astype(np.uint16), kind="stable")  # by radix
        counts = np.bincount(flat, minlength=len(self._models)).tolist()
        entries = np.concatenate(
            [self._coder.decode(self._models[table], count) for table, count in enumerate(counts) if count]
        )
        tables = flat[order]
        values = entries + self._lows[tables]
        escaped = np.flatnonzero(entries == self._escapes[tables])
        told = self._escaped[self._used : self._used + escaped.size]
        if told.size != escaped.size:
            raise DamagedFile("A coded message lacks values that its symbols call for.")
        values[escaped] = told
        self._used += escaped.size
        symbols = np.empty(flat.size, np.int64)
        symbols[order] = values
        return symbols.reshape(numbers.shape)

    def finish(self) -> None:
        """Check that nothing is left."""
        if self._used != self._escaped.size or not self._coder.is_empty():
            raise DamagedFile("A coded message holds more than its symbols.")
