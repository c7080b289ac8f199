"""The second reader, continued: recordings that were coded with loss.

Written from docs/format.md alone, like independent.py. NumPy does sums of whole numbers, and single
float64 operations for many coefficients at once.
"""

from math import sqrt

import numpy as np
from independent_numbers import Numbers

SIZES = (128, 256, 512, 1024, 2048)
THRESHOLDS = [factor * 2.0**power for power in range(-6, 14) for factor in (1, 1.5)][:39]


def read_waves(fields, frames, channels):
    """The sums of a block, in units of 2⁻²⁴ of a sample of 16 bits; int64 (frames, channels)."""
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
    return sums.T


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
    made = values @ window(size).T  # (channel, window, sample)
    sums = np.zeros((channels, windows + 1, size), np.int64)
    sums[:, :-1] += made[..., :size]
    sums[:, 1:] += made[..., size:]
    return sums[:, 1:].reshape(channels, -1)


def window(size):
    """What each coefficient adds to each sample of a window, in 2⁻²⁰; int64 (sample, coefficient)."""
    i, k = np.arange(2 * size)[:, None], np.arange(size)
    s = np.rint(np.sin(np.pi * (2 * i + 1) / (4 * size)) * 2**30).astype(int)
    c = np.rint(np.cos(np.pi * ((2 * i + 1 + size) * (2 * k + 1) % (8 * size)) / (4 * size)) * 2**30).astype(
        int
    )
    h = (s * c + 2**29) >> 30
    return (h * int(2**30 * sqrt(2 / size)) + 2**39) >> 40
