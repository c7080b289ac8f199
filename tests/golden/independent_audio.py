"""The second reader, continued: recordings, from the bytes to the samples.

Written from docs/format.md alone, like independent.py. NumPy carries out the same float64 operation for
all lanes at once; whatever else there is, is plain Python.
"""

import zlib
from itertools import accumulate
from math import sqrt

import numpy as np
from independent import Fields, read_archive
from independent_numbers import Bits, Numbers, Range, number_of, shares, spread, token_of


def read_recordings(data):
    """Each recording as (name, rate, int32 (frames, channels)); every checksum compared."""
    archive = read_archive(data)
    audio = archive["extras"]["audio"]
    blocks, told = iter(archive["blocks"]), iter(zip(audio["names"], audio["frames"], strict=True))
    recordings = []
    for _container, _subtype, rate, channels, count in audio["kinds"]:
        mine = [next(told) for _ in range(count)]
        left, made = sum(frames for _, frames in mine), [np.zeros((0, channels), np.int32)]
        while left:
            frames = min(left, 2**22 // channels)
            made.append(read_block(next(blocks), frames, channels))
            left -= frames
        ends = np.cumsum([frames for _, frames in mine])[:-1]
        parts = np.split(np.concatenate(made), ends)
        recordings += [(name, rate, part) for (name, _), part in zip(mine, parts, strict=True)]
    assert next(blocks, None) is None
    return recordings


def read_block(block, frames, channels):
    ((_, layer),) = block["layers"].items()
    fields = Fields(layer["payload"])
    samples = READERS[block["plan"]](fields, frames, channels)
    assert zlib.crc32(np.ascontiguousarray(samples).tobytes()) == layer["content_crc"]
    return samples


def read_whole(read):
    """The reader of a block of whole numbers, made of the reader of its values."""

    def read_samples(fields, frames, channels):
        unit, low, high, power = fields.varint(), fields.signed(), fields.signed(), fields.varint()
        assert power == 0  # of integers
        values = np.full((frames, channels), low)
        if low < high:
            values = read(fields, frames, channels, low, high)
        return (values * unit).astype("<i4")

    return read_samples


def read_stored(fields, frames, channels, _low, _high):
    """Stored predictors: values, int64 (frames, channels)."""
    lanes = max(1, frames // 4096)
    steps = -(-frames // lanes)
    groups = -(-steps // 64)
    message = Numbers(fields)
    differences = message.go([40] * channels)
    weights = np.reshape(message.go([41] * (16 * channels * lanes)), (16, channels, lanes))
    levels = np.reshape(message.go([40] * (channels * groups * lanes)), (channels, groups, lanes)).cumsum(1)
    residuals = np.reshape(message.go(np.repeat(levels, 64, 1)[:, :steps].ravel().tolist()), (channels, steps, lanes))
    message.done()
    values = np.zeros((channels, 16 + steps, lanes), np.int64)
    for t in range(steps):
        seen = values[:, t : t + 16][:, ::-1]  # (channel, i, lane)
        values[:, 16 + t] = residuals[:, t] + ((np.einsum("icl,cil->cl", weights, seen) + 2**11) >> 12)
    values = values[:, 16:].transpose(0, 2, 1).reshape(channels, -1)[:, :frames]
    for channel in range(1, channels):
        if differences[channel]:
            values[channel] += values[channel - 1]
    return values.T


def halves(terms):
    """The sum over the first axis, added by halves."""
    while len(terms) > 1:
        half = len(terms) // 2
        terms, odd = terms[:half] + terms[half : 2 * half], terms[2 * half :]
        if len(odd):
            terms[0] += odd[0]
    return terms[0]


def read_adaptive(fields, frames, channels, low, high):
    lanes, own, other, forget, every = (fields.varint() for _ in range(5))
    plan = [(fields.varint(), fields.varint()) for _ in range(fields.varint())]
    telling = Telling(fields, channels, lanes, low, high)
    steps = -(-frames // lanes)
    sums = Sums(channels, lanes, steps, max(own, other), 1 - forget / 2**16)
    looks = [looks_of(channel, channels, own, other) for channel in range(channels)]
    weights = [first_weights(channel, looks[channel], lanes) for channel in range(channels)]
    filters = [[Filter(order, rate, lanes) for order, rate in plan] for _ in range(channels)]
    blends = [np.ones((len(plan) + 1, lanes)) for _ in range(channels)]
    for t in range(steps):
        if t % every == 0 and t >= 2 * sums.farthest:
            weights = [sums.solve(t, c, looks[c]) for c in range(channels)]
        there = np.arange(lanes) * steps + t < frames
        for c in range(channels):
            made = [halves(weights[c] * sums.seen(t, looks[c])), *(one.predict() for one in filters[c])]
            e = halves(blends[c] * np.array(made))
            x = telling.tell(c, e, there)
            sums.put(c, t, x)
            missed = x - made[0]
            for one in filters[c]:
                missed = one.learn(missed)
            blends[c] = blend(blends[c], np.array(made), x - e)
        sums.learn(t)
    telling.done()
    return sums.samples[sums.farthest :].transpose(1, 2, 0).reshape(channels, -1)[:, :frames].T.astype(int)


def blend(weights, made, missed):
    """The weights of the predictions after one more sample; the first stays."""
    step = missed * 0.002 / (halves(made * made) + 0.001)
    weights[1:] = np.clip(weights[1:] + made[1:] * step, 0, 2)
    return weights


def looks_of(channel, channels, own, other):
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
        missed = signal - self.said
        self.weights = self.weights + self.seen * (missed * self.rate / (self.power + self.order))
        self.power = self.power * (1 - 1 / self.order) + signal * signal
        self.seen = np.concatenate([self.seen[1:], signal[None]])
        return missed


def level(mean, k):
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


SIZES = (128, 256, 512, 1024, 2048)
THRESHOLDS = [factor * 2.0**power for power in range(-6, 14) for factor in (1, 1.5)][:39]


def read_waves(fields, frames, channels):
    """Lossy: samples of 16 bits, int32 (frames, channels)."""
    size, step, sides = SIZES[fields.varint()], fields.varint(), fields.varint()
    message = Numbers(fields)
    windows = -(-frames // size) + 1
    group = np.arange(windows) * size // 8192
    shape = (channels, group[-1] + 1, 17)
    levels = np.reshape(message.go([40] * int(np.prod(shape))), shape).cumsum(1)
    values = read_coefficients(message, windows, channels, size)
    message.done()
    values = values * step + noise(values, levels[:, group], step)
    sums = synthesis(values)[:, :frames]
    if sides:
        sums = np.stack([sums[0] + sums[1], sums[0] - sums[1]])
    return np.clip((sums + 2**23) >> 24, -(2**15), 2**15 - 1).T.astype("<i4")


def read_coefficients(message, windows, channels, size):
    """Whole numbers, (channel, window, coefficient)."""
    lanes = max(1, windows // 192)
    turns = -(-windows // lanes)
    told = np.zeros((channels, windows, size), np.int64)
    slow = np.zeros((channels, lanes, size))
    for t in range(turns):
        mine = np.arange(t, windows, turns)
        for c in range(channels):
            last = np.abs(told[c, mine - 1]) if t else np.zeros((len(mine), size))
            p = np.pad(last, ((0, 0), (2, 2)))
            near = 2 * last + p[:, 1:-3] + p[:, 3:-1] + (p[:, :-4] + p[:, 4:]) / 2
            g = near / 8 + slow[c, : len(mine)] / 4
            for first, stride, share in ((0, 4, 0), (2, 4, 1 / 4), (1, 2, 1 / 3)):
                now = np.pad(np.abs(told[c, mine]), ((0, 0), (2, 2)))
                away = stride // 2
                beside = now[:, 2 - away : size + 2 - away] + now[:, 2 + away : size + 2 + away]
                expected = g * (1 - 2 * share) + beside * share
                if c:
                    expected = 0.75 * expected + 0.25 * np.abs(told[c - 1, mine])
                contexts = np.searchsorted(THRESHOLDS, expected[:, first::stride], side="right")
                numbers = message.go(contexts.ravel().tolist())
                told[c, mine, first::stride] = np.reshape(numbers, contexts.shape)
            slow[c, : len(mine)] += (np.abs(told[c, mine]) - slow[c, : len(mine)]) / 8
    return told


def noise(values, levels, step):
    """What stands in place of zeros; `levels` of each window and band."""
    there = np.pad(values != 0, ((0, 0), (1, 1), (1, 1)))
    beside = there[:, 1:-1, :-2] | there[:, 1:-1, 2:] | there[:, :-2, 1:-1] | there[:, 2:, 1:-1]
    band = np.where(beside, 16, np.arange(values.shape[2]) * 16 // values.shape[2])
    level = np.take_along_axis(levels, band, 2)
    sizes = np.array([0] + [int(2 ** (7 + level / 2)) for level in range(1, 17)])
    sizes = step * sizes[level] >> 16
    u = np.arange(values.size, dtype=np.uint32).reshape(values.shape) * np.uint32(2654435761)
    u = (u ^ u >> np.uint32(15)) * np.uint32(2246822519)
    below = (u ^ u >> np.uint32(13)) >> np.uint32(31) == 1
    return np.where(values != 0, 0, np.where(below, -sizes, sizes))


def synthesis(values):
    """The sums, int64 (channel, sample), of coefficients."""
    channels, windows, size = values.shape
    i, k = np.arange(2 * size)[:, None], np.arange(size)
    s = np.rint(np.sin(np.pi * (2 * i + 1) / (4 * size)) * 2**30).astype(int)
    c = np.rint(np.cos(np.pi * ((2 * i + 1 + size) * (2 * k + 1) % (8 * size)) / (4 * size)) * 2**30).astype(int)
    h = (s * c + 2**29) >> 30
    weights = (h * int(2**30 * sqrt(2 / size)) + 2**39) >> 40
    made = values @ weights.T  # (channel, window, sample)
    sums = np.zeros((channels, windows + 1, size), np.int64)
    sums[:, :-1] += made[..., :size]
    sums[:, 1:] += made[..., size:]
    return sums[:, 1:].reshape(channels, -1)


READERS = {"waves": read_waves, "adaptive": read_whole(read_adaptive), "stored-predictors": read_whole(read_stored)}
