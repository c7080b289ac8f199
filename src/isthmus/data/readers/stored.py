"""Pixels as a file stores them, where nets see something else: numbers of colours, bits, grey with alpha.

Nets see grey, RGB or RGBA. A lossless archive keeps what is stored, where all images of the source are of
one such kind; else they come back as what nets see, and that is said.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from isthmus.data.palettes import Palette

PALETTE, BITS, GREY_ALPHA = "palette", "bits", "grey with alpha"
KEPT = (PALETTE, BITS, GREY_ALPHA)
"""What an archive can hold as it is stored."""
TRANSPARENT, OTHER = "transparent colour", "other"
WORDS = {
    PALETTE: "with a palette",
    BITS: "of 1 bit a pixel",
    GREY_ALPHA: "of grey with alpha",
    TRANSPARENT: "with one transparent colour",
    OTHER: "of another kind",
}
"""For messages: "3 images with a palette"."""
SUFFIXES = {
    PALETTE: (".png", ".gif", ".tif", ".bmp"),
    BITS: (".png", ".pbm", ".tif", ".bmp"),
    GREY_ALPHA: (".png", ".tif"),
}
"""Files that hold them."""


def stored_kind(image: Image.Image, bits: int) -> str:
    """What the pixels of an open file are; "" where nets see them as they are stored."""
    transparent = "transparency" in image.info
    if image.mode == "P":
        return PALETTE
    if image.mode == "LA" and bits == 8:
        return GREY_ALPHA
    if image.mode in ("LA", "PA"):
        return OTHER
    if transparent:
        return TRANSPARENT
    return BITS if image.mode == "1" else ""


def stored_shape(kind: str, height: int, width: int) -> tuple[int, ...]:
    """Of one image."""
    return (height, width, 2) if kind == GREY_ALPHA else (height, width)


def stored_pixels(image: Image.Image) -> np.ndarray:
    """Of one of KEPT: uint8, (height, width), or (height, width, 2) of grey with alpha; bits are 0 or 1."""
    return np.array(image).astype(np.uint8, copy=False)


def palette_of(image: Image.Image) -> Palette | None:
    """Of an image of numbers of colours; None of all others."""
    if image.mode != "P":
        return None
    colours = bytes(image.getpalette("RGB") or bytes(3))
    told: Any = image.info.get("transparency")
    if isinstance(told, int):  # one colour is transparent
        told = b"\xff" * told + b"\0"
    if told is None and getattr(image.palette, "mode", "") == "RGBA":
        told = bytes(image.getpalette("RGBA") or ())[3::4]
    return Palette(colours, told if isinstance(told, bytes) else b"")


def as_image(pixels: np.ndarray, kind: str, palette: Palette | None) -> Image.Image:
    """Undo `stored_pixels`; without a palette, numbers are grey."""
    if kind == BITS:
        return Image.fromarray(pixels != 0)
    if kind != PALETTE or palette is None:
        return Image.fromarray(np.ascontiguousarray(pixels))
    height, width = pixels.shape
    image = Image.frombytes("P", (width, height), np.ascontiguousarray(pixels).tobytes())
    image.putpalette(palette.colours)
    return image


def options_for(suffix: str, pixels: np.ndarray, palette: Palette | None) -> dict[str, Any]:
    """What Pillow must be told beside the pixels to write numbers of colours as they are."""
    if palette is None:
        return {}
    options: dict[str, Any] = {"optimize": False} if suffix == ".gif" else {}
    if palette.alphas and suffix in (".png", ".gif"):
        one = palette.alphas.find(0) if suffix == ".gif" else -1
        options["transparency"] = palette.alphas if one < 0 else one
    if suffix == ".png" and pixels.size and pixels.max() >= len(palette):
        options["bits"] = 8  # Pillow would take as few as the palette needs
    return options
