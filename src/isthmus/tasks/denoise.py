"""Noisy images → images without noise: `fit_denoiser` and `denoise`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus._version import __version__
from isthmus.config import require
from isthmus.data import Layout, Source, open_source, write_source
from isthmus.data.distortion import Distortion
from isthmus.data.noise import NoiseModel
from isthmus.data.readers.images import restored_names
from isthmus.data.readers.pixels import SUFFIXES, restored_suffix
from isthmus.errors import UseError
from isthmus.model import as_kind
from isthmus.model.denoiser import Denoiser
from isthmus.tasks.learning import Say, TaughtResult, model_path, require_training
from isthmus.tasks.orders import Progress
from isthmus.tasks.outputs import folder_and_names
from isthmus.tasks.results import Result, notices_of, refuse_notices

USUAL_STEPS = 3000


@dataclass(frozen=True, kw_only=True)
class DenoiserResult(TaughtResult):
    """What `fit_denoiser` made."""

    images: int
    denoiser: Denoiser = field(repr=False)

    @property
    def learned_from(self) -> str:
        """For people."""
        return f"{self.images:,} images"


@dataclass(frozen=True)
class DenoiseResult(Result):
    """What `denoise` made."""

    files: tuple[Path, ...]
    samples: int
    output: Path | None
    """The folder, or the only file."""
    levels: tuple[float, ...]
    """Of the noise seen, or told, in each image: a standard deviation in its own units."""
    before_psnr_db: float | None
    """Beside the clean images, where they are given."""
    after_psnr_db: float | None

    def summary(self) -> str:
        """One line for a terminal."""
        where = f" → {self.output}" if self.output else ""
        low, middle, high = np.quantile(self.levels, (0, 0.5, 1)) if self.levels else (0, 0, 0)
        line = f"{self.samples:,} images, noise of {middle:.3g} ({low:.3g} to {high:.3g}){where}"
        if self.after_psnr_db is None or self.before_psnr_db is None:
            return line
        gain = self.after_psnr_db - self.before_psnr_db
        return f"{line}: {self.before_psnr_db:.2f} dB before, {self.after_psnr_db:.2f} after ({gain:+.2f})"


def fit_denoiser(
    source: Any,
    output: str | Path | None = None,
    *,
    noise: str = "gaussian",
    levels: tuple[float, float] | None = None,
    from_noisy: bool = False,
    budget_s: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    force: bool = False,
    strict: bool = False,
    say: Say = lambda line: None,
    progress: Progress | None = None,
) -> DenoiserResult:
    """Learn to take noise from images.

    Args:
        source: clean images, to which noise is added; or noisy ones, with `from_noisy`.
        output: the .ism file; None keeps the model in memory.
        noise: gaussian, poisson, salt_pepper, impulse, missing, blur or clipping.
        levels: the least and the greatest, as a share of the range of values; None takes the usual ones.
        from_noisy: nobody has clean images: gaussian noise is split into two independent ones, other
            noise must be independent from pixel to pixel and have no mean.
        budget_s: seconds; replaces `steps`.
        steps: of training; None takes 3,000.
        seed: of everything random.
        skip_bad: leave unreadable images out.
        force: replace an existing output.
        strict: refuse where images would be left out.
        say: told in a line each what is planned.
        progress: told steps done and in all.
    Raises:
        MissingExtra: PyTorch is not installed.
        UseError: these are no images, or of several kinds.
    """
    require(steps is None or steps >= 1, "steps", "at least 1", steps)
    path = model_path(output, force=force)
    require_training("torch")
    model = NoiseModel.of(noise, *(levels or (None, None)))
    opened = source if isinstance(source, Source) else open_source(source, skip_bad=skip_bad)
    if opened.spec.modality != "image":
        raise UseError(f"Noise is taken from images; {opened.name} holds {opened.spec.summary()}.")
    refuse_notices(notices := notices_of(opened), strict=strict)
    from isthmus.training.denoising import DenoisingPlan, train_denoiser

    images = opened.read(range(len(opened)))
    say(f"{len(images):,} {'noisy ' if from_noisy else ''}images of {opened.spec.summary()}; noise: {noise}")
    plan = DenoisingPlan(
        noise=model, from_noisy=from_noisy, steps=steps or USUAL_STEPS, budget_s=budget_s, seed=seed
    )
    made = {"isthmus": __version__, "trained_on": opened.name}
    denoiser = train_denoiser(images, opened.spec, plan, provenance=made, say=say, progress=progress)
    if path is not None:
        denoiser.save(path, force=force)
    told = denoiser.provenance
    return DenoiserResult(
        model_path=path, images=len(images), noise=noise, from_noisy=from_noisy, steps=told["steps"],
        seconds=told["seconds"], denoiser=denoiser, notices=notices,
    )  # fmt: skip


def denoise(
    source: Any,
    denoiser: Any,
    output: str | Path | None = None,
    *,
    level: float | None = None,
    mask: Any = None,
    clean: Any = None,
    skip_bad: bool = False,
    force: bool = False,
    strict: bool = False,
    progress: Progress | None = None,
) -> DenoiseResult:
    """Take the noise from images.

    Args:
        source: noisy images: a path, an array, or an opened Source.
        denoiser: made by `fit_denoiser`, or its path.
        output: a folder for the images, named and typed as they were; or, of a single file, its name, with
            an ending such as .png. None only measures.
        level: of the noise, a standard deviation in the images' own units; None looks at each image.
        mask: images of the same names and sizes: what is not 0 there is missing; or one for all.
        clean: the same images without noise: how far the others are from them is told.
        skip_bad: leave unreadable images out.
        force: replace existing files.
        strict: refuse where images would be left out, or hold values that the denoiser never saw.
        progress: told images done and in all.
    Raises:
        SpecMismatch: images of another kind than the denoiser's.
        UseError: masks or clean images that do not belong to these; `output` names one file for several.
    """
    require(level is None or level >= 0, "level", "at least 0", level)
    noisy = source if isinstance(source, Source) else open_source(source, skip_bad=skip_bad)
    masks, truths = _beside(mask, noisy, "masks"), _beside(clean, noisy, "clean images")
    denoiser = as_kind(denoiser, Denoiser)
    layout, folder = (noisy.layout, None) if output is None else _placed(noisy, Path(output))
    changed = () if output is None else noisy.changed()
    notices = (*notices_of(noisy), *changed, *_outside(noisy, denoiser, level))
    refuse_notices(notices, strict=strict)
    work = _Work(denoiser, noisy, level, masks, truths, progress)
    if folder is None:
        for _ in work.images():
            pass
        files: list[Path] = []
    else:
        files = write_source(layout, noisy.spec, work.images(), folder, force=force)
    return DenoiseResult(
        tuple(files),
        len(noisy),
        None if output is None else Path(output),
        tuple(round(each, 4) for each in work.levels),
        *work.psnr_db(),
        notices=notices,
    )


def _placed(noisy: Source, output: Path) -> tuple[Layout, Path]:
    """The layout of what is written, and the folder; the only file has the name that was asked for."""
    layout, archive = noisy.layout, noisy.layout.options.get("archive")
    names, also = [member.name for member in layout.members], list[str]()
    if archive is not None:
        names = [str(archive)]
    elif layout.reader == "images":
        names = restored_names(layout, noisy.spec)
        also = [e for e in SUFFIXES if restored_suffix(e, noisy.spec.channels, noisy.spec.dtype) == e]
    folder, placed = folder_and_names(output, names, also=also)
    if placed == names:
        return layout, folder
    if archive is not None:
        return replace(layout, options={**layout.options, "archive": placed[0]}), folder
    return replace(layout, members=(replace(layout.members[0], name=placed[0]),)), folder


def _outside(noisy: Source, denoiser: Denoiser, level: float | None) -> tuple[str, ...]:
    """That images hold values which the denoiser never saw."""
    low, high = denoiser.learned
    if np.dtype(noisy.spec.dtype).kind in "iu" and low <= noisy.spec.low and high >= noisy.spec.high:
        return ()  # no image of this type can
    found = []
    for index in range(len(noisy)):
        (image,) = noisy.read([index])
        if count := denoiser.outside(image, level):
            found.append(
                f"{noisy.layout.item_name(index)}: {count:,} of {image.size:,} values lie outside of what "
                f"the model learned, {low:.4g} to {high:.4g}"
            )
    return tuple(found)


class _Work:
    """Images one after the other, and what was seen of them."""

    def __init__(
        self,
        denoiser: Denoiser,
        noisy: Source,
        level: float | None,
        masks: Source | None,
        truths: Source | None,
        progress: Progress | None,
    ) -> None:
        self._denoiser, self._noisy, self._level = denoiser, noisy, level
        self._masks, self._truths, self._progress = masks, truths, progress
        self.levels: list[float] = []
        self._before, self._after = Distortion.none(), Distortion.none()

    def images(self) -> Iterator[np.ndarray]:
        """Each image without its noise."""
        for index in range(len(self._noisy)):
            (image,) = self._noisy.read([index])
            level = self._denoiser.level_of(image) if self._level is None else self._level
            made = self._denoiser.denoise(image, level, self._mask(index, image))
            self.levels.append(level)
            self._compare(index, image, made)
            if self._progress is not None:
                self._progress(index + 1, len(self._noisy))
            yield made

    def psnr_db(self) -> tuple[float | None, float | None]:
        """Before and after, over all pixels of all images."""
        if self._truths is None:
            return None, None
        return round(self._before.psnr_db, 3), round(self._after.psnr_db, 3)

    def _mask(self, index: int, image: np.ndarray) -> np.ndarray | None:
        if self._masks is None:
            return None
        (mask,) = self._masks.read([index if len(self._masks) > 1 else 0])
        _require_size(mask, image, "mask", self._noisy.layout.item_name(index))
        return np.asarray(mask.reshape(*mask.shape[:2], -1).any(axis=2))

    def _compare(self, index: int, image: np.ndarray, made: np.ndarray) -> None:
        if self._truths is None:
            return
        (truth,) = self._truths.read([index])
        _require_size(truth, image, "clean image", self._noisy.layout.item_name(index))
        spec = self._noisy.spec
        self._before = self._before + Distortion.between(truth, image, spec)
        self._after = self._after + Distortion.between(truth, made, spec)


def _require_size(other: np.ndarray, image: np.ndarray, what: str, name: str) -> None:
    if other.shape[:2] != image.shape[:2]:
        sizes = f"{other.shape[1]}×{other.shape[0]}, the image {image.shape[1]}×{image.shape[0]}"
        raise UseError(f"The {what} of {name} must have its size; it has {sizes}.")


def _beside(other: Any, noisy: Source, what: str) -> Source | None:
    """What belongs to the noisy images, image by image."""
    if other is None:
        return None
    found = other if isinstance(other, Source) else open_source(other)
    if len(found) != len(noisy) and not (what == "masks" and len(found) == 1):
        raise UseError(f"There must be as many {what} as images, {len(noisy):,}; there are {len(found):,}.")
    return found
