"""A table's frequencies ⇄ a few bytes, as small floating-point numbers made of integers.

A frequency need not be exact to predict well: its first few binary digits are enough. Numbers
with at most `digits` + 1 leading digits form a grid, 0 1 2 3 4 5 6 7 8 10 12 14 16 20 … for two.
All frequencies but one, the balance, lie on the grid; the balance is what is missing from the total.
A number's place on the grid grows like its logarithm, so neighbours are close: their differences
are written in Rice code. With 15 digits or more every frequency is on the grid, so any table fits.
"""

from __future__ import annotations

import numpy as np

from isthmus.coding.varints import ByteReader, unzigzag, write_varint
from isthmus.errors import DamagedFile

MAX_DIGITS = 24


def place(frequency: int, digits: int) -> int:
    """Where the grid's last number not above `frequency` stands.

    >>> [place(frequency, digits=2) for frequency in (7, 8, 9, 10)]
    [7, 8, 8, 9]
    """
    exponent = max(0, frequency.bit_length() - 1 - digits)
    return (exponent << digits) + (frequency >> exponent)


def number(place: int, digits: int) -> int:
    """The grid's number at `place`; undoes `place` on the grid."""
    exponent = max(0, (place >> digits) - 1)
    return place - (exponent << digits) << exponent


def round_all(frequencies: np.ndarray, digits: int) -> np.ndarray:
    """Round all frequencies but the largest to the grid, and keep their sum.

    Roundings that add up are turned the other way, commonest first, until the largest frequency
    (the balance) is nearly what it was.
    """
    balance = int(np.argmax(frequencies))
    at = _places(frequencies, digits)
    below, above = _numbers(at, digits), _numbers(at + 1, digits)
    nearest = np.where(frequencies - below <= above - frequencies, below, above)
    surplus = int((nearest - frequencies).sum() - (nearest - frequencies)[balance])
    rounded = nearest.tolist()
    for i in np.argsort(-frequencies, kind="stable").tolist():
        if not surplus:
            break
        step = -1 if surplus > 0 else 1
        moved = number(place(rounded[i], digits) + step, digits)
        if i != balance and moved >= 1 and abs(surplus + moved - rounded[i]) < abs(surplus):
            surplus += moved - rounded[i]
            rounded[i] = moved
    rounded[balance] = int(frequencies[balance]) - surplus
    return np.array(rounded, dtype=np.int64)


def _places(frequencies: np.ndarray, digits: int) -> np.ndarray:
    """`place` of each."""
    lengths = np.frexp(frequencies.astype(np.float64))[1].astype(np.int64)
    exponents = np.maximum(0, lengths - 1 - digits)
    return (exponents << digits) + (frequencies >> exponents)


def _numbers(places: np.ndarray, digits: int) -> np.ndarray:
    """`number` of each."""
    exponents = np.maximum(0, (places >> digits) - 1)
    return places - (exponents << digits) << exponents


def to_bytes(frequencies: np.ndarray) -> bytes:
    """Write them on the coarsest grid that holds all but the largest; `from_bytes` undoes it."""
    balance = int(np.argmax(frequencies))
    others = np.delete(frequencies, balance).astype(np.int64)
    significant = others // (others & -others)  # without the zeros at the end
    digits = int(significant.max()).bit_length() - 1
    steps = np.diff(_places(others, digits), prepend=0)
    steps = np.where(steps < 0, -2 * steps - 1, 2 * steps)  # zig-zag
    lengths = [int((steps >> bits).sum()) + (1 + bits) * steps.size for bits in range(MAX_DIGITS + 2)]
    rice_bits = lengths.index(min(lengths))
    return bytes([digits, rice_bits]) + write_varint(balance) + _rice(steps.tolist(), rice_bits)


def from_bytes(data: bytes, count: int, total: int) -> np.ndarray:
    """Undo `to_bytes`: int64, shape (count,), summing to `total`.

    Raises:
        DamagedFile: the bytes are not what `to_bytes` writes.
    """
    fields = ByteReader(data, "A frequency table")
    digits, rice_bits, balance = fields.take(1)[0], fields.take(1)[0], fields.varint()
    if digits > MAX_DIGITS or rice_bits > MAX_DIGITS + 1 or balance >= count:
        raise DamagedFile("A frequency table holds an impossible field.")
    frequencies, here = [], 0
    for step in _unrice(fields.rest(), rice_bits, count - 1):
        here += unzigzag(step)
        if not 1 <= here <= place(total, digits):  # before it is raised to a power of two
            raise DamagedFile("A frequency table holds an impossible frequency.")
        frequencies.append(number(here, digits))
    frequencies.insert(balance, total - sum(frequencies))
    return np.array(frequencies, dtype=np.int64)


def _rice(values: list[int], bits: int) -> bytes:
    """Each value's quotient by ``2**bits`` in ones, a zero, then the remainder in `bits` bits."""
    digits = "".join("1" * (value >> bits) + "0" + _remainder(value, bits) for value in values)
    length = (len(digits) + 7) // 8
    return int("0" + digits.ljust(8 * length, "0"), 2).to_bytes(length, "big")


def _remainder(value: int, bits: int) -> str:
    return f"{value & (1 << bits) - 1:0{bits}b}" if bits else ""


def _unrice(data: bytes, bits: int, count: int) -> list[int]:
    digits = "".join(f"{byte:08b}" for byte in data)
    values, position = [], 0
    for _ in range(count):
        zero = digits.find("0", position)
        end = zero + 1 + bits
        if zero < 0 or end > len(digits):
            raise DamagedFile("A frequency table is cut short.")
        values.append((zero - position << bits) + int("0" + digits[zero + 1 : end], 2))
        position = end
    if len(digits) - position >= 8 or "1" in digits[position:]:
        raise DamagedFile("A frequency table is longer than its fields.")
    return values
