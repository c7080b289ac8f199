"""Symbols ⇄ bytes: one message of many groups, each coded by its own table.

The coder is constriction's stack ANS (asymmetric numeral systems). Grouping by table keeps it
fast: some 5 ns a symbol in and 20 ns out, against ten times that when the table changes at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import constriction
import numpy as np

from isthmus.coding.tables import MAX_PRECISION_BITS, Table
from isthmus.coding.varints import ByteReader, read_signed, write_signed, write_varint
from isthmus.errors import DamagedFile

WORD = np.dtype("<u4")  # little-endian on every machine


def encode(groups: Sequence[tuple[np.ndarray, Table]]) -> bytes:
    """Code groups of integers into one message.

    Args:
        groups: values, int, shape (count,), at most 32 bits each; and the table they are coded by.

    Returns:
        The message. `decode` also needs the counts and the same tables; neither is in it.

    >>> values = np.array([3, 1, 3, 3, 900], dtype=np.int32)  # 900 has no entry: it escapes
    >>> table = Table(low=1, frequencies=[2, 1, 4, 1])
    >>> message = encode([(values, table)])
    >>> [group.tolist() for group in decode(message, [(5, table)])]
    [[3, 1, 3, 3, 900]]
    """
    coder = constriction.stream.stack.AnsCoder()
    escaped = []
    for values, table in reversed(groups):  # ANS is a stack: what is pushed last comes out first
        indices = table.indices(values)
        coder.encode_reverse(indices, entropy_model(table))
        escaped.append(np.asarray(values)[indices == table.escape])
    in_full = b"".join(write_signed(values) for values in reversed(escaped))
    words = coder.get_compressed().astype(WORD).tobytes()
    return write_varint(len(in_full)) + in_full + words


def decode(data: bytes, groups: Sequence[tuple[int, Table]]) -> list[np.ndarray]:
    """Undo `encode`.

    Args:
        data: the message.
        groups: how many values each group has, and its table. Certain symbols cost next to
            nothing, so a short message may hold many: check the counts before you call.

    Returns:
        One int32 array, shape (count,), for each group.

    Raises:
        DamagedFile: the bytes are not a message of these groups. Most damage is found here, but
            only the container's checksums find all of it.
    """
    fields = ByteReader(data, "A coded message")
    in_full = read_signed(fields.sized())
    coder = open_words(fields.rest())
    decoded = [
        np.asarray(coder.decode(entropy_model(table), count), dtype=np.int64) for count, table in groups
    ]
    if not coder.is_empty():
        raise DamagedFile("A coded message is not made of the symbols it should be.")
    return _fill_in(decoded, [table for _, table in groups], in_full)


def open_words(words: bytes) -> Any:
    """The coder with the words of a message, ready to decode; DamagedFile if they are none."""
    if len(words) % WORD.itemsize:
        raise DamagedFile("A coded message is not a whole number of words.")
    try:
        return constriction.stream.stack.AnsCoder(np.frombuffer(words, WORD).astype(np.uint32))
    except ValueError as wrong:  # its last word is 0, which the encoder leaves out
        raise DamagedFile("A coded message ends in a word that no encoder writes.") from wrong


def entropy_model(table: Table) -> Any:
    """The table as constriction sees it, frequency for frequency.

    constriction gives each symbol one part in 2**24 and shares out the rest in proportion. Handed
    the frequencies of that total less one each, "the rest" is their very sum: the factor is exactly
    1, nothing is rounded, and its integers are ours. tests/coding/test_coder.py holds it to that.
    """
    scaled = table.frequencies << MAX_PRECISION_BITS - table.precision_bits
    return constriction.stream.model.Categorical((scaled - 1).astype(np.float64), perfect=False)


def _fill_in(indices: list[np.ndarray], tables: list[Table], in_full: np.ndarray) -> list[np.ndarray]:
    """Entries → values, with the escaped ones taken in order from those written in full."""
    groups, used = [], 0
    for entries, table in zip(indices, tables, strict=True):
        values = entries + table.low
        escapes = np.flatnonzero(entries == table.escape)
        theirs = in_full[used : used + escapes.size]
        if theirs.size != escapes.size:
            raise DamagedFile("A coded message lacks values that its symbols call for.")
        values[escapes] = theirs
        used += escapes.size
        groups.append(values.astype(np.int32))
    if used != in_full.size:
        raise DamagedFile("A coded message holds values that no symbol calls for.")
    return groups
