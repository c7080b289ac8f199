"""Planes of small integers ⇄ bytes, each value by a table that its decoded neighbours choose.

A value at row y and column x belongs to step x + 2·y. Its left, upper left, upper and upper right
neighbours belong to earlier steps, so all values of one step, in all planes, are coded together:
that is what makes a sequential context fast without a compiled loop. Values are first replaced by
their distance to a prediction from those neighbours, as PNG and JPEG-LS do; how large the
neighbours' distances were chooses the table.

Sources: MED: Weinberger et al. 2000, The LOCO-I Lossless Image Compression Algorithm; contexts by
error energy: Wu & Memon 1997, Context-Based, Adaptive, Lossless Image Coding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from isthmus.coding.stepwise import StepReader, encode_sorted
from isthmus.coding.tables import Table, tables_from_bytes, tables_to_bytes
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile

NONE, LEFT, UP, AVERAGE, GRADIENT, MED = range(6)
MOST_CLASSES = 12
VALUES_PER_CLASS = 2048  # fewer, and a class's table costs more than it saves


def steps_of(height: int, width: int) -> int:
    """How many steps a plane takes, one after another."""
    return width + 2 * (height - 1) if height and width else 0


@dataclass(frozen=True)
class _Layout:
    """Predictors, classes and tables of one message."""

    bits: int
    predictors: tuple[int, ...]
    """One for each group of planes."""
    thresholds: np.ndarray
    """int64, ascending: a value's class is how many of them its neighbours' energy reaches."""
    tables: list[Table]
    """One for each group of planes, outside class, and class; the last varies fastest."""

    def to_bytes(self) -> bytes:
        numbers = [len(self.predictors), *self.predictors, len(self.thresholds), *self.thresholds.tolist()]
        tables = tables_to_bytes(self.tables)
        return b"".join(map(write_varint, [*numbers, len(tables)])) + tables

    @classmethod
    def from_fields(cls, fields: ByteReader, bits: int, groups: int, outside: int) -> _Layout:
        predictors = tuple(fields.varint() for _ in range(fields.count()))
        thresholds = np.array([fields.varint() for _ in range(fields.count())], np.int64)
        tables = tables_from_bytes(fields.sized())
        ascending = (np.diff(thresholds) > 0).all()
        if len(predictors) != groups or any(p > MED for p in predictors) or not ascending:
            raise DamagedFile("A coded plane names a predictor or a class that cannot be.")
        if len(tables) != groups * outside * (len(thresholds) + 1):
            raise DamagedFile("A coded plane has not one table for each class.")
        return cls(bits, predictors, thresholds, tables)


def encode_planes(planes: np.ndarray, outside: np.ndarray | None = None) -> bytes:
    """Code planes of unsigned integers.

    Args:
        planes: uint8 or uint16, shape (group, plane, height, width), none of them 0; each group has a
            predictor and tables of its own (colours, say).
        outside: uint8, same shape: a class from elsewhere that the reader knows too; 0 and up.

    >>> slope = (np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8) * 3)
    >>> np.array_equal(decode_planes(encode_planes(slope), slope.shape, np.uint8), slope)
    True
    """
    bits = 8 * planes.dtype.itemsize
    predictors = tuple(_best_predictor(group) for group in planes)
    errors = np.stack([_errors(group, p) for group, p in zip(planes, predictors, strict=True)])
    energy = _energy(np.abs(errors.astype(np.int64)))
    thresholds = _thresholds(energy)
    classes = _classes(energy, thresholds)
    number = _table_numbers(classes, len(thresholds) + 1, outside)
    count = len(planes) * _outside_count(outside) * (len(thresholds) + 1)
    layout = _Layout(bits, predictors, thresholds, _fit_tables(errors, number, count))
    return layout.to_bytes() + _encode_steps(errors, number, layout.tables)


def decode_planes(
    data: bytes, shape: tuple[int, ...], dtype: np.dtype | type, outside: np.ndarray | None = None
) -> np.ndarray:
    """Undo `encode_planes`, given the shape, the dtype and the classes from elsewhere.

    Raises:
        DamagedFile: the bytes are not such planes.
    """
    groups, planes, height, width = shape
    fields = ByteReader(data, "A coded plane")
    bits = 8 * np.dtype(dtype).itemsize
    layout = _Layout.from_fields(fields, bits, groups, _outside_count(outside))
    message = StepReader(fields, layout.tables)
    # Room for the neighbours outside: one row above, one column to each side; planes last, as
    # those are what is gathered together.
    values = np.zeros((height + 1, width + 2, groups, planes), np.int64)
    sizes = np.zeros_like(values)
    about = None if outside is None else np.ascontiguousarray(outside.transpose(2, 3, 0, 1)).astype(np.int64)
    base = np.arange(groups)[None, :, None] * _outside_count(outside)
    for rows, columns in _steps(height, width):
        up, left = (rows, columns + 1), (rows + 1, columns)
        corner, right = (rows, columns), (rows, columns + 2)
        energy = 2 * (sizes[left] + sizes[up]) + sizes[corner] + sizes[right]
        number = base if about is None else base + about[rows, columns]
        number = number * (len(layout.thresholds) + 1) + _classes(energy, layout.thresholds)
        errors = message.take(number)
        predicted = np.stack(
            [
                _predict(p, values[left][:, g], values[up][:, g], values[corner][:, g])
                for g, p in enumerate(layout.predictors)
            ],
            axis=1,
        )
        values[rows + 1, columns + 1] = (predicted + errors) & ((1 << bits) - 1)
        sizes[rows + 1, columns + 1] = np.abs(_signed(errors, bits))
    message.finish()
    return np.ascontiguousarray(values[1:, 1:-1].transpose(2, 3, 0, 1)).astype(dtype)


def _steps(height: int, width: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows and columns of each step, in order."""
    for step in range(steps_of(height, width)):
        rows = np.arange(max(0, (step - width + 2) // 2), min(height - 1, step // 2) + 1)
        if rows.size:  # a plane one column wide has nothing at every other step
            yield rows, step - 2 * rows


def _predict(predictor: int, left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    if predictor == NONE:
        return np.zeros_like(left)
    if predictor == LEFT:
        return left
    if predictor == UP:
        return up
    if predictor == AVERAGE:
        return (left + up) >> 1
    if predictor == GRADIENT:
        return left + up - corner
    low, high = np.minimum(left, up), np.maximum(left, up)
    return np.clip(left + up - corner, low, high)


def _errors(planes: np.ndarray, predictor: int) -> np.ndarray:
    """What is left of (plane, height, width) values: int32, modulo 2**bits, nearest to 0."""
    wide = planes.astype(np.int32)
    padded = np.pad(wide, ((0, 0), (1, 0), (1, 0)))
    predicted = _predict(predictor, padded[:, 1:, :-1], padded[:, :-1, 1:], padded[:, :-1, :-1])
    return _signed(wide - predicted, 8 * planes.dtype.itemsize)


def _signed(errors: np.ndarray, bits: int) -> np.ndarray:
    half = 1 << (bits - 1)
    return ((errors + half) & ((1 << bits) - 1)) - half


def _best_predictor(planes: np.ndarray) -> int:
    """The one whose errors have the least entropy, were all coded by one table."""
    some = planes[:: max(1, len(planes) // _TRIED)]
    return min(range(MED + 1), key=lambda predictor: (_entropy(_errors(some, predictor)), predictor))


_TRIED = 32  # planes on which predictors are compared


def _entropy(errors: np.ndarray) -> float:
    counts = np.bincount(errors.ravel() - errors.min())
    counts = counts[counts > 0]
    return float(-(counts * np.log2(counts / errors.size)).sum())


def _energy(sizes: np.ndarray) -> np.ndarray:
    """How large the errors at the four neighbours are, for each value of (…, height, width)."""
    padded = np.pad(sizes, ((0, 0), (0, 0), (1, 0), (1, 1)))
    left, up = padded[..., 1:, :-2], padded[..., :-1, 1:-1]
    return 2 * (left + up) + padded[..., :-1, :-2] + padded[..., :-1, 2:]


def _thresholds(energy: np.ndarray) -> np.ndarray:
    """Energies that part the values into classes of about one size."""
    count = min(MOST_CLASSES, 1 + energy.size // VALUES_PER_CLASS)
    flat = energy.ravel()
    few = np.sort(flat[:: max(1, flat.size >> 16)])
    # Where most energies are 0, the classes above share out the rest.
    positive = few[few > 0]
    if count == 1 or not positive.size:
        return np.zeros(0, np.int64)
    places = np.arange(count - 1) * positive.size // (count - 1)
    return np.unique(positive[places])


def _classes(energy: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    return np.searchsorted(thresholds, energy, side="right")


def _outside_count(outside: np.ndarray | None) -> int:
    return 1 if outside is None else int(outside.max(initial=0)) + 1


def _table_numbers(classes: np.ndarray, count: int, outside: np.ndarray | None) -> np.ndarray:
    number = np.arange(len(classes))[:, None, None, None] * _outside_count(outside)
    number = number if outside is None else number + outside
    return number * count + classes


def _fit_tables(errors: np.ndarray, number: np.ndarray, count: int) -> list[Table]:
    flat, order = errors.ravel(), np.argsort(number, axis=None, kind="stable")
    ends = np.cumsum(np.bincount(number.ravel(), minlength=count))
    return [Table.fit(part) for part in np.split(flat[order], ends[:-1])]


def _encode_steps(errors: np.ndarray, number: np.ndarray, tables: list[Table]) -> bytes:
    """All values in the order of the steps, within one by table, then row, group and plane."""
    height, width = errors.shape[2:]
    steps = np.arange(height)[:, None] * 2 + np.arange(width)  # (height, width)
    key = steps[None, None] * len(tables) + number
    order = np.argsort(key.transpose(2, 0, 1, 3), axis=None, kind="stable")
    values = errors.transpose(2, 0, 1, 3).reshape(-1)[order]
    return encode_sorted(values, key.transpose(2, 0, 1, 3).reshape(-1)[order], tables)
