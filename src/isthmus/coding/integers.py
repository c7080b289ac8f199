"""An array of integers ⇄ bytes, near its entropy: the weights of an embedded model.

The lowest bits of a fine-grained number are noise, so they are stored as they are; what stands
above them has few values, and is coded by a table of its own, which goes along.
"""

from __future__ import annotations

import numpy as np

from isthmus.coding.coder import decode, encode
from isthmus.coding.tables import INT32, Table
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile

MAX_NOISE_BITS = 31
_PRECISION_BITS = 20  # these tables have up to thousands of entries, so 16 would pinch the rare ones
_SAMPLE = 1 << 16  # values that decide how many bits are noise; more would not change it


def integers_to_bytes(values: np.ndarray) -> bytes:
    """Code integers of at most 32 bits, in C order; `integers_from_bytes` undoes it.

    >>> weights = np.array([[0, 1], [-2, 1]], dtype=np.int8)
    >>> integers_from_bytes(integers_to_bytes(weights), count=4).tolist()
    [0, 1, -2, 1]
    """
    flat = values.ravel().astype(np.int64)
    noise_bits = _noise_bits(flat)
    high = (flat >> noise_bits).astype(np.int32)
    table = Table.fit(high, precision_bits=_PRECISION_BITS)
    stored = table.to_bytes()
    start = write_varint(noise_bits) + write_varint(len(stored)) + stored
    return start + _pack_bits(flat, noise_bits) + encode([(high, table)])


def integers_from_bytes(data: bytes, count: int) -> np.ndarray:
    """Undo `integers_to_bytes`: int64, shape (count,).

    Args:
        data: what `integers_to_bytes` returned.
        count: the number of values; more than could plausibly be in `data` are refused.

    Raises:
        DamagedFile: the bytes do not hold `count` coded integers.
    """
    if not count_is_plausible(count, len(data)):
        raise DamagedFile(f"A coded array claims {count} values in {len(data)} bytes.")
    fields = ByteReader(data, "A coded array")
    noise_bits = fields.varint()
    if noise_bits > MAX_NOISE_BITS:
        raise DamagedFile(f"A coded array must have at most {MAX_NOISE_BITS} noise bits; got {noise_bits}.")
    table = Table.from_bytes(fields.sized())
    noise = _unpack_bits(fields.take((count * noise_bits + 7) // 8), noise_bits, count)
    (high,) = decode(fields.rest(), [(count, table)])
    return (high.astype(np.int64) << noise_bits) + noise


def count_is_plausible(count: int, length: int) -> bool:
    """Whether so many bytes may hold so many values: certain values cost nothing, but memory does.

    What lies beyond is left to zstd, which says how long its content is.
    """
    return count <= 16 * length + 4096


def fits(values: np.ndarray) -> bool:
    """Whether `integers_to_bytes` can hold these: not empty, and 32 bits each."""
    return bool(values.size) and INT32.min <= int(values.min()) and int(values.max()) <= INT32.max


def _noise_bits(flat: np.ndarray) -> int:
    """How many low bits to store as they are, so that the whole comes out smallest."""
    spread_bits = int(flat.max() - flat.min()).bit_length()
    sample = flat[:: max(1, flat.size // _SAMPLE)]
    scale = flat.size / sample.size

    def whole_bits(noise_bits: int) -> float:
        high = sample >> noise_bits
        table = Table.fit(high, precision_bits=_PRECISION_BITS)
        return 8 * len(table.to_bytes()) + scale * (table.bits(high) + noise_bits * sample.size)

    # From about 1,000 values above the noise, which is more than a table needs, down to about 8.
    choices = range(max(0, spread_bits - 10), min(MAX_NOISE_BITS, max(0, spread_bits - 3)) + 1)
    return min(choices, key=whole_bits)


def _pack_bits(flat: np.ndarray, bits: int) -> bytes:
    """The lowest `bits` of each value, highest of them first, without gaps."""
    planes = flat[:, None] >> np.arange(bits)[::-1] & 1
    return np.packbits(planes.astype(np.uint8).ravel()).tobytes()


def _unpack_bits(data: bytes, bits: int, count: int) -> np.ndarray:
    planes = np.unpackbits(np.frombuffer(data, np.uint8), count=count * bits).reshape(count, bits)
    return (planes.astype(np.int64) << np.arange(bits)[::-1]).sum(axis=1)
