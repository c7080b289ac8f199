"""What `compress` tells the user beside the sizes: what a model might do, and whether it still fits."""

from __future__ import annotations

import numpy as np

from isthmus.data import Source
from isthmus.model import Model

DRIFT = 1.25  # times the model's own figure on data it had not seen; chance alone gives a few percent
LEAST_SAMPLES, LEAST_BYTES = 64, 1000  # of latents; fewer say nothing


def advice(
    source: Source,
    model: Model | None,
    sample_bits: float | None,
    preview_bytes: int | None,
    lossless_bytes: int | None,
) -> tuple[str, ...]:
    """Sentences, each worth a line.

    Args:
        source: what was compressed.
        model: the one it was compressed with.
        sample_bits: bits per value of the latents on a sample, where they were tried.
        preview_bytes: of the latents of all blocks, where every block had them.
        lossless_bytes: of all payloads, where nothing was kept but the very samples.
    """
    if model is None:
        can_learn = len(source) >= LEAST_SAMPLES and len(source.spec.shape) > 0
        return (_TRAIN,) if can_learn else ()
    values = source.raw_bytes // max(1, _itemsize(source))
    told = None
    if lossless_bytes is not None and model.contexts is not None:
        told = drift(model, 8 * lossless_bytes / max(1, values), len(source), values, lossless=True)
    if told is None:
        bits = 8 * preview_bytes / max(1, values) if preview_bytes else sample_bits
        told = drift(model, bits, len(source), values)
    return () if told is None else (told,)


_TRAIN = "A model trained on data like these might make it smaller: isthmus fit SOURCE -o MODEL.ism."


def drift(
    model: Model, bits: float | None, samples: int, values: int, *, lossless: bool = False
) -> str | None:
    """A sentence, where data take far more bits than the model's own held-out data did.

    Lossless, the smallest payload counts, whoever made it: the model's contexts alone take no less.
    """
    usual = model.provenance.get("held_out", {}).get("lossless_" * lossless + "bits_per_value")
    if not usual or bits is None or samples < LEAST_SAMPLES or bits * values / 8 < LEAST_BYTES:
        return None
    if bits <= DRIFT * usual:
        return None
    what = "they take" if lossless else "its codes take"
    return (
        f"These data no longer fit the model: {what} {bits:.3g} bits per value, "
        f"{bits / usual:.1f} times the {usual:.3g} of its held-out data. "
        "isthmus fit --from MODEL.ism on newer data may help."
    )


def _itemsize(source: Source) -> int:
    return np.dtype(source.spec.dtype).itemsize
