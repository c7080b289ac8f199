"""Whole numbers ⇄ bytes, seven bits at a time, and a reader that trusts nothing.

A varint (LEB128) holds 7 bits a byte, lowest first; the top bit says that another byte follows.
Zig-zag folds signed numbers onto unsigned ones, 0, -1, 1, -2, … → 0, 1, 2, 3, …
"""

from __future__ import annotations

import struct

import numpy as np

from isthmus.errors import DamagedFile

MAX_BITS = 63  # so that every number fits NumPy's int64


def write_varint(value: int) -> bytes:
    """Write one number of 0 to 2**63 - 1.

    >>> write_varint(300).hex()
    'ac02'
    """
    if not 0 <= value < 1 << MAX_BITS:
        raise ValueError(f"a varint holds 0 to 2**{MAX_BITS} - 1; got {value}")
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def write_text(text: str) -> bytes:
    """Write a string as UTF-8 after its length in bytes; `ByteReader.text` undoes it."""
    data = text.encode()
    return write_varint(len(data)) + data


def zigzag(value: int) -> int:
    """Fold a signed number onto an unsigned one.

    >>> [zigzag(value) for value in (0, -1, 1, -2)]
    [0, 1, 2, 3]
    """
    return value << 1 if value >= 0 else ~(value << 1)


def unzigzag(value: int) -> int:
    """Undo `zigzag`."""
    return value >> 1 ^ -(value & 1)


def write_signed(values: np.ndarray) -> bytes:
    """Write many signed integers of at most 32 bits, each as a zig-zag varint.

    >>> write_signed(np.array([0, -1, 100])).hex()
    '0001c801'
    """
    wide = values.astype(np.int64)
    folded = wide << 1 ^ wide >> 63
    if (folded >> 32).any():
        raise ValueError("values must fit 32 bits")
    shifts = 7 * np.arange(5)  # five bytes hold 35 bits
    parts = folded[:, None] >> shifts & 0x7F
    used = (folded[:, None] >> shifts > 0) | (shifts == 0)
    follows = np.roll(used, -1, axis=1)
    follows[:, -1] = False
    return (parts | follows << 7)[used].astype(np.uint8).tobytes()


def read_signed(data: bytes) -> np.ndarray:
    """Undo `write_signed`: int64, shape (values,).

    Raises:
        DamagedFile: the bytes end inside a number, or a number has more than 32 bits.
    """
    parts = np.frombuffer(data, np.uint8).astype(np.int64)
    ends = np.flatnonzero(parts < 0x80)
    starts = np.concatenate(([0], ends[:-1] + 1)) if ends.size else ends
    if parts.size and (not ends.size or ends[-1] != parts.size - 1):
        raise DamagedFile("A list of numbers is cut short.")
    if (ends - starts >= 5).any():
        raise DamagedFile("A number in a list is longer than 32 bits.")
    places = np.arange(parts.size) - np.repeat(starts, ends - starts + 1)
    terms = (parts & 0x7F) << 7 * places
    folded = np.add.reduceat(terms, starts) if parts.size else terms
    if (folded >> 32).any():
        raise DamagedFile("A number in a list is longer than 32 bits.")
    return folded >> 1 ^ -(folded & 1)


class ByteReader:
    """Reads fields from untrusted bytes; whatever does not fit raises DamagedFile.

    Args:
        data: the bytes.
        what: what they are, for messages ("the index").

    >>> fields = ByteReader(write_varint(300) + b"rest", "an example")
    >>> fields.varint(), fields.rest()
    (300, b'rest')
    """

    def __init__(self, data: bytes, what: str) -> None:
        self.data = data
        self.what = what
        self.position = 0

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        start, self.position = self.position, self.position + length
        if self.position > len(self.data):
            raise DamagedFile(f"{self.what} is cut short or one of its lengths is wrong.")
        return self.data[start : self.position]

    def varint(self) -> int:
        """The next varint, of at most 63 bits."""
        value = 0
        for shift in range(0, MAX_BITS, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise DamagedFile(f"{self.what} holds a number of more than {MAX_BITS} bits.")

    def count(self) -> int:
        """The next varint, as the number of things that follow, each of at least one byte."""
        count = self.varint()
        if count > len(self.data) - self.position:  # before anybody allocates room for them
            raise DamagedFile(f"{self.what} promises more than it holds.")
        return count

    def unsigned32(self) -> int:
        """The next four bytes, little-endian."""
        value: int = struct.unpack("<I", self.take(4))[0]
        return value

    def sized(self) -> bytes:
        """Bytes after their own length as a varint."""
        return self.take(self.varint())

    def text(self) -> str:
        """A string written by `write_text`."""
        try:
            return self.sized().decode()
        except UnicodeDecodeError as wrong:
            raise DamagedFile(f"{self.what} holds text that is not UTF-8.") from wrong

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(len(self.data) - self.position)

    def finish(self) -> None:
        """Check that nothing is left."""
        if self.position != len(self.data):
            raise DamagedFile(f"{self.what} is longer than its fields.")
