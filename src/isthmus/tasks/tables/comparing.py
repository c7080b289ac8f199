"""Rows as they come back beside the rows as they were: is every column as promised?

Texts and Arrow's arrays are compared as a person gets them, whatever coded them: cells are equal, floats to
the last bit, or, in a column with a bound, numbers no further apart than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from isthmus.coding.bound import Bound, same_bits
from isthmus.data.tables import printing
from isthmus.data.tables.lines import Chunk

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Differences:
    """What is not as promised."""

    rows: bool = False
    """Rows are missing, or written otherwise; then nothing is said of columns."""
    columns: tuple[int, ...] = ()
    """By their places."""

    def __bool__(self) -> bool:
        return self.rows or bool(self.columns)


def compare_texts(restored: Chunk, original: Chunk, bounds: Sequence[Fraction]) -> Differences:
    """Of rows of text; a bound for each column, 0 where its cells must be equal."""
    if (len(restored), restored.odd, restored.is_bare) != (len(original), original.odd, original.is_bare):
        return Differences(rows=True)
    columns = enumerate(zip(restored.columns, original.columns, bounds, strict=True))
    return Differences(columns=tuple(number for number, each in columns if not _texts_kept(*each)))


def compare_batches(
    restored: pa.RecordBatch, original: pa.RecordBatch, bounds: Sequence[Fraction]
) -> Differences:
    """Of Arrow's types, which must be the same in both."""
    if len(restored) != len(original) or restored.num_columns != original.num_columns:
        return Differences(rows=True)
    columns = enumerate(zip(restored.columns, original.columns, bounds, strict=True))
    return Differences(columns=tuple(number for number, each in columns if not _cells_kept(*each)))


def compare_schemas(restored: pa.Schema, original: pa.Schema) -> str | None:
    """What they say otherwise: a part of a sentence on the first such thing."""
    if restored.names != original.names:
        apart = [name for name in (*restored.names, *original.names)
                 if restored.names.count(name) != original.names.count(name)]  # fmt: skip
        return (
            f"the original has other columns, as {apart[0]!r}"
            if apart
            else "its columns are in another order"
        )
    for mine, theirs in zip(restored, original, strict=True):
        if mine.type != theirs.type or mine.nullable != theirs.nullable:
            return f"the column {mine.name!r} is {mine.type} in the archive, {theirs.type} in the original"
    if _about(restored) != _about(original):
        return "the original says other things of its columns or its index"
    return None


def _about(schema: pa.Schema) -> tuple[Any, ...]:
    """What is said beside names and types, but for who wrote it."""
    from isthmus.data.tables.typed import told_by_pandas

    told = {
        key: value
        for key, value in told_by_pandas(schema).items()
        if key not in ("creator", "pandas_version")
    }
    about = {key: value for key, value in (schema.metadata or {}).items() if key != b"pandas"}
    return told, about, [dict(field.metadata or {}) for field in schema]


def _texts_kept(restored: Sequence[str], original: Sequence[str], bound: Fraction) -> bool:
    """
    >>> _texts_kept(["1.5", "NA"], ["1.7", "NA"], Fraction(1, 5))
    True
    >>> _texts_kept(["1.5", "NA"], ["1.7", "N"], Fraction(1, 5))
    False
    """
    changed = {pair for pair in zip(restored, original, strict=True) if pair[0] != pair[1]}
    if not changed:
        return True
    amounts = [(printing.amount(mine), printing.amount(theirs)) for mine, theirs in changed]
    pairs = [(mine[1], theirs[1]) for mine, theirs in amounts if mine and theirs and mine[::2] == theirs[::2]]
    return bound > 0 and len(pairs) == len(amounts) and _are_near(pairs, bound)


def _are_near(pairs: Sequence[tuple[str, str]], bound: Fraction) -> bool:
    """Whether numbers are no further apart than the bound: told exactly, where floats leave a doubt."""
    mine, theirs = np.array(pairs, np.float64).T
    with np.errstate(invalid="ignore"):
        away = np.abs(mine - theirs) + 2.0**-50 * np.maximum(np.abs(mine), np.abs(theirs))
    doubtful = np.flatnonzero(~(away < float(bound)))
    return all(abs(Fraction(pairs[at][0]) - Fraction(pairs[at][1])) <= bound for at in doubtful.tolist())


def _cells_kept(restored: pa.Array, original: pa.Array, bound: Fraction) -> bool:
    import pyarrow as pa

    kind = original.type
    if pa.types.is_dictionary(kind) and not _same_categories(restored, original):
        return False
    if not bound or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return same_cells(restored, original)
    if restored.type != kind or not restored.is_null().equals(original.is_null()):
        return False
    mine, theirs = (each.drop_null().to_numpy(zero_copy_only=False) for each in (restored, original))
    return bool(Bound(float(bound)).kept(theirs, mine).all())


def _same_categories(restored: pa.DictionaryArray, original: pa.DictionaryArray) -> bool:
    """Used or not, in their order."""
    return bool(restored.type == original.type) and same_cells(restored.dictionary, original.dictionary)


def same_cells(one: pa.Array, other: pa.Array) -> bool:
    """Whether all values are equal, of floats every bit, however nested; NaN has equal ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(one.type) and pa.types.is_dictionary(other.type):
        one, other = one.dictionary_decode(), other.dictionary_decode()
    if one.type != other.type or len(one) != len(other) or not one.is_null().equals(other.is_null()):
        return False
    kind = one.type
    if isinstance(one, pa.ExtensionArray):
        return same_cells(one.storage, other.storage)
    if pa.types.is_floating(kind):
        mine, theirs = (each.drop_null().to_numpy(zero_copy_only=False) for each in (one, other))
        return bool(same_bits(mine, theirs).all())
    if pa.types.is_struct(kind):
        return all(map(same_cells, one.flatten(), other.flatten()))
    if pa.types.is_map(kind):
        pairs = pa.struct([pa.field("key", kind.key_type, nullable=False), ("value", kind.item_type)])
        one, other = one.cast(pa.list_(pairs)), other.cast(pa.list_(pairs))
    if hasattr(one, "flatten"):  # lists of every kind
        same_lengths = pc.list_value_length(one).equals(pc.list_value_length(other))
        return same_lengths and same_cells(one.flatten(), other.flatten())
    if pa.types.is_run_end_encoded(kind):
        return same_cells(pc.run_end_decode(one), pc.run_end_decode(other))
    return bool(one.equals(other))
