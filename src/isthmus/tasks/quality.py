"""What was asked of a lossy archive → the quality of its latents.

A file size or a PSNR is reached by search: first on a sample of the data, then on all of it, with
another quality where the sample was wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from isthmus.coding.latents import DEFAULT_QUALITY, MAX_QUALITY
from isthmus.data import Source
from isthmus.data.distortion import Distortion
from isthmus.errors import UseError
from isthmus.model import Model
from isthmus.tasks.choose import sample_pieces
from isthmus.tasks.forms import BlockCoder, block_coder
from isthmus.tasks.promise import LOSSY, Promise
from isthmus.tasks.results import size


@dataclass(frozen=True)
class Aim:
    """One of these, or none."""

    quality: int | None = None
    max_bytes: int | None = None
    """Of the whole archive."""
    target_psnr: float | None = None
    """In dB, over all samples."""

    @property
    def is_search(self) -> bool:
        """Whether the quality has to be found."""
        return self.max_bytes is not None or self.target_psnr is not None

    def require_sense(self, model: Model | None) -> None:
        """Raise UseError for wishes that exclude one another, or that the model cannot grant."""
        told = {
            "--quality": self.quality,
            "--max-bytes": self.max_bytes,
            "--target-psnr": self.target_psnr,
        }
        given = [name for name, value in told.items() if value is not None]
        if len(given) > 1:
            raise UseError(f"Give one of {' and '.join(given)}, not both.")
        if self.quality is not None and not 1 <= self.quality <= MAX_QUALITY:
            raise UseError(f"--quality must be 1 to {MAX_QUALITY}; got {self.quality}.")
        if self.max_bytes is not None and self.max_bytes < 1:
            raise UseError(f"--max-bytes must be at least 1; got {self.max_bytes}.")
        if self.target_psnr is not None and not self.target_psnr > 0:
            raise UseError(f"--target-psnr must be above 0 dB; got {self.target_psnr}.")
        if given and not has_qualities(model):
            raise UseError(
                f"{given[0]} needs a model with several qualities, and this one has one. "
                "Train one with a recipe for images: isthmus fit."
            )


def has_qualities(model: Model | None) -> bool:
    """Whether one model serves qualities 1 to 100."""
    return model is not None and model.decoder.grades is not None


def by_quality(source: Source, model: Model | None, mode: str | None, psnr_db: float) -> bool:
    """Whether a PSNR is to be reached by a lossy archive: it was asked for, or by a sample it can."""
    if model is None or not has_qualities(model) or mode not in (None, LOSSY):
        return False
    if mode == LOSSY or source.spec.dtype.startswith("float"):
        return mode == LOSSY
    model.require_fits(source.spec)
    job = block_coder(source.spec, Promise(LOSSY), (), model, preview="always", measure=True)
    return _on_sample(source, job, MAX_QUALITY)[1] >= psnr_db


def first_quality(source: Source, job: BlockCoder, aim: Aim, fixed_bytes: int) -> int:
    """The quality to begin with: what was asked for, or what a sample of the data says.

    Args:
        source: the data.
        job: codes a block at the quality it holds.
        aim: what was asked for.
        fixed_bytes: of the archive beside its latents: the embedded model.
    """
    if not aim.is_search:
        return aim.quality or DEFAULT_QUALITY

    def enough(quality: int) -> bool:
        payload, psnr_db = _on_sample(source, job, quality)
        if aim.target_psnr is not None:
            return psnr_db >= aim.target_psnr
        assert aim.max_bytes is not None
        return payload + fixed_bytes > aim.max_bytes  # one less will do

    least = _first(enough)
    if aim.max_bytes is None or (least == MAX_QUALITY and not enough(least)):
        return least
    return max(1, least - 1)


def _first(holds: Callable[[int], bool]) -> int:
    """The first quality for which something holds that holds for all better ones; 100 if for none."""
    low, high = 1, MAX_QUALITY
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return high


def _on_sample(source: Source, job: BlockCoder, quality: int) -> tuple[float, float]:
    """The bytes that all blocks will take, and their PSNR in dB, judged by a sample."""
    tried = replace(job, quality=quality, measure=True)
    coded_bytes, raw_bytes, distortion = 0, 0, Distortion.none()
    for piece in sample_pieces(source, whole=True):
        coded = tried(piece)
        coded_bytes += min(form.size for form in coded.forms)
        raw_bytes += sum(sample.nbytes for sample in piece)
        distortion = distortion + coded.distortion
    return coded_bytes * source.raw_bytes / max(1, raw_bytes), distortion.psnr_db


def next_quality(aim: Aim, quality: int, archive_bytes: int, psnr_db: float) -> int | None:
    """The quality to try on all of the data after this one; None where this is the one.

    Raises:
        UseError: no quality is small enough, or good enough.
    """
    if aim.target_psnr is not None and psnr_db < aim.target_psnr:
        if quality == MAX_QUALITY:
            raise UseError(
                f"At its best quality this model reaches {psnr_db:.1f} dB; {aim.target_psnr:g} dB were "
                "asked for. Ask for less, or for a bound: leave out --lossy."
            )
        return quality + 1
    if aim.max_bytes is not None and archive_bytes > aim.max_bytes:
        if quality == 1:
            raise UseError(
                f"At quality 1 the archive takes {size(archive_bytes)}; at most {size(aim.max_bytes)} "
                "were asked for. Allow more, or leave the model out with --no-embed."
            )
        return quality - 1
    return None
