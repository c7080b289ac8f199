"""The second reader, continued: messages of numbers, and words of a range coder.

Written from docs/format.md alone, in plain Python, like independent.py. Audio and tables are made of these.
"""

import struct
from bisect import bisect_right
from itertools import accumulate
from math import sqrt


class Bits:
    """Takes raw bits off the front, highest of each byte first."""

    def __init__(self, data):
        self.bits, self.left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count):
        self.left -= count
        assert self.left >= 0
        return (self.bits >> self.left) % (1 << count)

    def done(self):
        assert self.left < 8
        assert self.take(self.left) == 0


def token_of(number):
    """The token that the number has."""
    size = abs(number)
    if size < 16:
        return 2 * size if number >= 0 else 2 * size - 1
    bits = size.bit_length() - 3
    return 31 + 4 * (bits - 2) + (size >> bits) - 4


def number_of(token, raw):
    """The number that a token and the raw bits behind it stand for."""
    if token < 31:
        return -(token + 1) // 2 if token % 2 else token // 2
    i, j = divmod(token - 31, 4)
    rest = raw.take(i + 3)
    size = (4 + j) * 2 ** (i + 2) + rest // 2
    return -size if rest % 2 else size


def spread(mean, tokens):
    """How likely each token is, for numbers of this mean magnitude."""
    q = mean / (1 + mean)
    near = [1 - q]
    while len(near) < 16:
        near.append(near[-1] * q)
    likely = [near[0]] + [near[(token + 1) // 2] * 0.5 for token in range(1, 31)]
    e = near[15] / near[0] * q
    while len(likely) < tokens:
        f = sqrt(sqrt(e))
        likely += [e * (1 - f) * power for power in (1.0, f, f * f, f * f * f)]
        e = e * e
    return likely[:tokens]


def shares(counts, total):
    """Frequencies in proportion to the counts, of this sum less what is missing."""
    whole = sum(counts)
    return [1 + count * (total - len(counts)) // whole for count in counts]


class Stack:
    """Words that hold entries of 2²⁴, as those of a coded message do."""

    def __init__(self, data):
        self.words = list(struct.unpack(f"<{len(data) // 4}I", data))
        self.state = 0
        for _ in range(min(2, len(self.words))):
            self.state = (self.state << 32) + self.words.pop()

    def take(self, sums):
        q = self.state % 2**24
        entry = bisect_right(sums, q) - 1
        self.state = (self.state >> 24) * (sums[entry + 1] - sums[entry]) + q - sums[entry]
        if self.state < 2**32 and self.words:
            self.state = (self.state << 32) + self.words.pop()
        return entry

    def done(self):
        assert self.state == 0
        assert not self.words


class Range:
    """Words of a range coder, whose entries' frequencies sum to 2²⁴."""

    def __init__(self, data):
        self.words = iter(struct.unpack(f"<{len(data) // 4}I", data))
        self.width = 2**64 - 1
        self.offset = (self.next() << 32) + self.next()

    def next(self):
        return next(self.words, 0)

    def take(self, sums):
        scale = self.width >> 24
        q = self.offset // scale
        assert q < 2**24
        entry = bisect_right(sums, q) - 1
        self.offset -= scale * sums[entry]
        self.width = scale * (sums[entry + 1] - sums[entry])
        if self.width < 2**32:
            self.width, self.offset = self.width << 32, (self.offset << 32) + self.next()
        return entry

    def done(self):
        assert next(self.words, None) is None


MEANS = [0.0125, *(factor * 2.0 ** (i - 6) for i in range(20) for factor in (1.2, 1.725))]
MEANS[40:] = 2.0, 12.0


class Context:
    """What a message of numbers knows of one context's tokens."""

    def __init__(self, mean, tokens):
        self.counts = [1 + int(12288 * w) for w in spread(mean, tokens)]
        self.seen = 0

    def tokens(self, words, count):
        told = []
        while count:
            run = min(count, max(16, self.seen))
            sums = self.sums()
            tokens = [words.take(sums) for _ in range(run)]
            self.learn(tokens)
            told += tokens
            count -= run
        return told

    def sums(self):
        frequencies = shares(self.counts, 2**24)
        frequencies[self.counts.index(max(self.counts))] += 2**24 - sum(frequencies)
        return [0, *accumulate(frequencies)]

    def learn(self, tokens):
        for token in tokens:
            self.counts[token] += 1024
        self.seen += len(tokens)
        if self.seen > 2**15:
            self.counts = [count // 2 + 1 for count in self.counts]
            self.seen //= 2


class Numbers:
    """A message of numbers, told in several goes."""

    def __init__(self, fields):
        self.count = fields.varint()
        assert 2 <= self.count <= 223
        self.raw, self.words = Bits(fields.sized()), Stack(fields.data)
        self.contexts = {}

    def go(self, contexts):
        """One number for each of the contexts."""
        places = {}
        for place, context in enumerate(contexts):
            places.setdefault(context, []).append(place)
        tokens = [0] * len(contexts)
        for context, mine in sorted(places.items()):
            if context not in self.contexts:
                self.contexts[context] = Context(MEANS[context], self.count)
            for place, token in zip(mine, self.contexts[context].tokens(self.words, len(mine)), strict=True):
                tokens[place] = token
        return [number_of(token, self.raw) for token in tokens]

    def done(self):
        self.words.done()
        self.raw.done()
