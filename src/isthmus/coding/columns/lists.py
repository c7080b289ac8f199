"""The lists of words and numbers that columns are told by ⇄ bytes; what the reader has is left out."""

from __future__ import annotations

import lzma
from collections.abc import Sequence

import numpy as np

from isthmus.coding.coders.pcodec import numbers_from_bytes, numbers_to_bytes
from isthmus.coding.squeeze import expand, squeeze
from isthmus.coding.varints import ByteReader, unzigzag, write_varint, zigzag
from isthmus.errors import DamagedFile

MOST_BYTES = 1 << 28
PLAIN, PCODEC = 0, 1
ZSTD, LZMA = 0, 1
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]


def words_to_bytes(words: Sequence[str]) -> bytes:
    """Words, each of any letters, one after another; `words_from_bytes` undoes it.

    >>> words_from_bytes(words_to_bytes(["", "a\\0b"]))
    ['', 'a\\x00b']
    """
    ended = (word.replace("\x01", "\x01\x01").replace("\0", "\x01\x02") + "\0" for word in words)
    return "".join(ended).encode("utf-8", "surrogatepass")


def words_from_bytes(data: bytes) -> list[str]:
    """Undo `words_to_bytes`."""
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as wrong:
        raise DamagedFile("A list of words is no text.") from wrong
    if text and not text.endswith("\0"):
        raise DamagedFile("A list of words is cut short.")
    return [_plain(word) for word in text.split("\0")[:-1]]


def _plain(word: str) -> str:
    if "\x01" not in word:
        return word
    return "\x01".join(part.replace("\x01\x02", "\0") for part in word.split("\x01\x01"))


def numbers_to_list(numbers: np.ndarray) -> bytes:
    """Ascending int64 of magnitudes below 2**62; `numbers_from_list` undoes it."""
    gaps = np.diff(numbers, prepend=0)
    plain = b"".join(write_varint(zigzag(gap)) for gap in gaps.tolist())
    coded = write_varint(len(gaps)) + numbers_to_bytes(gaps)
    return bytes([PLAIN]) + plain if len(squeeze(plain)) <= len(coded) else bytes([PCODEC]) + coded


def numbers_from_list(data: bytes, most: int) -> np.ndarray:
    """Undo `numbers_to_list`; at most so many."""
    fields = ByteReader(data, "A list of numbers")
    way = fields.take(1)[0]
    if way == PCODEC:
        count = fields.varint()
        if count > most:
            raise DamagedFile("A list of numbers is longer than it may be.")
        gaps = numbers_from_bytes(fields.rest(), count, np.dtype(np.int64))
    else:
        found = []
        while fields.position < len(data):
            found.append(unzigzag(fields.varint()))
        gaps = np.array(found, np.int64)
    numbers = np.cumsum(gaps)
    if way > PCODEC or len(numbers) > most or (np.diff(numbers) <= 0).any():
        raise DamagedFile("A list of numbers is not in order.")
    return numbers


def pack(lists: Sequence[bytes]) -> bytes:
    """Several lists, squeezed together; `unpack` undoes it."""
    whole = b"".join(write_varint(len(data)) + data for data in lists)
    by_lzma = write_varint(len(whole)) + lzma.compress(whole, lzma.FORMAT_RAW, filters=_FILTERS)
    by_zstd = squeeze(whole)
    return bytes([ZSTD]) + by_zstd if len(by_zstd) <= len(by_lzma) else bytes([LZMA]) + by_lzma


def unpack(data: bytes, count: int, *, most: int = MOST_BYTES) -> list[bytes]:
    """Undo `pack`; DamagedFile for what it does not write, or takes more bytes than `most`."""
    fields = ByteReader(data, "The lists of a block")
    way = fields.take(1)[0]
    what = "The lists of a block"
    whole = expand(fields.rest(), most, what) if way == ZSTD else _from_lzma(fields, most)
    inside = ByteReader(whole, "The lists of a block")
    lists = [inside.sized() for _ in range(count)]
    inside.finish()
    return lists


def _from_lzma(fields: ByteReader, most: int) -> bytes:
    length = fields.varint()
    if length > most:
        raise DamagedFile("The lists of a block claim more than they may.")
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
    try:
        whole = decoder.decompress(fields.rest(), length + 1)
    except lzma.LZMAError as wrong:
        raise DamagedFile(f"The lists of a block cannot be decompressed: {wrong}.") from wrong
    if len(whole) != length or not decoder.eof:
        raise DamagedFile("The lists of a block do not have the length they claim.")
    return whole
