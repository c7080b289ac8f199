"""What counts for each column, and how much: a Plan ⇄ bytes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from isthmus.coding.columns.counts import LEVELS
from isthmus.coding.squeeze import expand, squeeze
from isthmus.coding.tokens import ALPHABET
from isthmus.coding.varints import ByteReader, unzigzag, write_varint, zigzag
from isthmus.errors import DamagedFile

MOST_SYMBOLS = 256
"""Of one field."""
MOST_COUNTS, MOST_COUNTS_IN_ALL = 1 << 20, 1 << 26
"""Of one context, its values times the symbols; and of all."""
MOST_LOOKS = 3
MOST_CONTEXTS = 8
MOST_INPUTS = 8
MOST_COLUMNS = 1 << 17
MAX_PLAN_BYTES = 1 << 24
FIRST, SECOND = 0, 1
"""Views of a column: its first field; its second, or the band that its value lies in."""
MOST_WEIGHT_BITS = 40


@dataclass(frozen=True)
class Look:
    """At one symbol of this row, or of the row before."""

    column: int
    view: int
    back: int
    groups: int
    """So many groups of neighbouring symbols are told apart; 0: every symbol."""


@dataclass(frozen=True)
class Context:
    """One to three looks at once."""

    looks: tuple[Look, ...]
    strength: int
    """Its guess counts for so many 64ths of a symbol."""


@dataclass(frozen=True)
class Field:
    """Symbols of one alphabet, and the contexts that tell their chances."""

    alphabet: int
    contexts: tuple[Context, ...] = ()
    weights: tuple[tuple[int, ...], ...] = ((32,) * LEVELS,)
    """Of the shares, then of each context, by how much it has seen."""


@dataclass(frozen=True)
class Input:
    """One value of this row or the row before, or the product of two of them."""

    column: int
    back: int
    other: int = -1
    other_back: int = 0
    shift: int = 0
    """Binary digits that are taken off a product."""
    weight: int = 0


@dataclass(frozen=True)
class Column:
    """How one column is told: as the place of a value in a list, or by its distance to a prediction."""

    fields: tuple[Field, ...]
    """A list's places: one, or two where the place has a high and a low part. A distance: its token."""
    middle: int = 0
    """What stands for a number where none is known yet, and what is taken off all inputs."""
    low: int = 0
    high: int = 0
    """Values, or places, lie between, both ends included."""
    inputs: tuple[Input, ...] | None = None
    """None where it is a list's places."""
    shift: int = 0
    """The weighted sum of inputs is divided by two to the power of this."""
    edges: tuple[int, ...] = ()
    """Of the bands of a distance's value, ascending."""

    @property
    def is_place(self) -> bool:
        """Whether its values are places in a list."""
        return self.inputs is None

    def sizes(self) -> tuple[int, ...]:
        """How many symbols each view has."""
        own = tuple(f.alphabet for f in self.fields)
        return own if self.is_place else (*own, len(self.edges) + 1)


@dataclass(frozen=True)
class Plan:
    """All columns, in the order in which each row tells them.

    >>> plan = Plan((Column((Field(3),), high=2),))
    >>> Plan.from_bytes(plan.to_bytes()) == plan
    True
    """

    columns: tuple[Column, ...]
    _sizes: tuple[tuple[int, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sizes", tuple(column.sizes() for column in self.columns))

    def values_of(self, look: Look) -> int:
        """How many values a look can have."""
        size = self._sizes[look.column][look.view]
        return look.groups if 0 < look.groups < size else size

    def size_of(self, context: Context) -> int:
        """How many values a context can have."""
        return math.prod(self.values_of(look) for look in context.looks)

    def alphabet_of(self, look: Look) -> int:
        """How many symbols there are where it looks."""
        return self._sizes[look.column][look.view]

    def to_bytes(self) -> bytes:
        """One zstd frame of signed varints; `from_bytes` undoes it."""
        numbers = [len(self.columns)]
        for column in self.columns:
            numbers += _column_numbers(column)
        return squeeze(b"".join(write_varint(zigzag(number)) for number in numbers))

    @classmethod
    def from_bytes(cls, data: bytes) -> Plan:
        """Undo `to_bytes`; DamagedFile for a plan that no encoder writes."""
        fields = ByteReader(expand(data, MAX_PLAN_BYTES, "A plan for columns"), "A plan for columns")
        count = _within(_number(fields), 0, MOST_COLUMNS)
        plan = cls(tuple(_read_column(fields) for _ in range(count)))
        fields.finish()
        plan._check()
        return plan

    def _check(self) -> None:
        counts = 0
        for number, column in enumerate(self.columns):
            for place, coded in enumerate(column.fields):
                for context in coded.contexts:
                    for look in context.looks:
                        self._check_look(look, number, place)
                    size = self.size_of(context) * coded.alphabet
                    counts += size
                    if size > MOST_COUNTS or counts > MOST_COUNTS_IN_ALL:
                        raise DamagedFile("A plan for columns asks for more counts than it may.")
            for each in column.inputs or ():
                for source, back in _sources(each):
                    _within(source, 0, len(self.columns) - 1 if back else number - 1)
                    _within(back, 0, 2)

    def _check_look(self, look: Look, number: int, place: int) -> None:
        _within(look.column, 0, len(self.columns) - 1)
        _within(look.view, 0, len(self._sizes[look.column]) - 1)
        known = look.column < number or (look.column == number and look.view < place)
        if not (look.back == 1 or (look.back == 0 and known)):
            raise DamagedFile("A plan for columns looks at what is not known yet.")


def _sources(each: Input) -> Iterator[tuple[int, int]]:
    yield each.column, each.back
    if each.other >= 0:
        yield each.other, each.other_back


def _column_numbers(column: Column) -> Sequence[int]:
    numbers = [column.middle, column.low, column.high, len(column.fields)]
    for coded in column.fields:
        numbers += [coded.alphabet, len(coded.contexts)]
        for context in coded.contexts:
            numbers += [len(context.looks), context.strength]
            for look in context.looks:
                numbers += [look.column, look.view, look.back, look.groups]
        numbers += [weight for row in coded.weights for weight in row]
    numbers.append(-1 if column.inputs is None else len(column.inputs))
    if column.inputs is not None:
        for each in column.inputs:
            numbers += [each.column, each.back, each.other, each.other_back, each.shift, each.weight]
        numbers += [column.shift, len(column.edges), *np.diff(column.edges, prepend=0).tolist()]
    return numbers


def _read_column(fields: ByteReader) -> Column:
    middle, low, high = (_number(fields) for _ in range(3))
    coded = tuple(_read_field(fields) for _ in range(_within(_number(fields), 1, 2)))
    count = _within(_number(fields), -1, MOST_INPUTS)
    if count < 0:
        return Column(coded, middle, low, high)
    if len(coded) != 1 or coded[0].alphabet > ALPHABET:
        raise DamagedFile("A plan for columns tells a distance by other symbols than tokens.")
    inputs = tuple(_read_input(fields) for _ in range(count))
    shift = _within(_number(fields), 0, 40)
    edges = np.cumsum([_number(fields) for _ in range(_within(_number(fields), 0, MOST_SYMBOLS - 1))])
    return Column(coded, middle, low, high, inputs, shift, tuple(edges.tolist()))


def _read_field(fields: ByteReader) -> Field:
    alphabet = _within(_number(fields), 1, MOST_SYMBOLS)
    contexts = tuple(_read_context(fields) for _ in range(_within(_number(fields), 0, MOST_CONTEXTS)))
    weights = tuple(
        tuple(_within(_number(fields), -1024, 1024) for _ in range(LEVELS)) for _ in range(1 + len(contexts))
    )
    return Field(alphabet, contexts, weights)


def _read_context(fields: ByteReader) -> Context:
    count, strength = _within(_number(fields), 1, MOST_LOOKS), _within(_number(fields), 1, 1 << 16)
    return Context(tuple(Look(*(_number(fields) for _ in range(4))) for _ in range(count)), strength)


def _read_input(fields: ByteReader) -> Input:
    each = Input(*(_number(fields) for _ in range(6)))
    _within(each.shift, 0, 62)
    _within(abs(each.weight).bit_length(), 0, MOST_WEIGHT_BITS)
    return each


def _number(fields: ByteReader) -> int:
    return unzigzag(fields.varint())


def _within(number: int, low: int, high: int) -> int:
    if not low <= number <= high:
        raise DamagedFile("A plan for columns holds a number that cannot be.")
    return number
