"""Trained weights → the artefact: integers for the decoder, steps and tables for the code.

Fitted last, on the net as it will be stored, so that the figures in the model are those of the
model and not of the run.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from isthmus.bottlenecks import Quantiser
from isthmus.bottlenecks.quantiser import by_channel, choose_quantiser
from isthmus.coding import coder
from isthmus.coding.tables import Table
from isthmus.config import Config
from isthmus.data.distortion import Distortion
from isthmus.data.grouping import by_shape, some
from isthmus.data.source import Source
from isthmus.data.transforms import Transform
from isthmus.model import Decoder, Model
from isthmus.model.weights import to_integers
from isthmus.nets.runtime import BOTTLENECK, DECODER, ENCODER, DecoderRuntime, EncoderRuntime, under
from isthmus.spec import DataSpec
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
    spec = transform.spec
    net = config.net if config.net.output != "auto" else replace(config.net, output=learner.net.link)
    arrays = {name: t.detach().float().cpu().numpy() for name, t in learner.state_dict().items()}
    stored = {n: to_integers(w, bits=net.weight_bits) for n, w in under(DECODER, arrays).items()}
    encoder = {n: w for n, w in arrays.items() if n.startswith((ENCODER, BOTTLENECK))}
    encode = EncoderRuntime(spec, config, encoder)
    decode = DecoderRuntime(spec, net, {name: w.to_float() for name, w in stored.items()})

    counted = some(fitted_on, source, values=_COUNTED)
    judged = some(held_out, source, values=_JUDGED) or counted[:_FEW]
    kind = "held-out" if len(held_out) else "training"
    quantiser = _quantiser(learner, config, encode, decode, _tensors(source, judged, transform))
    table_latents = (encode(batch) for batch in _tensors(source, counted, transform))
    symbols = [quantiser.quantise(latents) for latents in table_latents]
    decoder = Decoder(
        transform=transform,
        net=net,
        code=learner.net.code_shape,
        stride=learner.net.stride,
        quantiser=quantiser,
        tables=tuple(Table.fit(values) for values in by_channel(symbols)),
        weights=stored,
    )
    model = Model(decoder=decoder, encoder=encoder, config=config)
    figures = held_out_figures(model, [samples for _, samples in by_shape(source, judged)])
    return Model(
        decoder=decoder,
        encoder=encoder,
        config=config,
        provenance={**provenance, "held_out": {"samples": len(judged), "kind": kind, **figures}},
        golden=golden_vector(decoder, symbols[0][:1]),
    )


_COUNTED = 20_000_000  # values of the samples that the tables are counted from
_JUDGED = 4_000_000  # … and that the model is judged by
_FEW = 200


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


def golden_vector(decoder: Decoder, symbols: np.ndarray) -> dict[str, Any]:
    """One sample's symbols and what the entropy coder makes of them: a self-test for later machines."""
    groups = list(zip(by_channel([symbols]), decoder.tables, strict=True))
    return {
        "shape": list(symbols.shape),
        "symbols_crc32": zlib.crc32(symbols.astype("<i4").tobytes()),
        "stream": coder.encode(groups).hex(),
    }


def _quantiser(
    learner: Learner,
    config: Config,
    encode: EncoderRuntime,
    decode: DecoderRuntime,
    batches: Iterable[np.ndarray],
) -> Quantiser:
    learned = learner.bottleneck.quantiser()
    if learned is not None:
        return learned
    target = next(iter(batches))[:_CALIBRATED]
    size = tuple(target.shape[2:]) if target.ndim == 4 else None
    tolerance = config.bottleneck.options.get("tolerance", 0.05)
    return choose_quantiser(encode(target), lambda z: decode(z, size), tolerance=tolerance, target=target)


_CALIBRATED = 256


def _tensors(source: Source, indices: Sequence[int], transform: Transform) -> Iterator[np.ndarray]:
    return (transform.forward(samples) for _, samples in by_shape(source, indices))
