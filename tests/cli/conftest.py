"""A tiny trained model and its archive, made once for all tests of the command."""

from __future__ import annotations

import numpy as np
import pytest
from terminal import TINY, Road, call, digit_pictures


@pytest.fixture(scope="session")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    folder = tmp_path_factory.mktemp("road")
    source = folder / "digits.npy"
    np.save(source, digit_pictures(120))
    made = Road(source, folder / "digits.ism", folder / "digits.isz")
    fit = call("fit", source, "-o", made.model, "-q", *TINY)
    assert fit.exit_code == 0, fit.output
    compress = call("compress", source, "-m", made.model, "-o", made.archive)
    assert compress.exit_code == 0, compress.output
    return made
