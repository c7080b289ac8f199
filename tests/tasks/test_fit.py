"""`fit` does what it was told, says what it saw, and writes nothing by halves."""

import json

import numpy as np
import pytest

from isthmus.config import Config
from isthmus.errors import ConfigError, NoData, OutputExists, SpecMismatch, UnknownName
from isthmus.model import Model
from isthmus.tasks.fit import fit
from tiny import TINY

FAST = [*TINY, "train.steps=5"]


def test_it_says_what_it_saw_and_plans(images, tmp_path):
    told = []
    result = fit(images, tmp_path / "m.ism", settings=FAST, quiet=True, say=told.append)
    assert told[0] == "300 samples: 8×8 grey image, uint8, 19.2 kB; recipe tiny-images"
    assert told[1].startswith("plan: 5 steps")
    assert (result.samples, result.held_out, result.steps, result.stopped) == (270, 30, 5, "all steps")
    assert "30 held-out samples" in result.summary()
    assert json.loads(json.dumps(result.to_dict()))
    assert {p.name for p in result.run.iterdir()} >= {"history.csv", "history.jsonl", "config.json"}
    assert Config.from_dict(json.loads((result.run / "config.json").read_text())) == result.model.config


def test_figures_without_held_out_samples_are_not_called_held_out(images):
    result = fit(images, settings=[*FAST, "data.held_out=0.0"], quiet=True)
    assert result.held_out == 0
    assert "held-out" not in result.summary()
    assert "training samples" in result.summary()


def test_an_existing_model_is_kept_unless_forced(images, tmp_path):
    path = tmp_path / "m.ism"
    path.write_bytes(b"mine")
    with pytest.raises(OutputExists):
        fit(images, path, settings=FAST, quiet=True)
    assert path.read_bytes() == b"mine"
    fit(images, path, settings=FAST, quiet=True, force=True)
    assert Model.load(path)


def test_what_is_typed_outvotes_the_recipe(images):
    def planned(*settings, **keywords):
        return fit(images, settings=[*TINY[1:], *settings], quiet=True, **keywords).model.provenance["plan"]

    assert planned("train.epochs=2", "train.batch_size=90")["steps"] == 6
    assert planned(" train.epochs = 2", "train.batch_size=90")["steps"] == 6
    assert planned("train.steps=7", "train.epochs=2")["steps"] == 7
    assert planned("train.budget_s=0.5", "train.compile=off")["steps"] != 6000
    assert planned("train.compile=off", "contexts.share=0.2", budget_s=0.5)["budget_s"] == 0.4
    assert planned("train.compile=off", "contexts.trees=0", budget_s=0.5)["budget_s"] == 0.5


def test_going_on_from_a_model_starts_with_its_weights(images, tiny_model):
    after = fit(images, start=tiny_model, settings=["train.steps=1", "train.learning_rate=1e-9"], quiet=True)
    assert after.recipe == "as before"
    before = tiny_model.provenance["held_out"]["mse"]
    assert after.figures["mse"] == pytest.approx(before, rel=0.02)


def test_going_on_from_a_model_of_another_net_is_refused(images, tiny_model):
    with pytest.raises(ConfigError, match="must make the same net"):
        fit(images, start=tiny_model, settings=["net.latent=3"], quiet=True)
    with pytest.raises(SpecMismatch):
        fit(np.zeros((9, 5, 5), np.uint8), start=tiny_model, quiet=True)


def test_wrong_names_and_settings_are_refused_before_anything_is_made(images, tmp_path):
    out = tmp_path / "m.ism"
    with pytest.raises(UnknownName, match="Did you mean 'images'"):
        fit(images, out, recipe="imagse", quiet=True)
    with pytest.raises(ConfigError, match="Did you mean"):
        fit(images, out, settings=["train.epoch=3"], quiet=True)
    with pytest.raises(NoData):
        fit(tmp_path / "nowhere", out, quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_recipes_train_what_they_are_for():
    """Every recipe makes a working model out of a few steps."""
    from isthmus.recipes import names

    random = np.random.default_rng(0)
    data = {
        "arrays": random.normal(size=(40, 12)).astype(np.float32),
        "images": random.integers(0, 256, (10, 24, 32), dtype=np.uint8),
    }
    for name in names():
        samples = data.get(name, random.integers(0, 256, (40, 28, 28), dtype=np.uint8))
        settings = ["train.steps=2", "train.threads=1", "train.batch_size=4"]
        made = fit(samples, recipe=name, settings=settings, quiet=True).model
        size = samples.shape[1:3] if samples.ndim > 2 else None
        assert made.decoder.decode(made.quantise(samples[:3]), size).shape == samples[:3].shape
