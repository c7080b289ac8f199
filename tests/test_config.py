"""Settings keep their meaning whichever way they are written, and a slip is named."""

import ast
import inspect
import json
import tomllib
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus import config as module
from isthmus.config import (
    Config,
    DataConfig,
    LossConfig,
    NetConfig,
    PartConfig,
    TrainConfig,
    describe_defaults,
)
from isthmus.errors import ConfigError, UnknownName
from isthmus.recipes import load_recipe, names, recipe_for
from isthmus.spec import DataSpec

word = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8).filter(
    lambda w: w not in ("none", "name")
)
option = (
    st.integers(-1000, 1000)
    | st.floats(-1e6, 1e6)
    | st.booleans()
    | word
    | st.lists(st.integers(1, 99), max_size=3)
)
parts = st.builds(PartConfig, word, st.dictionaries(word, option, max_size=3))
positive = st.floats(1e-9, 1e9)


@st.composite
def configs(draw) -> Config:
    return Config(
        data=DataConfig(
            transform=draw(parts),
            held_out=draw(st.floats(0, 0.99)),
            crop=draw(st.none() | st.integers(8, 512)),
            flip=draw(st.booleans()),
            corruption=draw(parts),
        ),
        net=NetConfig(
            latent=draw(st.integers(1, 999)),
            encoder=draw(parts),
            decoder=draw(parts),
            output=draw(st.sampled_from(module.OUTPUTS)),
            weight_bits=draw(st.integers(4, 16)),
        ),
        bottleneck=draw(parts),
        loss=LossConfig(
            distortion=draw(parts), code_kl=draw(st.floats(0, 9)), code_target=draw(st.floats(0.01, 0.99))
        ),
        train=TrainConfig(
            steps=draw(st.none() | st.integers(1, 10**9)),
            budget_s=draw(st.none() | positive),
            learning_rate=draw(positive),
            optimiser=draw(st.sampled_from(module.OPTIMISERS)),
            schedule=draw(st.sampled_from(module.SCHEDULES)),
            clip_norm=draw(st.none() | positive),
            ema_decay=draw(st.none() | st.floats(0.01, 0.999)),
            seed=draw(st.integers(0, 2**32 - 1)),
        ),
    )


def as_toml(values: dict, path: str = "") -> str:
    """A recipe file; TOML has no null, so none is a word."""
    lines, tables = [], []
    for key, value in values.items():
        if isinstance(value, dict):
            tables.append(f"[{path}{key}]\n{as_toml(value, f'{path}{key}.')}")
        else:
            lines.append(f"{key} = {json.dumps('none' if value is None else value)}")
    return "\n".join([*lines, *tables])


@given(configs())
def test_a_config_comes_back_from_a_dict_from_json_and_from_toml(config):
    values = config.to_dict()
    assert Config.from_dict(values) == config
    assert Config.from_dict(json.loads(json.dumps(values))) == config
    assert Config.from_toml(as_toml(values)) == config


@given(configs())
def test_to_dict_shares_nothing_with_the_config(config):
    before = config.to_dict()
    config.with_settings(["net.latent=7", "net.encoder.hidden=[3]", "bottleneck=plain"])
    assert config.to_dict() == before


def test_defaults_are_described_as_a_recipe_would_write_them():
    assert describe_defaults() == Config().to_dict()
    assert Config.from_dict(describe_defaults()) == Config()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"train": {"epohcs": 3}}, r"train\.epohcs is no setting\. Did you mean train\.epochs\?"),
        ({"trian": {}}, r"trian is no setting\. Did you mean train\?"),
        ({"zzz": 1}, r"zzz is no setting\. Known: data, net"),
        ({"train": 3}, "train must be a table of keys; got 3"),
        ({"train": {"epochs": "many"}}, r"train\.epochs must be of type int; got 'many'"),
        ({"train": {"epochs": 2.5}}, r"train\.epochs must be of type int"),
        ({"train": {"epochs": True}}, r"train\.epochs must be of type int"),
        ({"data": {"flip": 1}}, r"data\.flip must be of type bool"),
        ({"net": {"encoder": {"hidden": [3]}}}, r"net\.encoder must be a name, or a table with one"),
        ({"train": {"epochs": 0}}, r"train\.epochs must be at least 1; got 0"),
        ({"train": {"learning_rate": float("nan")}}, "learning_rate must be above 0"),
        ({"train": {"optimiser": "adamv"}}, r"train\.optimiser must be one of .*; got 'adamv'"),
        ({"train": {"schedule": "cosin"}}, r"train\.schedule must be one of"),
        ({"train": {"device": "gpu"}}, r"train\.device must be one of"),
        ({"train": {"seed": -1}}, r"train\.seed must be"),
        ({"train": {"checkpoint_every_s": -1.0}}, r"train\.checkpoint_every_s must be"),
        ({"data": {"memory_limit_mb": -1}}, r"data\.memory_limit_mb must be"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_must_be(values, message):
    with pytest.raises(ConfigError, match=message):
        Config.from_dict(values)


@pytest.mark.parametrize(
    ("setting", "get", "value"),
    [
        ("train.epochs=5", lambda c: c.train.epochs, 5),
        (" train.epochs = 5 ", lambda c: c.train.epochs, 5),
        ("train.learning_rate=1", lambda c: c.train.learning_rate, 1.0),
        ("train.learning_rate=1e-2", lambda c: c.train.learning_rate, 0.01),
        ("train.clip_norm=none", lambda c: c.train.clip_norm, None),
        ("train.schedule=one-cycle", lambda c: c.train.schedule, "one-cycle"),
        ("data.flip=true", lambda c: c.data.flip, True),
        ("net.encoder.hidden=[64, 32]", lambda c: c.net.encoder, PartConfig("mlp", {"hidden": [64, 32]})),
        ("net.encoder=conv", lambda c: c.net.encoder, PartConfig("conv")),
        ('net.encoder="conv"', lambda c: c.net.encoder, PartConfig("conv")),
        (
            'net.encoder={name="conv", channels=[8]}',
            lambda c: c.net.encoder,
            PartConfig("conv", {"channels": [8]}),
        ),
        ("bottleneck.noise=0.5", lambda c: c.bottleneck, PartConfig("plain", {"noise": 0.5})),
    ],
)
def test_set_understands_types(setting, get, value):
    got = get(Config().with_settings([setting]))
    assert got == value
    assert type(got) is type(value)


def test_a_new_part_forgets_the_options_of_the_old_one():
    config = Config().with_settings(["net.encoder.hidden=[9]", "net.encoder=conv"])
    assert config.net.encoder == PartConfig("conv")
    config = Config().with_settings(
        ["net.encoder.hidden=[9]", "net.encoder=conv", "net.encoder.channels=[4]"]
    )
    assert config.net.encoder == PartConfig("conv", {"channels": [4]})


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train.epochs", "--set must be KEY=VALUE"),
        ("=5", "--set must be KEY=VALUE"),
        ("train.epochs.more=5", "train.epochs.more|epochs holds a value"),
        ("train.epoch=5", r"Did you mean train\.epochs"),
        ("train=5", "train must be a table of keys; got 5"),
    ],
)
def test_a_wrong_set_is_refused(setting, message):
    with pytest.raises(ConfigError, match=message):
        Config().with_settings([setting])


def test_toml_that_is_none_is_refused_in_one_sentence():
    with pytest.raises(ConfigError, match="not valid TOML"):
        Config.from_toml("[train\nepochs = 5")


@pytest.mark.parametrize("name", names())
def test_every_recipe_loads_says_what_it_is_for_and_survives_a_dict(name):
    from importlib.resources import files

    text = files("isthmus.recipes").joinpath(f"{name}.toml").read_text()
    assert text.startswith("# "), "a recipe opens with a sentence on what it is for"
    recipe = load_recipe(name)
    assert Config.from_dict(recipe.to_dict()) == recipe
    assert tomllib.loads(text), "an empty recipe would be the defaults under another name"


def test_an_unknown_recipe_gets_a_suggestion():
    with pytest.raises(UnknownName, match="Did you mean 'images'"):
        load_recipe("imagse")


@pytest.mark.parametrize(
    ("shape", "recipe"),
    [((8, 8), "tiny-images"), ((28, 28), "small-images"), ((300, 20), "images"), ((None, None), "images")],
)
def test_the_recipe_follows_from_the_size_of_the_images(shape, recipe):
    spec = DataSpec(modality="image", axes=("height", "width"), shape=shape, dtype="uint8")
    assert recipe_for(spec) == recipe
    assert recipe_for(replace(spec, modality="array")) == "arrays"


def test_whole_fields_get_a_net_that_fits_in_memory():
    spec = DataSpec(modality="array", axes=("level", "y", "x"), shape=(3, 241, 480), dtype="float32")
    assert recipe_for(spec) == "large-arrays"


def test_every_setting_is_documented():
    classes = {n.name: n for n in ast.parse(inspect.getsource(module)).body if isinstance(n, ast.ClassDef)}
    for section in fields(Config):
        kind = type(getattr(Config(), section.name))
        if kind is PartConfig:
            continue  # its options are the keyword arguments of the part
        for name, doc in documented(classes[kind.__name__]).items():
            assert doc, f"{kind.__name__}.{name} lacks a docstring"


def documented(node: ast.ClassDef) -> dict[str, bool]:
    body = node.body
    return {
        item.target.id: isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        for item, after in zip(body, [*body[1:], None], strict=True)
        if isinstance(item, ast.AnnAssign)
    }


def test_the_names_the_config_allows_are_those_that_training_knows():
    from isthmus.training import optimisers

    assert set(module.SCHEDULES) == set(optimisers.SCHEDULES)
    assert set(module.OPTIMISERS) == set(optimisers.OPTIMISERS)
