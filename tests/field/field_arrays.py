"""Arrays of any numbers, and of what is no number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from terminal import call

from reports import member

RANDOM = np.random.default_rng(1)
HUGE = 10.0 ** RANDOM.uniform(-300, 300, 500)


def checked(values: np.ndarray, *options: object) -> dict[str, Any]:
    """What verify says of an archive made so; the values must come back within it."""
    np.save("v.npy", values)
    for words in (
        ("compress", "v.npy", "-o", "v.isz", "--force", *options),
        ("decompress", "v.isz", "-o", "back", "--force"),
    ):
        done = call(*words)
        assert done.exit_code == 0, done.output
    found = json.loads(call("verify", "v.isz", "--against", "v.npy", "--json").stdout)
    assert found["status"] == "ok", found
    back = np.load("back/v.npy")
    odd = ~np.isfinite(values)
    assert np.array_equal(values[odd], back[odd], equal_nan=True)
    return dict(found)


@member("K23", everyday=True)
def values_beyond_1e154_are_bounded_and_verified(folder: Path) -> None:
    found = checked(HUGE, "--max-error", 0.001, "--error-mode", "pointwise")
    assert found["distortion"]["psnr_db"] > 60
    assert found["distortion"]["mse"] is None
    assert "dB PSNR" in call("verify", "v.isz", "--against", "v.npy").stdout


@member("K23")
def a_psnr_is_reached_whatever_the_size_of_values(folder: Path) -> None:
    for size in (1e-310, 1e-200, 1e200, 1.7e308):
        found = checked(np.sin(np.arange(300) / 9) * size, "--target-psnr", 60)
        assert found["distortion"]["psnr_db"] >= 60, size


@member("K23")
def bounds_of_any_size_hold_on_values_of_any_size(folder: Path) -> None:
    odd = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1.7e308, -1.7e308, 5e-324] * 5)
    for values in (HUGE, odd, np.float32([3.4e38, -3.4e38, 1e-45] * 9), np.array([2**63 - 1, -(2**63)] * 9)):
        checked(values)
        checked(values, "--max-error", 1e300)
        checked(values, "--max-error", 0.5, "--error-mode", "rel")


@member("K23")
def what_is_no_number_is_refused_in_a_sentence(folder: Path) -> None:
    arrays = {
        "complex": np.ones(5, complex),
        "structured": np.zeros(5, [("a", "f8"), ("b", "i4")]),
        "dates": np.array(["2024-01-01"], "M8[D]"),
        "texts": np.array(["a", "b"]),
        "long": np.ones(5, np.longdouble),
    }
    for name, values in arrays.items():
        np.save(f"{name}.npy", values)
    np.save("objects.npy", np.array([{}, None]), allow_pickle=True)
    for name in (*arrays, "objects"):
        done = call("compress", f"{name}.npy", "-o", "x.isz")
        assert done.exit_code == 2, name
        assert len(done.stderr.strip().splitlines()) == 1, name
        assert "bug" not in done.stderr, name
    assert not Path("x.isz").exists()
