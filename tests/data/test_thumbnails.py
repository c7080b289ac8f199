"""A picture keeps its thumbnail when it is resized, brightened or recompressed; others have another."""

import io

import numpy as np
import pytest
from PIL import Image

from isthmus.data import thumbnails
from isthmus.data.thumbnails import FIGURES, difference_hash, figures, grey, near_pairs, scaled, thumbnail


def textures(count: int, side: int = 64, seed: int = 0) -> np.ndarray:
    """uint8 (count, side, side, 3): clouds of their own, with a little grain."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        coarse = random.uniform(40, 210, (6, 6, 3)).astype(np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC), float)
        made.append(np.clip(smooth + random.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8))
    return np.stack(made)


def seen(images) -> tuple[np.ndarray, np.ndarray]:
    light = [grey(scaled(image, 0, 255)) for image in images]
    return np.array([difference_hash(each) for each in light], np.uint64), np.stack(
        [thumbnail(each) for each in light]
    )


def compressed(image: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=70)
    return np.asarray(Image.open(file))


CHANGES = {
    "smaller": lambda image: np.asarray(Image.fromarray(image).resize((40, 40))),
    "larger": lambda image: np.asarray(Image.fromarray(image).resize((90, 100))),
    "recompressed": compressed,
    "brighter": lambda image: np.clip(image * 1.05 + 4, 0, 255).astype(np.uint8),
    "cropped": lambda image: image[1:, :-1],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_picture_is_found_and_no_other(change: str):
    images = list(textures(40))
    hashes, small = seen([*images, CHANGES[change](images[7])])
    found = near_pairs(hashes, small)
    assert {later: earlier for later, (earlier, _) in found.items()} == {40: 7}
    assert found[40][1] > 0.97


def test_copies_are_found_where_there_is_nothing_else():
    image = textures(1)[0]
    hashes, small = seen([CHANGES["smaller"](image), image, CHANGES["larger"](image)])
    assert set(near_pairs(hashes, small)) == {1, 2}


def test_flat_pictures_are_like_none():
    hashes, small = seen([np.full((20, 20), level, np.uint8) for level in (0, 1, 100, 255)])
    assert near_pairs(hashes, small) == {}
    assert near_pairs(hashes[:0], small[:0]) == {}


def test_large_groups_are_compared_in_parts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(thumbnails, "MOST_TOGETHER", 4)
    images = list(textures(12))
    hashes, small = seen([*images, CHANGES["smaller"](images[3])])
    assert near_pairs(hashes, small)[12][0] == 3


def test_a_thumbnail_holds_means_whatever_the_size():
    values = np.random.default_rng(0).random((35, 50)).astype(np.float32)
    for rows, columns in [(1, 1), (5, 10), (7, 9), (60, 60)]:
        small = thumbnail(values, rows, columns)
        assert small.shape == (rows, columns)
        assert small.mean() == pytest.approx(values.mean(), abs=1e-5)
    assert thumbnail(values, 5, 10)[0, 0] == pytest.approx(values[:7, :5].mean(), abs=1e-6)


def test_figures_say_what_a_picture_is_like():
    def told(image):
        light = scaled(image, 0, 255)
        return dict(zip(FIGURES, figures(light, grey(light)), strict=True))

    black = told(np.zeros((10, 20, 3), np.uint8))
    assert (black["width"], black["height"], black["log aspect"]) == (20, 10, 1)
    assert (black["black"], black["white"], black["contrast"], black["sharpness"]) == (100, 0, 0, 0)
    red = told(np.full((4, 4, 4), (255, 0, 0, 9), np.uint8))
    assert red["saturation"] == pytest.approx(100)
    assert red["brightness"] == pytest.approx(29.9, abs=0.1)
    every = told(np.arange(256, dtype=np.uint8).reshape(16, 16))
    assert every["entropy"] == pytest.approx(8, abs=0.1)
    assert every["top left"] < every["middle centre"] < every["bottom right"]
    noise = told(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))
    assert noise["sharpness"] > 3 > told(textures(1)[0])["sharpness"]
    assert all(np.isfinite(list(told(np.full((1, 1), 7, np.uint8)).values())))
