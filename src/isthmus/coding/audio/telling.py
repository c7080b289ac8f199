"""Residuals ⇄ bytes, lane by lane side by side, by counts that grow while coding.

A residual is a token and perhaps raw bits. Its chances come from two tables, added: one by how large
the residuals of its lane were of late, and between which whole numbers the prediction fell; one by how
large the very last ones were, beside those before.
"""

from __future__ import annotations

import math

import constriction
import numpy as np

from isthmus.coding.tokens import (
    ALPHABET,
    DIRECT,
    FIRST_RANGE,
    BitReader,
    from_tokens,
    pack_bits,
    raw_bits,
    to_tokens,
)
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile

FINE = 64
"""Units of a prediction to one of a sample."""
_FAMILY = constriction.stream.model.Categorical(perfect=False)
_WORD = np.dtype("<u4")
_TOTAL_BITS = 23  # of each of two tables
_LEVELS, _PARTS = 120, 4
"""Of the first table: quarter octaves; below FINE_LEVELS, also parts of a prediction's fraction."""
_FINE_LEVELS = 40
_QUICK, _SLOW = 60, 24
"""Of the second table: half octaves and octaves."""
_PACES = (0.2, 0.03)
_FLOOR = 2.0
_LEARNT = 32
_GUESS = 12  # the guess counts as much as so many tokens
_FULL = 1 << 20
_RENEWAL, _MOST_NEW = 16, 1 << 15


def levels(means: np.ndarray, per_octave_bits: int) -> np.ndarray:
    """The place of positive numbers on a scale of so many steps an octave, from 1 up: int64."""
    shift = 52 - per_octave_bits
    return (means.view(np.int64) >> shift) - (1023 << per_octave_bits)


class Scales:
    """How large the residuals of each lane were of late, and which contexts follow."""

    def __init__(self, lanes: int) -> None:
        self._means = np.full((len(_PACES), lanes), 64.0 * 16)

    def contexts(self, fraction: np.ndarray) -> np.ndarray:
        """The rows of both tables; int64 (2, lane)."""
        quick, slow = self._means
        level = np.minimum(levels((quick + slow) * 0.5 + _FLOOR, 2), _LEVELS - 1)
        part = np.where(level < _FINE_LEVELS, np.abs(fraction) * (2 * _PARTS) // (FINE + 1), 0)
        last, before = levels(quick + _FLOOR, 1), levels(slow + _FLOOR, 0)
        pair = np.minimum(last, _QUICK - 1) * _SLOW + np.minimum(before, _SLOW - 1)
        return np.stack([level * _PARTS + part, pair])

    def learn(self, missed: np.ndarray) -> None:
        """Take in magnitudes, in parts of FINE."""
        for means, pace in zip(self._means, _PACES, strict=True):
            means += (missed - means) * pace


class Table:
    """Chances of tokens under each context; they begin with a guess.

    Args:
        guess: counts to begin with, int64 (context, token).
        total_bits: the chances of a context add up to 2**total_bits.
    """

    def __init__(self, guess: np.ndarray, total_bits: int = _TOTAL_BITS) -> None:
        self._counts, self._total = guess.copy(), 1 << total_bits
        self._told = np.empty(0)
        self.refresh()

    def refresh(self) -> None:
        """Make chances of the counts, each at least 1."""
        sums = self._counts.sum(axis=1, keepdims=True)
        full = sums[:, 0] > _FULL
        self._counts[full] = (self._counts[full] >> 1) + 1
        spare = self._total - self._counts.shape[1]
        told = 1 + self._counts * spare // self._counts.sum(axis=1, keepdims=True)
        told[:, 0] += self._total - told.sum(axis=1)
        self._told = told.astype(np.float64)

    def chances(self, contexts: np.ndarray) -> np.ndarray:
        """float64 (lane, token)."""
        return self._told[contexts]

    def learn(self, contexts: np.ndarray, tokens: np.ndarray) -> None:
        """Take in tokens."""
        np.add.at(self._counts, (contexts, tokens), _LEARNT)


class Tables:
    """Both tables, and when they are made anew: ever more rarely."""

    def __init__(self, alphabet: int) -> None:
        level = guesses(np.arange(_LEVELS) / 4, alphabet)
        pair = guesses(np.arange(_QUICK) / 2, alphabet)
        self._tables = Table(np.repeat(level, _PARTS, axis=0)), Table(np.repeat(pair, _SLOW, axis=0))
        self._seen = self._new = 0

    def chances(self, contexts: np.ndarray) -> np.ndarray:
        """Frequencies less 1, of 2**24 together; float64 (lane, token)."""
        if self._new >= min(self._seen // _RENEWAL, _MOST_NEW):
            for table in self._tables:
                table.refresh()
            self._seen, self._new = self._seen + self._new, 0
        first, second = (table.chances(rows) for table, rows in zip(self._tables, contexts, strict=True))
        return first + second - 1

    def learn(self, contexts: np.ndarray, tokens: np.ndarray) -> None:
        """Take in tokens."""
        self._new += len(tokens)
        for table, rows in zip(self._tables, contexts, strict=True):
            table.learn(rows, tokens)


def guesses(octaves: np.ndarray, alphabet: int) -> np.ndarray:
    """Counts to begin with where magnitudes are so many octaves above a part of FINE: geometric ones."""
    found = np.ones((len(octaves), alphabet), np.int64)
    for row, octave in enumerate(octaves.tolist()):
        whole = int(octave)
        mean = 2.0**whole * (1 + octave - whole) / FINE
        ratio = mean / (1 + mean)
        found[row] += np.floor(np.array(_geometric(ratio)[:alphabet]) * (_GUESS * _LEARNT)).astype(np.int64)
    return found


def _geometric(ratio: float) -> list[float]:
    """The share of every token where each magnitude is `ratio` times as frequent as the one below."""
    near = [1 - ratio]
    while len(near) < DIRECT:
        near.append(near[-1] * ratio)
    shares = [near[0], *(near[(token + 1) // 2] / 2 for token in range(1, FIRST_RANGE))]
    edge = near[-1] / near[0] * ratio
    while len(shares) < ALPHABET:
        fourth = math.sqrt(math.sqrt(edge))  # square roots are rounded alike everywhere
        parts = [1.0, fourth, fourth * fourth, fourth * fourth * fourth]
        shares += [edge * (1 - fourth) * part for part in parts]
        edge = edge * edge
    return shares


def _alphabet(reach: int) -> int:
    return 1 + int(to_tokens(np.array([reach, -1]))[0].max())


class ResidualWriter:
    """Takes residuals, a step of all lanes at a time; they are there already.

    Args:
        reach: the largest magnitude that can come.
    """

    def __init__(self, reach: int) -> None:
        self._tables = Tables(_alphabet(reach))
        self._coder = constriction.stream.queue.RangeEncoder()
        self._raw: list[np.ndarray] = [np.zeros(0, np.int64)]
        self._widths: list[np.ndarray] = [np.zeros(0, np.int64)]

    def tell(self, contexts: np.ndarray, residuals: np.ndarray | None) -> np.ndarray:
        """Code int64 residuals, each under its contexts; returns them."""
        assert residuals is not None
        tokens, raw, widths = to_tokens(residuals)
        self._raw.append(raw)
        self._widths.append(widths)
        self._coder.encode(tokens.astype(np.int32), _FAMILY, self._tables.chances(contexts))
        self._tables.learn(contexts, tokens)
        return residuals

    def to_bytes(self) -> bytes:
        """Sized raw bits, the words of the coder."""
        raw = pack_bits(np.concatenate(self._raw), np.concatenate(self._widths))
        words = self._coder.get_compressed().astype(_WORD).tobytes()
        return write_varint(len(raw)) + raw + words


class ResidualReader:
    """Reads what ResidualWriter wrote, in the same steps; DamagedFile where that is impossible."""

    def __init__(self, data: bytes, reach: int) -> None:
        fields = ByteReader(data, "A block of audio")
        self._bits, words = BitReader(fields.sized()), fields.rest()
        if len(words) % _WORD.itemsize:
            raise DamagedFile("A block of audio is not a whole number of words.")
        self._coder = constriction.stream.queue.RangeDecoder(np.frombuffer(words, _WORD).astype(np.uint32))
        self._tables = Tables(_alphabet(reach))

    def tell(self, contexts: np.ndarray, residuals: np.ndarray | None) -> np.ndarray:
        """The residuals under these contexts, int64."""
        chances = self._tables.chances(contexts)
        try:
            tokens = self._coder.decode(_FAMILY, chances).astype(np.uint8)
        except (AssertionError, ValueError) as wrong:
            raise DamagedFile("A block of audio holds what no encoder writes.") from wrong
        self._tables.learn(contexts, tokens)
        return from_tokens(tokens, self._bits.take(raw_bits(tokens[tokens >= FIRST_RANGE])))

    def finish(self) -> None:
        """Check that nothing is left."""
        self._bits.finish()
        if not self._coder.maybe_exhausted():
            raise DamagedFile("A block of audio is longer than its frames.")
