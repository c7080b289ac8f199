"""Samples of sound ⇄ bytes.

Without loss, what comes next is predicted, and what that missed is told. The reader predicts alike, from
the same past, so no predictor need be stored (`walk`); a rival stores one for each stretch, which is
quicker (`stored`). With loss, coefficients of overlapping windows are rounded (`waves`, `transform`).
"""

from isthmus.coding.audio.block import BLOCK_SAMPLES, Coded, decode_block, encode_block
from isthmus.coding.audio.lossy import LOUDEST, MARGIN, WAVES, decode_lossy, encode_lossy

__all__ = [
    "BLOCK_SAMPLES",
    "LOUDEST",
    "MARGIN",
    "WAVES",
    "Coded",
    "decode_block",
    "decode_lossy",
    "encode_block",
    "encode_lossy",
]
