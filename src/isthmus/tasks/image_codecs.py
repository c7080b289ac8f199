"""Pictures ⇄ files by other lossy coders: rivals to compare with, never for our files.

Each is taken at its best for the size: slow settings, no optional metadata, one thread (AVIF cuts
large pictures into tiles for more, which costs bytes).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from PIL import Image

GREY = "4:0:0"


@dataclass(frozen=True)
class ImageCodec:
    """One coder with its settings; pictures are uint8, (height, width) or (height, width, 3)."""

    name: str
    family: str
    """The format: coders that differ in their settings alone share it."""
    settings: str
    qualities: tuple[float, ...]
    """Coarse → fine, enough of them to draw a curve from about 28 to 48 dB."""
    encode: Callable[[np.ndarray, float], bytes]
    """A picture and a quality → its file."""
    decode: Callable[[bytes], np.ndarray]


def image_codecs(*, grey: bool) -> tuple[ImageCodec, ...]:
    """All coders that this installation has; `missing_codecs` names the others."""
    missing = missing_codecs()
    chroma = samplings(grey=grey)
    found = [*(jpeg(sampling) for sampling in chroma), jpeg_2000(grey=grey), webp(grey=grey)]
    if "AVIF" not in missing:
        found += [avif(sampling) for sampling in chroma]
    if "JPEG XL" not in missing:
        found.append(jpeg_xl())
    return tuple(found)


def as_pictures(samples: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Samples as these coders take them: grey without a channel axis."""
    return [sample[..., 0] if sample.ndim == 3 and sample.shape[2] == 1 else sample for sample in samples]


def samplings(*, grey: bool) -> tuple[str, ...]:
    """How the colours of JPEG and AVIF can be sampled: halving them saves bytes up to some quality."""
    return (GREY,) if grey else ("4:4:4", "4:2:0")


def missing_codecs() -> tuple[str, ...]:
    """Families whose libraries are not installed."""
    Image.init()
    return tuple(
        family
        for family, present in (
            ("AVIF", "AVIF" in Image.SAVE),
            ("JPEG XL", find_spec("imagecodecs") is not None),
        )
        if not present
    )


def avif(sampling: str, *, speed: int = 4) -> ImageCodec:
    """By libaom, with the chroma "4:4:4", "4:2:0" or (for grey) "4:0:0"; more speed makes larger files."""

    def options(quality: float) -> dict[str, Any]:
        return {"quality": int(quality), "speed": speed, "subsampling": sampling, "max_threads": 1}

    settings = f"{sampling}, speed {speed}"
    return _by_pillow("AVIF", "AVIF", sampling, settings, _AVIF_QUALITIES, options, sampling == GREY)


def jpeg(sampling: str) -> ImageCodec:
    """Optimised Huffman tables, progressive, with the chroma as for AVIF."""

    def options(quality: float) -> dict[str, Any]:
        chroma = {} if sampling == GREY else {"subsampling": sampling}
        return {"quality": int(quality), "optimize": True, "progressive": True, **chroma}

    settings = f"{sampling}, optimised, progressive"
    return _by_pillow("JPEG", "JPEG", sampling, settings, _JPEG_QUALITIES, options, sampling == GREY)


def webp(*, grey: bool) -> ImageCodec:
    """Its slowest method; always 4:2:0."""

    def options(quality: float) -> dict[str, Any]:
        return {"quality": int(quality), "method": 6}

    return _by_pillow("WebP", "WEBP", "", "method 6", _WEBP_QUALITIES, options, grey)


def jpeg_2000(*, grey: bool) -> ImageCodec:
    """A raw codestream by OpenJPEG, without the boxes of a .jp2 file; its quality is in dB."""

    def options(quality: float) -> dict[str, Any]:
        aim = {"quality_mode": "dB", "quality_layers": [quality]}
        return {"irreversible": True, "no_jp2": True, "mct": int(not grey), **aim}

    return _by_pillow(
        "JPEG 2000", "JPEG2000", "", "irreversible, raw codestream", _JPEG_2000_DB, options, grey
    )


def jpeg_xl() -> ImageCodec:
    """By libjxl; its quality is minus its distance, which grows with the loss."""
    import imagecodecs

    def encode(picture: np.ndarray, quality: float) -> bytes:
        return bytes(
            imagecodecs.jpegxl_encode(picture, distance=-quality, effort=7, lossless=False, numthreads=1)
        )

    def decode(file: bytes) -> np.ndarray:
        return np.asarray(imagecodecs.jpegxl_decode(file, numthreads=1))

    return ImageCodec("JPEG XL", "JPEG XL", "effort 7", _JPEG_XL_QUALITIES, encode, decode)


_AVIF_QUALITIES = (10, 25, 40, 52, 64, 74, 83, 90, 95)
_JPEG_QUALITIES = (8, 15, 30, 50, 70, 82, 90, 95, 98)
_WEBP_QUALITIES = (10, 30, 50, 65, 78, 86, 92, 96, 99)
_JPEG_2000_DB = (24, 27, 30, 33, 36, 39, 42, 45, 48)
_JPEG_XL_QUALITIES = (-10, -6, -4, -2.5, -1.6, -1, -0.6, -0.35, -0.2)


def _by_pillow(
    family: str,
    kind: str,
    variant: str,
    settings: str,
    qualities: tuple[float, ...],
    options: Callable[[float], dict[str, Any]],
    grey: bool,
) -> ImageCodec:
    """A coder that Pillow calls `kind`."""

    def encode(picture: np.ndarray, quality: float) -> bytes:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, kind, **options(quality))
        return file.getvalue()

    def decode(file: bytes) -> np.ndarray:
        # WebP knows no grey, and gives it back as equal colours.
        return np.asarray(Image.open(io.BytesIO(file)).convert("L" if grey else "RGB"))

    return ImageCodec(f"{family} {variant}".strip(), family, settings, qualities, encode, decode)
