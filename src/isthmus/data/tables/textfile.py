"""A file of text → its encoding, and parts of some megabytes that are whole rows; .gz is unpacked."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from isthmus.data.tables.splitting import Splitter
from isthmus.errors import BadItem

READ_BYTES = 8 << 20
MOST_ROWS = 1 << 17
"""Of a part, about."""
MOST_ROW_BYTES = 1 << 26
ERRORS = {
    "utf-8": "surrogateescape",
    "latin-1": "strict",
    "utf-16-le": "surrogatepass",
    "utf-16-be": "surrogatepass",
}
"""What keeps every byte of a text in an encoding; cp1252 is parted as latin-1, which has every byte."""
_NOT_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def blocks_of(path: Path, size: int) -> Iterator[bytes]:
    """The bytes of a file; .gz is unpacked.

    Raises:
        BadItem: it is no .gz, or not a whole one.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            yield from iter(lambda: file.read(size), b"")
    except (gzip.BadGzipFile, EOFError, zlib.error) as wrong:
        raise BadItem(f"{path} is no whole gzip file: {wrong}. Fetch or pack it again.") from wrong


def encoding_of(path: Path) -> str:
    """UTF-8 where the whole file is such, but for a letter cut at its end; else Windows-1252.

    latin-1, which has a letter for every byte, where a byte means nothing in Windows-1252.
    """
    blocks = blocks_of(path, READ_BYTES)
    decoder, is_windows, is_utf_8 = codecs.getincrementaldecoder("utf-8")(), True, True
    for number, block in enumerate(blocks):
        if number == 0 and block.startswith((b"\xff\xfe", b"\xfe\xff")):
            if (len(block) + sum(map(len, blocks))) % 2:
                raise BadItem(f"{path} is no whole text of UTF-16: it ends inside a letter.")
            return "utf-16-le" if block.startswith(b"\xff") else "utf-16-be"
        is_windows = is_windows and _NOT_WINDOWS.search(block) is None
        try:
            is_utf_8 = is_utf_8 and decoder.decode(block) is not None
        except UnicodeDecodeError:
            is_utf_8 = False
    return "utf-8" if is_utf_8 else "cp1252" if is_windows else "latin-1"


def parts_of(path: Path, encoding: str, splitter: Splitter, start: int) -> Iterator[bytes]:
    """A file behind its first `start` bytes, in parts of some megabytes, each of whole rows.

    A row of more than MOST_ROW_BYTES is cut.
    """
    rest, before = b"", start
    for block in blocks_of(path, READ_BYTES):
        if len(rest) >= READ_BYTES:  # and so there is more than this
            rows, begun = splitter.rows_begun(as_text(rest, encoding))
            if rows or len(rest) >= MOST_ROW_BYTES:
                left = as_bytes(begun, encoding) if rows else b""
                yield from _few_rows(rows or [begun], encoding)
                rest = left
        rest += block[before:]
        before = max(0, before - len(block))
    yield from _few_rows(splitter.rows(as_text(rest, encoding)), encoding)


def _few_rows(rows: list[str], encoding: str) -> Iterator[bytes]:
    """The same in parts of about MOST_ROWS rows at most."""
    count = len(rows) // MOST_ROWS + 1
    for number in range(count):
        some = rows[len(rows) * number // count : len(rows) * (number + 1) // count]
        if some:
            yield as_bytes("".join(some), encoding)


def as_text(data: bytes, encoding: str) -> str:
    """Bytes as text from which `as_bytes` makes them again."""
    return data.decode(lossless(encoding), ERRORS[lossless(encoding)])


def as_bytes(text: str, encoding: str) -> bytes:
    """Undo `as_text`."""
    return text.encode(lossless(encoding), ERRORS[lossless(encoding)])


def lossless(encoding: str) -> str:
    """The encoding that keeps every byte of a file in another."""
    return "latin-1" if encoding == "cp1252" else encoding
