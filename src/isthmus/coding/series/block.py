"""Channels of whole numbers, row by row in time ⇄ bytes: the plan, sized, and the walk's message."""

from __future__ import annotations

import numpy as np

from isthmus.coding.series import walk
from isthmus.coding.series.plan import Plan
from isthmus.coding.series.planning import plan_for
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile


def encode_series(values: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Channels → bytes, and about how many bytes each took.

    Args:
        values: int64 (row, channel); of a channel, the greatest less the least at most 2**32.

    >>> values = np.arange(40)[:, None] ** 2
    >>> data, _ = encode_series(values)
    >>> decode_series(data, 40, 1)[:, 0].tolist() == values[:, 0].tolist()
    True
    """
    plan = plan_for(values)
    told = plan.to_bytes()
    message, bits = walk.encode(values, plan)
    return write_varint(len(told)) + told + message, bits / 8 + len(told) / values.shape[1]


def decode_series(data: bytes, rows: int, channels: int) -> np.ndarray:
    """Undo `encode_series`; DamagedFile where that is impossible."""
    fields = ByteReader(data, "A block of a series")
    plan = Plan.from_bytes(fields.sized())
    if len(plan.channels) != channels:
        raise DamagedFile("A block of a series has a plan for others.")
    return walk.decode(fields.rest(), rows, plan)
