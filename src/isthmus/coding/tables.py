"""Probabilities and values → integer frequency tables ⇄ bytes.

Neural nets speak floats; an entropy coder must not. This is the only module where one becomes
the other, and it does so once, when a model is fitted: what is stored and read back are integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.coding import minifloats
from isthmus.coding.varints import ByteReader, unzigzag, write_varint, zigzag
from isthmus.errors import DamagedFile

MAX_PRECISION_BITS = 24
MAX_VALUES = 1 << 16
INT32 = np.iinfo(np.int32)

_ENTRY_BITS = 4  # about what one unseen value inside the range costs in the stored table …
_ESCAPE_BITS = 16  # … and what one value left outside costs more than one inside
_DIGITS = range(1, 7)  # leading binary digits kept of a frequency: `fit` tries each


def frequency_table(probabilities: np.ndarray, *, precision_bits: int = 16) -> np.ndarray:
    """Round probabilities, or counts, to integers that sum to exactly ``2**precision_bits``.

    Args:
        probabilities: shape (symbols,); finite, not negative, any positive sum.
        precision_bits: log2 of the total; more bits follow the model more closely.

    Returns:
        int64, shape (symbols,), none below 1. Symbol i costs precision_bits - log2(table[i]) bits.

    Raises:
        ValueError: more symbols than the total, or entries that are not probabilities.

    Source: largest-remainder rounding; why none may be 0: Duda 2013, arXiv:1311.2540.

    >>> frequency_table(np.array([0.5, 0.5, 0.0]), precision_bits=3).tolist()
    [4, 3, 1]
    """
    weights = np.asarray(probabilities, dtype=np.float64)
    spare = (1 << precision_bits) - weights.size  # what is left when everybody has one
    if weights.ndim != 1 or not 0 <= spare < 1 << precision_bits:
        raise ValueError(f"a table must have 1 to 2**{precision_bits} symbols; got shape {weights.shape}")
    total = weights.sum()
    if not (np.isfinite(total) and total > 0 and weights.min() >= 0):
        raise ValueError("probabilities must be finite, not negative, and not all zero")
    shares = weights / total * spare
    table = np.floor(shares).astype(np.int64)
    largest_first = np.argsort(table - shares, kind="stable")
    table[largest_first[: spare - table.sum()]] += 1
    return table + 1


@dataclass(frozen=True, eq=False)
class Table:
    """How often each value is expected, in integers: what the entropy coder goes by.

    Args:
        low: the first value with an entry of its own; the rest follow one by one.
        frequencies: int, shape (values + 1,), none below 1, summing to a power of two. The last
            entry is the escape: it stands for every other value, which is then written in full.

    >>> table = Table.fit(np.array([0, 0, 0, 1, 0, -1, 0, 0]))
    >>> Table.from_bytes(table.to_bytes()) == table
    True
    """

    low: int
    frequencies: np.ndarray

    def __post_init__(self) -> None:
        frequencies = np.array(self.frequencies, dtype=np.int64)  # a copy, which nobody else can change
        frequencies.setflags(write=False)
        object.__setattr__(self, "frequencies", frequencies)
        self._check()

    def _check(self) -> None:
        frequencies = self.frequencies
        if frequencies.ndim != 1 or not 2 <= frequencies.size <= MAX_VALUES + 1:
            raise ValueError(f"a table must have 1 to {MAX_VALUES} values and the escape")
        total = int(frequencies.sum())
        if frequencies.min() < 1 or total & (total - 1) or total > 1 << MAX_PRECISION_BITS:
            raise ValueError(f"frequencies must be above 0 and sum to 2**n, n ≤ {MAX_PRECISION_BITS}")
        if not INT32.min <= self.low <= self.high <= INT32.max:
            raise ValueError("a table's values must fit 32 bits")

    @property
    def high(self) -> int:
        """The last value with an entry of its own."""
        return self.low + len(self.frequencies) - 2

    @property
    def escape(self) -> int:
        """The index of the escape symbol."""
        return len(self.frequencies) - 1

    @property
    def precision_bits(self) -> int:
        """log2 of the sum of the frequencies."""
        return int(self.frequencies.sum()).bit_length() - 1

    def indices(self, values: np.ndarray) -> np.ndarray:
        """Each value's entry, or the escape: int32, of the shape of `values`."""
        indices = np.asarray(values).astype(np.int64) - self.low
        outside = (indices < 0) | (indices >= self.escape)
        return np.where(outside, self.escape, indices).astype(np.int32)

    def bits(self, values: np.ndarray) -> float:
        """What coding `values` costs, in bits, escaped ones in full included."""
        indices = self.indices(values)
        costs = self.precision_bits - np.log2(self.frequencies)
        return float(costs[indices].sum()) + _escaped_bits(np.asarray(values)[indices == self.escape])

    @classmethod
    def fit(cls, values: np.ndarray, *, precision_bits: int = 16) -> Table:
        """The table that makes itself and `values` together smallest.

        Far-off values are left to the escape where their entries would cost more than they save.

        Args:
            values: integers of any shape that fit 32 bits.
            precision_bits: log2 of the sum of the frequencies, 2 to 24.
        """
        flat = np.asarray(values).ravel()
        if not flat.size:
            return cls(0, frequency_table(np.ones(2), precision_bits=precision_bits))
        low, high = _range(flat, limit=min(MAX_VALUES, 1 << precision_bits) // 4)
        counts = np.bincount(cls(low, _ones(high - low + 2)).indices(flat), minlength=high - low + 2)
        smoothed = counts + 0.5 * np.count_nonzero(counts) / counts.size  # no more guessed than seen
        exact = frequency_table(smoothed, precision_bits=precision_bits)
        candidates = [cls(low, minifloats.round_all(exact, digits)) for digits in _DIGITS]
        return min(candidates, key=lambda table: table._whole_cost(counts))

    def _whole_cost(self, counts: np.ndarray) -> float:
        return float(-(counts * np.log2(self.frequencies)).sum()) + 8 * len(self.to_bytes())

    def to_bytes(self) -> bytes:
        """About half a byte an entry for tables made by `fit`; `from_bytes` undoes it."""
        start = bytes([self.precision_bits]) + write_varint(zigzag(self.low)) + write_varint(self.escape)
        return start + minifloats.to_bytes(self.frequencies)

    @classmethod
    def from_bytes(cls, data: bytes) -> Table:
        """Undo `to_bytes`; DamagedFile for anything `to_bytes` cannot have written."""
        fields = ByteReader(data, "A frequency table")
        precision_bits, low, values = fields.take(1)[0], unzigzag(fields.varint()), fields.varint()
        # Each entry but one takes at least a bit, so few bytes cannot ask for much memory.
        if precision_bits > MAX_PRECISION_BITS or not 1 <= values <= min(MAX_VALUES, 8 * len(data)):
            raise DamagedFile("A frequency table has an impossible size.")
        try:
            return cls(low, minifloats.from_bytes(fields.rest(), values + 1, 1 << precision_bits))
        except ValueError as wrong:
            raise DamagedFile(f"A frequency table contradicts itself: {wrong}.") from wrong

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return self.low == other.low and np.array_equal(self.frequencies, other.frequencies)

    __hash__ = None  # type: ignore[assignment]  # it holds an array


def tables_to_bytes(tables: list[Table]) -> bytes:
    """Several tables in a row, each after its length; `tables_from_bytes` undoes it."""
    stored = [table.to_bytes() for table in tables]
    return write_varint(len(stored)) + b"".join(write_varint(len(data)) + data for data in stored)


def tables_from_bytes(data: bytes) -> list[Table]:
    """Undo `tables_to_bytes`; DamagedFile if that is not what wrote `data`."""
    fields = ByteReader(data, "A list of frequency tables")
    tables = [Table.from_bytes(fields.sized()) for _ in range(fields.count())]
    fields.finish()
    return tables


def _ones(size: int) -> np.ndarray:
    """The plainest valid table of `size` entries: all ones, the first of them what is left over."""
    ones = np.ones(size, dtype=np.int64)
    ones[0] += (1 << (size - 1).bit_length()) - size
    return ones


def _range(values: np.ndarray, *, limit: int) -> tuple[int, int]:
    """The first and last value that earn an entry; fewer than `limit` lie between."""
    middle = int(np.median(values))
    near = values[np.abs(values.astype(np.int64) - middle) <= (limit - 2) // 2]
    if not near.size:  # two far clusters with the median between them
        return int(values[0]), int(values[0])
    distinct, counts = np.unique(near, return_counts=True)
    first, last = 0, len(distinct) - 1
    gaps, escapes = np.diff(distinct.astype(np.int64)) * _ENTRY_BITS, counts * _ESCAPE_BITS
    while first < last and gaps[first] > escapes[first]:
        first += 1
    while first < last and gaps[last - 1] > escapes[last]:
        last -= 1
    return int(distinct[first]), int(distinct[last])


def _escaped_bits(values: np.ndarray) -> float:
    """The bits that escaped values take, written as zig-zag varints."""
    wide = values.astype(np.int64)
    folded = wide << 1 ^ wide >> 63
    thresholds = 1 << 7 * np.arange(1, 5)
    return float(8 * (1 + np.searchsorted(thresholds, folded.ravel(), side="right")).sum())
