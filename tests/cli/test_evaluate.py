"""`isthmus evaluate --rd`: curves for images, a sentence for all else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from terminal import TINY, Road, call

from isthmus.model import Model


@pytest.fixture
def photos(tmp_path: Path, any_size_model: Model) -> tuple[Path, Path]:
    """Images and a model of many qualities."""
    y, x = np.mgrid[:16, :20] / 8
    waves = np.stack([np.sin(x * n) * np.cos(y + n) for n in range(1, 4)])
    np.save(tmp_path / "photos.npy", np.stack([127 + 100 * waves] * 3, axis=-1).astype(np.uint8))
    any_size_model.save(tmp_path / "photos.ism")
    return tmp_path / "photos.npy", tmp_path / "photos.ism"


def test_it_shows_our_curve_and_every_rival(photos):
    source, model = photos
    done = call("evaluate", source, "-m", model, "--rd")
    assert done.exit_code == 0, done.output
    for word in ("quality", "MS-SSIM", "JPEG 4:2:0", "WebP", "ours pays from", "Qualities 1 to 100"):
        assert word in done.stdout
    figures = json.loads(call("evaluate", source, "-m", model, "--rd", "--json").stdout)
    assert figures["rates"]["qualities"][0] == 1
    assert {"JPEG", "WebP"} <= set(figures["rates"]["rivals"])


def test_without_being_asked_it_draws_none(photos):
    source, model = photos
    assert json.loads(call("evaluate", source, "-m", model, "--json").stdout)["rates"] is None


def test_tables_of_numbers_are_refused_in_a_sentence(tmp_path: Path):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32))
    model = tmp_path / "rows.ism"
    assert call("fit", tmp_path / "rows.npy", "-o", model, "-q", *TINY).exit_code == 0
    done = call("evaluate", tmp_path / "rows.npy", "-m", model, "--rd")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--rd draws curves of images; these samples are each an array of 5 values, float32." in done.stderr


def test_a_model_of_one_quality_is_refused_in_a_sentence(road: Road):
    done = call("evaluate", road.source, "-m", road.model, "--rd")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--rd needs a model with several qualities" in done.stderr
