"""Tokens of residuals ⇄ bytes, by counts under several contexts, pooled as logarithms.

What the counts say is written into tables, anew whenever there is an eighth more to say; a token then costs
some additions.
"""

from __future__ import annotations

from collections.abc import Sequence

import constriction
import numpy as np

from isthmus.coding.columns.counts import SEEN, TOTAL_BITS, WEIGHT_ONE
from isthmus.coding.columns.logarithms import POWERS, UNIT, UNIT_BITS, log2
from isthmus.coding.series.contexts import SIZES
from isthmus.coding.series.plan import Channel, menu_of
from isthmus.coding.tokens import FIRST_RANGE, BitReader, from_tokens, pack_bits, raw_bits, to_tokens
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile

STRENGTH = 96
"""A context's guess counts for so many 64ths of a symbol."""
RENEWAL = 8
_FAMILY = constriction.stream.model.Categorical(perfect=False)
_WORD = np.dtype("<u4")
_PARTS = 6
_NEVER = -40 * UNIT * WEIGHT_ONE


class Tables:
    """The counts of channels that are told at once, and what they say.

    Args:
        channels: whose tokens they count.
    """

    def __init__(self, channels: Sequence[Channel]) -> None:
        self.alphabet = max(channel.alphabet for channel in channels)
        self._most = max(len(channel.contexts) for channel in channels)
        menu = menu_of(channels)
        sizes = [[int(SIZES[c]) for c in channel.contexts] for channel in channels]
        self._slots = np.zeros((self._most, len(channels)), np.int64)
        self._first = np.zeros((self._most, len(channels)), np.int64)
        owner, trust, done = [0], [np.zeros(len(SEEN) + 1, np.int64)], 1  # row 0 says nothing
        for number, channel in enumerate(channels):
            for slot, (context, size) in enumerate(zip(channel.contexts, sizes[number], strict=True)):
                self._slots[slot, number], self._first[slot, number] = menu.index(context), done
                owner += [number] * size
                trust += [np.array(channel.trust[1 + slot])] * size
                done += size
        self._owner, self._trust = np.array(owner), np.array(trust)
        self._empty = self._first == 0
        self._base_trust = np.array([channel.trust[0][0] for channel in channels])[:, None]
        self._never = (
            np.arange(self.alphabet) >= np.array([channel.alphabet for channel in channels])[:, None]
        )
        self._counts = np.zeros((done, self.alphabet), np.int32)
        self._seen = np.zeros(done, np.int32)
        self._all = np.zeros((len(channels), self.alphabet), np.int64)
        self._table = np.zeros((done, self.alphabet), np.int32)
        self._known = self._new = 0
        self._refresh()

    def rows_of(self, contexts: np.ndarray) -> np.ndarray:
        """Where the tables say something; int64 (slot, channel, lane)."""
        if not self._most:
            return np.zeros((0, *contexts.shape[1:]), np.int64)
        chosen = contexts[self._slots, np.arange(contexts.shape[1])]
        return np.where(self._empty[..., None], 0, chosen + self._first[..., None])

    def chances(self, rows: np.ndarray) -> np.ndarray:
        """Frequencies less 1, of 2**24 together: float64 (channel · lane, alphabet)."""
        if self._new >= self._known // RENEWAL:
            self._refresh()
        score = np.repeat(self._base, rows.shape[2], axis=0)
        for slot in rows:
            score += self._table[slot.ravel()]
        return frequencies(score // WEIGHT_ONE)

    def learn(self, rows: np.ndarray, tokens: np.ndarray) -> None:
        """Take in tokens, (channel, lane)."""
        self._new += tokens.size
        np.add.at(self._all, (np.arange(len(tokens))[:, None], tokens), 1)
        np.add.at(self._counts.reshape(-1), rows * self.alphabet + tokens, 1)
        np.add.at(self._seen, rows, 1)

    def _refresh(self) -> None:
        self._known, self._new = self._known + self._new, 0
        share = 2 * self._all + ~self._never
        whole = share.sum(axis=1, keepdims=True)
        self._base = (log2(np.maximum(share, 1)) - log2(whole)) * self._base_trust
        self._base[self._never] = _NEVER
        self._base = self._base.astype(np.int32)
        level = np.searchsorted(SEEN, self._seen, side="right")
        weights = self._trust[np.arange(len(level)), level][:, None]
        logs = told(self._counts, self._seen, np.maximum(share, 1)[self._owner], whole[self._owner])
        self._table = (logs * weights).astype(np.int32)
        self._table[0] = 0


def told(counts: np.ndarray, seen: np.ndarray, share: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """How many times likelier than by its share each symbol is under a context, as a logarithm.

    Args:
        counts: (row, symbol).
        seen: (row,).
        share, whole: (row, symbol) and (row, 1).
    """
    logs = log2((counts.astype(np.int64) * whole << _PARTS) // share + STRENGTH)
    return logs - log2((seen.astype(np.int64) << _PARTS) + STRENGTH)[:, None]


def frequencies(score: np.ndarray) -> np.ndarray:
    """Logarithms in units of 2**-11 → frequencies less 1 of 2**24 in each row; float64.

    All are whole numbers below 2**53, but for one division and one product in each row, rounded down.
    """
    best = score.argmax(axis=1)
    rows = np.arange(len(score))
    below = score[rows, best][:, None] - score
    powers = (POWERS[below & (UNIT - 1)] >> np.minimum(below >> UNIT_BITS, 40)).astype(np.float64)
    spare = float((1 << TOTAL_BITS) - score.shape[1])
    found = np.floor(powers * (spare / powers.sum(axis=1, keepdims=True)))
    found[rows, best] += spare - found.sum(axis=1)
    return found


class Writer:
    """Takes residuals that are there already."""

    def __init__(self, channels: int) -> None:
        self._coder = constriction.stream.queue.RangeEncoder()
        self._raw: list[np.ndarray] = [np.zeros(0, np.int64)]
        self._widths: list[np.ndarray] = [np.zeros(0, np.int64)]
        self.bits = np.zeros(channels)

    def tell(self, tables: Tables, which: np.ndarray, contexts: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Code int64 residuals (channel, lane) under their contexts; returns them."""
        if tables.alphabet == 1:  # nothing to tell
            return truth
        tokens, raw, widths = to_tokens(truth.ravel())
        self._raw.append(raw)
        self._widths.append(widths)
        rows = tables.rows_of(contexts)
        chances = tables.chances(rows)
        self._coder.encode(tokens.astype(np.int32), _FAMILY, chances)
        bits = TOTAL_BITS - np.log2(chances[np.arange(len(tokens)), tokens] + 1)
        bits[tokens >= FIRST_RANGE] += widths
        self.bits[which] += bits.reshape(truth.shape).sum(axis=1)
        tables.learn(rows, tokens.astype(np.int64).reshape(truth.shape))
        return truth

    def to_bytes(self) -> bytes:
        """Sized raw bits, the words of the coder."""
        raw = pack_bits(np.concatenate(self._raw), np.concatenate(self._widths))
        return write_varint(len(raw)) + raw + self._coder.get_compressed().astype(_WORD).tobytes()


class Reader:
    """Reads what Writer wrote; DamagedFile where that is impossible."""

    def __init__(self, data: bytes) -> None:
        fields = ByteReader(data, "A block of a series")
        self._bits, words = BitReader(fields.sized()), fields.rest()
        if len(words) % _WORD.itemsize:
            raise DamagedFile("A block of a series is not a whole number of words.")
        self._coder = constriction.stream.queue.RangeDecoder(np.frombuffer(words, _WORD).astype(np.uint32))

    def tell(self, tables: Tables, which: np.ndarray, contexts: np.ndarray, truth: None) -> np.ndarray:
        """The residuals under these contexts, int64 (channel, lane)."""
        if tables.alphabet == 1:
            return np.zeros(contexts.shape[1:], np.int64)
        rows = tables.rows_of(contexts)
        try:
            tokens = self._coder.decode(_FAMILY, tables.chances(rows)).astype(np.uint8)
        except (AssertionError, ValueError) as wrong:
            raise DamagedFile("A block of a series holds what no encoder writes.") from wrong
        tables.learn(rows, tokens.astype(np.int64).reshape(contexts.shape[1:]))
        found = from_tokens(tokens, self._bits.take(raw_bits(tokens[tokens >= FIRST_RANGE])))
        return found.reshape(contexts.shape[1:])

    def finish(self) -> None:
        """Check that nothing is left."""
        self._bits.finish()
        if not self._coder.maybe_exhausted():
            raise DamagedFile("A block of a series is longer than its rows.")
