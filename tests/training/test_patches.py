"""Patches are as large as the images are smooth, and what settings say is not touched."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.data import open_source
from isthmus.errors import ConfigError
from isthmus.recipes import load_recipe
from isthmus.training import patches
from isthmus.training.patches import Patches, _lowest, choose_patches, is_open, level_of, with_patches


def smooth(count: int) -> np.ndarray:
    """Waves many pixels long."""
    y, x = np.mgrid[:64, :64] / 32
    phases = np.random.default_rng(0).uniform(0, 6, (count, 3))
    return np.stack([np.sin(x * 2 + a) * np.cos(y * 2 + b) + np.sin(x + y + c) for a, b, c in phases])


def dots(count: int) -> np.ndarray:
    """Black with a white pixel here and there."""
    return (np.random.default_rng(0).random((count, 64, 64)) < 0.03).astype(float)


def chosen(images: np.ndarray) -> int:
    tensors = [images[:, None].astype(np.float32)]
    return choose_patches(tensors, level=level_of(tensors), steps=10, seed=0).stride


def test_smooth_images_get_larger_patches_than_dots():
    assert chosen(0.25 * smooth(24) + 0.5) >= 8
    assert chosen(dots(24)) <= 4


@pytest.mark.parametrize("best", range(5))
def test_the_lowest_of_a_valley_is_found_and_the_time_kept(best):
    ladder = [Patches(2 << place, 1) for place in range(5)]
    asked: list[int] = []

    def cost(patches: Patches) -> float:
        asked.append(ladder.index(patches))
        return abs(ladder.index(patches) - best)

    assert _lowest(ladder, cost, lambda: False) == ladder[best]
    assert len(set(asked)) == len(asked)
    assert _lowest(ladder, cost, lambda: True) == ladder[2]


def test_of_two_that_are_as_good_after_a_moment_the_larger_is_taken(monkeypatch):
    monkeypatch.setattr(patches, "_cost", lambda tensors, tried, **how: abs(tried.stride - 8) / 500)
    tensors = [np.zeros((2, 1, 64, 64), np.float32)]
    assert choose_patches(tensors, level=0.0, steps=1, seed=0).stride == 16  # 0.016 worse, 0.03 to come


def test_the_level_of_dots_on_black_is_black():
    assert level_of([dots(4).astype(np.float32)]) == 0.0


def test_the_same_images_get_the_same_patches_and_settings_are_kept():
    source = open_source((127 + 100 * dots(20)).astype(np.uint8))
    open_config = load_recipe("images").with_train(budget_s=20, steps=None)
    once, again = (with_patches(open_config, source, np.arange(20)) for _ in range(2))
    assert once == again
    assert is_open(open_config)
    assert not is_open(once)
    told = open_config.with_settings([f"net.{half}.stride=8" for half in ("encoder", "decoder")])
    made = with_patches(told, source, np.arange(20))
    assert (made.net.latent, made.net.encoder.options["stride"]) == (64, 8)


def test_arrays_are_refused_in_a_sentence():
    with pytest.raises(ConfigError, match="each sample is an array of 7 values"):
        with_patches(load_recipe("images"), open_source(np.zeros((5, 7))), np.arange(5))
