"""Samples → PNG pictures in data: URIs, with the difference on a diverging scale."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from isthmus.spec import DataSpec

WHOLE_SIDE = 320
"""Images up to this side are shown whole, larger ones as the square cut from their middle."""
CUT_SIDE = 256
SMALL_SIDE = 64
"""Up to this side a sample is enlarged by a whole factor and stands in a row with others."""
NEGATIVE, POSITIVE = (33, 102, 172), (178, 24, 43)
"""Ends of the diverging scale, whose middle is white: blue below, red above; told apart by all eyes."""


@dataclass(frozen=True)
class Triple:
    """One sample: original, reconstruction, difference, as data: URIs."""

    original: str
    restored: str
    difference: str
    width: int
    height: int
    psnr_db: float
    """Of this sample alone; 200 stands for an exact match."""
    cut: bool
    """Whether only the middle is shown."""


def triples(
    originals: list[np.ndarray], restored: list[np.ndarray], spec: DataSpec
) -> tuple[list[Triple], float]:
    """Draw samples; return them with the end of the difference scale, in the samples' own unit."""
    limit = _limit(originals, restored)
    return [_triple(a, b, spec, limit) for a, b in zip(originals, restored, strict=True)], limit


def thumbnail(sample: np.ndarray, spec: DataSpec, side: int = 32) -> np.ndarray:
    """uint8 (height, width, 3), its longer side at most `side` pixels."""
    image = Image.fromarray(visible(sample, spec)).convert("RGB")
    image.thumbnail((side, side))
    return np.asarray(image)


def data_uri(pixels: np.ndarray) -> str:
    """uint8 (height, width) or (height, width, channel) → a PNG in a data: URI."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def diverging(difference: np.ndarray, limit: float) -> np.ndarray:
    """Signed differences (height, width) → uint8 (height, width, 3): blue, white at 0, red.

    >>> diverging(np.array([[-1.0, 0.0, 2.0]]), limit=2.0)[0].tolist()
    [[144, 178, 214], [255, 255, 255], [178, 24, 43]]
    """
    share = np.clip(difference / limit, -1, 1)[..., None]
    end = np.where(share < 0, np.array(NEGATIVE), np.array(POSITIVE))
    return np.rint(255 + np.abs(share) * (end - 255)).astype(np.uint8)


def visible(sample: np.ndarray, spec: DataSpec) -> np.ndarray:
    """Samples of any type as uint8, from the spec's low to its high; what PNG cannot hold, as grey."""
    if sample.ndim == 3 and sample.shape[2] == 1:
        sample = sample[..., 0]
    flat = sample if sample.ndim == 2 or sample.shape[2] in (3, 4) else sample.mean(axis=2)
    if flat.dtype == np.uint8 and (spec.low, spec.high) == (0, 255):
        return flat
    scale = 255 / max(spec.high - spec.low, 1e-300)
    return np.rint(np.clip((flat.astype(np.float64) - spec.low) * scale, 0, 255)).astype(np.uint8)


def middle(sample: np.ndarray) -> np.ndarray:
    """An image whole up to WHOLE_SIDE, of a larger one the middle."""
    if max(sample.shape[:2]) <= WHOLE_SIDE:
        return sample
    top, left = (max(0, (side - CUT_SIDE) // 2) for side in sample.shape[:2])
    return sample[top : top + CUT_SIDE, left : left + CUT_SIDE]


def _triple(original: np.ndarray, restored: np.ndarray, spec: DataSpec, limit: float) -> Triple:
    squared = np.mean((restored.astype(np.float64) - original) ** 2)
    peak = spec.high - spec.low
    psnr = 10 * np.log10(peak**2 / squared) if squared > 0 < peak else 200.0
    a, b = middle(original), middle(restored)
    return Triple(
        original=data_uri(visible(a, spec)),
        restored=data_uri(visible(b, spec)),
        difference=data_uri(diverging(_difference(a, b), limit)),
        width=a.shape[1],
        height=a.shape[0],
        psnr_db=float(min(200.0, psnr)),
        cut=a.shape != original.shape,
    )


def _difference(original: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """Reconstruction - original, float64 (height, width); of colours, the channel that is furthest off."""
    difference = restored.astype(np.float64) - original
    if difference.ndim == 2:
        return difference
    furthest = np.abs(difference).argmax(axis=2)[..., None]
    return np.take_along_axis(difference, furthest, axis=2)[..., 0]


def _limit(originals: list[np.ndarray], restored: list[np.ndarray]) -> float:
    """A round number that 99 % of all differences stay below."""
    pairs = zip(originals, restored, strict=True)
    off = np.concatenate([np.abs(b.astype(np.float64) - a).ravel() for a, b in pairs])
    return nice(float(np.quantile(off, 0.99)) or float(off.max()) or 1.0)


def nice(value: float) -> float:
    """The least of 1, 2 or 5 times a power of ten that is not below `value`.

    >>> nice(37.0), nice(0.012)
    (50.0, 0.02)
    """
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9)))
