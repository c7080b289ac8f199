"""Trained weights → the artefact: integers for the decoder, steps and tables for the code.

Fitted last, on the net as it will be stored, so that the figures in the model are those of the
model and not of the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from isthmus.bottlenecks.quantiser import Quantiser, by_channel
from isthmus.coding.latents import DEFAULT_QUALITY, TOLD_OFFSET, TOLD_STEP, Levels, told_latents
from isthmus.coding.latents.grades import as_grid
from isthmus.coding.tables import Table
from isthmus.config import Config
from isthmus.data.distortion import Distortion
from isthmus.data.grouping import by_shape, some
from isthmus.data.source import Source
from isthmus.data.transforms import Transform
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.program import IntegerProgram, Program
from isthmus.model import Decoder, Model
from isthmus.model.artefact import WORTH
from isthmus.nets.lowering import BOTTLENECK, ENCODER, encoder_ops
from isthmus.spec import DataSpec
from isthmus.training.draft import Draft, Pairs
from isthmus.training.grading import grades_of, worth_of
from isthmus.training.objective import Learner
from isthmus.training.refining import refine


def to_model(
    learner: Learner,
    *,
    config: Config,
    transform: Transform,
    source: Source,
    fitted_on: Sequence[int] | np.ndarray,
    held_out: Sequence[int] | np.ndarray,
    provenance: Mapping[str, Any],
    refining_steps: int = 0,
) -> Model:
    """Round the decoder, choose the quantiser, count the tables, measure on held-out samples.

    Args:
        learner: holding the weights to keep.
        config: of the run.
        transform: samples → tensors.
        source: the data.
        fitted_on: training samples, from which the tables are counted; some of them are enough.
        held_out: samples the figures are measured on; `fitted_on` is used where there are none.
        provenance: kept in the model, with the figures added.
        refining_steps: that contexts go on learning.
    """
    draft = Draft.of(learner, config)
    counted = some(fitted_on, source, values=_COUNTED)
    judged = some(held_out, source, values=_JUDGED) or counted[:_FEW]
    ops = encoder_ops(learner.net, learner.bottleneck)
    tensors = _arrays(learner, ENCODER)
    encode = FloatRunner(Program(transform.spec.tensor_shape, ops, tensors)).in_fixed_batches

    def coded(indices: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(encode(batch), batch) for batch in _tensors(source, indices, transform)]

    steps = learner.bottleneck.quantiser()
    if steps is None:
        steps = draft.choose_quantiser(*coded(judged[:_CALIBRATED])[0], config)
    few = counted[:: max(1, len(counted) // _CALIBRATED)]
    levels = learner.bottleneck.levels()
    if levels is None:
        program = draft.in_integers(steps, [(steps.quantise(z), batch) for z, batch in coded(few)])
    else:
        program = _graded(draft, levels, coded(few))
    latents = [encode(batch) for batch in _tensors(source, counted, transform)]
    plain = Decoder(
        transform=transform,
        program=program,
        stride=learner.net.stride,
        tables=tuple(Table.fit(values) for values in by_channel([steps.quantise(z) for z in latents])),
    )
    refine(learner.bottleneck, latents, steps=refining_steps, seed=config.train.seed)
    encoder = {**tensors, **_arrays(learner, BOTTLENECK)}
    worth = None if levels is None else worth_of(learner, program, latents[0])
    decoder = replace(plain, grades=grades_of(learner.bottleneck, latents, worth))
    if worth is not None:
        encoder[WORTH] = worth
    model = Model(decoder=decoder, encoder=encoder, encode_ops=ops, config=config)
    figures = held_out_figures(model, [samples for _, samples in by_shape(source, judged)])
    kind = "held-out" if len(held_out) else "training"
    measured = {"samples": len(judged), "kind": kind, **figures}
    return replace(model, provenance={**provenance, "held_out": measured})


def _graded(draft: Draft, levels: Levels, pairs: Pairs) -> IntegerProgram:
    """The decoder of a code of all qualities, in integers that do justice to a fine one."""

    def rounding(quality: int) -> Quantiser:
        steps = np.append(levels.steps(quality), TOLD_STEP)
        return Quantiser(steps, np.append(np.zeros(len(steps) - 1, np.float32), TOLD_OFFSET))

    fine = rounding(_FINE)
    symbols = [(fine.quantise(told_latents(z, _FINE)), batch) for z, batch in pairs]
    return replace(draft.in_integers(fine, symbols), step=rounding(DEFAULT_QUALITY).step)


_FINE = 75  # the quality that the integers of the net must do justice to
_COUNTED = 20_000_000  # values of the samples that the tables are counted from
_JUDGED = 4_000_000  # … and that the model is judged by
_FEW = 200
_CALIBRATED = 256  # samples that the scales of the integers are chosen on


def _arrays(learner: Learner, prefix: str) -> dict[str, np.ndarray]:
    """Weights by name, float32."""
    found = {name: t for name, t in learner.state_dict().items() if name.startswith(prefix)}
    return {name: t.detach().float().cpu().numpy() for name, t in found.items()}


def held_out_figures(model: Model, batches: Sequence[np.ndarray]) -> dict[str, float]:
    """Mean squared error in the samples' own unit, PSNR in dB, and coded bits per value."""
    distortion, bits = Distortion.none(), 0.0
    for samples in batches:
        symbols = model.symbols(samples, DEFAULT_QUALITY)
        grades = model.decoder.grades
        restored = model.decoder.decode(symbols, image_size(model.spec, samples))
        distortion = distortion + Distortion.between(samples, restored, model.spec)
        if grades is None:
            columns = zip(model.decoder.tables, by_channel([symbols]), strict=True)
            bits += sum(table.bits(column) for table, column in columns)
        else:
            bits += 8 * len(grades.encode([as_grid(symbols)], DEFAULT_QUALITY))
    return {
        "mse": distortion.mse,
        "psnr_db": distortion.psnr_db,
        "bits_per_value": bits / max(1, distortion.values),
    }


def image_size(spec: DataSpec, samples: np.ndarray) -> tuple[int, ...] | None:
    """Height and width to crop a decoded image to; None for what is no image."""
    return tuple(samples.shape[1:3]) if spec.modality == "image" else None


def _tensors(source: Source, indices: Sequence[int], transform: Transform) -> Iterator[np.ndarray]:
    return (transform.forward(samples) for _, samples in by_shape(source, indices))
