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
from isthmus.tasks.image_codecs import ImageCodec, as_pictures, avif, jpeg, missing_codecs, samplings, webp


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
    """JPEG, WebP and AVIF, one file each, at the least quality that reaches `psnr_db` over all samples.

    JPEG and AVIF sample their colours as makes them smaller; one that cannot reach it comes closest.
    """
    if not _is_picture(spec, ("uint8",)) or spec.channels == 4:
        return []
    pictures, aim = as_pictures(samples), Aim(psnr_db, spec.high - spec.low)
    chroma = samplings(grey=spec.channels == 1)
    families = [[jpeg(sampling) for sampling in chroma], [webp(grey=spec.channels == 1)]]
    if "AVIF" not in missing_codecs():
        # At speed 4 it takes seconds for each million pixels.
        speed = 4 if sum(picture.size for picture in pictures) <= _SLOW else 8
        families.append([avif(sampling, speed=speed) for sampling in chroma])
    return [_best(codecs, pictures, aim) for codecs in families]


_SLOW = 2**24  # values


@dataclass(frozen=True)
class Aim:
    """The quality to reach."""

    psnr_db: float
    peak: float
    """The range of the samples, as our own PSNR counts it: that of the digits is 16, not 255."""


@dataclass(frozen=True)
class Trial:
    """A coder at one quality."""

    codec: ImageCodec
    quality: int
    bytes: int
    psnr_db: float


def _best(codecs: Sequence[ImageCodec], pictures: Sequence[np.ndarray], aim: Aim) -> Peer:
    """The smallest of those that reach the aim on a few pictures; else the one that comes closest."""
    few = _some(pictures)
    trials = [_least(codec, few, aim) for codec in codecs]
    reaching = [trial for trial in trials if trial.psnr_db >= aim.psnr_db]
    best = (
        min(reaching, key=lambda trial: trial.bytes)
        if reaching
        else max(trials, key=lambda trial: trial.psnr_db)
    )
    final = _try(best.codec, pictures, best.quality, aim.peak)
    how = f"quality {final.quality}, {final.codec.settings}, a file each"
    return Peer(final.codec.family, final.bytes, final.psnr_db, how)


def _some(pictures: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """Those on which the quality is looked for, evenly spread."""
    mean = sum(picture.size for picture in pictures) / len(pictures)
    count = int(min(64, max(1, _SEARCHED / mean)))
    return pictures[:: max(1, len(pictures) // count)][:count]


_SEARCHED = 2**20  # values


def _least(codec: ImageCodec, pictures: Sequence[np.ndarray], aim: Aim) -> Trial:
    """At the least quality that reaches the aim; at 100 where none does."""
    low, high = 1, 100
    reached: Trial | None = None
    while low < high:
        middle = (low + high) // 2
        trial = _try(codec, pictures, middle, aim.peak)
        if trial.psnr_db >= aim.psnr_db:
            high, reached = middle, trial
        else:
            low = middle + 1
    return reached or _try(codec, pictures, high, aim.peak)


def _try(codec: ImageCodec, pictures: Sequence[np.ndarray], quality: int, peak: float) -> Trial:
    total, squared, values = 0, 0.0, 0
    for picture in pictures:
        file = codec.encode(picture, quality)
        total += len(file)
        squared += float(np.sum((codec.decode(file).astype(np.float64) - picture) ** 2))
        values += picture.size
    mse = squared / values
    return Trial(codec, quality, total, float(10 * np.log10(peak**2 / mse)) if mse else 200.0)


def _png(image: Image.Image, file: io.BytesIO) -> None:
    image.save(file, "PNG", optimize=True)


def _webp_lossless(image: Image.Image, file: io.BytesIO) -> None:
    # On large images quality 100 takes 20 times as long as 99, and saves nothing.
    quality = 100 if image.width * image.height <= _SMALL else 99
    image.save(file, "WEBP", lossless=True, quality=quality, method=6)


_SMALL = 64 * 64  # pixels


def _total(samples: Sequence[np.ndarray], encode: Callable[[Image.Image, io.BytesIO], None]) -> int:
    total = 0
    for sample in as_pictures(samples):
        file = io.BytesIO()
        encode(Image.fromarray(sample), file)
        total += file.tell()
    return total


def _is_picture(spec: DataSpec, dtypes: tuple[str, ...]) -> bool:
    colour = (1,) if spec.dtype == "uint16" else (1, 3, 4)
    return spec.modality == "image" and spec.dtype in dtypes and spec.channels in colour
