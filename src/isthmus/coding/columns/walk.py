"""Columns ⇄ bytes: one walk over the rows, which either tells the answers or is told them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import constriction
import numpy as np

from isthmus.coding.columns.counts import TOTAL_BITS, Counts
from isthmus.coding.columns.numbers import Numbers
from isthmus.coding.columns.plan import FIRST, SECOND, Column, Plan
from isthmus.coding.columns.rows import Rows
from isthmus.coding.columns.views import Views
from isthmus.coding.tokens import FIRST_RANGE, BitReader, from_tokens, pack_bits, raw_bits, to_tokens
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile

_FAMILY = constriction.stream.model.Categorical(perfect=False)
_WORD = np.dtype("<u4")

Lists = Sequence[np.ndarray | None]
"""Of each column that is told by places in a list of numbers: those numbers, ascending."""


def encode_columns(
    columns: Sequence[np.ndarray],
    plan: Plan,
    lists: Lists,
    *,
    known: int = 0,
    given: Collection[int] = (),
) -> tuple[bytes, np.ndarray]:
    """Columns → bytes, and the bits that each column took.

    Args:
        columns: int64 (rows,) each: places in a list, or numbers of magnitudes below 2**51.
        plan: of these columns.
        lists: of each column told by places: what stands there, where these are numbers.
        known: so many of the first rows the reader has already.
        given: the numbers of columns that the reader has already.

    >>> from isthmus.coding.columns.planning import plan_for
    >>> column = np.array([0, 1, 0, 2])
    >>> plan = plan_for([column], [3])[0]
    >>> payload, _ = encode_columns([column], plan, [None])
    >>> decode_columns(payload, [column[:0]], 4, plan, [None])[0].tolist()
    [0, 1, 0, 2]
    """
    rows = Rows(known, len(columns[0]) - known, len(columns))
    writer = _Writer(columns)
    has = {number: columns[number][known:] for number in given}
    _walk(plan, rows, lists, [column[:known] for column in columns], has, writer)
    return writer.to_bytes(), writer.bits


def decode_columns(
    payload: bytes,
    known: Sequence[np.ndarray],
    told: int,
    plan: Plan,
    lists: Lists,
    *,
    given: Mapping[int, np.ndarray] = MappingProxyType({}),
) -> list[np.ndarray]:
    """Undo `encode_columns`: the rows behind the known ones.

    Raises:
        DamagedFile: the bytes are not those of such columns.
    """
    reader = _Reader(payload, len(known[0]), told, len(known))
    _walk(plan, Rows(len(known[0]), told, len(known)), lists, known, given, reader)
    reader.finish()
    return [given.get(number, column) for number, column in enumerate(reader.columns)]


def symbols_of(column: Column, values: np.ndarray, predicted: np.ndarray | None) -> list[np.ndarray]:
    """The symbols of each field that tell values."""
    if predicted is not None:
        return [to_tokens(values - predicted)[0].astype(np.int64)]
    if len(column.fields) == 1:
        return [values]
    return list(np.divmod(values, column.fields[SECOND].alphabet))


class _Table:
    """All that is known of a table while it is walked."""

    def __init__(self, plan: Plan, rows: Rows, lists: Lists) -> None:
        self.plan, self._lists = plan, lists
        self.views = Views(plan, rows)
        self.numbers = Numbers(rows, [column.middle for column in plan.columns])
        self.counts = [
            [
                Counts(f.alphabet, [plan.size_of(c) for c in f.contexts], [c.strength for c in f.contexts])
                for f in column.fields
            ]
            for column in plan.columns
        ]

    def predicted(self, column: Column, at: np.ndarray) -> np.ndarray | None:
        return None if column.is_place else self.numbers.predict(column, at)

    def fill(self, number: int, at: np.ndarray, values: np.ndarray) -> None:
        """Take in a column's values; its symbols are seen to elsewhere."""
        column, listed = self.plan.columns[number], self._lists[number]
        if not column.is_place:
            self.views.fill(number, SECOND, at, np.searchsorted(column.edges, values, side="right"))
            self.numbers.fill(number, at, values)
        elif listed is not None:
            self.numbers.fill(number, at, listed[values])

    def show(self, number: int, at: np.ndarray, values: np.ndarray, predicted: np.ndarray | None) -> None:
        """Take in a column's values and the symbols that would tell them."""
        for view, told in enumerate(symbols_of(self.plan.columns[number], values, predicted)):
            self.views.fill(number, view, at, told)
        self.fill(number, at, values)

    def learn(self, known: Sequence[np.ndarray]) -> None:
        """Take in rows that need not be told."""
        at = np.arange(len(known[0]))
        for number, values in enumerate(known):  # all numbers first: predictions look at the rows before
            self.fill(number, at, values)
        for number, (column, values) in enumerate(zip(self.plan.columns, known, strict=True)):
            self.show(number, at, values, self.predicted(column, at))
        for number, column in enumerate(self.plan.columns):
            symbols = symbols_of(column, known[number], self.predicted(column, at))
            for field, counts, told in zip(column.fields, self.counts[number], symbols, strict=True):
                counts.learn([self.views.value(context, at) for context in field.contexts], told)


def _walk(
    plan: Plan,
    rows: Rows,
    lists: Lists,
    known: Sequence[np.ndarray],
    given: Mapping[int, np.ndarray],
    answers: Any,
) -> None:
    table = _Table(plan, rows, lists)
    table.learn(known)
    weights = [[np.array(f.weights, np.int64) for f in column.fields] for column in plan.columns]
    for at in rows.steps():
        for number, column in enumerate(plan.columns):
            predicted = table.predicted(column, at)
            if number in given:
                table.show(number, at, given[number][at - rows.known], predicted)
                continue
            truth = answers.truth(number, at, column, predicted)
            told = []
            for place, field in enumerate(column.fields):
                wanted = None if truth is None else truth[place]
                values = [table.views.value(context, at) for context in field.contexts]
                counts = table.counts[number][place]
                if field.alphabet == 1:  # nothing to tell
                    symbols = np.zeros(len(at), np.int64)
                else:
                    chances = counts.chances(values, weights[number][place], len(at))
                    symbols = answers.ask(number, chances, wanted)
                    counts.learn(values, symbols)
                table.views.fill(number, place, at, symbols)
                told.append(symbols)
            table.fill(number, at, answers.found(number, at, column, predicted, told))


class _Writer:
    def __init__(self, columns: Sequence[np.ndarray]) -> None:
        self._columns = columns
        self._coder = constriction.stream.queue.RangeEncoder()
        self._raw: list[np.ndarray] = [np.zeros(0, np.int64)]
        self._widths: list[np.ndarray] = [np.zeros(0, np.int64)]
        self.bits = np.zeros(len(columns))

    def truth(
        self, number: int, at: np.ndarray, column: Column, predicted: np.ndarray | None
    ) -> list[np.ndarray]:
        values = self._columns[number][at]
        if predicted is not None:
            _, raw, widths = to_tokens(values - predicted)
            self._raw.append(raw)
            self._widths.append(widths)
            self.bits[number] += widths.sum()
        return symbols_of(column, values, predicted)

    def ask(self, number: int, chances: np.ndarray, truth: np.ndarray) -> np.ndarray:
        self.bits[number] += TOTAL_BITS * len(truth) - np.log2(chances[np.arange(len(truth)), truth]).sum()
        self._coder.encode(truth.astype(np.int32), _FAMILY, (chances - 1).astype(np.float64))
        return truth

    def found(self, number: int, at: np.ndarray, *rest: Any) -> np.ndarray:
        return self._columns[number][at]

    def to_bytes(self) -> bytes:
        raw = pack_bits(np.concatenate(self._raw), np.concatenate(self._widths))
        return write_varint(len(raw)) + raw + self._coder.get_compressed().astype(_WORD).tobytes()


class _Reader:
    def __init__(self, payload: bytes, known: int, told: int, columns: int) -> None:
        fields = ByteReader(payload, "A block of columns")
        self._bits = BitReader(fields.sized())
        words = fields.rest()
        if len(words) % _WORD.itemsize:
            raise DamagedFile("A block of columns is not a whole number of words.")
        self._coder = constriction.stream.queue.RangeDecoder(np.frombuffer(words, _WORD).astype(np.uint32))
        self._known = known
        self.columns = [np.zeros(told, np.int64) for _ in range(columns)]

    def truth(self, *rest: Any) -> None:
        return None

    def ask(self, number: int, chances: np.ndarray, truth: None) -> np.ndarray:
        try:
            return self._coder.decode(_FAMILY, (chances - 1).astype(np.float64)).astype(np.int64)
        except (AssertionError, ValueError) as wrong:
            raise DamagedFile("A block of columns holds what no encoder writes.") from wrong

    def found(
        self,
        number: int,
        at: np.ndarray,
        column: Column,
        predicted: np.ndarray | None,
        told: Sequence[np.ndarray],
    ) -> np.ndarray:
        if predicted is not None:
            tokens = told[FIRST].astype(np.uint8)
            values = predicted + from_tokens(tokens, self._bits.take(raw_bits(tokens[tokens >= FIRST_RANGE])))
        elif len(told) == 1:
            values = told[FIRST]
        else:
            values = told[FIRST] * column.fields[SECOND].alphabet + told[SECOND]
        if ((values < column.low) | (values > column.high)).any():
            raise DamagedFile("A block of columns holds a value outside its range.")
        self.columns[number][at - self._known] = values
        return values

    def finish(self) -> None:
        self._bits.finish()
        if not self._coder.maybe_exhausted():
            raise DamagedFile("A block of columns is longer than its rows.")
