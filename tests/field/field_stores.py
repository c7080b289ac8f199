"""Zarrs whose filters round: a bound holds for what is read from the restored store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from terminal import call

from reports import member


def store(path: str, filters: list[Any], dtype: str = "f8", **options: Any) -> np.ndarray:
    """A zarr of version 2 with such filters, and its values as they are read."""
    import zarr

    made = zarr.create_array(
        path, shape=(60, 40), chunks=(20, 20), dtype=dtype, zarr_format=2, filters=filters, **options
    )
    walks = np.random.default_rng(1).normal(size=(60, 40)).cumsum(0)
    made[...] = walks if dtype != "i2" else np.round(walks * 100)
    return np.asarray(zarr.open(path)[...])


def farthest(path: str, bound: float) -> tuple[float, str]:
    """How far what comes back is from what was there, and what was said."""
    import zarr

    before = np.asarray(zarr.open(path)[...])
    made = call("compress", path, "-o", "x.isz", "--max-error", bound, "--force")
    assert made.exit_code == 0, made.output
    assert call("verify", "x.isz", "--against", path).exit_code == 0
    assert call("decompress", "x.isz", "-o", "back", "--force").exit_code == 0
    after = np.asarray(zarr.open(f"back/{path}")[...])
    return float(np.abs(after - before).max()), made.stderr


@member("K24", everyday=True)
def a_bound_holds_behind_bitround(folder: Path) -> None:
    import numcodecs

    store("b.zarr", [numcodecs.BitRound(5)])
    for bound in (0.2, 0.26):
        error, said = farthest("b.zarr", bound)
        assert error <= bound
        assert "kept as it is: b, whose bound its store (bitround) would break by rounding" in said
    assert call("compress", "b.zarr", "-o", "no.isz", "--max-error", 0.2, "--strict").exit_code == 2
    assert not Path("no.isz").exists()


@member("K24")
def a_bound_holds_behind_every_filter_that_rounds(folder: Path) -> None:
    import numcodecs

    for number, filters in enumerate(
        (
            [numcodecs.AsType("f2", "f8")],
            [numcodecs.FixedScaleOffset(offset=0, scale=3, dtype="f8", astype="i2")],
            [numcodecs.Quantize(1, "f8")],
            [numcodecs.Delta("f8"), numcodecs.BitRound(12)],
        )
    ):
        path = f"{number}.zarr"
        store(path, filters)
        done = call("compress", path, "-o", "x.isz", "--max-error", 0.2, "--force")
        if done.exit_code == 2:
            assert "would come back changed" in done.stderr
            continue
        error, _ = farthest(path, 0.2)
        assert error <= 0.2, filters


@member("K24")
def stores_that_keep_every_bit_keep_their_bound(folder: Path) -> None:
    store("plain.zarr", [])
    error, said = farthest("plain.zarr", 0.2)
    assert 0 < error <= 0.2
    assert "kept as it is" not in said


@member("K24")
def packed_numbers_hold_their_bound_when_they_are_unpacked(folder: Path) -> None:
    import netCDF4

    with netCDF4.Dataset("p.nc", "w") as file:
        file.createDimension("x", 3000)
        made = file.createVariable("t", "i2", ("x",), zlib=True)
        made.scale_factor, made.add_offset = 0.01, 273.15
        made[:] = 273.15 + np.random.default_rng(1).normal(size=3000).cumsum() / 5
    assert call("compress", "p.nc", "-o", "p.isz", "--max-error", 0.05).exit_code == 0
    call("decompress", "p.isz", "-o", "back")
    with netCDF4.Dataset("p.nc") as mine, netCDF4.Dataset("back/p.nc") as theirs:
        apart = np.abs(mine["t"][:] - theirs["t"][:]).max()
    assert 0 < apart <= 0.05
