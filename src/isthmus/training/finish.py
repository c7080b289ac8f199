"""Trained weights → the artefact: integers for the decoder, steps and tables for the code.

Fitted last, on the net as it will be stored, so that the figures in the model are those of the
model and not of the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from isthmus.bottlenecks.quantiser import by_channel
from isthmus.coding.tables import Table
from isthmus.config import Config
from isthmus.data.distortion import Distortion
from isthmus.data.grouping import by_shape, some
from isthmus.data.source import Source
from isthmus.data.transforms import Transform
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.program import Program
from isthmus.model import Decoder, Model
from isthmus.nets.lowering import BOTTLENECK, ENCODER, encoder_ops
from isthmus.spec import DataSpec
from isthmus.training.draft import Draft
from isthmus.training.objective import Learner


def to_model(
    learner: Learner,
    *,
    config: Config,
    transform: Transform,
    source: Source,
    fitted_on: Sequence[int] | np.ndarray,
    held_out: Sequence[int] | np.ndarray,
    provenance: Mapping[str, Any],
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
    """
    arrays = {name: t.detach().float().cpu().numpy() for name, t in learner.state_dict().items()}
    encoder = {name: array for name, array in arrays.items() if name.startswith((ENCODER, BOTTLENECK))}
    draft = Draft.of(learner, config)
    counted = some(fitted_on, source, values=_COUNTED)
    judged = some(held_out, source, values=_JUDGED) or counted[:_FEW]
    ops = encoder_ops(learner.net, learner.bottleneck)
    tensors = {name: array for name, array in encoder.items() if name.startswith(ENCODER)}
    encode = FloatRunner(Program(transform.spec.tensor_shape, ops, tensors)).in_fixed_batches

    def coded(indices: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(encode(batch), batch) for batch in _tensors(source, indices, transform)]

    steps = learner.bottleneck.quantiser()
    if steps is None:
        steps = draft.choose_quantiser(*coded(judged[:_CALIBRATED])[0], config)
    few = counted[:: max(1, len(counted) // _CALIBRATED)]
    program = draft.in_integers(steps, [(steps.quantise(z), batch) for z, batch in coded(few)])
    latents = (encode(batch) for batch in _tensors(source, counted, transform))
    symbols = [steps.quantise(batch) for batch in latents]
    tables = tuple(Table.fit(values) for values in by_channel(symbols))
    decoder = Decoder(transform=transform, program=program, stride=learner.net.stride, tables=tables)
    model = Model(decoder=decoder, encoder=encoder, encode_ops=ops, config=config)
    figures = held_out_figures(model, [samples for _, samples in by_shape(source, judged)])
    kind = "held-out" if len(held_out) else "training"
    measured = {"samples": len(judged), "kind": kind, **figures}
    return replace(model, provenance={**provenance, "held_out": measured})


_COUNTED = 20_000_000  # values of the samples that the tables are counted from
_JUDGED = 4_000_000  # … and that the model is judged by
_FEW = 200
_CALIBRATED = 256  # samples that the scales of the integers are chosen on


def held_out_figures(model: Model, batches: Sequence[np.ndarray]) -> dict[str, float]:
    """Mean squared error in the samples' own unit, PSNR in dB, and coded bits per value."""
    distortion, bits = Distortion.none(), 0.0
    for samples in batches:
        symbols = model.quantise(samples)
        restored = model.decoder.decode(symbols, image_size(model.spec, samples))
        distortion = distortion + Distortion.between(samples, restored, model.spec)
        columns = zip(model.decoder.tables, by_channel([symbols]), strict=True)
        bits += sum(table.bits(column) for table, column in columns)
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
