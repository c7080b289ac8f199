"""A column ⇄ bytes without regard to the others: words by xz, numbers by pcodec."""

from __future__ import annotations

import numpy as np

from isthmus.coding.coders import xz
from isthmus.coding.coders.pcodec import numbers_from_bytes, numbers_to_bytes
from isthmus.coding.columns.lists import words_from_bytes, words_to_bytes
from isthmus.coding.columns.parts import Floats, Part, Whole, Words
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile

MOST_BYTES = 1 << 30
WORDS, WHOLE, FLOAT32, FLOAT64 = range(4)
CODERS = {WORDS: "xz", WHOLE: "pcodec", FLOAT32: "pcodec", FLOAT64: "pcodec"}
_DTYPES = {WHOLE: np.int64, FLOAT32: np.float32, FLOAT64: np.float64}


def encode_alone(part: Part) -> tuple[int, bytes]:
    """What kind of column it is, and the bytes of it."""
    if isinstance(part, Words):
        raw = words_to_bytes(part.texts())
        return WORDS, write_varint(len(raw)) + xz.pack(raw, 1)
    if isinstance(part, Whole):
        return WHOLE, numbers_to_bytes(part.values)
    return (FLOAT32 if part.values.dtype == np.float32 else FLOAT64), numbers_to_bytes(part.values)


def decode_alone(kind: int, data: bytes, rows: int) -> Part:
    """Undo `encode_alone`; DamagedFile for what it does not write."""
    if kind == WORDS:
        fields = ByteReader(data, "A column of words")
        length = fields.varint()
        if length > MOST_BYTES:
            raise DamagedFile("A column of words claims more than it may.")
        texts = words_from_bytes(xz.unpack(fields.rest(), length, 1))
        if len(texts) != rows:
            raise DamagedFile("A column of words has not one for each row.")
        return Words.of(texts)
    if kind not in _DTYPES:
        raise DamagedFile("A column is told in a way that cannot be.")
    values = numbers_from_bytes(data, rows, np.dtype(_DTYPES[kind]))
    return Whole(values) if kind == WHOLE else Floats(values)
