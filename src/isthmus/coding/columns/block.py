"""A block of columns ⇄ bytes: told together by the walk, alone, or along time, whichever takes fewer bytes.

A block begins with the number of its rows and the way of each column. Then come the columns told alone, each
sized; those told along time, as one sized block; and, where any column is in the walk, the walk's lists, its
plan and its message, each sized.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.coding.columns.alone import CODERS, WORDS, decode_alone, encode_alone
from isthmus.coding.columns.along import NO_SERIES, SERIES, SERIES_CODER, Along, series_of
from isthmus.coding.columns.forms import Told
from isthmus.coding.columns.lists import (
    numbers_from_list,
    numbers_to_list,
    pack,
    unpack,
    words_from_bytes,
    words_to_bytes,
)
from isthmus.coding.columns.parts import Floats, Part, Whole, Words
from isthmus.coding.columns.plan import Plan
from isthmus.coding.columns.planning import plan_for
from isthmus.coding.columns.walk import decode_columns, encode_columns
from isthmus.coding.series import decode_series
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile

ALONE, WALKED, GIVEN = range(3)
"""Who tells a column: it stands alone, the walk tells it, or it stands alone and the walk looks at it."""
MOST_LISTED = 1 << 16
MOST_MAGNITUDE = 1 << 50
MOST_ROWS = 1 << 22
CLEARLY = 32
"""Bytes that telling a column alone must save."""
FEW_ROWS, MANY_COLUMNS = 64, 48
"""So few rows of more columns than that do not pay for a plan, which takes bytes and time by the column."""
CONTEXTS = "contexts"
LARGE = 1 << 20
"""From so many numbers on, they are told along time or alone: the walk would take several times as long."""


@dataclass(frozen=True)
class Coded:
    """A block, and what became of its columns."""

    payload: bytes
    bytes_of: tuple[int, ...]
    """Of each column, about."""
    coder_of: tuple[str, ...]
    has_series: bool = False
    """Whether some are told along time."""


def encode_block(parts: Sequence[Part], known: Sequence[Part] | None = None) -> Coded:
    """Columns of one length → bytes.

    Args:
        parts: the columns, at least one.
        known: rows of like columns that the reader has already.

    >>> block = encode_block([Words.of(["a", "b", "a"]), Whole(np.array([3, 1, 2]))])
    >>> [decode_block(block.payload)[0].texts(), decode_block(block.payload)[1].values.tolist()]
    [['a', 'b', 'a'], [3, 1, 2]]
    """
    alone = [encode_alone(part) for part in parts]
    sizes: list[float] = [len(data) for _, data in alone]
    is_large = known is None and sum(len(part) for part in parts if isinstance(part, Whole)) > LARGE
    along = series_of(parts, sizes) if is_large else NO_SERIES
    pairs = zip(parts, parts if known is None else known, strict=True)
    rows = len(parts[0]) + (0 if known is None else len(known[0]))
    pays = rows >= FEW_ROWS or len(parts) <= MANY_COLUMNS
    may_walk = [pays and all(map(_may_walk, pair)) for pair in pairs]
    walked = [number for number, may in enumerate(may_walk) if may and number not in along.tried]
    walk = None
    better = set(range(len(parts)))
    if walked:
        walk = _Walk.of([parts[n] for n in walked], None if known is None else [known[n] for n in walked])
        costs = dict(zip(walked, walk.costs, strict=True))
        better = {n for n, cost in costs.items() if sizes[n] + CLEARLY < cost}
        sizes = [size if n in better else costs.get(n, size) for n, size in enumerate(sizes)]
    if is_large or known is not None:
        return _joined(parts, alone, walked, walk, better, along, sizes)
    plain = _joined(parts, alone, walked, walk, better, along, sizes)
    along = series_of(parts, sizes)
    if not along.columns:
        return plain
    told = _joined(parts, alone, walked, walk, better, along, sizes)
    return told if len(told.payload) < len(plain.payload) else plain


def _joined(
    parts: Sequence[Part],
    alone: Sequence[tuple[int, bytes]],
    walked: Sequence[int],
    walk: _Walk | None,
    better: Collection[int],
    along: Along,
    sizes: Sequence[float],
) -> Coded:
    """All columns, each told as was chosen for it."""
    found = list(sizes)
    for number, size in zip(along.columns, along.bytes_of, strict=True):
        found[number] = size
    given = {place for place, number in enumerate(walked) if number in better or number in along.columns}
    body = b""
    if walk is None or len(given) == len(walked):
        walked = ()
    else:
        body = (walk.without(given) if given else walk).to_bytes()
    head, coders, stored = [len(parts[0]), len(parts)], [], []
    for number, (kind, data) in enumerate(alone):
        is_along, is_walked = number in along.columns, number in walked
        who = ALONE if not is_walked else GIVEN if is_along or number in better else WALKED
        kind = SERIES if is_along else kind
        head.append(3 * kind + who)
        coders.append(CONTEXTS if who == WALKED else SERIES_CODER if is_along else CODERS[kind])
        if who != WALKED and not is_along:
            stored.append(data)
    stored += [along.payload] if along.columns else []
    payload = b"".join(map(write_varint, head)) + b"".join(write_varint(len(d)) + d for d in stored) + body
    return Coded(payload, tuple(map(round, found)), tuple(coders), bool(along.columns))


def decode_block(payload: bytes, known: Sequence[Part] | None = None) -> list[Part]:
    """Undo `encode_block`.

    Raises:
        DamagedFile: the bytes are no such block.
    """
    fields = ByteReader(payload, "A block of columns")
    rows, ways = fields.varint(), [divmod(fields.varint(), 3) for _ in range(fields.count())]
    along = [n for n, (kind, who) in enumerate(ways) if kind == SERIES and who != WALKED]
    known_kinds = all(kind in CODERS or n in along for n, (kind, _) in enumerate(ways))
    if rows > MOST_ROWS or not known_kinds:
        raise DamagedFile("A block of columns is of a size, or told in a way, that cannot be.")
    parts: dict[int, Part] = {
        n: decode_alone(kind, fields.sized(), rows)
        for n, (kind, who) in enumerate(ways)
        if who != WALKED and kind != SERIES
    }
    if along:
        values = decode_series(fields.sized(), rows, len(along))
        parts |= {n: Whole(np.ascontiguousarray(values[:, place])) for place, n in enumerate(along)}
    walked = [number for number, (_, who) in enumerate(ways) if who != ALONE]
    if walked:
        olds = [None if known is None else known[number] for number in walked]
        pairs = [
            _Pair(parts.get(number), old, is_words=ways[number][0] == WORDS)
            for number, old in zip(walked, olds, strict=True)
        ]
        parts |= dict(zip(walked, _read_walk(fields, rows, pairs), strict=True))
    fields.finish()
    return [parts[number] for number in range(len(ways))]


def _may_walk(part: Part) -> bool:
    if isinstance(part, Floats):
        return False
    if isinstance(part, Words):
        return len(part.words) <= MOST_LISTED
    low, high = (int(part.values.min()), int(part.values.max())) if len(part) else (0, 0)
    return low > -MOST_MAGNITUDE and high < MOST_MAGNITUDE


@dataclass(frozen=True)
class _Walk:
    """Columns in the walk, and what it says of them."""

    pairs: Sequence[_Pair]
    told: Sequence[Told]
    plan: Plan
    payload: bytes
    packed: bytes
    """The lists."""
    costs: list[float]
    """Bytes of each column, its list included."""

    @classmethod
    def of(cls, parts: Sequence[Part], known: Sequence[Part] | None) -> _Walk:
        """All columns told."""
        olds: Sequence[Part | None] = [None] * len(parts) if known is None else known
        pairs = [
            _Pair(part, old, is_words=isinstance(part, Words)) for part, old in zip(parts, olds, strict=True)
        ]
        plan, told = plan_for([p.values for p in pairs], [p.words for p in pairs], known=pairs[0].known)
        return cls._told(pairs, told, plan, frozenset())

    def without(self, given: set[int]) -> _Walk:
        """The same, some columns only looked at."""
        return self._told(self.pairs, self.told, self.plan, frozenset(given))

    @classmethod
    def _told(cls, pairs: Sequence[_Pair], told: Sequence[Told], plan: Plan, given: frozenset[int]) -> _Walk:
        lists = [
            b"" if number in given else pair.list_bytes(each.listed)
            for number, (pair, each) in enumerate(zip(pairs, told, strict=True))
        ]
        payload, bits = encode_columns(
            [each.values for each in told],
            plan,
            [each.listed for each in told],
            known=pairs[0].known,
            given=given,
        )
        packed = pack(lists)
        shares = np.array([len(new) for new in lists]) * (len(packed) / max(1, sum(map(len, lists))))
        return cls(pairs, told, plan, payload, packed, (bits / 8 + shares).tolist())

    def to_bytes(self) -> bytes:
        """Lists, plan, message."""
        parts = (self.packed, self.plan.to_bytes(), self.payload)
        return b"".join(write_varint(len(data)) + data for data in parts)


class _Pair:
    """A column behind the rows of it that the reader has already.

    Args:
        new: the column; None where it is still to be told.
        old: rows that the reader has.
        is_words: whether it is a column of words.
        more: words that are in no old row, where the column is still to be told.
    """

    def __init__(
        self, new: Part | None, old: Part | None, *, is_words: bool, more: Sequence[str] = ()
    ) -> None:
        if any(part is not None and isinstance(part, Words) != is_words for part in (new, old)):
            raise DamagedFile("A block of columns was made with other rows before it.")
        self.new, self.old, self.is_words = new, old, is_words
        self.known = 0 if old is None else len(old)
        there = [part for part in (old, new) if part is not None]
        if is_words:
            self.more = sorted(
                {*more, *(new.words if isinstance(new, Words) else ())}.difference(_words(old))
            )
            self.list = tuple(sorted({*self.more, *_words(old)}))
            place = {word: number for number, word in enumerate(self.list)}
            columns = [
                np.array([place[w] for w in _words(p)] or [0], np.int64)[p.places]
                for p in there
                if isinstance(p, Words)
            ]
        else:
            columns = [part.values for part in there if isinstance(part, Whole)]
        self.values = np.concatenate([*columns, np.zeros(0, np.int64)])

    @property
    def words(self) -> int | None:
        """The length of its list of words; None for numbers."""
        return len(self.list) if self.is_words else None

    def list_bytes(self, numbers: np.ndarray | None) -> bytes:
        """What its list has besides what the reader knows."""
        if self.is_words:
            return words_to_bytes(self.more)
        if numbers is None:
            return b""
        old = self.old.values if isinstance(self.old, Whole) else np.zeros(0, np.int64)
        return numbers_to_list(np.setdiff1d(numbers, old))

    def listed(self, data: bytes) -> np.ndarray:
        """Undo `list_bytes` of numbers."""
        new = numbers_from_list(data, MOST_LISTED) if self.new is None else np.zeros(0, np.int64)
        return np.union1d(new, self.values)


def _words(part: Part | None) -> tuple[str, ...]:
    return part.words if isinstance(part, Words) else ()


def _read_walk(fields: ByteReader, rows: int, pairs: Sequence[_Pair]) -> list[Part]:
    lists, plan = unpack(fields.sized(), len(pairs)), Plan.from_bytes(fields.sized())
    if len(plan.columns) != len(pairs):
        raise DamagedFile("A block of columns has a plan for others.")
    pairs = [
        _Pair(None, pair.old, is_words=True, more=words_from_bytes(data))
        if pair.is_words and pair.new is None
        else pair
        for pair, data in zip(pairs, lists, strict=True)
    ]
    listed = [
        pair.listed(data) if column.is_place and not pair.is_words else None
        for column, pair, data in zip(plan.columns, pairs, lists, strict=True)
    ]
    for column, pair, numbers in zip(plan.columns, pairs, listed, strict=True):
        length = len(pair.list) if pair.is_words else None if numbers is None else len(numbers)
        if column.is_place != (length is not None) or (length is not None and column.high >= max(1, length)):
            raise DamagedFile("A block of columns tells a column otherwise than it says.")
    places = [
        p.values if n is None else np.searchsorted(n, p.values) for p, n in zip(pairs, listed, strict=True)
    ]
    given = {
        n: at[pair.known :]
        for n, (pair, at) in enumerate(zip(pairs, places, strict=True))
        if pair.new is not None
    }
    known = [at[: pair.known] for pair, at in zip(pairs, places, strict=True)]
    values = decode_columns(fields.sized(), known, rows, plan, listed, given=given)
    return [_part(pair, each, numbers) for pair, each, numbers in zip(pairs, values, listed, strict=True)]


def _part(pair: _Pair, values: np.ndarray, listed: np.ndarray | None) -> Part:
    if pair.new is not None:
        return pair.new
    if pair.is_words:
        return Words(pair.list, values)
    return Whole(values if listed is None else listed[values])
