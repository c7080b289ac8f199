"""Images and coders → points of their rate–distortion curves, and how ours compares with a rival's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.coding.latents import DEFAULT_QUALITY
from isthmus.data import Source
from isthmus.model import Model
from isthmus.spec import DataSpec
from isthmus.tasks.archive import open_archive
from isthmus.tasks.compress import compress_bytes
from isthmus.tasks.curves import MS_SSIM, PSNR, Curve, Measure, Point, bd_rate, best_of
from isthmus.tasks.decompress import restore
from isthmus.tasks.image_codecs import ImageCodec, as_pictures, image_codecs
from isthmus.tasks.parts import pack_parts, parts_of

QUALITIES = (1, 12, 25, 38, 50, 62, 75, 88, 100)


@dataclass(frozen=True)
class Ours:
    """What a model makes of some images."""

    samples: int
    qualities: tuple[int, ...]
    points: tuple[Point, ...]
    """One a quality, in bytes of an archive that leaves the model out."""
    model_bytes: int
    """That the parts of the model take which the usual archive needs."""

    @property
    def curve(self) -> Curve:
        """Without the model, whose share falls as images are added."""
        return Curve("Isthmus", self.points)

    @property
    def usual(self) -> Point:
        """At the quality that `compress` takes where nothing is said, or the nearest one measured."""
        return self.points[_usual(self.qualities)]

    def break_even(self, rival: Curve) -> int | None:
        """From how many images on our archive, model included, is smaller than `rival` at our usual PSNR.

        None where the rival takes fewer bytes than our images without the model.

        Raises:
            ValueError: the rival was not measured at that PSNR.
        """
        saved_each = (rival.bytes_at(self.usual.psnr_db) - self.usual.bytes) / self.samples
        return max(1, math.ceil(self.model_bytes / saved_each)) if saved_each > 0 else None


def our_points(source: Source, model: Model, *, qualities: Sequence[int] = QUALITIES) -> Ours:
    """Compress `source` at each quality, restore it, and compare.

    The model is left out, so that its bytes have no say in how images are told either.
    """
    originals, points, needed = as_pictures(source.read(range(len(source)))), [], []
    for quality in qualities:
        archive, result, _ = compress_bytes(
            source, model, mode="lossy", quality=quality, metadata="none", embed_model=False
        )
        opened = open_archive(archive, model)
        with opened.reader:
            needed.append(frozenset(opened.reader.header["parts"]))
        restored = as_pictures(list(restore(archive, model=model)))
        points.append(Point.of(result.archive_bytes, originals, restored, peak=peak(source.spec)))
    packed = pack_parts(parts_of(model), needed[_usual(qualities)])
    return Ours(len(source), tuple(qualities), tuple(points), len(packed or b""))


def _usual(qualities: Sequence[int]) -> int:
    """The place of the one that `compress` takes where nothing is said, or of the nearest."""
    return min(range(len(qualities)), key=lambda place: abs(qualities[place] - DEFAULT_QUALITY))


def peak(spec: DataSpec) -> float:
    """The range of the values, as our own PSNR counts it."""
    return spec.high - spec.low


def rival_codecs(spec: DataSpec) -> tuple[ImageCodec, ...]:
    """The coders that take such images; none but for 8 bits, grey or RGB."""
    if spec.modality != "image" or spec.dtype != "uint8" or spec.channels not in (1, 3):
        return ()
    return image_codecs(grey=spec.channels == 1)


def coded(codec: ImageCodec, quality: float, pictures: Sequence[np.ndarray]) -> tuple[int, list[np.ndarray]]:
    """The bytes of pictures as files, one each, and what comes back."""
    total, restored = 0, []
    for picture in pictures:
        file = codec.encode(np.ascontiguousarray(picture), quality)
        total += len(file)
        restored.append(codec.decode(file))
    return total, restored


@dataclass(frozen=True)
class Comparison:
    """Ours beside another's curve of the same images."""

    curve: Curve
    bd_psnr: float | None
    """The bytes that ours takes more at equal PSNR, as a share: −0.1 is 10 % fewer. None where the
    two curves share no quality."""
    bd_ms_ssim: float | None
    """The same at equal MS-SSIM."""
    bytes_there: float | None
    """What the other takes at our usual PSNR; None where it was not measured there."""
    break_even: int | None
    """From how many images on ours is smaller there, model included; None for never, or unknown."""

    @classmethod
    def of(cls, curve: Curve, ours: Ours, *, by_ms_ssim: Curve | None = None) -> Comparison:
        """Compare a curve with ours; `by_ms_ssim` is the one to take at equal MS-SSIM, if it is another."""
        try:
            bytes_there, pays = curve.bytes_at(ours.usual.psnr_db), ours.break_even(curve)
        except ValueError:
            bytes_there, pays = None, None
        shares = _bd_rate(curve, ours, PSNR), _bd_rate(by_ms_ssim or curve, ours, MS_SSIM)
        return cls(curve, *shares, bytes_there, pays)

    def pays(self) -> str:
        """From when on ours is smaller, in words."""
        if self.bytes_there is None:
            return "not comparable"
        return "never" if self.break_even is None else f"{self.break_even:,} images"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without the curve."""
        return {
            "bd_rate_psnr": self.bd_psnr,
            "bd_rate_ms_ssim": self.bd_ms_ssim,
            "bytes_at_our_psnr": self.bytes_there,
            "break_even_samples": self.break_even,
        }


@dataclass(frozen=True)
class Rival:
    """One format: each choice of settings, and the best of all of them at each quality."""

    best: Comparison
    coders: tuple[Comparison, ...]

    @classmethod
    def of(cls, family: str, curves: Sequence[Curve], ours: Ours) -> Rival:
        """Compare the coders of one family with ours."""
        by_psnr, by_ms_ssim = (best_of(family, curves, measure=measure) for measure in (PSNR, MS_SSIM))
        best = Comparison.of(by_psnr, ours, by_ms_ssim=by_ms_ssim)
        return cls(best, tuple(Comparison.of(curve, ours) for curve in curves))

    @property
    def name(self) -> str:
        """Of the format."""
        return self.best.curve.name

    def curve(self, measure: Measure) -> Curve:
        """The best of its coders, by one measure."""
        return best_of(self.name, [coder.curve for coder in self.coders], measure=measure)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the points."""
        coders = {
            coder.curve.name: {
                "bd_rate_psnr": coder.bd_psnr,
                "bd_rate_ms_ssim": coder.bd_ms_ssim,
                "points": points_list(coder.curve.points),
            }
            for coder in self.coders
        }
        return self.best.to_dict() | {"coders": coders}


def _bd_rate(reference: Curve, ours: Ours, measure: Measure) -> float | None:
    try:
        return bd_rate(reference, ours.curve, measure=measure)
    except ValueError:  # they share no quality
        return None


def points_list(points: Sequence[Point]) -> list[list[float]]:
    """[bytes, PSNR in dB, MS-SSIM] of each point, for JSON.

    >>> points_list([Point(1000, 30.12345, 0.987654321)])
    [[1000, 30.123, 0.987654]]
    """
    return [[p.bytes, round(p.psnr_db, 3), round(p.ms_ssim, 6)] for p in points]
