"""The scientific fields of ISTHMUS_DATA, and how errors in them are found; shared by what measures fields."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import data_root

BOUNDS = (1e-2, 1e-3, 1e-4)
COORDINATES = ("latitude", "longitude", "time_vectors")  # where values are, not values
LEAST_BYTES = 5_000


def fields() -> Iterator[tuple[str, np.ndarray]]:
    """Each field by name, in the machine's byte order."""
    for path in sorted((data_root() / "scientific").iterdir()):
        if path.suffix == ".nc":
            for name, values in _netcdf(path):
                if values.dtype.kind == "f" and values.nbytes >= LEAST_BYTES and name not in COORDINATES:
                    yield f"{path.stem}/{name}", values
        elif path.suffix == ".fits":
            from astropy.io import fits

            with fits.open(path) as parts:
                yield path.stem, np.ascontiguousarray(parts[0].data.astype(np.float32))
        elif path.suffix == ".npy":
            yield path.stem, np.load(path)


def _netcdf(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    import netCDF4

    with netCDF4.Dataset(path) as dataset:
        for name, variable in dataset.variables.items():
            if variable.dtype.kind not in "iuf" or not variable.shape:
                continue
            variable.set_auto_mask(True)
            values = variable[...]
            if "scale_factor" in variable.ncattrs():
                values = values.astype(np.float32)
            if values.dtype.kind == "f":
                values = np.ma.filled(values, np.nan)
            yield name, np.ascontiguousarray(np.asarray(values), np.asarray(values).dtype.newbyteorder("="))


def worst(original: np.ndarray, restored: np.ndarray) -> float:
    """The greatest error, in extended precision; infinite where what is not finite does not come back."""
    finite = np.isfinite(original)
    if not np.array_equal(original[~finite], restored[~finite], equal_nan=True):
        return math.inf
    return float(
        np.abs(original[finite].astype(np.longdouble) - restored[finite].astype(np.longdouble)).max()
    )
