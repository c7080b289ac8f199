"""Whole numbers under contexts ⇄ bytes, in several goes: tokens by adaptive counts, and raw bits.

The message: varint, the tokens' alphabet; sized raw bits; then the words of the tokens.
"""

from __future__ import annotations

import numpy as np

from isthmus.coding.adaptive import TokenReader, TokenWriter
from isthmus.coding.tokens import (
    ALPHABET,
    FIRST_RANGE,
    BitReader,
    from_tokens,
    pack_bits,
    raw_bits,
    to_tokens,
)
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile


class NumberWriter:
    """Collects numbers, and codes them at the end.

    >>> writer = NumberWriter()
    >>> writer.put(np.array([5, -1000, 0]), np.array([8, 8, 9], np.uint8))
    >>> NumberReader(writer.to_bytes()).take(np.array([8, 8, 9], np.uint8)).tolist()
    [5, -1000, 0]
    """

    def __init__(self) -> None:
        self._goes: list[tuple[np.ndarray, np.ndarray]] = []
        self._raw: list[np.ndarray] = []
        self._widths: list[np.ndarray] = []

    def put(self, values: np.ndarray, contexts: np.ndarray) -> None:
        """Take int64 values of magnitudes below 2**52, each with its context, uint8; shape (count,)."""
        tokens, raw, widths = to_tokens(values)
        self._goes.append((tokens, contexts))
        self._raw.append(raw)
        self._widths.append(widths)

    def to_bytes(self) -> bytes:
        """Everything that was put."""
        alphabet = 1 + max((int(tokens.max(initial=1)) for tokens, _ in self._goes), default=1)
        writer = TokenWriter(alphabet)
        for tokens, contexts in self._goes:
            writer.put(tokens, contexts)
        bits = pack_bits(
            np.concatenate([*self._raw, np.zeros(0, np.int64)]),
            np.concatenate([*self._widths, np.zeros(0, np.int64)]),
        )
        return write_varint(alphabet) + write_varint(len(bits)) + bits + writer.to_bytes()


class NumberReader:
    """Reads what NumberWriter wrote, in the same goes; DamagedFile where that is impossible."""

    def __init__(self, data: bytes) -> None:
        fields = ByteReader(data, "A message of numbers")
        alphabet = fields.varint()
        if not 2 <= alphabet <= ALPHABET:
            raise DamagedFile(f"An alphabet must have 2 to {ALPHABET} tokens; got {alphabet}.")
        self._bits = BitReader(fields.sized())
        self._tokens = TokenReader(fields.rest(), alphabet)

    def take(self, contexts: np.ndarray) -> np.ndarray:
        """The next numbers, one under each context: int64."""
        tokens = self._tokens.take(contexts)
        return from_tokens(tokens, self._bits.take(raw_bits(tokens[tokens >= FIRST_RANGE])))

    def finish(self) -> None:
        """Check that nothing is left."""
        self._bits.finish()
        self._tokens.finish()
