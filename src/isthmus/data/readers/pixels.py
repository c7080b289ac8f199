"""The bytes of one image file ⇄ its pixels as an array.

Pillow reads and writes everything but 16-bit colour, of which it would silently drop the low
bytes; that goes through imagecodecs, an extra.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from isthmus.data.metadata import NOTHING, Metadata
from isthmus.data.palettes import Palette
from isthmus.data.readers.deep import decode_deep, encode_deep, require_imagecodecs
from isthmus.data.readers.embedded import orientation_of, quietly, read_metadata, save
from isthmus.data.readers.stored import (
    KEPT,
    as_image,
    options_for,
    palette_of,
    stored_kind,
    stored_pixels,
    stored_shape,
)
from isthmus.data.readers.stored import SUFFIXES as HOLD_STORED
from isthmus.errors import BadItem

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".ppm", ".pgm", ".pbm")
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "PPM")
CHANNELS = {"1": 1, "L": 1, "RGB": 3, "RGBA": 4, "LA": 4, "PA": 4}
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, KeyError, TypeError, RuntimeError, struct.error,
          zlib.error, Image.DecompressionBombError)  # fmt: skip
"""What Pillow and imagecodecs raise for damaged files, on purpose and otherwise."""


@dataclass(frozen=True)
class Header:
    """What is known of an image before its pixels are decoded."""

    height: int
    width: int
    channels: int
    """1 grey, 3 RGB, 4 RGBA; palettes count as the colours they stand for."""
    dtype: str
    """uint8 or uint16."""
    stored: str = ""
    """What the file stores, where that is something else: see readers/stored.py."""
    is_first: bool = False
    """Whether further pictures stand behind it, as phones write them."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the sample."""
        sides = (self.height, self.width)
        return sides if self.channels == 1 else (*sides, self.channels)

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Of the sample as it is stored, of one of KEPT."""
        return stored_shape(self.stored, self.height, self.width)

    @property
    def kind(self) -> str:
        """What all images of a source must share, for messages: "grey, uint8"."""
        return f"{self.colours}, {self.dtype}"

    @property
    def colours(self) -> str:
        """As nets see them."""
        return {1: "grey", 3: "RGB", 4: "RGBA"}[self.channels]


def peek(file: BinaryIO, name: str) -> Header:
    """Read the header alone.

    Raises:
        BadItem: unreadable, or of a kind that cannot be kept without loss; `name` says which.
        MissingExtra: 16-bit colour, and imagecodecs is not installed.
    """
    try:
        with quietly(), Image.open(file, formats=FORMATS) as image:
            return _header(image, name)
    except DAMAGE as damage:
        raise _unreadable(name, damage) from damage


def decode(file: BinaryIO, name: str, *, as_stored: bool = False) -> np.ndarray:
    """Return the pixels, shape (height, width) or (height, width, channel); errors as `peek`.

    They are never turned: what the file says of its orientation is metadata.

    Args:
        file: open for reading and seeking.
        name: for messages.
        as_stored: of an image of one of KEPT, what is stored, see readers/stored.py.
    """
    try:
        with quietly(), Image.open(file, formats=FORMATS) as image:
            header = _header(image, name)
            as_stored = as_stored and header.stored in KEPT
            wanted = header.stored_shape if as_stored else header.shape
            if header.dtype == "uint16" and _depth(image)[1] > 1:
                pixels = decode_deep(file, str(image.format))
            else:
                turned = orientation_of(image) if image.format == "TIFF" else 1
                plain = stored_pixels(image) if as_stored else np.array(_plain(image, header))
                pixels = unturned(plain, turned)
        if pixels.shape != wanted:  # such as 16-bit TIFF with a plane for each channel
            raise ValueError(f"its pixels come as {pixels.shape} instead of {wanted}")
    except DAMAGE as damage:
        raise _unreadable(name, damage) from damage
    return pixels.astype(header.dtype, copy=False)


def describe_file(file: BinaryIO) -> tuple[Metadata, tuple[str, ...]]:
    """What the file says beside its pixels, and the names of parts too long to be kept; never fails."""
    return read_metadata(file, FORMATS)


def read_palette(file: BinaryIO) -> Palette | None:
    """The palette of an image of numbers of colours; it has been opened before, so this never fails."""
    with quietly(), Image.open(file, formats=FORMATS) as image:
        return palette_of(image)


def encode(
    pixels: np.ndarray,
    suffix: str,
    metadata: Metadata = NOTHING,
    *,
    stored: str = "",
    palette: Palette | None = None,
) -> bytes:
    """Undo `decode`, losslessly; as much of the metadata is written as such a file can hold.

    Args:
        pixels: of one image.
        suffix: one that `restored_suffix` gives.
        metadata: of the file.
        stored: one of KEPT where the pixels are such as the file stored.
        palette: of the file, where they are numbers of colours.
    """
    if pixels.dtype == np.uint16 and pixels.ndim == 3 and pixels.shape[2] > 1:
        return encode_deep(pixels, suffix, metadata)
    flat = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    options = _FORMAT_OPTIONS[suffix] | options_for(suffix, pixels, palette)
    return save(as_image(flat, stored, palette), options, metadata)


_FORMAT_OPTIONS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG"},
    ".bmp": {"format": "BMP"},
    ".tif": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
    ".webp": {"format": "WEBP", "lossless": True},
    ".gif": {"format": "GIF"},
    ".ppm": {"format": "PPM"},
    ".pgm": {"format": "PPM"},
    ".pbm": {"format": "PPM"},
}


def restored_suffix(suffix: str, channels: int, dtype: str, stored: str = "") -> str:
    """Return the kind of file that gives such pixels back: the same where it can, else .png.

    >>> restored_suffix(".TIFF", 3, "uint16"), restored_suffix(".jpg", 3, "uint8")
    ('.tif', '.png')
    >>> restored_suffix(".gif", 1, "uint8", "palette"), restored_suffix(".gif", 3, "uint8")
    ('.gif', '.png')
    """
    suffix = suffix.lower().replace(".tiff", ".tif")
    if stored:
        return suffix if suffix in HOLD_STORED[stored] else ".png"
    holds = {
        ".tif": True,
        ".bmp": dtype == "uint8" and channels in (1, 3),
        # not RGBA: a WebP whose alpha is opaque everywhere is read as RGB
        ".webp": dtype == "uint8" and channels == 3,
        ".ppm": dtype == "uint8" and channels == 3,
        ".pgm": channels == 1,
    }
    return suffix if holds.get(suffix, False) else ".png"


def unturned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels as they are stored, of an image that was turned upright; of TIFF, Pillow gives no others.

    >>> unturned(np.array([[1, 2], [3, 4]]), 6).tolist()
    [[2, 4], [1, 3]]
    """
    if orientation in (2, 4):
        return np.flip(pixels, 1 if orientation == 2 else 0)
    if orientation in (5, 7):
        pixels = pixels.swapaxes(0, 1)
    return np.rot90(pixels, {3: 2, 6: 1, 7: 2, 8: 3}.get(orientation, 0))


def _header(image: Image.Image, name: str) -> Header:
    # Phones put previews behind a JPEG, which makes it an MPO; its first frame is the photograph.
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        raise BadItem(
            f"{name} holds several pages or frames, but must be one image. Save them as files of their own."
        )
    width, height = _sides(image)
    bits, samples = _depth(image)
    stored, is_first = stored_kind(image, bits), getattr(image, "n_frames", 1) > 1
    if image.format == "PPM":
        _require_plain_range(image, name)
    if bits == 16 and samples > 1 and image.mode in ("RGB", "RGBA", "LA"):
        require_imagecodecs()
        return Header(height, width, 4 if samples == 2 else samples, "uint16", stored)
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return Header(height, width, 1, "uint16", stored)
    see_through = "transparency" in image.info or getattr(image.palette, "mode", "") == "RGBA"
    if image.mode == "P" or (image.mode in CHANNELS and see_through):
        return Header(height, width, 4 if see_through else 3, "uint8", stored)
    if image.mode not in CHANNELS:
        raise BadItem(
            f"{name} has pixels of kind {image.mode}, but must be grey, RGB or RGBA. Convert it first."
        )
    return Header(height, width, CHANNELS[image.mode], "uint8", stored, is_first)


def _require_plain_range(image: Image.Image, name: str) -> None:
    """Refuse a netpbm whose values Pillow would stretch to 8 or 16 bits."""
    decoder, _, _, options = image.tile[0]  # type: ignore[attr-defined]
    if decoder != "raw" and isinstance(options, tuple) and options[-1] != _MOST:
        raise BadItem(f"{name} must have values up to {_MOST}; it has up to {options[-1]}. Convert it first.")


_MOST = 255


def _plain(image: Image.Image, header: Header) -> Image.Image:
    if header.dtype == "uint16":
        return image
    wanted = {1: "L", 3: "RGB", 4: "RGBA"}[header.channels]
    return image if image.mode == wanted else image.convert(wanted)


def _sides(image: Image.Image) -> tuple[int, int]:
    """Width and height as they are stored; of a TIFF, Pillow tells those of the upright picture."""
    if image.format != "TIFF":
        return image.size
    tags = image.tag_v2  # type: ignore[attr-defined]
    return int(tags[256]), int(tags[257])


def _depth(image: Image.Image) -> tuple[int, int]:
    """Return bits per channel and channels as the file has them, not as Pillow would show them."""
    if image.format == "TIFF":
        bits = image.tag_v2.get(258, (1,))  # type: ignore[attr-defined]
        return max(bits), len(bits)
    tiles = getattr(image, "tile", None)
    if image.format == "PNG" and tiles:
        raw = tiles[0][3]
        mode, _, depth = str(raw[0] if isinstance(raw, tuple) else raw).partition(";")
        channels = {"L": 1, "I": 1, "LA": 2, "RGB": 3, "RGBA": 4}.get(mode, 1)
        return 16 if depth.startswith("16") else 8, channels
    return 8, len(image.getbands())


def _unreadable(name: str, damage: Exception) -> BadItem:
    return BadItem(
        f"{name} is no readable image ({damage}). Repair or remove it, "
        "or leave such files out with --skip-bad."
    )
