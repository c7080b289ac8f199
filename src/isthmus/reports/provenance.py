"""What was gathered → the section that says where the model comes from."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from isthmus._version import __version__
from isthmus.reports.gather import Gathered
from isthmus.reports.html import Section, facts, folded
from isthmus.tasks.results import size


def settings(gathered: Gathered) -> Section:
    """Where the model comes from, and how to make it again."""
    model, made = gathered.model, dict(gathered.model.provenance)
    on, plan, held = made.get("trained_on", {}), made.get("plan", {}), made.get("held_out", {})
    record, net, whole = gathered.record, model.config.net, size(on.get("raw_bytes", 0)) + " as plain values"
    about = {
        "model hash": model.hash,
        "net": f"{net.encoder.name} → {net.latent} latent → {net.decoder.name}",
        "bottleneck": model.config.bottleneck.name,
        "recipe": record.recipe if record else "unknown (the run is not beside the model)",
        "trained on": f"{on.get('name')}: {on.get('samples', 0):,} samples; {whole} with what was held out",
        "plan": ", ".join(
            f"{_words(name)} {_plain(value)}" for name, value in plan.items() if value is not None
        ),
        "ended": f"{made.get('stopped')}; best weights after step {made.get('best_step')}",
        "held-out, when trained": ", ".join(
            f"{_words(name)} {_plain(value)}" for name, value in held.items()
        ),
        "versions, trained with": ", ".join(
            f"{n} {made[n]}" for n in ("isthmus", "torch", "numpy", "python") if n in made
        ),
        "versions, page made with": _versions(),
    }
    every = "\n".join(f"{key} = {value}" for key, value in _flat(model.config.to_dict()))
    return Section(
        "settings", "Settings, versions, provenance", "", facts(about) + folded("All settings", every)
    )


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _words(name: str) -> str:
    """A field's name for people, its unit in brackets: "step (s)"."""
    *words, last = name.split("_")
    return " ".join([*words, f"({_UNITS[last]})"]) if words and last in _UNITS else " ".join([*words, last])


_UNITS = {"s": "s", "db": "dB"}


def _versions() -> str:
    found = {"isthmus": __version__, "python": platform.python_version()}
    for package in ("numpy", "torch", "matplotlib", "pillow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # torch is not needed to draw
            continue
    return ", ".join(f"{name} {number}" for name, number in found.items())


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Settings by their full names, as `--set` takes them."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield (
                f"{path}{name}",
                "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value),
            )
