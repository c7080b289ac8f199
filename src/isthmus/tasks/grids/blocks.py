"""The values of one tile ⇄ the payload of its block; sent to worker processes.

A payload begins with a byte. 0: the coder's payload of the values follows. 1: values that say "nothing here"
were NaN while the rest was coded, so that a bound leaves them alone. Of texts, a varint follows instead,
their bytes, and then the coder's payload of these.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.coding.bound import Bound, same_bits
from isthmus.coding.coders import Coder
from isthmus.coding.contest import Contest
from isthmus.coding.varints import ByteReader, write_text, write_varint
from isthmus.data.grids import TEXT, Variable
from isthmus.errors import DamagedFile
from isthmus.limits import DEFAULT_LIMITS, Limits
from isthmus.tasks.parts import Toolbox

PLAIN, GAPS = 0, 1
TEXT_CODERS = ("stored", "xz", "zstd")
_STAND_INS = {"float32": 0x7FC15A00, "float64": 0x7FF815A000000000, "float16": 0x7F40}
"""The bits of the NaN that stands for the first gap; the next ones follow."""
MOST_GAPS = 16


@dataclass(frozen=True)
class Tile:
    """What a block holds, and how it may be coded."""

    variable: Variable
    values: np.ndarray
    coders: tuple[str, ...]
    bound: Bound | None


@dataclass(frozen=True)
class Made:
    """A block, ready to be written."""

    plan: str
    payload: bytes
    crc: int
    """Of the values that come back."""
    rivals: dict[str, int]
    """The bytes of each coder, smallest first."""


@dataclass(frozen=True)
class Task:
    """A block, read."""

    variable: Variable
    shape: tuple[int, ...]
    plan: str
    payload: bytes
    crc: int


def encode_tile(tile: Tile) -> Made:
    """A tile → its smallest payload that keeps the promise, decoded once to be sure.

    Where gaps are, they are NaN while coders look: what lies around them is then told with a seventh to a
    fifth fewer bytes. Whole numbers are also tried as they are, which small ones may be better off with.
    """
    values, gaps = tile.values, tile.variable.gaps
    if tile.variable.dtype == TEXT:
        return _encode_texts(values)
    shown = with_stand_ins(values, gaps)
    has = shown is not None and bool(gap_map(values, gaps).any())
    made = [_smallest(tile, shown, GAPS)] if shown is not None and has else []
    if made in ([], [None]) or values.dtype.kind != "f":
        plain = _smallest(tile, values, PLAIN)
        assert plain is not None, "stored codes everything"
        made.append(plain)
        if shown is not None and not has and plain.plan != next(iter(plain.rivals)):
            made.append(_smallest(tile, shown, GAPS))  # the smallest would have made gaps
    return min((each for each in made if each is not None), key=lambda each: len(each.payload))


def _smallest(tile: Tile, shown: np.ndarray, how: int) -> Made | None:
    """The smallest payload of values seen like this; None if none keeps the promise."""
    flat = shown if shown.ndim else shown.reshape(1)
    contest = Contest({name: _coder(name) for name in tile.coders})
    payloads = contest.payloads([flat], tile.bound)
    for name, payload in payloads.items():
        entry = contest.checked(name, payload, [flat], tile.bound)
        if entry is None:
            continue
        back = _restored(entry.restored[0].reshape(shown.shape), tile.variable, how)
        if _kept(tile.values, back, tile):
            rivals = {each: len(data) for each, data in payloads.items()}
            return Made(name, bytes([how]) + payload, crc_of(back), rivals)
    return None


def _kept(values: np.ndarray, back: np.ndarray, tile: Tile) -> bool:
    if tile.bound is None:
        return bool(same_bits(values, back).all())
    gaps, found = (gap_map(each, tile.variable.gaps) for each in (values, back))
    same = same_bits(values, back)
    return bool((gaps == found).all() and (tile.bound.kept(values, back) & (same | (gaps == 0))).all())


def with_stand_ins(values: np.ndarray, gaps: tuple[bytes, ...]) -> np.ndarray | None:
    """Values with NaN for gaps, as floats that hold them all; None where that cannot be."""
    kind = float_for(values.dtype)
    where = gap_map(values, gaps)
    if kind is None or not 0 < len(gaps) <= MOST_GAPS:
        return None
    stand_ins = _stand_ins(kind, len(gaps))
    shown = values.astype(kind)
    bits = shown.view(f"u{kind.itemsize}")
    if values.dtype.kind == "f" and np.isin(bits, stand_ins.view(bits.dtype)).any():
        return None
    shown[where > 0] = stand_ins[where[where > 0] - 1]
    return shown


def _restored(shown: np.ndarray, variable: Variable, how: int) -> np.ndarray:
    """Undo `with_stand_ins`, up to the bound: whole numbers are rounded, and none turns into a gap."""
    dtype = np.dtype(variable.dtype)
    if how == PLAIN:
        return shown
    stand_ins = _stand_ins(shown.dtype, len(variable.gaps)).view(f"u{shown.dtype.itemsize}")
    bits = np.ascontiguousarray(shown).reshape(shown.shape).view(stand_ins.dtype)
    places = np.searchsorted(stand_ins, bits)
    where = np.where(np.isin(bits, stand_ins), places + 1, 0).astype(np.uint8)
    if dtype.kind == "f":
        values = shown.copy()
    else:
        limits = np.iinfo(dtype)
        values = np.array(np.clip(np.rint(np.nan_to_num(shown)), limits.min, limits.max), dtype)
    own = _gap_values(variable.gaps, dtype)
    for gap in own:
        values[(where == 0) & (values == gap)] = _beside(gap)
    values[where > 0] = own[where[where > 0] - 1]
    return values


def _beside(gap: Any) -> Any:
    """The next number: toward 0, or up from 0."""
    up = gap <= 0
    if gap.dtype.kind == "f":
        return np.nextafter(gap, gap.dtype.type(np.inf if up else 0))
    return gap.dtype.type(int(gap) + (1 if up else -1))


def gap_map(values: np.ndarray, gaps: tuple[bytes, ...]) -> np.ndarray:
    """Where the gaps are: uint8, same shape; i + 1 for the i-th, 0 for values."""
    found = np.zeros(values.shape, np.uint8)
    for number, gap in enumerate(_gap_values(gaps, values.dtype)):
        found[values == gap] = number + 1
    return found


def _gap_values(gaps: tuple[bytes, ...], dtype: np.dtype) -> np.ndarray:
    return np.frombuffer(b"".join(gaps), dtype.newbyteorder("<")).astype(dtype)


def float_for(dtype: np.dtype) -> np.dtype | None:
    """The float in which all numbers of a type are exact; None for 64-bit integers.

    >>> float_for(np.dtype("int16")), float_for(np.dtype("uint32")), float_for(np.dtype("int64"))
    (dtype('float32'), dtype('float64'), None)
    """
    if dtype.kind == "f":
        return dtype
    if dtype.kind not in "iu" or dtype.itemsize == 8:
        return None
    return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)


def _stand_ins(kind: np.dtype, count: int) -> np.ndarray:
    first = _STAND_INS[kind.name]
    return np.arange(first, first + count, dtype=np.dtype(f"u{kind.itemsize}")).view(kind)


def _encode_texts(values: np.ndarray) -> Made:
    data = b"".join(write_text(each) for each in values.ravel())
    flat = np.frombuffer(data, np.uint8)
    payloads = Contest({name: _coder(name) for name in TEXT_CODERS}).payloads([flat], None)
    name, payload = next(iter(payloads.items()))
    rivals = {each: len(made) for each, made in payloads.items()}
    return Made(name, write_varint(len(data)) + payload, zlib.crc32(data), rivals)


def _decode_texts(task: Task, limits: Limits) -> np.ndarray:
    fields = ByteReader(task.payload, "A block of texts")
    length, count = fields.varint(), math.prod(task.shape)
    limits.require("block_bytes", length, "A block of texts")
    data = _coder(task.plan).decode(fields.rest(), (length,), np.dtype(np.uint8)).tobytes()
    if zlib.crc32(data) != task.crc:
        raise DamagedFile("The texts of a block do not match their checksum.")
    texts, values = ByteReader(data, "A block of texts"), np.empty(count, object)
    for place in range(count):
        values[place] = texts.text()
    texts.finish()
    return values.reshape(task.shape)


@dataclass(frozen=True)
class TileDecoder:
    """Undoes `encode_tile`; DamagedFile where that is impossible."""

    limits: Limits = DEFAULT_LIMITS

    def __call__(self, task: Task) -> np.ndarray:
        """The values of a block."""
        if task.variable.dtype == TEXT:
            return _decode_texts(task, self.limits)
        how, dtype = task.payload[:1], np.dtype(task.variable.dtype)
        kind: np.dtype | None = dtype
        if how == bytes([GAPS]):
            kind = float_for(dtype)
        if how not in (bytes([PLAIN]), bytes([GAPS])) or kind is None:
            raise DamagedFile("A block is coded in a way this version does not know. Update Isthmus.")
        shown = _coder(task.plan).decode(task.payload[1:], task.shape or (1,), kind)
        with np.errstate(all="ignore"):
            values = _restored(shown.reshape(task.shape), task.variable, how[0])
        if crc_of(values) != task.crc:
            raise DamagedFile("The values of a block do not match their checksum.")
        return values


def crc_of(values: np.ndarray) -> int:
    """CRC-32 of the values, little-endian in C order."""
    return zlib.crc32(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).data.cast("B"))


def _coder(name: str) -> Coder:
    found = Toolbox().coder(name)
    if found.uses_given:
        raise DamagedFile(f"A block of a grid cannot be coded by {name!r}.")
    return found
