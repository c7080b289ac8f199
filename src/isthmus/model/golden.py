"""A few symbols and what must come of them: the self-test that every decoder carries.

The symbols are drawn from the decoder's own tables by a generator of our own, so that only the
checksum has to be stored.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from isthmus.coding.latents import DEFAULT_QUALITY
from isthmus.coding.latents.grades import as_grid
from isthmus.coding.tables import Table
from isthmus.errors import MachineError

if TYPE_CHECKING:
    from isthmus.model.decoder import Decoder

SIDE = 3
"""Positions on each side of a code whose sides vary."""
SAMPLES = 2


def golden_symbols(tables: tuple[Table, ...], code: tuple[int | None, ...]) -> np.ndarray:
    """int32 (2, *code): as often this or that value as the tables say, in an order that is fixed."""
    shape = tuple(SIDE if length is None else length for length in code)
    symbols = np.empty((SAMPLES, *shape), np.int32)
    state = 1
    for channel, table in enumerate(tables):
        draws = np.empty(symbols[:, channel].size, np.int64)
        for draw in range(draws.size):
            state = (state * 1103515245 + 12345) % 2**31  # the generator of the C standard
            draws[draw] = state >> 7
        entries = np.searchsorted(np.cumsum(table.frequencies), draws % 2**table.precision_bits, side="right")
        values = np.minimum(table.low + entries, table.high)  # the escape stands for no value of its own
        symbols[:, channel] = values.reshape(symbols[:, channel].shape)
    return symbols


def golden_crc(decoder: Decoder) -> int:
    """CRC-32 of the exact tensors, as little-endian int16 in units of their scale, then of the samples."""
    symbols = golden_symbols(decoder.tables, decoder.code)
    size = tuple(SIDE * decoder.stride for _ in decoder.code[1:]) if None in decoder.code else None
    tensors = decoder.exact_tensors(symbols).astype("<i2")
    samples = decoder.decode(symbols, size)
    if decoder.grades is not None:
        coded = decoder.grades.encode([as_grid(symbols)], DEFAULT_QUALITY)
        tensors = np.frombuffer(tensors.tobytes() + coded, np.uint8)
    little = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
    return zlib.crc32(
        np.ascontiguousarray(little).tobytes(), zlib.crc32(np.ascontiguousarray(tensors).tobytes())
    )


def require_exact(decoder: Decoder, crc: int) -> None:
    """Raise MachineError unless `decoder` makes of its golden symbols what it made when it was saved."""
    if decoder.golden != crc:
        raise MachineError(
            "This machine cannot decode exactly: a test that the model carries came out differently. "
            "Try other versions of NumPy (and its OpenBLAS), or another machine; the file itself is whole."
        )
