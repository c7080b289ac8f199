"""The second reader, continued: samples told by how far off a prediction was that learns while it reads.

Written from docs/format.md alone, like independent.py. NumPy does single float64 operations for all lanes
at once.
"""

from itertools import accumulate

import numpy as np
from independent_numbers import Bits, Range, number_of, shares, spread, token_of


def halves(terms):
    """The sum over the first axis, added by halves."""
    while len(terms) > 1:
        half = len(terms) // 2
        terms, odd = terms[:half] + terms[half : 2 * half], terms[2 * half :]
        if len(odd):
            terms[0] += odd[0]
    return terms[0]


def read_adaptive(fields, frames, channels, low, high):
    """Values, int64 (frames, channels)."""
    lanes, own, other, forget, every = (fields.varint() for _ in range(5))
    plan = [(fields.varint(), fields.varint()) for _ in range(fields.varint())]
    telling = Telling(fields, channels, lanes, low, high)
    steps = -(-frames // lanes)
    looks = [looks_of(channel, channels, own, other) for channel in range(channels)]
    farthest = max(lag for each in looks for _, lag in each)
    sums = Sums(channels, lanes, steps, farthest, 1 - forget / 2**16)
    weights = [first_weights(channel, looks[channel], lanes) for channel in range(channels)]
    cascades = [Cascade(plan, lanes) for _ in range(channels)]
    for t in range(steps):
        if t % every == 0 and t >= 2 * sums.farthest:
            weights = [sums.solve(t, c, looks[c]) for c in range(channels)]
        there = np.arange(lanes) * steps + t < frames
        for c in range(channels):
            e = cascades[c].predict(halves(weights[c] * sums.seen(t, looks[c])))
            x = telling.tell(c, e, there)
            sums.put(c, t, x)
            cascades[c].learn(x)
        sums.learn(t)
    telling.done()
    return sums.samples[sums.farthest :].transpose(1, 2, 0).reshape(channels, -1)[:, :frames].T.astype(int)


def looks_of(channel, channels, own, other):
    """What a channel is predicted from: (channel, steps back)."""
    looks = [(channel, lag) for lag in range(1, own + 1)]
    if channel:
        return looks + [(channel - 1, lag) for lag in range(other)]
    return looks + [(1, lag) for lag in range(1, other + 1)] * (channels > 1)


def first_weights(channel, looks, lanes):
    return np.array([np.full(lanes, float(look == (channel, 1))) for look in looks])


class Sums:
    """The samples told, and sums of their products."""

    def __init__(self, channels, lanes, steps, farthest, keep):
        self.farthest, self.keep = farthest, keep
        self.samples = np.zeros((farthest + steps, channels, lanes))
        self.kept = np.zeros((1 + steps, channels, channels, farthest + 1, lanes))  # after so many steps

    def put(self, channel, t, x):
        self.samples[self.farthest + t, channel] = x

    def seen(self, t, looks):
        """What is seen at step t; shape (look, lane)."""
        return np.array([self.samples[self.farthest + t - lag, channel] for channel, lag in looks])

    def learn(self, t):
        past = self.samples[t : t + self.farthest + 1][::-1].transpose(1, 0, 2)  # (channel, lag, lane)
        self.kept[t + 1] = self.kept[t] * self.keep + past[:, 0][:, None, None] * past

    def entries(self, told, channel, looks):
        """The equations' entries after so many steps, the right side last; shape (look, look and 1, lane)."""
        pairs = [[(*a, *b) if a[1] <= b[1] else (*b, *a) for b in [*looks, (channel, 0)]] for a in looks]
        x, i, y, j = np.moveaxis(np.array(pairs), 2, 0)
        return self.kept[told - i, x, y, j - i]

    def solve(self, t, channel, looks):
        """The weights once t steps are told; shape (look, lane)."""
        fading = 1.0
        for _ in range(t - self.farthest):
            fading *= self.keep
        rows = self.entries(t, channel, looks) - self.entries(self.farthest, channel, looks) * fading
        size = len(looks)
        for k in range(size):
            rows[k, k] = rows[k, k] + (10 + rows[k, k] * 2.0**-40)
        for k in range(size):
            rows[k + 1 :] -= (rows[k + 1 :, k] / rows[k, k])[:, None] * rows[k]
        weights, right = np.zeros((size, rows.shape[2])), rows[:, -1].copy()
        for k in reversed(range(size)):
            weights[k] = right[k] / rows[k, k]
            right[:k] -= rows[:k, k] * weights[k]
        return weights


class Filter:
    """Learns, step by step, to tell a signal from what it was before."""

    def __init__(self, order, rate, lanes):
        self.order, self.rate = order, rate / 2**16
        self.weights, self.seen = np.zeros((2, order, lanes))
        self.power = np.zeros(lanes)

    def predict(self):
        self.said = halves(self.weights * self.seen)
        return self.said

    def learn(self, signal):
        """Take in what came; returns what was missed of it."""
        missed = signal - self.said
        self.weights = self.weights + self.seen * (missed * self.rate / (self.power + self.order))
        self.power = self.power * (1 - 1 / self.order) + signal * signal
        self.seen = np.concatenate([self.seen[1:], signal[None]])
        return missed


class Cascade:
    """Filters, each of what those before it missed, and the blend of what all of them say."""

    def __init__(self, plan, lanes):
        self.filters = [Filter(order, rate, lanes) for order, rate in plan]
        self.weights = np.ones((len(plan) + 1, lanes))

    def predict(self, first):
        self.said = np.array([first, *(one.predict() for one in self.filters)])
        self.blend = halves(self.weights * self.said)
        return self.blend

    def learn(self, x):
        missed = x - self.said[0]
        for one in self.filters:
            missed = one.learn(missed)
        step = (x - self.blend) * 0.002 / (halves(self.said * self.said) + 0.001)
        self.weights[1:] = np.clip(self.weights[1:] + self.said[1:] * step, 0, 2)


def level(mean, k):
    """The place of a mean on a scale of 2ᵏ places an octave, from 1 up."""
    v = int(mean).bit_length() - 1
    return int(2**k * (v + mean / 2**v - 1))


class Telling:
    """Tells samples from what is expected of them, and from how far that was off before."""

    def __init__(self, fields, channels, lanes, low, high):
        self.low, self.high = low, high
        self.raw, self.words = Bits(fields.sized()), Range(fields.data)
        self.quick, self.slow = np.full((2, channels, lanes), 1024.0)
        self.tokens = 1 + token_of(high - low)
        self.fine = [self.counts(a / 4) for a in range(120) for _ in range(4)]
        self.rough = [self.counts(quick / 2) for quick in range(60) for _ in range(24)]
        self.before = self.new = 0
        self.renew()

    def counts(self, o):
        mean = 2.0 ** int(o) * (1 + o % 1) / 64
        return [1 + int(384 * w) for w in spread(mean, self.tokens)]

    def renew(self):
        self.before, self.new = self.before + self.new, 0
        for contexts in (self.fine, self.rough):
            for number, counts in enumerate(contexts):
                if sum(counts) > 2**20:
                    contexts[number] = [count // 2 + 1 for count in counts]
        self.fine_shares, self.rough_shares = {}, {}

    def share(self, counts):
        told = shares(counts, 2**23)
        told[0] += 2**23 - sum(told)
        return told

    def tell(self, c, e, there):
        """Channel c of the next frame of the lanes that have one; of the others, what is expected."""
        if self.new >= min(2**15, self.before // 16):
            self.renew()
        held = np.rint(np.clip(np.where(np.isfinite(e), e, 0), self.low, self.high) * 64) / 64
        w = np.rint(held)
        f = 64 * (held - w)
        x = w.copy()
        for lane in np.flatnonzero(there):
            x[lane] += self.residual(self.quick[c, lane], self.slow[c, lane], f[lane])
        off = np.abs(64 * x - 64 * held)
        self.quick[c] += 0.2 * (off - self.quick[c])
        self.slow[c] += 0.03 * (off - self.slow[c])
        return x

    def residual(self, quick, slow, f):
        a = min(119, level((quick + slow) / 2 + 2, 2))
        fine = 4 * a + (int(8 * abs(f) / 65) if a < 40 else 0)
        rough = min(59, level(quick + 2, 1)) * 24 + min(23, level(slow + 2, 0))
        if fine not in self.fine_shares:
            self.fine_shares[fine] = self.share(self.fine[fine])
        if rough not in self.rough_shares:
            self.rough_shares[rough] = self.share(self.rough[rough])
        both = zip(self.fine_shares[fine], self.rough_shares[rough], strict=True)
        token = self.words.take([0, *accumulate(a + b for a, b in both)])
        self.fine[fine][token] += 32
        self.rough[rough][token] += 32
        self.new += 1
        number = number_of(token, self.raw)
        return -number if f < 0 else number

    def done(self):
        self.words.done()
        self.raw.done()
