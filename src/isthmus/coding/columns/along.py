"""Columns of numbers that take fewer bytes along time than by their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.coding.columns.parts import Part, Whole
from isthmus.coding.series import encode_series
from isthmus.coding.series.plan import MOST_CHANNELS, MOST_SPAN

SERIES = 4
"""The kind of such a column."""
SERIES_CODER = "series"
LEAST_ROWS = 256
WORTH = 24
"""Bytes that telling a column along time must save; one that takes so few already is left alone."""
_LEAST_BITS = 0.02  # a row


@dataclass(frozen=True)
class Along:
    """Columns told along time."""

    columns: tuple[int, ...] = ()
    payload: bytes = b""
    bytes_of: tuple[float, ...] = ()
    tried: tuple[int, ...] = ()
    """These, and those that were not better told so."""


NO_SERIES = Along()


def series_of(parts: Sequence[Part], sizes: Sequence[float]) -> Along:
    """The columns that are better told along time.

    Args:
        parts: of a block.
        sizes: bytes that each takes otherwise.
    """
    rows = len(parts[0])
    if rows < LEAST_ROWS:
        return NO_SERIES
    worth = WORTH + _LEAST_BITS * rows / 8
    tried = [n for n, part in enumerate(parts) if sizes[n] > worth and _may_go_along(part)][:MOST_CHANNELS]
    all_tried = tuple(tried)
    while tried:
        payload, found = encode_series(np.stack([parts[n].values for n in tried], axis=1))  # type: ignore[union-attr]
        better = [n for n, size in zip(tried, found, strict=True) if size + WORTH < sizes[n]]
        if better == tried:
            return Along(tuple(tried), payload, tuple(found.tolist()), all_tried)
        tried = better
    return Along(tried=all_tried)


def _may_go_along(part: Part) -> bool:
    if not isinstance(part, Whole):
        return False
    low, high = int(part.values.min()), int(part.values.max())
    return 0 < high - low <= MOST_SPAN and abs(low) < 1 << 61
