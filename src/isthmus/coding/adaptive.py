"""Tokens under contexts ⇄ bytes, by counts that grow while coding.

Each context has its own counts. They begin with a guess and take in every token after it is
coded, so the decoder, which has the same tokens by then, has the same counts: no table is stored.
A table for each token would be slow; instead a context's tokens are coded in runs, each about as
long as all before it. Everything that decides a table is an integer, or a float that every machine
computes alike.

The guess: context c expects magnitudes of mean MEANS[c], spread geometrically. The last two
contexts are for settings that travel along with the numbers.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import constriction
import numpy as np

from isthmus.coding.tokens import ALPHABET, DIRECT, FIRST_RANGE
from isthmus.errors import DamagedFile

LEVELS = 40
SETTINGS, WEIGHTS = LEVELS, LEVELS + 1
CONTEXTS = LEVELS + 2
TOTAL_BITS = 24  # constriction's precision for tables of this kind
_UNIT = 1 << 10  # one token seen
_GUESS_WEIGHT = 12  # the guess counts as much as so many tokens
_FIRST_RUN = 16
_FULL = 1 << 15  # tokens seen after which old ones are given half their weight
_WORD = np.dtype("<u4")


def _powers(start: float, factor: float, count: int) -> list[float]:
    """start · factor**i by multiplication alone, which every machine rounds alike."""
    values = [start]
    while len(values) < count:
        values.append(values[-1] * factor)
    return values


_LOWEST = -6  # context 0 expects magnitudes below 2**_LOWEST; each next one, half an octave more
MEANS = [0.0125, *(middle * 2.0 ** (_LOWEST + i) for i in range(LEVELS // 2) for middle in (1.2, 1.725))]
MEANS[LEVELS:] = [2.0, 12.0]


def levels(expected: np.ndarray) -> np.ndarray:
    """The context for each expected magnitude, uint8: its half octave, which its highest bits tell.

    Args:
        expected: float32 or float64, from 0 up.

    >>> levels(np.array([0.0, 2.0**-6, 1.4 * 2.0**-6, 1.5 * 2.0**-6, 1.0, 1e300])).tolist()
    [0, 1, 1, 2, 13, 39]
    """
    if expected.dtype == np.float32:
        halves, bias = expected.view(np.int32) >> 22, 127
    else:
        halves, bias = expected.view(np.int64) >> 51, 1023
    return np.clip(halves - (2 * (bias + _LOWEST) - 1), 0, LEVELS - 1).astype(np.uint8)


@cache
def _guesses() -> np.ndarray:
    """Counts to begin with, int64, shape (context, token)."""
    guesses = np.ones((CONTEXTS, ALPHABET), np.int64)
    for context, mean in enumerate(MEANS):
        ratio = mean / (1 + mean)
        near = _powers(1 - ratio, ratio, DIRECT)
        shares = [near[0]] + [near[(token + 1) // 2] / 2 for token in range(1, FIRST_RANGE)]
        edge = near[-1] / near[0] * ratio  # ratio**DIRECT: the share beyond the direct tokens
        while len(shares) < ALPHABET:
            fourth = math.sqrt(math.sqrt(edge))  # square roots are rounded alike everywhere
            shares += [edge * (1 - fourth) * part for part in _powers(1.0, fourth, 4)]
            edge = edge * edge
        guesses[context] += np.floor(np.array(shares) * (_GUESS_WEIGHT * _UNIT)).astype(np.int64)
    return guesses


class _Counts:
    """What has been seen under each context so far: all that tables are made of."""

    def __init__(self, alphabet: int) -> None:
        self._counts = _guesses()[:, :alphabet].copy()
        self._seen = np.zeros(CONTEXTS, np.int64)

    def run_length(self, context: int) -> int:
        """How many tokens are coded by the next table."""
        return max(_FIRST_RUN, int(self._seen[context]))

    def model(self, context: int) -> Any:
        """The table as constriction sees it; coding/coder.py says why each frequency is exact."""
        counts = self._counts[context]
        frequencies = 1 + counts * ((1 << TOTAL_BITS) - counts.size) // counts.sum()
        frequencies[np.argmax(frequencies)] += (1 << TOTAL_BITS) - frequencies.sum()
        return constriction.stream.model.Categorical((frequencies - 1).astype(np.float64), perfect=False)

    def learn(self, context: int, tokens: np.ndarray) -> None:
        """Take in a run that has just been coded."""
        counts = self._counts[context]
        counts += _UNIT * np.bincount(tokens, minlength=counts.size)
        self._seen[context] += tokens.size
        if self._seen[context] > _FULL:
            counts[:] = (counts >> 1) + 1
            self._seen[context] >>= 1


class TokenWriter:
    """Codes tokens in several goes.

    >>> writer = TokenWriter(alphabet=4)
    >>> writer.put(np.array([0, 3, 0], np.uint8), np.array([1, 9, 1], np.uint8))
    >>> reader = TokenReader(writer.to_bytes(), alphabet=4)
    >>> reader.take(np.array([1, 9, 1], np.uint8)).tolist()
    [0, 3, 0]
    """

    def __init__(self, alphabet: int) -> None:
        self._counts = _Counts(alphabet)
        self._runs: list[tuple[np.ndarray, Any]] = []

    def put(self, tokens: np.ndarray, contexts: np.ndarray) -> None:
        """Code tokens below `alphabet`, each under its context below CONTEXTS: two uint8, shape (count,)."""
        sorted_tokens = tokens[np.argsort(contexts, kind="stable")].astype(np.int32)
        for context, start, end in _stretches(contexts):
            while start < end:
                run = sorted_tokens[start : min(end, start + self._counts.run_length(context))]
                self._runs.append((run, self._counts.model(context)))
                self._counts.learn(context, run)
                start += run.size

    def to_bytes(self) -> bytes:
        """The whole message."""
        coder = constriction.stream.stack.AnsCoder()
        for run, model in reversed(self._runs):  # ANS is a stack: what is pushed last comes out first
            coder.encode_reverse(run, model)
        return coder.get_compressed().astype(_WORD).tobytes()


class TokenReader:
    """Reads what TokenWriter wrote, in the same goes."""

    def __init__(self, data: bytes, alphabet: int) -> None:
        if len(data) % _WORD.itemsize:
            raise DamagedFile("A coded message is not a whole number of words.")
        self._counts = _Counts(alphabet)
        try:
            self._coder = constriction.stream.stack.AnsCoder(np.frombuffer(data, _WORD).astype(np.uint32))
        except ValueError as wrong:  # its last word is 0, which the encoder leaves out
            raise DamagedFile("A coded message ends in a word that no encoder writes.") from wrong

    def take(self, contexts: np.ndarray) -> np.ndarray:
        """The next tokens, uint8, one under each of these contexts."""
        sorted_tokens = np.empty(contexts.size, np.uint8)
        for context, start, end in _stretches(contexts):
            while start < end:
                length = min(end - start, self._counts.run_length(context))
                run = np.asarray(self._coder.decode(self._counts.model(context), length))
                sorted_tokens[start : start + length] = run
                self._counts.learn(context, run)
                start += length
        tokens = np.empty_like(sorted_tokens)
        tokens[np.argsort(contexts, kind="stable")] = sorted_tokens
        return tokens

    def finish(self) -> None:
        """Check that the message is used up."""
        if not self._coder.is_empty():
            raise DamagedFile("A coded message is not made of the tokens it should be.")


def _stretches(contexts: np.ndarray) -> list[tuple[int, int, int]]:
    """Each context that occurs, and where its tokens begin and end once they are sorted by context."""
    ends = np.cumsum(np.bincount(contexts, minlength=CONTEXTS)).tolist()
    starts = [0, *ends[:-1]]
    return [
        (context, start, end)
        for context, (start, end) in enumerate(zip(starts, ends, strict=True))
        if end > start
    ]
