"""Drawings are told as rounded pixels, photographs as latents, and both keep what a quality promises."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from isthmus.model import Model
from isthmus.tasks import rounding
from isthmus.tasks.compress import compress, restore
from isthmus.tasks.fit import fit
from isthmus.tasks.parts import AUTOENCODER, ROUNDED

LITTLE = (
    *("net.decoder.channels=8", "net.decoder.blocks=1", "train.steps=30", "train.threads=1"),
    *("contexts.trees=6", "contexts.share=0.5", "net.encoder.stride=4", "net.decoder.stride=4"),
)


def drawings(count: int, seed: int = 0) -> np.ndarray:
    """White bars with grey edges on black."""
    random = np.random.default_rng(seed)
    images = np.zeros((count, 24, 24), np.uint8)
    for image, top, left in zip(images, *random.integers(2, 12, (2, count)), strict=True):
        image[top : top + 8, left : left + 3] = 255
        image[top : top + 8, left + 3] = random.integers(30, 220, 8)
    return images


def waves(count: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:24, :24] / 8
    made = [np.sin(x * a + b) * np.cos(y * c) for a, b, c in random.uniform(0.2, 2, (count, 3))]
    return (127 + 100 * np.stack(made)).astype(np.uint8)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Model]:
    found = {}
    for name, images in (("drawings", drawings(120)), ("waves", waves(120))):
        path = tmp_path_factory.mktemp(name) / "m.ism"
        fit(images, path, settings=LITTLE, quiet=True)
        found[name] = Model.load(path)
    return found


def made(images: np.ndarray, model: Model, **options):
    file = BytesIO()
    result = compress(images, file, model=model, mode="lossy", **options)
    return result, restore(file.getvalue(), model=model)


@pytest.mark.parametrize(("name", "coder"), [("drawings", ROUNDED), ("waves", AUTOENCODER)])
def test_each_kind_is_told_by_what_suits_it(models, name, coder):
    images = {"drawings": drawings, "waves": waves}[name](24, seed=1)
    result, _ = made(images, models[name], quality=40, embed_model=False)
    assert list(result.winners) == [coder]


def test_rounded_archives_keep_wishes(models):
    images = drawings(24, seed=2)
    errors, sizes = [], []
    for quality in (1, 50, 100):
        result, restored = made(images, models["drawings"], quality=quality)
        errors.append(np.abs(restored.astype(int) - images).max())
        sizes.append(result.payload_bytes)
    assert errors == sorted(errors, reverse=True)
    assert sizes == sorted(sizes)
    assert errors[-1] <= 1
    result, restored = made(images, models["drawings"], target_psnr=40.0)
    assert 10 * np.log10(255**2 / np.mean((restored.astype(float) - images) ** 2)) >= 40
    least, _, most = sizes
    middle = (least + most) // 2 + result.model_bytes + 1000
    assert made(images, models["drawings"], max_bytes=middle)[0].archive_bytes <= middle


def test_low_effort_leaves_rounding_out(models):
    result, _ = made(drawings(24, seed=3), models["drawings"], quality=40, effort=1)
    assert list(result.winners) == [AUTOENCODER]


def test_large_images_are_judged_by_their_middle(models, monkeypatch):
    monkeypatch.setattr(rounding, "_SIDE", 48)
    tiles = [np.block([[tile] * 8] * 8)[None] for tile in (drawings(1)[0], waves(1)[0])]
    for at, coder in enumerate([ROUNDED, AUTOENCODER]):
        image = tiles[1 - at].copy()
        image[:, 72:120, 72:120] = tiles[at][:, 72:120, 72:120]
        result, _ = made(image, models["drawings"], quality=40, embed_model=False)
        assert list(result.winners) == [coder]


@pytest.mark.parametrize(("first", "coder"), [(1, AUTOENCODER), (5, ROUNDED)])
def test_what_is_appended_is_told_as_the_rest_is(models, tmp_path, first, coder):
    images, path = drawings(24, seed=4), tmp_path / "a.isz"
    before = compress(images, path, model=models["drawings"], mode="lossy", quality=40, effort=first)
    after = compress(images, path, model=models["drawings"], append=True, quality=40, effort=6 - first)
    assert list(before.winners) == list(after.winners) == [coder]
    assert restore(path).shape == (48, 24, 24)
