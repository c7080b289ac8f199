"""Whole numbers ⇄ bytes, by counts that grow while coding, each number under some contexts.

A number is a token and perhaps raw bits. The chances of tokens come from tables, one for each of its
contexts, added; a table's counts begin with a guess and take in every token after it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import constriction
import numpy as np

from isthmus.coding.audio.telling import Table, guesses
from isthmus.coding.tokens import FIRST_RANGE, BitReader, from_tokens, pack_bits, raw_bits, to_tokens
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile

Contexts = tuple[np.ndarray, ...]
"""For each table, the row of each number: int64 (number,)."""
_FAMILY = constriction.stream.model.Categorical(perfect=False)
_WORD = np.dtype("<u4")
_TOTAL_BITS = 24
_RENEWAL, _MOST_NEW = 16, 1 << 15


@dataclass(frozen=True)
class Guess:
    """What the rows of a table expect to begin with.

    Args:
        octaves: of each row, how large numbers are, in octaves above a 64th; NaN: nobody knows.
        share_bits: the table has 2**-share_bits of all chances.
    """

    octaves: np.ndarray
    share_bits: int


class Tables:
    """The tables that numbers of one kind are told by.

    Args:
        alphabet: how many tokens there are.
        kinds: their guesses; the shares add up to 1.
    """

    def __init__(self, alphabet: int, kinds: tuple[Guess, ...]) -> None:
        self._tables = [Table(_counts(kind, alphabet), _TOTAL_BITS - kind.share_bits) for kind in kinds]
        self._seen = self._new = 0

    def chances(self, contexts: Contexts) -> np.ndarray:
        """Frequencies less 1, of 2**24 together; float64 (number, token)."""
        if self._new >= min(self._seen // _RENEWAL, _MOST_NEW):
            for table in self._tables:
                table.refresh()
            self._seen, self._new = self._seen + self._new, 0
        found = self._tables[0].chances(contexts[0])
        for table, rows in zip(self._tables[1:], contexts[1:], strict=True):
            found += table.chances(rows)
        found -= 1
        return found

    def learn(self, contexts: Contexts, tokens: np.ndarray) -> None:
        """Take in tokens."""
        self._new += len(tokens)
        for table, rows in zip(self._tables, contexts, strict=True):
            table.learn(rows, tokens)


def _counts(kind: Guess, alphabet: int) -> np.ndarray:
    known = ~np.isnan(kind.octaves)
    found = np.ones((len(kind.octaves), alphabet), np.int64)
    levels, rows = np.unique(kind.octaves[known], return_inverse=True)
    if len(levels):
        found[known] = guesses(levels, alphabet)[rows]
    return found


def alphabet_of(reach: int) -> int:
    """How many tokens numbers up to that magnitude have."""
    return 1 + int(to_tokens(np.array([reach, -reach, -min(reach, 1)]))[0].max())


class Teller(Protocol):
    """Writes numbers, or reads them."""

    def tokens(self, tables: Tables, contexts: Contexts, values: np.ndarray | None) -> np.ndarray:
        """Tokens below the alphabet, from those given or from bytes: int64."""

    def numbers(self, tables: Tables, contexts: Contexts, values: np.ndarray | None) -> np.ndarray:
        """Numbers, from those given or from bytes: int64."""


class Writer:
    """Writes what it is told.

    >>> kinds = (Guess(np.array([6.0, 9.0]), 0),)
    >>> writer = Writer()
    >>> _ = writer.numbers(Tables(40, kinds), (np.array([0, 1]),), np.array([0, -70]))
    >>> Reader(writer.to_bytes()).numbers(Tables(40, kinds), (np.array([0, 1]),), None).tolist()
    [0, -70]
    """

    def __init__(self) -> None:
        self._coder = constriction.stream.queue.RangeEncoder()
        self._raw: list[np.ndarray] = [np.zeros(0, np.int64)]
        self._widths: list[np.ndarray] = [np.zeros(0, np.int64)]

    def tokens(self, tables: Tables, contexts: Contexts, values: np.ndarray | None) -> np.ndarray:
        """Code tokens; returns them."""
        assert values is not None
        self._coder.encode(values.astype(np.int32), _FAMILY, tables.chances(contexts))
        tables.learn(contexts, values)
        return values

    def numbers(self, tables: Tables, contexts: Contexts, values: np.ndarray | None) -> np.ndarray:
        """Code int64 numbers; returns them."""
        assert values is not None
        tokens, raw, widths = to_tokens(values)
        if len(raw):
            self._raw.append(raw)
            self._widths.append(widths)
        self.tokens(tables, contexts, tokens)
        return values

    def to_bytes(self) -> bytes:
        """Sized raw bits, the words of the coder."""
        raw = pack_bits(np.concatenate(self._raw), np.concatenate(self._widths))
        words = self._coder.get_compressed().astype(_WORD).tobytes()
        return write_varint(len(raw)) + raw + words


class Reader:
    """Reads what Writer wrote, in the same goes; DamagedFile where that is impossible."""

    def __init__(self, data: bytes) -> None:
        fields = ByteReader(data, "A block of video")
        self._bits, words = BitReader(fields.sized()), fields.rest()
        if len(words) % _WORD.itemsize:
            raise DamagedFile("A block of video is not a whole number of words.")
        self._coder = constriction.stream.queue.RangeDecoder(np.frombuffer(words, _WORD).astype(np.uint32))

    def tokens(self, tables: Tables, contexts: Contexts, values: np.ndarray | None) -> np.ndarray:
        """The tokens under these contexts."""
        try:
            found = np.asarray(self._coder.decode(_FAMILY, tables.chances(contexts)), np.int64)
        except (AssertionError, ValueError) as wrong:
            raise DamagedFile("A block of video holds what no encoder writes.") from wrong
        tables.learn(contexts, found)
        return found

    def numbers(self, tables: Tables, contexts: Contexts, values: np.ndarray | None) -> np.ndarray:
        """The numbers under these contexts."""
        tokens = self.tokens(tables, contexts, None).astype(np.uint8)
        return from_tokens(tokens, self._bits.take(raw_bits(tokens[tokens >= FIRST_RANGE])))

    def finish(self) -> None:
        """Check that nothing is left."""
        self._bits.finish()
        if not self._coder.maybe_exhausted():
            raise DamagedFile("A block of video is longer than its frames.")
