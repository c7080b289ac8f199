"""The few values that came out wrong ⇄ bytes: where they are, and what they are.

A zstd frame of: varint, how many; signed varints, the gaps between their places; then, if the byte before is
0, how far each is from what was restored, in the order of floats, as signed varints; if it is 1, its bits.
"""

from __future__ import annotations

import numpy as np

from isthmus.coding.fields.scales import from_order, to_order
from isthmus.coding.squeeze import expand, squeeze
from isthmus.coding.tables import INT32
from isthmus.coding.varints import ByteReader, read_signed, write_signed, write_varint
from isthmus.errors import DamagedFile

_RECORD_BYTES = 16  # the most that one escape takes


def escapes_to_bytes(truth: np.ndarray, restored: np.ndarray, wrong: np.ndarray) -> bytes:
    """Write down `truth` at the places `wrong`.

    Args:
        truth, restored: same dtype, shape (count,), fewer than 2**31.
        wrong: places, int64, rising.
    """
    if not wrong.size:
        return b""
    places = write_signed(np.diff(wrong, prepend=0))
    right, there = truth[wrong], restored[wrong]
    away = (to_order(right) - to_order(there)).view(np.int64)
    if np.isnan(right).any() or np.isnan(there).any() or away.min() < INT32.min or away.max() > INT32.max:
        values = b"\1" + right.astype(right.dtype.newbyteorder("<")).tobytes()
    else:
        values = b"\0" + write_signed(away)
    return squeeze(write_varint(len(places)) + places + values)


def fill_escapes(data: bytes, restored: np.ndarray) -> None:
    """Undo `escapes_to_bytes`: put the true values into `restored`, shape (count,).

    Raises:
        DamagedFile: the bytes name places that do not exist, or lack values.
    """
    if not data:
        return
    fields = ByteReader(
        expand(data, 16 + _RECORD_BYTES * restored.size, "A list of escapes"), "A list of escapes"
    )
    places = np.cumsum(read_signed(fields.sized()))
    kind, rest = fields.take(1)[0], fields.rest()
    if kind > 1 or (places < 0).any() or (places >= restored.size).any():
        raise DamagedFile("A list of escapes names places that do not exist.")
    if kind == 1:
        if len(rest) != places.size * restored.dtype.itemsize:
            raise DamagedFile("A list of escapes has not the length of its values.")
        restored[places] = np.frombuffer(rest, restored.dtype.newbyteorder("<"))
        return
    away = read_signed(rest)
    if away.size != places.size:
        raise DamagedFile("A list of escapes lacks some of its values.")
    restored[places] = from_order(to_order(restored[places]) + away.view(np.uint64), restored.dtype)
