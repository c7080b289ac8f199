"""What other coders make of the same samples: for comparison in reports, never for our files."""

from __future__ import annotations

import io
import lzma
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import zstandard
from PIL import Image

from isthmus.spec import DataSpec


@dataclass(frozen=True)
class Peer:
    """One rival's figures."""

    name: str
    bytes: int
    """All its files or its one stream, headers included."""
    psnr_db: float | None
    """None where it is lossless."""
    how: str
    """Settings, and whether it took the samples one by one or as one stream."""


def lossless_peers(samples: Sequence[np.ndarray], spec: DataSpec) -> list[Peer]:
    """zstd and xz over all samples as one stream, and PNG and WebP one by one where they can."""
    raw = b"".join(np.ascontiguousarray(sample).tobytes() for sample in samples)
    found = [
        Peer("zstd", len(zstandard.compress(raw, 19)), None, "level 19, one stream"),
        Peer("xz", len(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME)), None, "-9e, one stream"),
    ]
    if _is_picture(spec, ("uint8", "uint16")):
        found.append(Peer("PNG", _total(samples, _png), None, "optimised, a file each"))
    if _is_picture(spec, ("uint8",)):
        found.append(Peer("WebP lossless", _total(samples, _webp_lossless), None, "method 6, a file each"))
    return found


def lossy_peers(samples: Sequence[np.ndarray], spec: DataSpec, *, psnr_db: float) -> list[Peer]:
    """JPEG and WebP, one file each, at the least quality that reaches `psnr_db` over all samples."""
    if not _is_picture(spec, ("uint8",)) or spec.channels == 4:
        return []
    return [
        _at_quality(name, encode, _pictures(samples), Aim(psnr_db, spec.high - spec.low))
        for name, encode in (("JPEG", _jpeg), ("WebP", _webp))
    ]


Encode = Callable[[Image.Image, int, io.BytesIO], None]


@dataclass(frozen=True)
class Aim:
    """The quality to reach."""

    psnr_db: float
    peak: float
    """The range of the samples, as our own PSNR counts it: that of the digits is 16, not 255."""


def _pictures(samples: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Samples as Pillow takes them: grey without a channel axis."""
    return [sample[..., 0] if sample.ndim == 3 and sample.shape[2] == 1 else sample for sample in samples]


def _at_quality(name: str, encode: Encode, samples: Sequence[np.ndarray], aim: Aim) -> Peer:
    few = samples[:: max(1, len(samples) // _SEARCHED)][:_SEARCHED]
    low, high = 1, 100
    while low < high:
        middle = (low + high) // 2
        if _try(encode, few, middle, aim.peak)[1] >= aim.psnr_db:
            high = middle
        else:
            low = middle + 1
    total, reached = _try(encode, samples, high, aim.peak)
    return Peer(name, total, reached, f"quality {high}, a file each")


_SEARCHED = 64  # samples on which the quality is looked for


def _try(encode: Encode, samples: Sequence[np.ndarray], quality: int, peak: float) -> tuple[int, float]:
    total, squared, values = 0, 0.0, 0
    for sample in samples:
        file = io.BytesIO()
        encode(Image.fromarray(sample), quality, file)
        total += file.tell()
        decoded = np.asarray(Image.open(file).convert("L" if sample.ndim == 2 else "RGB"))
        squared += float(np.sum((decoded.astype(np.float64) - sample) ** 2))
        values += sample.size
    mse = squared / values
    return total, float(10 * np.log10(peak**2 / mse)) if mse else 200.0


def _jpeg(image: Image.Image, quality: int, file: io.BytesIO) -> None:
    image.save(file, "JPEG", quality=quality, optimize=True, progressive=True)


def _webp(image: Image.Image, quality: int, file: io.BytesIO) -> None:
    image.save(file, "WEBP", quality=quality, method=6)


def _png(image: Image.Image, file: io.BytesIO) -> None:
    image.save(file, "PNG", optimize=True)


def _webp_lossless(image: Image.Image, file: io.BytesIO) -> None:
    # On large images quality 100 takes 20 times as long as 99, and saves nothing.
    quality = 100 if image.width * image.height <= _SMALL else 99
    image.save(file, "WEBP", lossless=True, quality=quality, method=6)


_SMALL = 64 * 64  # pixels


def _total(samples: Sequence[np.ndarray], encode: Callable[[Image.Image, io.BytesIO], None]) -> int:
    total = 0
    for sample in _pictures(samples):
        file = io.BytesIO()
        encode(Image.fromarray(sample), file)
        total += file.tell()
    return total


def _is_picture(spec: DataSpec, dtypes: tuple[str, ...]) -> bool:
    colour = (1,) if spec.dtype == "uint16" else (1, 3, 4)
    return spec.modality == "image" and spec.dtype in dtypes and spec.channels in colour
