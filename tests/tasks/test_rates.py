"""Curves of a model and its rivals on one's own images: which images, which rivals, and what is said."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from isthmus.data import open_source
from isthmus.errors import UseError
from isthmus.tasks import image_codecs
from isthmus.tasks.evaluate import evaluate
from isthmus.tasks.rates import measure_rates
from isthmus.tasks.trials import QUALITIES, our_points, rival_codecs


def waves(count: int, height: int = 16, width: int = 24) -> np.ndarray:
    """Smooth RGB pictures."""
    random = np.random.default_rng(3)
    y, x = np.mgrid[:height, :width] / 8
    waves = [np.sin(x * a + b) * np.cos(y * c) for a, b, c in random.uniform(0.2, 2, (count, 3))]
    return (127 + 100 * np.stack([waves] * 3, axis=-1)).astype(np.uint8)


@pytest.fixture(scope="module")
def rates(any_size_model):
    return measure_rates(open_source(waves(6)), any_size_model)


def test_every_installed_coder_is_measured_at_all_its_qualities(rates):
    codecs = image_codecs.image_codecs(grey=False)
    coders = [coder.curve for rival in rates.rivals for coder in rival.coders]
    assert [coder.name for coder in coders] == [codec.name for codec in codecs]
    assert [len(coder.points) for coder in coders] == [len(codec.qualities) for codec in codecs]
    assert rates.ours.qualities == QUALITIES
    assert (rates.samples, rates.of_samples, rates.pixels) == (6, 6, 6 * 16 * 24)


def test_the_result_says_it_in_two_lines_and_all_in_json(rates):
    lines = rates.summary().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Qualities 1 to 100, on 6 images: ")
    told = json.loads(json.dumps(rates.to_dict()))
    for rival in rates.rivals:
        assert rival.name in lines[1]
        assert told["rivals"][rival.name]["bd_rate_psnr"] == rival.best.bd_psnr
    assert [point[0] for point in told["ours"]] == [point.bytes for point in rates.ours.points]
    assert told["model_bytes"] == rates.ours.model_bytes


def test_evaluate_measures_them_where_it_is_asked_to(any_size_model, monkeypatch, rates):
    monkeypatch.setattr("isthmus.tasks.rates.measure_rates", lambda source, model: rates)
    assert evaluate(waves(2), any_size_model, peers=False).rates is None
    result = evaluate(waves(2), any_size_model, peers=False, rd=True)
    assert result.summary().endswith(rates.summary())
    assert result.to_dict()["rates"] == rates.to_dict()


def test_of_many_images_some_stand_for_all(any_size_model):
    source = open_source(waves(20))
    some = measure_rates(source, any_size_model, values=5 * 16 * 24 * 3, thorough=False)
    assert (some.samples, some.of_samples) == (5, 20)
    assert "on 5 images, evenly spaced among 20" in some.summary()
    assert some.ours == our_points(open_source(waves(20)[::4]), any_size_model)
    assert len(some.rivals[0].coders[0].curve.points) == 5


def test_of_large_images_the_middle_stands_for_all(any_size_model):
    some = measure_rates(open_source(waves(3, 40, 64)), any_size_model, values=4 * 3 * 32**2, thorough=False)
    assert (some.samples, some.cut_side, some.pixels) == (3, 32, 3 * 32 * 32)
    assert "the middle 32×32 of large ones" in some.summary()


def test_what_is_missing_is_named_with_what_to_install(any_size_model, monkeypatch):
    monkeypatch.setattr(image_codecs, "find_spec", lambda name: None)
    some = measure_rates(open_source(waves(2)), any_size_model, thorough=False)
    assert some.missing == ("JPEG XL",)
    assert "Missing: JPEG XL (pip install 'isthmus[images]')." in some.summary()


def test_images_that_others_do_not_take_have_our_curve_alone(any_size_model, monkeypatch):
    spec = open_source(waves(2)).spec
    assert rival_codecs(replace(spec, dtype="uint16")) == ()
    assert rival_codecs(replace(spec, shape=(16, 24, 4))) == ()
    monkeypatch.setattr("isthmus.tasks.rates.rival_codecs", lambda spec: ())
    alone = measure_rates(open_source(waves(2)), any_size_model)
    assert (alone.rivals, alone.missing) == ((), ())
    assert alone.summary().endswith("grey and RGB images of 8 bits alone.")


def test_what_has_no_curve_is_refused(tiny_model, images):
    with pytest.raises(UseError, match="several qualities"):
        evaluate(images[:4], tiny_model, rd=True)
    with pytest.raises(UseError, match="curves of images"):
        measure_rates(open_source(np.ones((9, 4), np.float32)), tiny_model)
