"""Whether images are told in fewer bytes as rounded pixels than as latents: drawings are, photographs not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from isthmus.coding.contexts.grid import Grid
from isthmus.data import Source
from isthmus.tasks.blocks import Samples
from isthmus.tasks.choose import sample_pieces
from isthmus.tasks.forms import BlockCoder
from isthmus.tasks.parts import AUTOENCODER, CONTEXTS
from isthmus.tasks.quality import has_qualities


def rounding_pays(source: Source, job: BlockCoder, price: Callable[[str], int]) -> bool:
    """Judged on a piece of the source at the job's quality, by distortion and bytes, the model's included.

    Args:
        source: what is to be coded.
        job: of a lossy archive.
        price: the bytes that a part of the model adds to the archive, by its name.
    """
    parts, spec = job.toolbox.parts, source.spec
    planes = (1,) * len(spec.shape[:2]) + tuple(side or 0 for side in spec.shape[2:])
    if parts.contexts is None or spec.modality != "image" or not len(source):
        return False
    if not has_qualities(job.model) or not parts.contexts.accepts(np.dtype(spec.dtype), (1, *planes)):
        return False
    piece = _judged(source, job)
    share = source.raw_bytes / max(1, sum(sample.nbytes for sample in piece))
    costs = []
    for rounds, name in ((False, AUTOENCODER), (True, CONTEXTS)):
        coded = replace(job, rounds=rounds, measure=True)(piece)
        each = coded.distortion
        bits = 8 * (coded.forms[0].size + price(name) / share) / each.values
        costs.append(each.relative + _worth_of_a_bit(job.quality) * bits)
    return costs[1] < costs[0]


def _judged(source: Source, job: BlockCoder) -> Samples:
    """A piece of the source; of large images the middle, where the model takes any size."""
    piece = sample_pieces(source, whole=True)[0]
    if job.model is None or job.model.spec.is_fixed:
        return piece
    return [_middle(image) for image in piece]


def _middle(image: np.ndarray) -> np.ndarray:
    top, left = (max(0, side - _SIDE) // 2 for side in image.shape[:2])
    return image[top : top + _SIDE, left : left + _SIDE]


_SIDE = 512  # pixels: rounded ones are slow to code


def _worth_of_a_bit(quality: int) -> float:
    """Per value, in squared errors of a range of 1: what one more bit saves where steps are small.

    At a distortion of step² / 12, a bit quarters it: its slope is 2 ln 2 · step² / 12.
    """
    step = 1 / Grid.at_quality(quality, 256).intervals
    return float(2 * np.log(2) * step**2 / 12)
