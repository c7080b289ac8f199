"""What all tests share: real data if they are there, and property tests that never flake."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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
