"""Samples of any type ⇄ the payload of a block that keeps no more than what is close.

Every machine restores the same samples, so their checksum can be compared.
"""

from __future__ import annotations

import numpy as np

from isthmus.coding.audio import waves
from isthmus.coding.audio.block import require_size
from isthmus.coding.audio.transform import SIZES, WEIGHT_BITS
from isthmus.limits import DEFAULT_LIMITS, Limits

WAVES = "waves"
"""The plan of such a block."""
MARGIN = 2 * SIZES[-1]
LOUDEST = 4.0
"""The magnitude that floats may have; 1 is full scale."""
_BITS = 16  # of the samples that a step is told in
_UNIT_BITS = WEIGHT_BITS + waves.UNIT_BITS


def encode_lossy(
    samples: np.ndarray,
    bits: int,
    quality: int,
    before: np.ndarray | None = None,
    after: np.ndarray | None = None,
) -> bytes:
    """Samples → a payload.

    Args:
        samples: (frame, channel), at least one frame; int32 within so many bits, or floats within ±LOUDEST.
        bits: of a sample; of floats not looked at.
        quality: 1 to 100.
        before, after: up to MARGIN frames that stand beside them in other blocks: with these, what is lost
            has no seam there.

    >>> samples = np.rint(9000 * np.sin(np.arange(500)[:, None] * 0.1)).astype(np.int32)
    >>> found = decode_lossy(encode_lossy(samples, 16, 90), 500, 1, samples.dtype, 16)
    >>> bool(np.abs(found - samples).max() < 10)
    True
    """
    scale = 2.0 ** (_BITS - 1) if samples.dtype.kind == "f" else 2.0 ** (_BITS - bits)
    parts = (samples, *(samples[:0] if each is None else each for each in (before, after)))
    run = waves.Run(*(each.astype(np.float64) * scale for each in parts))
    return waves.encode(run, waves.step_of(quality))


def decode_lossy(
    payload: bytes,
    frames: int,
    channels: int,
    dtype: np.dtype,
    bits: int,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> np.ndarray:
    """Undo `encode_lossy`: (frame, channel), of that type and within those bits.

    Raises:
        DamagedFile: the bytes are no such samples.
        TooLarge: they would take more than `limits` allow.
    """
    require_size(frames, channels, limits)
    found = waves.decode(payload, frames, channels)
    if dtype.kind == "f":
        return (found / 2.0 ** (_UNIT_BITS + _BITS - 1)).astype(dtype)
    drop = _UNIT_BITS + _BITS - bits
    rounded = (found + (1 << (drop - 1))) >> drop
    top = 1 << (bits - 1)
    return np.clip(rounded, -top, top - 1).astype(dtype)
