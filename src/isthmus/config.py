"""Frozen dataclasses ⇄ TOML ⇄ `--set a.b=c`: every setting of a run, in one place.

A recipe file holds the same keys in the same nesting; a model keeps the whole Config it was
made with.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import types
import typing
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

from isthmus.errors import ConfigError

T = TypeVar("T")


def require(holds: bool, name: str, must_be: str, got: object) -> None:
    """Raise ConfigError unless `holds`: "epochs must be at least 1; got 0."."""
    if not holds:
        raise ConfigError(f"{name} must be {must_be}; got {got!r}.")


def changed(wishes: Any, *, but: Iterable[str] = ()) -> list[str]:
    """The names of a dataclass' fields that are not as they are by default, `but` some.

    >>> changed(TrainConfig(seed=7, epochs=2), but=["seed"])
    ['epochs']
    """
    aside = frozenset(but)
    asked = (each for each in fields(wishes) if each.name not in aside)
    return [each.name for each in asked if getattr(wishes, each.name) != each.default]


@dataclass(frozen=True)
class PartConfig:
    """A part by name, and the keyword arguments it is built with."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How samples are drawn, scaled and disturbed before the encoder sees them."""

    transform: PartConfig = PartConfig("unit")
    """unit (to 0..1) or standard (mean 0, deviation 1)."""
    held_out: float = 0.1
    """Share of the samples kept out of training, for early stopping and honest figures."""
    held_out_last: bool = False
    """Hold out the last samples instead of random ones (when the order is time)."""
    crop: int | None = None
    """Side of the square cut at random from an image at each step; None takes images whole."""
    corruption: PartConfig = PartConfig("none")
    """What is done to the input while the target stays clean: none, gaussian, masking, …"""
    shift: int = 0
    """Input and target are moved together by up to this many pixels each way, at random."""
    rotate_degrees: float = 0.0
    """… and turned by up to this angle, at random."""
    flip: bool = False
    """… and mirrored left to right half of the time."""
    augment_until: float = 1.0
    """Shift, turn and mirror until this share of the training; the last part sees samples as they are."""
    memory_limit_mb: int = 2048
    """Sources larger than this are read from the disk again in every epoch."""

    def __post_init__(self) -> None:
        require(0 <= self.held_out < 1, "data.held_out", "at least 0 and below 1", self.held_out)
        require(self.crop is None or self.crop >= 8, "data.crop", "at least 8 pixels", self.crop)
        require(self.shift >= 0, "data.shift", "at least 0", self.shift)
        require(0 <= self.rotate_degrees <= 180, "data.rotate_degrees", "0 to 180", self.rotate_degrees)
        require(0 <= self.augment_until <= 1, "data.augment_until", "0 to 1", self.augment_until)
        require(self.memory_limit_mb >= 0, "data.memory_limit_mb", "at least 0", self.memory_limit_mb)


@dataclass(frozen=True, kw_only=True)
class NetConfig:
    """The two halves and the size of the code between them."""

    latent: int = 32
    """Numbers in the code, or its channels where the net keeps height and width; 0, for such a net, is
    settled by `fit`: two thirds of the numbers in a patch."""
    encoder: PartConfig = PartConfig("mlp")
    """mlp, conv or residual, with the options of that net."""
    decoder: PartConfig = PartConfig("mlp")
    """The same; another net than the encoder's will do where both make codes of one shape."""
    output: str = "auto"
    """What the decoder ends in: identity, sigmoid, softmax; auto takes what the loss asks for."""
    weight_bits: int = 16
    """Bits of a stored decoder weight; fewer make the embedded model smaller."""

    def __post_init__(self) -> None:
        require(self.latent >= 0, "net.latent", "at least 0", self.latent)
        require(self.output in OUTPUTS, "net.output", f"one of {', '.join(OUTPUTS)}", self.output)
        require(4 <= self.weight_bits <= 16, "net.weight_bits", "4 to 16", self.weight_bits)


OUTPUTS = ("auto", "identity", "sigmoid", "softmax")


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """What training makes small: distortion, and penalties with the weight of each."""

    distortion: PartConfig = PartConfig("mse")
    """mse, mae, huber, ssim, …: how far a reconstruction is from its sample."""
    weights_l1: float = 0.0
    """Weight of Σ |w| over the weights of both halves."""
    weights_l2: float = 0.0
    """Weight of Σ w² over the weights of both halves."""
    code_l1: float = 0.0
    """Weight of the mean absolute value of the code."""
    code_kl: float = 0.0
    """Weight of the KL sparsity penalty: the mean activation of each code unit towards code_target."""
    code_target: float = 0.05
    """Mean activation that code_kl pulls towards."""

    def __post_init__(self) -> None:
        for name in ("weights_l1", "weights_l2", "code_l1", "code_kl"):
            require(getattr(self, name) >= 0, f"loss.{name}", "at least 0", getattr(self, name))
        require(0 < self.code_target < 1, "loss.code_target", "between 0 and 1", self.code_target)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How one training run is carried out."""

    epochs: int = 20
    """Passes over the training samples."""
    steps: int | None = None
    """Optimiser steps; overrides epochs."""
    budget_s: float | None = None
    """Seconds of training; the first of them measure a step and fix the number of steps."""
    batch_size: int = 128
    """Samples in one step."""
    optimiser: str = "adamw"
    """adamw, adam or sgd."""
    learning_rate: float = 1e-3
    """The highest of the run; the schedule says when it is lower."""
    weight_decay: float = 0.01
    """Pull of the weights towards 0; biases are spared."""
    momentum: float = 0.9
    """Of sgd; the first moment's decay of adam and adamw."""
    momentum_2: float = 0.999
    """Decay of the second moment of adam and adamw."""
    schedule: str = "cosine"
    """constant, cosine, one-cycle or plateau."""
    warmup: float = 0.02
    """Share of the steps during which the learning rate climbs from 0."""
    clip_norm: float | None = 1.0
    """Longest gradient, over all weights together; None lets it be."""
    clip_value: float | None = None
    """Largest value in a gradient; None lets it be."""
    ema_decay: float | None = 0.999
    """Weights are averaged over about 1 / (1 - ema_decay) steps; None keeps the last ones."""
    patience: int | None = 20
    """Evaluations without a better held-out loss before training stops; None never stops early."""
    evaluate_every: int | None = None
    """Steps between two looks at the held-out data; None: an epoch's, but at least 50, and with a
    budget so many that looking takes less than a tenth of the time."""
    precision: str = "auto"
    """auto, float32 or bfloat16 (weights stay float32); auto takes bfloat16 where the hardware has it."""
    compile: str = "auto"
    """auto, on or off: torch.compile; auto when a C++ compiler is there and the run repays it."""
    checkpoint_every_s: float = 30.0
    """Seconds between two checkpoints."""
    seed: int = 0
    """Decides on the split, the first weights, the order, the noise."""
    threads: int | None = None
    """CPU threads; None measures."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""

    def __post_init__(self) -> None:
        require(self.epochs >= 1, "train.epochs", "at least 1", self.epochs)
        require(self.steps is None or self.steps >= 1, "train.steps", "at least 1", self.steps)
        require(self.budget_s is None or self.budget_s > 0, "train.budget_s", "above 0", self.budget_s)
        require(self.batch_size >= 1, "train.batch_size", "at least 1", self.batch_size)
        require(self.learning_rate > 0, "train.learning_rate", "above 0", self.learning_rate)
        require(self.weight_decay >= 0, "train.weight_decay", "at least 0", self.weight_decay)
        require(0 <= self.momentum < 1, "train.momentum", "at least 0 and below 1", self.momentum)
        require(0 <= self.momentum_2 < 1, "train.momentum_2", "at least 0 and below 1", self.momentum_2)
        require(0 <= self.warmup < 1, "train.warmup", "at least 0 and below 1", self.warmup)
        require(self.precision in ("auto", "float32", "bfloat16"), "train.precision",
                "auto, float32 or bfloat16", self.precision)  # fmt: skip
        require(self.compile in ("auto", "on", "off"), "train.compile", "auto, on or off", self.compile)
        for name, known in (("optimiser", OPTIMISERS), ("schedule", SCHEDULES), ("device", DEVICES)):
            value = getattr(self, name)
            require(value in known, f"train.{name}", f"one of {', '.join(known)}", value)
        wait = self.checkpoint_every_s
        require(wait >= 0, "train.checkpoint_every_s", "at least 0", wait)
        require(0 <= self.seed < 2**32, "train.seed", "at least 0 and below 2**32", self.seed)
        for name in ("clip_norm", "clip_value", "patience", "evaluate_every", "threads"):
            value = getattr(self, name)
            require(value is None or value > 0, f"train.{name}", "above 0, or none", value)
        decay = self.ema_decay
        require(decay is None or 0 < decay < 1, "train.ema_decay", "between 0 and 1, or none", decay)


OPTIMISERS = ("adamw", "adam", "sgd")
SCHEDULES = ("constant", "cosine", "one-cycle", "plateau")
DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, kw_only=True)
class ContextsConfig:
    """What is learned beside the net, for coding images without loss."""

    trees: int = 0
    """Trees of a forest, at most; 0 learns nothing of the kind."""
    depth: int = 6
    """Questions that a tree asks."""
    pixels: int = 1_000_000
    """Pixels of each plane that are learned from."""
    share: float = 0.35
    """Share of a budget that this may take; `--for` moves it."""

    def __post_init__(self) -> None:
        require(0 <= self.trees <= 1024, "contexts.trees", "0 to 1024", self.trees)
        require(1 <= self.depth <= 8, "contexts.depth", "1 to 8", self.depth)
        require(self.pixels >= 1000, "contexts.pixels", "at least 1000", self.pixels)
        require(0 <= self.share < 1, "contexts.share", "at least 0 and below 1", self.share)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that decides what a training run makes, apart from the data."""

    data: DataConfig = DataConfig()
    net: NetConfig = NetConfig()
    bottleneck: PartConfig = PartConfig("plain")
    loss: LossConfig = LossConfig()
    train: TrainConfig = TrainConfig()
    contexts: ContextsConfig = ContextsConfig()

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dict, parts flattened to {"name": …, option: …}; `from_dict` undoes it."""
        return typing.cast("dict[str, Any]", _plain(self))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """Build from a nested dict; missing keys keep their defaults, unknown ones are refused."""
        return _build(cls, values, "")

    @classmethod
    def from_toml(cls, text: str) -> Config:
        """Build from the text of a recipe file."""
        try:
            return cls.from_dict(tomllib.loads(text))
        except tomllib.TOMLDecodeError as wrong:
            raise ConfigError(f"The recipe is not valid TOML: {wrong}.") from wrong

    def with_settings(self, settings: Iterable[str]) -> Config:
        """Apply `--set` strings.

        >>> Config().with_settings(["train.epochs=5", "net.encoder.hidden=[64]"]).train.epochs
        5
        """
        values = self.to_dict()
        for setting in settings:
            _set(values, setting)
        return Config.from_dict(values)

    def with_train(self, **changes: Any) -> Config:
        """The same, with some fields of `train` changed."""
        return replace(self, train=replace(self.train, **changes))


def _plain(value: Any) -> Any:
    if isinstance(value, PartConfig):
        return {"name": value.name, **{k: _plain(v) for k, v in value.options.items()}}
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _build(cls: type[T], values: Any, path: str) -> T:
    require(isinstance(values, Mapping), path.rstrip(".") or "the recipe", "a table of keys", values)
    hints = _hints(typing.cast("Hashable", cls))
    for key in values:
        if key not in hints:
            close = difflib.get_close_matches(str(key), hints, n=1)
            hint = f" Did you mean {path}{close[0]}?" if close else ""
            raise ConfigError(f"{path}{key} is no setting.{hint} Known: {', '.join(hints)}.")
    return cls(**{key: _convert(hints[key], value, f"{path}{key}") for key, value in values.items()})


@cache
def _hints(cls: Hashable) -> dict[str, Any]:
    return typing.get_type_hints(typing.cast("type[Any]", cls))


def _convert(hint: Any, value: Any, name: str) -> Any:
    if hint is PartConfig:
        return _part(value, name)
    if is_dataclass(hint):
        return _build(typing.cast("type[Any]", hint), value, f"{name}.")
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value in (None, "none") and type(None) in kinds:
        return None
    if float in kinds and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    wanted = " or ".join(kind.__name__ for kind in kinds if kind is not type(None))
    fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
    require(fits, name, f"of type {wanted}", value)
    return value


def _part(value: Any, name: str) -> PartConfig:
    if isinstance(value, str):
        return PartConfig(value)
    require(isinstance(value, Mapping) and isinstance(value.get("name"), str), name,
            'a name, or a table with one ("mlp", or {name = "mlp", …})', value)  # fmt: skip
    return PartConfig(value["name"], {k: v for k, v in value.items() if k != "name"})


def _set(values: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    require(bool(equals and key), "--set", "KEY=VALUE, like train.epochs=5", setting)
    *parents, last = key.strip().split(".")
    for parent in parents:
        inner = values.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"--set {setting}: {parent} holds a value, so it has no keys of its own.")
        values = inner
    value, before = _parse(text.strip()), values.get(last)
    is_part = isinstance(before, dict) and "name" in before and isinstance(value, str)
    # A new part replaces the old one with its options, which would not fit it.
    values[last] = {"name": value} if is_part else value


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return None if text == "none" else text  # a bare word is a string


def parse_duration(text: str | float) -> float:
    """Turn "5m", "90s", "1h30m" or a number of seconds into seconds; raise ConfigError otherwise.

    >>> parse_duration("1h30m"), parse_duration("90s"), parse_duration(2.5), parse_duration("45")
    (5400.0, 90.0, 2.5, 45.0)
    """
    must_be = "a time above 0, like 90s, 5m or 1h30m (a number alone means seconds)"
    found = _DURATION.fullmatch(str(text).strip().lower())
    require(found is not None, "The budget", must_be, text)
    assert found is not None
    parts = zip(found.groups(), (3600.0, 60.0, 1.0), strict=True)
    seconds = sum(float(number) * unit for number, unit in parts if number)
    require(seconds > 0, "The budget", must_be, text)
    return seconds


_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_DURATION = re.compile(rf"(?:{_NUMBER}h)?\s*(?:{_NUMBER}m)?\s*(?:{_NUMBER}s?)?")


def parse_size(text: str) -> int:
    """Turn "500kB", "20MB", "1.5 GB" or a number of bytes into bytes; raise ConfigError otherwise.

    >>> parse_size("500kB"), parse_size("1.5 GB"), parse_size("77")
    (500000, 1500000000, 77)
    """
    found = _SIZE.fullmatch(text.strip().lower())
    require(found is not None, "A size", "a number of bytes above 0, like 500kB, 20MB or 1.5GB", text)
    assert found is not None
    return round(float(found[1]) * 1000 ** " kmg".index(found[2] or " "))


_SIZE = re.compile(rf"{_NUMBER}\s*([kmg]?)b?")


def describe_defaults() -> dict[str, Any]:
    """Every key with its default, nested as in a recipe file."""
    return Config().to_dict()
