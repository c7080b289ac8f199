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

from isthmus.data.metadata import NOTHING, Metadata, find_orientation
from isthmus.data.readers.embedded import (
    orientation_of,
    png_with,
    quietly,
    read_metadata,
    save,
    tiff_with,
)
from isthmus.errors import BadItem, MissingExtra

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
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

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the sample."""
        sides = (self.height, self.width)
        return sides if self.channels == 1 else (*sides, self.channels)

    @property
    def kind(self) -> str:
        """What all images of a source must share, for messages: "grey, uint8"."""
        return f"{ {1: 'grey', 3: 'RGB', 4: 'RGBA'}[self.channels] }, {self.dtype}"


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


def decode(file: BinaryIO, name: str) -> np.ndarray:
    """Return the pixels, shape (height, width) or (height, width, channel); errors as `peek`.

    They are never turned: what the file says of its orientation is metadata.
    """
    try:
        with quietly(), Image.open(file, formats=FORMATS) as image:
            header = _header(image, name)
            if header.dtype == "uint16" and _depth(image)[1] > 1:
                pixels = _decode_deep(file, str(image.format))
            else:
                turned = orientation_of(image) if image.format == "TIFF" else 1
                pixels = unturned(np.array(_plain(image, header)), turned)
        if pixels.shape != header.shape:  # such as 16-bit TIFF with a plane for each channel
            raise ValueError(f"its pixels come as {pixels.shape} instead of {header.shape}")
    except DAMAGE as damage:
        raise _unreadable(name, damage) from damage
    return pixels.astype(header.dtype, copy=False)


def describe_file(file: BinaryIO) -> tuple[Metadata, tuple[str, ...]]:
    """What the file says beside its pixels, and the names of parts too long to be kept; never fails."""
    return read_metadata(file, FORMATS)


def encode(pixels: np.ndarray, suffix: str, metadata: Metadata = NOTHING) -> bytes:
    """Undo `decode`, losslessly; `suffix` is one that `restored_suffix` gives.

    As much of the metadata is written as such a file can hold.
    """
    if pixels.dtype == np.uint16 and pixels.ndim == 3 and pixels.shape[2] > 1:
        return _encode_deep(pixels, suffix, metadata)
    flat = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    options: dict[str, dict[str, Any]] = {
        ".png": {"format": "PNG"},
        ".bmp": {"format": "BMP"},
        ".tif": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
        ".webp": {"format": "WEBP", "lossless": True},
    }
    return save(Image.fromarray(np.ascontiguousarray(flat)), options[suffix], metadata)


def restored_suffix(suffix: str, channels: int, dtype: str) -> str:
    """Return the kind of file that gives such pixels back: the same where it can, else .png.

    >>> restored_suffix(".TIFF", 3, "uint16"), restored_suffix(".jpg", 3, "uint8")
    ('.tif', '.png')
    """
    suffix = suffix.lower().replace(".tiff", ".tif")
    holds = {
        ".tif": True,
        ".bmp": dtype == "uint8" and channels in (1, 3),
        # not RGBA: a WebP whose alpha is opaque everywhere is read as RGB
        ".webp": dtype == "uint8" and channels == 3,
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
    if bits == 16 and samples > 1 and image.mode in ("RGB", "RGBA", "LA"):
        _imagecodecs()
        return Header(height, width, 4 if samples == 2 else samples, "uint16")
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        return Header(height, width, 1, "uint16")
    see_through = "transparency" in image.info or getattr(image.palette, "mode", "") == "RGBA"
    if image.mode == "P" or (image.mode in CHANNELS and see_through):
        return Header(height, width, 4 if see_through else 3, "uint8")
    if image.mode not in CHANNELS:
        raise BadItem(
            f"{name} has pixels of kind {image.mode}, but must be grey, RGB or RGBA. Convert it first."
        )
    return Header(height, width, CHANNELS[image.mode], "uint8")


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


def _decode_deep(file: BinaryIO, container: str) -> np.ndarray:
    file.seek(0)
    codecs = _imagecodecs()
    pixels: np.ndarray = (codecs.png_decode if container == "PNG" else codecs.tiff_decode)(file.read())
    if pixels.dtype != np.uint16 or pixels.ndim != 3:
        raise ValueError(f"not 16-bit colour after all, but {pixels.dtype} {pixels.shape}")
    return pixels[:, :, [0, 0, 0, 1]] if pixels.shape[2] == 2 else pixels  # grey with alpha → RGBA


def _encode_deep(pixels: np.ndarray, suffix: str, metadata: Metadata) -> bytes:
    codecs = _imagecodecs()
    if suffix == ".png":
        return png_with(bytes(codecs.png_encode(pixels)), metadata)
    told: dict[str, Any] = {"iccprofile": metadata.profile} if metadata.profile else {}
    if metadata.dpi is not None:
        told |= {"resolution": metadata.dpi, "resolutionunit": 2}
    deep = bytes(codecs.tiff_encode(pixels, **told))
    return tiff_with(deep, find_orientation(metadata.exif))  # the rest of EXIF has no place there


def _imagecodecs() -> Any:
    try:
        import imagecodecs
    except ModuleNotFoundError as missing:
        raise MissingExtra(
            "16-bit colour images need imagecodecs: pip install 'isthmus[images]'."
        ) from missing
    return imagecodecs


def _unreadable(name: str, damage: Exception) -> BadItem:
    return BadItem(
        f"{name} is no readable image ({damage}). Repair or remove it, "
        "or leave such files out with --skip-bad."
    )
