"""Features are the model's latents, one row a sample, in order."""

import csv

import numpy as np
import pytest

from isthmus.errors import OutputExists, SpecMismatch, UseError
from isthmus.tasks.features import embed


def test_features_are_the_latents(tiny_model, images):
    result = embed(images, tiny_model)
    assert result.latents.dtype == np.float32
    assert np.array_equal(result.latents, tiny_model.encode(images))
    assert (result.samples, result.features) == (300, 6)


def test_both_files_hold_the_same_numbers(tiny_model, images, tmp_path):
    latents = embed(images, tiny_model, tmp_path / "z.npy").latents
    embed(images, tiny_model, tmp_path / "z.csv")
    assert np.array_equal(np.load(tmp_path / "z.npy"), latents)
    with (tmp_path / "z.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["row", *(f"feature_{i}" for i in range(6))]
    assert [int(line[0]) for line in lines] == list(range(300))
    assert np.array_equal(np.array(lines, dtype=object)[:, 1:].astype(np.float32), latents)


def test_images_of_mixed_sizes_are_pooled_in_order(any_size_model, tmp_path):
    from PIL import Image

    random = np.random.default_rng(0)
    pixels = [random.integers(0, 256, (*s, 3), dtype=np.uint8) for s in [(9, 9), (16, 8), (9, 9), (8, 16)]]
    for name, image in zip("abcd", pixels, strict=True):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    latents = embed(tmp_path, any_size_model).latents
    for row, image in zip(latents, pixels, strict=True):
        np.testing.assert_allclose(
            row, any_size_model.encode(image[None])[0].mean(axis=(1, 2)), rtol=1e-5, atol=1e-6
        )


def test_a_spatial_code_is_flattened_unless_pooled(any_size_model):
    samples = np.zeros((4, 8, 12, 3), np.uint8)
    assert embed(samples, any_size_model).latents.shape == (4, 3 * 2 * 3)
    assert embed(samples, any_size_model, pool=True).latents.shape == (4, 3)


def test_wrong_outputs_are_refused_first(tiny_model, images, tmp_path):
    with pytest.raises(UseError, match=r"\.npy or \.csv"):
        embed(images, tiny_model, tmp_path / "z.txt")
    (tmp_path / "z.npy").write_bytes(b"mine")
    with pytest.raises(OutputExists):
        embed(images, tiny_model, tmp_path / "z.npy")
    with pytest.raises(SpecMismatch):
        embed(np.zeros((2, 5, 5), np.uint8), tiny_model)
