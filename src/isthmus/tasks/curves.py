"""Sizes at several qualities → rate–distortion curves, and by how much one lies below another."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isthmus.data.similarity import ms_ssim

if TYPE_CHECKING:
    from scipy.interpolate import PchipInterpolator

EXACT_DB = 200.0


@dataclass(frozen=True)
class Point:
    """What a coder makes of a set of pictures at one quality."""

    bytes: int
    """Of all its files, headers included."""
    psnr_db: float
    """Of the mean squared error over all values; EXACT_DB stands for an exact match."""
    ms_ssim: float
    """Mean over the pictures."""

    @classmethod
    def of(
        cls,
        size: int,
        originals: Sequence[np.ndarray],
        restored: Sequence[np.ndarray],
        *,
        peak: float = 255.0,
    ) -> Point:
        """Of `size` bytes, between pictures of shape (height, width) or (height, width, channels)."""
        values = sum(original.size for original in originals)
        squared = sum(
            float(np.sum((made.astype(np.float64) - original) ** 2))
            for original, made in zip(originals, restored, strict=True)
        )
        psnr_db = 10 * float(np.log10(peak**2 * values / squared)) if squared else EXACT_DB
        likeness = np.concatenate([ms_ssim(x, y, peak=peak) for x, y in _stacks(originals, restored)])
        return cls(size, min(EXACT_DB, psnr_db), float(likeness.mean()))

    @property
    def ms_ssim_db(self) -> float:
        """−10·log10(1 − MS-SSIM): evenly spread, where MS-SSIM itself crowds at 1."""
        return float(-10 * np.log10(max(1e-12, 1 - self.ms_ssim)))


Measure = Callable[[Point], float]


@dataclass(frozen=True)
class Curve:
    """One coder's points on one set of pictures, in any order."""

    name: str
    points: tuple[Point, ...]

    def front(self, measure: Measure) -> list[Point]:
        """The points that no other beats in bytes and quality, smallest first.

        Exact matches are left out: their 200 dB stand for infinity, which no curve reaches.
        """
        front: list[Point] = []
        for point in sorted(self.points, key=lambda point: (point.bytes, -measure(point))):
            beats_last = not front or measure(point) > measure(front[-1])
            if beats_last and point.psnr_db < EXACT_DB:
                front.append(point)
        return front

    def bytes_at(self, level_db: float, *, measure: Measure | None = None) -> float:
        """Bytes at a quality between those measured, by the curve that `bd_rate` integrates.

        Args:
            level_db: of the measure.
            measure: None for PSNR.
        Raises:
            ValueError: `level_db` lies outside the curve.
        """
        log_bytes = _log_bytes(self, measure or PSNR)
        if not log_bytes.x[0] <= level_db <= log_bytes.x[-1]:
            raise ValueError(
                f"{self.name} was measured from {log_bytes.x[0]:.2f} to {log_bytes.x[-1]:.2f} dB; "
                f"got {level_db:.2f} dB."
            )
        return float(np.exp(log_bytes(level_db)))


def PSNR(point: Point) -> float:  # noqa: N802 - a name as everybody writes it
    """Quality as PSNR in dB."""
    return point.psnr_db


def MS_SSIM(point: Point) -> float:  # noqa: N802
    """Quality as MS-SSIM in dB."""
    return point.ms_ssim_db


def bd_rate(reference: Curve, tested: Curve, *, measure: Measure = PSNR) -> float:
    """How many more bytes `tested` takes at the same quality, as a fraction: −0.1 is 10 % smaller.

    The mean difference of log bytes over the qualities that both curves cover, each interpolated
    by a monotone cubic. Points that another of the same coder beats in both are left out.

    Raises:
        ValueError: fewer than two points, or no quality that both cover.
    Source: Bjøntegaard 2001, ITU-T VCEG-M33; monotone cubics: Fritsch and Butland 1984.

    >>> whole = Curve("whole", (Point(1000, 30.0, 0.9), Point(2000, 36.0, 0.95)))
    >>> half = Curve("half", (Point(500, 30.0, 0.9), Point(1000, 36.0, 0.95)))
    >>> round(bd_rate(whole, half), 6)
    -0.5
    """
    ours, theirs = _log_bytes(tested, measure), _log_bytes(reference, measure)
    low, high = max(ours.x[0], theirs.x[0]), min(ours.x[-1], theirs.x[-1])
    if low >= high:
        raise ValueError(
            f"{reference.name} and {tested.name} share no quality: {theirs.x[0]:.2f} to {theirs.x[-1]:.2f} "
            f"against {ours.x[0]:.2f} to {ours.x[-1]:.2f} dB. Measure them at other qualities."
        )
    difference = ours.integrate(low, high) - theirs.integrate(low, high)
    return float(np.expm1(difference / (high - low)))


def best_of(name: str, curves: Sequence[Curve], *, measure: Measure = PSNR) -> Curve:
    """One curve of several coders: their points, but for those that lie above another coder's curve."""
    kept = [
        point
        for curve in curves
        for point in curve.points
        if not any(_lies_above(point, other, measure) for other in curves if other is not curve)
    ]
    return Curve(name, tuple(kept))


def _lies_above(point: Point, curve: Curve, measure: Measure) -> bool:
    try:
        return curve.bytes_at(measure(point), measure=measure) < point.bytes
    except ValueError:  # it was not measured there
        return False


def _log_bytes(curve: Curve, measure: Measure) -> PchipInterpolator:
    """Log bytes over quality in dB."""
    from scipy.interpolate import PchipInterpolator  # a tenth of a second to import

    front = curve.front(measure)
    if len(front) < 2:
        raise ValueError(f"A curve needs at least 2 points; {curve.name} has {len(front)}.")
    return PchipInterpolator(
        [measure(point) for point in front], np.log([point.bytes for point in front]), extrapolate=False
    )


def _stacks(
    originals: Sequence[np.ndarray], restored: Sequence[np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Neighbours of one shape as (images, height, width, channels), at most _STACKED at once."""
    pairs = zip(originals, restored, strict=True)
    for _, alike in itertools.groupby(pairs, key=lambda pair: pair[0].shape):
        while some := list(itertools.islice(alike, _STACKED)):
            x, y = (np.stack(images) for images in zip(*some, strict=True))
            yield (x, y) if x.ndim == 4 else (x[..., None], y[..., None])


_STACKED = 64  # images, so that their float64 moments stay in the cache
