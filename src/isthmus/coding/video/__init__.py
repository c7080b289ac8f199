"""Frames ⇄ bytes: each sample told by those near it in its frame and the frames before."""

from __future__ import annotations

from isthmus.coding.video.block import (
    ADAPTIVE,
    BLOCK_FRAMES,
    BLOCK_SAMPLES,
    SAMPLE_BYTES,
    Form,
    decode_block,
    encode_block,
)

__all__ = [
    "ADAPTIVE",
    "BLOCK_FRAMES",
    "BLOCK_SAMPLES",
    "SAMPLE_BYTES",
    "Form",
    "decode_block",
    "encode_block",
]
