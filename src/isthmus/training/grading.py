"""What a code of all qualities needs at the end of training: tables, and what an error in it is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isthmus.bottlenecks.base import Bottleneck
from isthmus.bottlenecks.quantiser import output_gain
from isthmus.coding.latents import DEFAULT_QUALITY, MAX_QUALITY, Grades, Levels, told_latents
from isthmus.coding.latents.grades import as_grid, fit_tables
from isthmus.coding.latents.thrift import worth_at
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.program import IntegerProgram
from isthmus.training.objective import Learner

BANDS = 5
"""Of qualities, each with tables of its own."""
COUNTED_AT = range(5, 100, 10)
"""Qualities at which symbols are counted, two of each band, each on one of PARTS parts of the latents."""
PARTS = 5
ANCHORS = 5
_WEIGHED, _WEIGHED_SIDE = 4, 8
"""Samples, and the side of their codes, on which it is measured what an error in the code does."""
THRIFT = 0.5
"""Bits count half: a symbol also says something to its neighbours (docs/decisions/0016)."""


def worth_of(learner: Learner, program: IntegerProgram, latents: np.ndarray) -> np.ndarray | None:
    """How many bits an error of one step is worth at a few qualities: float32 (anchors, channel).

    It is what the error adds to the distortion, over the price of a bit. None where the distortion is
    no squared error.
    """
    levels = learner.bottleneck.levels()
    if levels is None or learner.weights_of.distortion.name != "mse":
        return None
    few = latents[:_WEIGHED]
    if latents.ndim == 4:
        few = np.ascontiguousarray(few[:, :, :_WEIGHED_SIDE, :_WEIGHED_SIDE])
    spread = np.maximum(np.moveaxis(latents, 1, 0).reshape(latents.shape[1], -1).std(axis=1), 1e-3)
    run = FloatRunner(program.approximate().without_first())

    def decode(codes: np.ndarray) -> np.ndarray:
        return run.in_fixed_batches(told_latents(codes, DEFAULT_QUALITY))

    gain = output_gain(few, decode, spread)
    values = decode(few[:1]).size
    errors = gain**2 * values / max(1, few[0, 0].size)  # summed over a sample, of one symbol off by one unit
    qualities = [round(1 + (MAX_QUALITY - 1) * n / (ANCHORS - 1)) for n in range(ANCHORS)]
    rows = [
        errors * levels.steps(quality) ** 2 / (THRIFT * learner.bottleneck.price(quality))
        for quality in qualities
    ]
    return np.maximum(np.stack(rows), 1e-9).astype(np.float32)


def grades_of(
    bottleneck: Bottleneck, latents: Sequence[np.ndarray], worth: np.ndarray | None
) -> Grades | None:
    """How the code is written at every quality, counted on some latents at some of them."""
    levels, neighbours = bottleneck.levels(), bottleneck.neighbours()
    if levels is None or neighbours is None:
        return None
    scaled = [(part, quality) for quality, part in _parts(latents, levels)]
    rounded = [(np.rint(part).astype(np.int32), quality) for part, quality in scaled]
    grades = Grades(levels, neighbours, fit_tables(neighbours, rounded, BANDS))
    if worth is None:
        return grades
    chosen = [(grades.thrifty(part, quality, worth_at(worth, quality)), quality) for part, quality in scaled]
    return Grades(levels, neighbours, fit_tables(neighbours, chosen, BANDS))


def _parts(latents: Sequence[np.ndarray], levels: Levels) -> list[tuple[int, np.ndarray]]:
    """Latents in steps, each part at another quality."""
    found = []
    for number, quality in enumerate(COUNTED_AT):
        steps = levels.steps(quality)[:, None, None]
        for stack in latents:
            part = stack[number % min(PARTS, len(stack)) :: PARTS]
            found.append((quality, as_grid(part) / steps))
    return found
