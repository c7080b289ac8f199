"""The second reader, continued: recordings, from the bytes to the samples.

Written from docs/format.md alone, like independent.py; NumPy holds the samples.
"""

import zlib
from itertools import accumulate, pairwise

import numpy as np
from independent import Fields, read_archive
from independent_adaptive import read_adaptive
from independent_numbers import Numbers
from independent_waves import read_waves
from pcodec import standalone

BLOCK_SAMPLES = 2**22
BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
FLOATS = {"FLOAT": "<f4", "DOUBLE": "<f8"}


def read_recordings(data):
    """Each recording as (name, rate, samples (frames, channels)); every checksum compared."""
    archive = read_archive(data)
    audio = archive["extras"]["audio"]
    blocks, told = iter(archive["blocks"]), iter(zip(audio["names"], audio["frames"], strict=True))
    recordings, item = [], 0
    for _container, subtype, rate, channels, count in audio["kinds"]:
        mine = [next(told) for _ in range(count)]
        ends = [0, *accumulate(frames for _, frames in mine)]
        most, made = BLOCK_SAMPLES // channels, [np.zeros((0, channels), FLOATS.get(subtype, "<i4"))]
        for begin in range(0, ends[-1], most):
            end, block = min(begin + most, ends[-1]), next(blocks)
            parts = sum(max(a, begin) < min(b, end) for a, b in pairwise(ends))
            assert block["items"] == list(range(item, item := item + parts))
            made.append(read_block(block, end - begin, channels, subtype))
        whole = np.concatenate(made)
        parts = [whole[a:b] for a, b in pairwise(ends)]
        recordings += [(name, rate, part) for (name, _), part in zip(mine, parts, strict=True)]
    assert next(blocks, None) is None
    return recordings


def read_block(block, frames, channels, subtype):
    ((_, layer),) = block["layers"].items()
    samples = read_samples(block["plan"], Fields(layer["payload"]), frames, channels, subtype)
    assert zlib.crc32(np.ascontiguousarray(samples).tobytes()) == layer["content_crc"]
    return samples


def read_samples(plan, fields, frames, channels, subtype):
    """(frames, channels), as int32, float32 or float64."""
    if plan == "waves":
        sums = read_waves(fields, frames, channels)
        if subtype in FLOATS:
            return (sums / 2.0**39).astype(FLOATS[subtype])
        drop, top = 40 - BITS[subtype], 2 ** (BITS[subtype] - 1)
        return np.clip((sums + 2 ** (drop - 1)) >> drop, -top, top - 1).astype("<i4")
    if plan == "pcodec":
        columns = [standalone.simple_decompress(fields.sized()) for _ in range(channels)]
        assert not fields.data
        return np.stack(columns, axis=1).astype(FLOATS[subtype])
    unit, low, high, power = fields.varint(), fields.signed(), fields.signed(), fields.varint()
    values = np.full((frames, channels), low)
    if low < high:
        read = {"adaptive": read_adaptive, "stored-predictors": read_stored}[plan]
        values = read(fields, frames, channels, low, high)
    return (values * unit / 2**power).astype(FLOATS.get(subtype, "<i4"))


def read_stored(fields, frames, channels, _low, _high):
    """Stored predictors: values, int64 (frames, channels)."""
    lanes = max(1, frames // 4096)
    steps = -(-frames // lanes)
    groups = -(-steps // 64)
    message = Numbers(fields)
    differences = message.go([40] * channels)
    weights = np.reshape(message.go([41] * (16 * channels * lanes)), (16, channels, lanes))
    levels = np.reshape(message.go([40] * (channels * groups * lanes)), (channels, groups, lanes)).cumsum(1)
    residuals = np.reshape(
        message.go(np.repeat(levels, 64, 1)[:, :steps].ravel().tolist()), (channels, steps, lanes)
    )
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
