"""A model and images → its rate–distortion curve, beside those of the other coders installed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from isthmus.data import Source
from isthmus.data.samples import Samples, pick
from isthmus.errors import UseError
from isthmus.model import Model
from isthmus.spec import DataSpec
from isthmus.tasks.curves import PSNR, Curve, Point
from isthmus.tasks.image_codecs import ImageCodec, as_pictures, missing_codecs
from isthmus.tasks.quality import has_qualities
from isthmus.tasks.results import Result, share_text, size
from isthmus.tasks.trials import Ours, Rival, coded, our_points, peak, points_list, rival_codecs

MOST_VALUES = 2**21
"""Two million: some minutes, most of them AVIF's."""
AT_LEAST = 4
"""Images, if there are so many: larger ones are cut."""


@dataclass(frozen=True)
class Rates(Result):
    """One model's curve on some images, and those of its rivals, as single files."""

    samples: int
    of_samples: int
    """As many as there were to choose from."""
    pixels: int
    cut_side: int | None
    """Of larger images, only the middle of so many pixels a side was taken."""
    ours: Ours
    rivals: tuple[Rival, ...]
    """Empty for images that other coders do not take."""
    missing: tuple[str, ...]
    """Formats whose libraries are not installed."""

    def summary(self) -> str:
        """Two lines for a terminal."""
        best, worst = max(self.ours.points, key=PSNR), min(self.ours.points, key=PSNR)
        bits = [8 * point.bytes / self.pixels for point in (worst, best)]
        lead = (
            f"Qualities 1 to 100, on {self.measured_on()}: {worst.psnr_db:.1f} to {best.psnr_db:.1f} "
            f"dB at {bits[0]:.3f} to {bits[1]:.3f} bits per pixel, without the model "
            f"({size(self.ours.model_bytes)})."
        )
        return f"{lead}\n{self.verdict()}{self.absent()}"

    def measured_on(self) -> str:
        """Which images, in words."""
        few = "" if self.samples == self.of_samples else f", evenly spaced among {self.of_samples:,}"
        cut = "" if self.cut_side is None else f", the middle {self.cut_side}×{self.cut_side} of large ones"
        return f"{self.samples:,} image{'s' * (self.samples != 1)}{few}{cut}"

    def verdict(self) -> str:
        """How ours compares with each rival, in a sentence."""
        if not self.rivals:
            return "Other coders are compared on grey and RGB images of 8 bits alone."
        told = "; ".join(f"{rival.name} {_compared(rival)}" for rival in self.rivals)
        return f"Our bytes at equal PSNR (MS-SSIM), without the model, beside single files: {told}."

    def absent(self) -> str:
        """What to install for the rivals that are missing, in a sentence; "" if none is."""
        if not self.missing:
            return ""
        return " Missing: " + ", ".join(f"{family} ({_INSTALL[family]})" for family in self.missing) + "."

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; a point is bytes, PSNR in dB and MS-SSIM."""
        return {
            "samples": self.samples,
            "of_samples": self.of_samples,
            "pixels": self.pixels,
            "cut_side": self.cut_side,
            "model_bytes": self.ours.model_bytes,
            "qualities": list(self.ours.qualities),
            "ours": points_list(self.ours.points),
            "rivals": {rival.name: rival.to_dict() for rival in self.rivals},
            "missing": list(self.missing),
        }


def _compared(rival: Rival) -> str:
    best = rival.best
    pays = "never pays" if best.break_even is None else f"the model pays from {best.pays()} on"
    shares = f"{share_text(best.bd_psnr)} ({share_text(best.bd_ms_ssim)})"
    return shares if best.bytes_there is None else f"{shares}, {pays}"


_INSTALL = {"AVIF": "pip install -U pillow", "JPEG XL": "pip install 'isthmus[images]'"}


def measure_rates(
    source: Source,
    model: Model,
    *,
    values: int = MOST_VALUES,
    images: int | None = None,
    thorough: bool = True,
) -> Rates:
    """The curve of a model on images that it never saw, and those of the other coders, a file each.

    Args:
        source: the images.
        model: made by `fit`, with several qualities.
        values: the most to measure on; of more, evenly spaced images are taken, and of those that
            hold a quarter of it each, the middle.
        images: the most to measure on; None sets no limit.
        thorough: take the others at all their qualities, not at every other one.
    Raises:
        UseError: the samples are no images, or the model has one quality.
    """
    require_curve(source.spec, model)
    model.require_fits(source.spec)
    few, side = representative(source, model, values, images)
    ours = our_points(few, model)
    pictures = as_pictures(few.read(range(len(few))))
    codecs = rival_codecs(few.spec)
    every = 1 if thorough else 2
    rivals = [
        Rival.of(family, [_curve(codec, pictures, peak(few.spec), every) for codec in coders], ours)
        for family, coders in groupby(codecs, key=lambda codec: codec.family)
    ]
    return Rates(
        samples=len(few),
        of_samples=len(source),
        pixels=sum(math.prod(picture.shape[:2]) for picture in pictures),
        cut_side=side,
        ours=ours,
        rivals=tuple(rivals),
        missing=missing_codecs() if codecs else (),
    )


def has_curve(spec: DataSpec, model: Model) -> bool:
    """Whether there is a curve to draw: images, and a model that serves several qualities."""
    return spec.modality == "image" and has_qualities(model)


def require_curve(spec: DataSpec, model: Model) -> None:
    """Raise UseError unless there is a curve to draw."""
    if spec.modality != "image":
        raise UseError(f"--rd draws curves of images; these samples are each an {spec.summary()}.")
    if not has_qualities(model):
        raise UseError(
            "--rd needs a model with several qualities, and this one has one. "
            "Train one with a recipe for images: isthmus fit."
        )


def representative(
    source: Source, model: Model, values: int, images: int | None = None
) -> tuple[Samples, int | None]:
    """Evenly spaced images that hold about so many values, and the side that large ones were cut to."""
    spec, most = source.spec, values // AT_LEAST
    chosen = pick(source, _spread(source, values, most, images))
    side = math.isqrt(most // spec.channels)
    samples = chosen.read(range(len(chosen)))
    if model.spec.is_fixed or all(sample.size <= most for sample in samples):
        return chosen, None
    any_size = replace(spec, shape=(None, None, *spec.shape[2:]))
    return Samples([_middle(sample, side) for sample in samples], any_size, name=source.name), side


def _spread(source: Source, values: int, most: int, images: int | None) -> list[int]:
    """Evenly spaced images: as many as hold so many values, none counted with more than `most`."""
    each = max(1, source.raw_bytes // np.dtype(source.spec.dtype).itemsize // len(source))
    count = min(len(source), max(1, values // min(each, most)), images or len(source))
    return [place * len(source) // count for place in range(count)]


def _middle(sample: np.ndarray, side: int) -> np.ndarray:
    top, left = (max(0, (length - side) // 2) for length in sample.shape[:2])
    return sample[top : top + side, left : left + side]


def _curve(codec: ImageCodec, pictures: Sequence[np.ndarray], peak: float, every: int) -> Curve:
    """Of one coder, a file a picture."""
    points = []
    for quality in codec.qualities[::every]:
        total, restored = coded(codec, quality, pictures)
        points.append(Point.of(total, pictures, restored, peak=peak))
    return Curve(codec.name, tuple(points))
