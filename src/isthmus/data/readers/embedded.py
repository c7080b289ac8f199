"""The bytes of one image file ⇄ what they say beside the pixels: EXIF, ICC profile, resolution.

Reading never fails: what is damaged is left out, or kept as it is where nobody has to understand it.
Writing never fails either, since pixels matter more; and it leaves them as they are.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from PIL import Image

from isthmus.data.metadata import (
    LARGEST_PART_BYTES,
    NOTHING,
    ORIENTATION_TAG,
    UPRIGHT,
    Metadata,
    orientation_exif,
)

EXIF_MARK = b"Exif\0\0"
EXIF_FOLDER, PLACE_FOLDER = 0x8769, 0x8825
# Of a TIFF file's own tags those that EXIF has too, and none that say how its pixels are stored:
# description, maker, model, orientation, software, time, artist, computer, copyright, and the folders.
TIFF_TAGS = (0x010E, 0x010F, 0x0110, ORIENTATION_TAG, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298,
             EXIF_FOLDER, PLACE_FOLDER)  # fmt: skip
METRES_PER_INCH = 0.0254
MOST_DPI = 1e6  # and the least is one dot in so many inches


def read_metadata(file: BinaryIO, formats: tuple[str, ...]) -> tuple[Metadata, tuple[str, ...]]:
    """What an image file says, and the names of its parts that are too long to be kept."""
    try:
        with quietly(), Image.open(file, formats=formats) as image:
            exif = _tiff_exif(image) if image.format == "TIFF" else _bytes(image, "exif")
            exif = exif.removeprefix(EXIF_MARK)
            profile = _bytes(image, "icc_profile")
            dpi = _dpi(image.info.get("dpi"))
    except Exception:  # Pillow raises whatever comes for damaged metadata; the pixels were read before
        return NOTHING, ()
    parts = {"EXIF": exif, "colour profile": profile}
    long = tuple(name for name, part in parts.items() if len(part) > LARGEST_PART_BYTES)
    return Metadata(b"" if "EXIF" in long else exif, b"" if "colour profile" in long else profile, dpi), long


def save(image: Image.Image, options: dict[str, Any], metadata: Metadata) -> bytes:
    """Write an image by Pillow, with as much of its metadata as its kind of file holds."""
    kind = options["format"]
    try:
        with quietly():
            data = _save(image, options | _wishes(kind, metadata))
    except Exception:  # as above; only an archive that Isthmus did not write gets here
        data = _save(image, options)
    return png_with(data, metadata) if kind == "PNG" else data


def png_with(png: bytes, metadata: Metadata) -> bytes:
    """A PNG with chunks for the metadata behind its first one; they never touch the others."""
    chunks = []
    if metadata.profile:
        chunks.append(_chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata.profile)))
    if metadata.dpi is not None:
        sides = (max(1, min(2**31 - 1, round(side / METRES_PER_INCH))) for side in metadata.dpi)
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", *sides, 1)))
    if metadata.exif:
        chunks.append(_chunk(b"eXIf", metadata.exif))
    return b"".join([png[:_PNG_START], *chunks, png[_PNG_START:]])


def tiff_with(tiff: bytes, orientation: int) -> bytes:
    """A classic little-endian TIFF that says how it is to be turned; its old directory stays, unused."""
    if orientation == UPRIGHT or tiff[:4] != b"II*\0":
        return tiff
    (start,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, start)
    entries = [tiff[start + 2 + 12 * n : start + 14 + 12 * n] for n in range(count)]
    kept = [entry for entry in entries if entry[:2] != struct.pack("<H", ORIENTATION_TAG)]
    kept.append(struct.pack("<HHIHH", ORIENTATION_TAG, 3, 1, orientation, 0))
    kept.sort(key=lambda entry: struct.unpack_from("<H", entry))
    body = tiff + bytes(len(tiff) % 2)  # directories start at even places
    directory = struct.pack("<H", len(kept)) + b"".join(kept) + bytes(4)
    return body[:4] + struct.pack("<I", len(body)) + body[8:] + directory


@contextmanager
def quietly() -> Iterator[None]:
    """Without Pillow's warnings of damaged EXIF, which nobody here has to understand."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
        yield


def is_dpi(value: float) -> bool:
    """Whether a number of dots per inch can be meant."""
    return math.isfinite(value) and 1 / MOST_DPI <= value <= MOST_DPI


_PNG_START = 8 + 12 + 13  # the signature and the chunk IHDR


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _wishes(kind: str, metadata: Metadata) -> dict[str, Any]:
    """Pillow's options for what it writes itself."""
    told: dict[str, Any] = {}
    if metadata.dpi is not None and kind in ("TIFF", "BMP"):
        told["dpi"] = metadata.dpi
    if metadata.profile and kind in ("TIFF", "WEBP"):
        told["icc_profile"] = metadata.profile
    if metadata.exif and kind == "WEBP":
        told["exif"] = metadata.exif
    if metadata.exif and kind == "TIFF":
        exif = Image.Exif()
        exif.load(EXIF_MARK + metadata.exif)
        told["exif"] = _common(exif)
    return told


def _save(image: Image.Image, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    image.save(file, **options)
    return file.getvalue()


def _tiff_exif(image: Image.Image) -> bytes:
    """A TIFF file is itself what EXIF imitates: take the tags that both have."""
    exif = image.getexif()
    try:
        chosen = _common(exif)
        return chosen.tobytes() if len(chosen) else b""
    except Exception:  # one tag is damaged; how the picture stands is worth more than the others
        return orientation_exif(orientation_of(image))


def _common(exif: Image.Exif) -> Image.Exif:
    chosen = Image.Exif()
    for tag in TIFF_TAGS:
        if tag in (EXIF_FOLDER, PLACE_FOLDER):
            if folder := exif.get_ifd(tag):
                chosen.get_ifd(tag).update(folder)
        elif tag in exif:
            chosen[tag] = exif[tag]
    return chosen


def orientation_of(image: Image.Image) -> int:
    """How Pillow turns a TIFF when it loads its pixels."""
    told = image.getexif().get(ORIENTATION_TAG, UPRIGHT)
    return told if told in range(1, 9) else UPRIGHT


def _bytes(image: Image.Image, name: str) -> bytes:
    part = image.info.get(name)
    return part if isinstance(part, bytes) else b""


def _dpi(told: Any) -> tuple[float, float] | None:
    try:
        across, down = (float(side) for side in told)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if is_dpi(across) and is_dpi(down) else None
