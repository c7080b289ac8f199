"""What all tests share: real data if they are there, and property tests that never flake."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# Helpers assert too; rewritten, their assertions hold under `python -O` as those of tests do.
pytest.register_assert_rewrite(
    *(path.stem for path in Path(__file__).parent.rglob("*.py") if not path.stem.startswith("test_"))
)

from tiny import TINY

if TYPE_CHECKING:
    from isthmus.model import Model

# The machine may be busy, and a failure must come back when the test is run again.
settings.register_profile(
    "isthmus", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("isthmus")

DATA_ROOT = os.environ.get("ISTHMUS_DATA", "")  # read once, since tests change the environment


@pytest.fixture
def data_root() -> Path:
    """The folder of real data sets; only for tests marked needs_data."""
    return Path(DATA_ROOT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if DATA_ROOT:
        return
    for item in items:
        if item.get_closest_marker("needs_data"):
            item.add_marker(pytest.mark.skip(reason="ISTHMUS_DATA is not set"))


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """300 grey 8×8 images, uint8, 0 to 240."""
    from isthmus.data import open_source

    return 15 * np.stack(open_source("digits").read(range(300)))


@pytest.fixture(scope="session")
def tiny_model(images: np.ndarray) -> "Model":
    """An mlp with the rate bottleneck, fitted to `images`."""
    from isthmus.tasks.fit import fit

    return fit(images, settings=TINY, quiet=True).model


@pytest.fixture(scope="session")
def any_size_model() -> "Model":
    """A residual net that takes RGB images of any size."""
    from isthmus.tasks.fit import fit

    residual = "{name='residual', channels=8, blocks=1, stride=4}"
    settings = [
        *TINY,
        "train.steps=5",
        "train.batch_size=4",
        "net.latent=3",
        "bottleneck={name='graded'}",
        f"net.encoder={residual}",
        f"net.decoder={residual}",
    ]
    images = np.random.default_rng(0).integers(0, 256, (12, 16, 20, 3), dtype=np.uint8)
    return fit(images, recipe="images", settings=[*settings, "data.crop=16"], quiet=True).model
