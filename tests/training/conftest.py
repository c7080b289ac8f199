"""A run in a folder, from nothing but samples and settings."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isthmus.config import Config
from isthmus.data import fit_transform, open_source, split
from isthmus.training.plan import Plan
from isthmus.training.progress import Silent
from isthmus.training.session import Session, model_spec
from tiny import TINY


@dataclass
class Run:
    """One training run; `train` may be called once."""

    samples: np.ndarray
    config: Config
    folder: Path

    def session(self) -> Session:
        source = open_source(self.samples)
        train, held = split(len(source), self.config.data.held_out, self.config.train.seed)
        spec = model_spec(source.spec, self.config)
        transform = fit_transform(self.config.data.transform, spec, source.read(train))
        return Session(source, self.config, transform, train, held, self.folder)

    def train(self, *, resume: bool = False, watcher: Any = None, **plan: Any) -> tuple[Any, Session]:
        """Run it; `plan` stands in for what was planned."""
        session = self.session()
        planned: Plan = replace(session.plan(resume=resume), **plan)
        return session.train(planned, watcher or Silent()), session


@pytest.fixture
def run(images, tmp_path):
    """`run("train.steps=5", …)`: a Run over `images` with the tiny settings and these."""
    count = 0

    def make(*settings: str, samples: np.ndarray = images, recipe: str = "tiny-images", folder=None) -> Run:
        nonlocal count
        from isthmus.recipes import load_recipe

        count += 1
        config = load_recipe(recipe).with_settings([*TINY, *settings])
        return Run(samples, config, folder or tmp_path / f"run-{count}")

    return make
