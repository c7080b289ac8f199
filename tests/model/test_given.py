"""Wherever a model is taken, its path, what `fit` returned and a fitted estimator do as well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import isthmus
from isthmus.errors import UseError
from isthmus.model import Denoiser, Detector, Model, as_kind, as_model
from tiny import TINY


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory, images: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("codec") / "digits.ism"
    isthmus.fit(images, path, settings=TINY, quiet=True)
    return path


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(200, 4))


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory, table: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("detector") / "rows.ism"
    isthmus.fit_detector(table, path, steps=5)
    return path


def ways(path: Path) -> list[object]:
    return [path, str(path), as_model(path), isthmus.load(path)]


def test_archives_of_each_way_are_the_same(codec, images, tmp_path):
    made = []
    for number, model in enumerate(ways(codec)):
        archive = tmp_path / f"{number}.isz"
        isthmus.compress(images[:20], archive, model=model, embed_model=False)
        made.append(archive.read_bytes())
        assert isthmus.verify(archive, model=model, against=images[:20]).ok
        isthmus.decompress(archive, tmp_path / f"{number}", model=model)
    assert len(set(made)) == 1


def test_features_and_figures_of_each_way_are_the_same(codec, images):
    features = [isthmus.embed(images[:20], model).latents for model in ways(codec)]
    assert all((each == features[0]).all() for each in features)
    sizes = [isthmus.evaluate(images[:20], model, peers=False).archive_bytes for model in ways(codec)]
    assert len(set(sizes)) == 1


def test_scores_of_each_way_are_the_same(detector, table):
    scores = [isthmus.detect(table, model).scores for model in ways(detector)]
    assert all((each == scores[0]).all() for each in scores)


def test_results_and_estimators_hold_their_model(table):
    fitted = isthmus.fit_detector(table, steps=5)
    assert as_model(fitted) is fitted.detector
    assert isinstance(as_model(isthmus.OutlierDetector(steps=5).fit(table)), Detector)


def test_another_kind_of_model_is_refused_by_name(codec, detector, table):
    with pytest.raises(
        UseError, match=r"needs a model that is a detector; got a codec\. Make one: isthmus fit"
    ):
        isthmus.detect(table, codec)
    with pytest.raises(UseError, match="a model that is a codec; got a detector"):
        isthmus.embed(table, detector)
    with pytest.raises(UseError, match="got None"):
        as_kind(None, Denoiser)
    with pytest.raises(UseError, match="got ndarray"):
        as_kind(table, Model)
