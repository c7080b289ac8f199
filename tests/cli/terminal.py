"""Ways to call the command, and small data to call it with."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from typer.testing import CliRunner, Result

from isthmus.cli.app import app

TINY = [
    "--set", "train.steps=30", "--set", "train.threads=1", "--set", "net.latent=4",
    "--set", 'net.encoder={name="mlp", hidden=[16]}', "--set", 'net.decoder={name="mlp", hidden=[16]}',
]  # fmt: skip


@dataclass(frozen=True)
class Road:
    """What a first sitting leaves."""

    source: Path
    model: Path
    archive: Path


def call(*arguments: object, stdin: str | None = None) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def digit_pictures(count: int) -> np.ndarray:
    """uint8 (count, 8, 8): gradients with a little noise, enough to learn something."""
    random = np.random.default_rng(0)
    slopes = random.uniform(0, 255, (count, 1, 1)) * np.linspace(0, 1, 8)
    return np.clip(slopes + random.normal(0, 5, (count, 8, 8)), 0, 255).astype(np.uint8)


def write_pictures(folder: Path, count: int = 6, *, mode: str = "L") -> Path:
    """PNG files, a.png and on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(digit_pictures(count)):
        Image.fromarray(picture).convert(mode).resize((16, 16)).save(folder / f"{number:02}.png")
    return folder


def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own."""
    return subprocess.run(words(*arguments), capture_output=True, timeout=120, **options)


def words(*arguments: object) -> list[str]:
    """What to start for the command in a process of its own."""
    return [sys.executable, "-m", "isthmus", *map(str, arguments)]


def left_in(folder: Path) -> list[str]:
    """Everything below a folder, hidden temporary files too."""
    return sorted(os.path.relpath(p, folder) for p in folder.rglob("*") if p.is_file())
