"""The artefact is fitted on the net as it is stored, and its figures are those of the artefact."""

import numpy as np
import pytest

from isthmus.data import open_source, split
from isthmus.tasks.fit import fit
from tiny import TINY


def test_the_figures_are_those_of_the_stored_model(images, tiny_model):
    _, held = split(len(images), 0.1, 0)
    samples = np.stack(open_source(images).read(held))
    symbols = tiny_model.quantise(samples)
    restored = tiny_model.decoder.decode(symbols)
    mse = np.mean((restored.astype(float) - samples) ** 2)
    figures = tiny_model.provenance["held_out"]
    assert figures["samples"] == 30
    assert figures["mse"] == pytest.approx(mse)
    assert figures["psnr_db"] == pytest.approx(10 * np.log10(255**2 / mse))
    bits = sum(t.bits(symbols[:, c].ravel()) for c, t in enumerate(tiny_model.decoder.tables))
    assert figures["bits_per_value"] == pytest.approx(bits / samples.size)


@pytest.mark.parametrize("bottleneck", ["plain", "variational"])
def test_rounding_the_code_keeps_to_the_tolerance(images, bottleneck):
    settings = [*TINY[:-1], f"bottleneck={bottleneck}", "bottleneck.tolerance=0.1"]
    model = fit(images, settings=settings, quiet=True).model
    _, held = split(len(images), 0.1, 0)
    samples = np.stack(open_source(images).read(held))
    target = model.decoder.transform.forward(samples)
    latents = model.encode(samples)

    def squared_error(z):
        return np.mean((model.decoder.reconstruct(z) - target) ** 2)

    rounded = model.decoder.quantiser.dequantise(model.decoder.quantiser.quantise(latents))
    assert squared_error(rounded) <= 1.1 * 1.001 * squared_error(latents)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((20, 8, 8), np.uint8),
        np.full((20, 5), 3.0, np.float32),
        np.zeros((1, 8, 8), np.uint8),
        np.random.default_rng(0).normal(size=(30, 4)),
        np.random.default_rng(0).integers(-5, 5, (30, 2, 3)),
        np.random.default_rng(0).integers(0, 2, (30, 7)).astype(bool),
        np.random.default_rng(0).integers(0, 65535, (12, 9, 9), np.uint16),
        np.random.default_rng(0).random((12, 9, 9, 3), np.float32),
    ],
    ids=["black", "constant", "one", "float64", "int64", "bool", "uint16", "float-image"],
)
@pytest.mark.parametrize("bottleneck", ["plain", "rate"])
def test_any_array_makes_a_model_that_can_be_saved(samples, bottleneck, tmp_path):
    from isthmus.model import Model

    settings = [*TINY[:-1], "train.steps=5", "train.batch_size=8", f"bottleneck={bottleneck}"]
    result = fit(samples, tmp_path / "m.ism", settings=settings, quiet=True)
    assert Model.load(tmp_path / "m.ism").hash == result.model.hash
    restored = result.model.decoder.decode(result.model.quantise(samples))
    assert restored.dtype == samples.dtype
    assert restored.shape == samples.shape
