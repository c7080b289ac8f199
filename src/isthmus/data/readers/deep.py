"""Colour of 16 bits, which Pillow would make 8: through imagecodecs, an extra."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from isthmus.data.metadata import Metadata, find_orientation
from isthmus.data.readers.embedded import png_with, tiff_with
from isthmus.errors import MissingExtra


def decode_deep(file: BinaryIO, container: str) -> np.ndarray:
    """The pixels, uint16 (height, width, channel); grey with alpha comes as RGBA.

    Raises:
        ValueError: it is no such image.
    """
    file.seek(0)
    codecs = require_imagecodecs()
    pixels: np.ndarray = (codecs.png_decode if container == "PNG" else codecs.tiff_decode)(file.read())
    if pixels.dtype != np.uint16 or pixels.ndim != 3:
        raise ValueError(f"not 16-bit colour after all, but {pixels.dtype} {pixels.shape}")
    return pixels[:, :, [0, 0, 0, 1]] if pixels.shape[2] == 2 else pixels  # grey with alpha → RGBA


def encode_deep(pixels: np.ndarray, suffix: str, metadata: Metadata) -> bytes:
    """Undo `decode_deep`, as .png or .tif, with as much of the metadata as such a file holds."""
    codecs = require_imagecodecs()
    if suffix == ".png":
        return png_with(bytes(codecs.png_encode(pixels)), metadata)
    told: dict[str, Any] = {"iccprofile": metadata.profile} if metadata.profile else {}
    if metadata.dpi is not None:
        told |= {"resolution": metadata.dpi, "resolutionunit": 2}
    deep = bytes(codecs.tiff_encode(pixels, **told))
    return tiff_with(deep, find_orientation(metadata.exif))  # the rest of EXIF has no place there


def require_imagecodecs() -> Any:
    """The module; MissingExtra where it is not installed."""
    try:
        import imagecodecs
    except ModuleNotFoundError as missing:
        raise MissingExtra(
            "16-bit colour images need imagecodecs: pip install 'isthmus[images]'."
        ) from missing
    return imagecodecs
