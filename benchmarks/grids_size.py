"""Whole files of netCDF as archives: lossless, and within a thousandth of each variable's range.

Everything counts: the archive as a file, with all variables, attributes and storage. Beside it, in the
same run:

- the file as it is, and written again by netCDF4 with zlib 9 and bytes shuffled, or with zstd 19 (for which
  netCDF4 shuffles none), each variable one chunk (attributes and all, but for those that netCDF 4 refuses);
- within the bound, the smaller of both after rounding to multiples of twice the bound, as
  `least_significant_digit` does with powers of two;
- SZ3 and zfp: of variables that are bounded, their smallest payload over orders and merges of axes (over
  merges alone where a variable has more than 2 MB), gaps given as the mean for nothing; of all others the
  smallest of zstd 19, xz and pcodec. Payloads alone: no names, attributes or checksums.

Each archive is restored and read by netCDF4: bits, or errors, are compared.

    make bench NAME=grids-size
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from bounded_fields import lossless_peers, sz3, zfp
from common import data_root, publish

import bounded_fields
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.verify import verify

RELATIVE = 1e-3
LARGE = 2_000_000


def raw(path: Path) -> dict[str, np.ndarray]:
    """Values as they are stored, by name."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        file.set_auto_chartostring(False)
        return {name: np.asarray(each[...]) for name, each in file.variables.items()}


def gaps(path: Path) -> dict[str, np.ndarray]:
    """Where there is no value, by what the file declares."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_scale(False)
        return {name: np.ma.getmaskarray(each[...]) for name, each in file.variables.items()}


def again(path: Path, folder: Path, steps: dict[str, float] | None = None, **options: Any) -> int:
    """Bytes of the file, written by netCDF4; values are first rounded to multiples of `steps`."""
    made_at = folder / "again.nc"
    values, empty = raw(path), gaps(path)
    with netCDF4.Dataset(path) as file, netCDF4.Dataset(made_at, "w") as made:
        file.set_auto_maskandscale(False)
        made.setncatts({name: file.getncattr(name) for name in file.ncattrs()})
        for each in file.dimensions.values():
            made.createDimension(each.name, each.size)
        for name, each in file.variables.items():
            told = {key: each.getncattr(key) for key in each.ncattrs()}
            fill = told.pop("_FillValue", None)
            fill = None if fill is not None and np.asarray(fill).dtype != each.dtype else fill
            wish = options | {"chunksizes": each.shape} if each.shape else {}
            found = made.createVariable(name, each.dtype, each.dimensions, fill_value=fill, **wish)
            found.set_auto_maskandscale(False)
            found.setncatts(told)
            found[...] = rounded(values[name], empty[name], (steps or {}).get(name))
    return made_at.stat().st_size


def rounded(values: np.ndarray, empty: np.ndarray, step: float | None) -> np.ndarray:
    if step is None:
        return values
    near = (np.rint(values.astype(np.float64) / step) * step).astype(values.dtype)
    return np.where(empty | ~np.isfinite(values.astype(np.float64)), values, near)


def ours(path: Path, folder: Path, **wishes: Any) -> dict[str, Any]:
    archive = folder / "a.isz"
    started = time.perf_counter()
    result = compress(path, archive, force=True, workers=1, **wishes)
    between = time.perf_counter()
    (back,) = decompress(archive, folder / "back", force=True).files
    ended = time.perf_counter()
    if not verify(archive, against=path).ok:
        sys.exit(f"{path.name}: the archive does not verify.")
    return {
        "bytes": archive.stat().st_size,
        "index_and_headers": result.overhead_bytes,
        "promise": result.promise,
        "errors": errors(path, back),
        "seconds": [round(between - started, 2), round(ended - between, 2)],
    }


def errors(path: Path, back: Path) -> dict[str, float]:
    """The greatest error of each variable that is not as it was, over its range; gaps must be equal."""
    found = {}
    mine, theirs, empty = raw(back), raw(path), gaps(path)
    for name, values in theirs.items():
        if values.tobytes() == mine[name].tobytes():
            continue
        there = ~empty[name] & np.isfinite(values.astype(np.float64))
        if values[~there].tobytes() != mine[name][~there].tobytes():
            sys.exit(f"{path.name}: gaps of {name} did not come back.")
        one, other = (each[there].astype(np.longdouble) for each in (values, mine[name]))
        found[name] = float(np.abs(one - other).max() / np.ptp(one))
    return found


def payloads(path: Path, bounded: set[str]) -> dict[str, int]:
    """What SZ3 and zfp take, and the smallest lossless coder for what is not bounded."""
    totals = {"sz3": 0, "zfp": 0}
    values, empty = raw(path), gaps(path)
    for name, each in values.items():
        if name not in bounded:
            least = min(lossless_peers(each).values()) if each.dtype.kind in "iuf" else each.nbytes
            totals = {coder: total + least for coder, total in totals.items()}
            continue
        real = each.astype(np.float64 if each.itemsize > 4 else np.float32)
        real[empty[name]] = np.nan
        bound = float(
            RELATIVE * (np.nanmax(real.astype(np.longdouble)) - np.nanmin(real.astype(np.longdouble)))
        )
        filled = np.where(np.isfinite(real), real, np.nanmean(real)).astype(real.dtype)
        with layouts_for(filled):
            totals["sz3"] += sz3(filled, bound)
            totals["zfp"] += zfp(filled, bound)
    return totals


class layouts_for:  # noqa: N801 - read as a word of the sentence above
    """All orders of axes are tried for small arrays, and for large ones only merges."""

    def __init__(self, values: np.ndarray) -> None:
        self._is_large = values.nbytes > LARGE

    def __enter__(self) -> None:
        self._all = bounded_fields.layouts
        if self._is_large:
            bounded_fields.layouts = merges  # type: ignore[assignment]

    def __exit__(self, *_: object) -> None:
        bounded_fields.layouts = self._all


def merges(values: np.ndarray) -> list[np.ndarray]:
    """The axes in their order, the first ones merged in every number."""
    values = values.squeeze()
    return [values.reshape(-1, *values.shape[axis:]) for axis in range(1, values.ndim + 1)]


def measure(path: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        lossless = ours(path, folder)
        within = ours(path, folder, max_error=RELATIVE, error_mode="rel")
        if lossless["errors"] or any(error > RELATIVE * (1 + 1e-9) for error in within["errors"].values()):
            sys.exit(f"{path.name}: the promise is broken.")
        values, empty = raw(path), gaps(path)
        steps = {}
        for each in within["errors"]:
            real = values[each][~empty[each]].astype(np.longdouble)
            steps[each] = float(2 * RELATIVE * np.ptp(real[np.isfinite(real)]))
        return {
            "file": path.stat().st_size,
            "values": sum(each.nbytes for each in values.values()),
            "lossless": lossless,
            "netcdf4_zlib": again(path, folder, compression="zlib", complevel=9, shuffle=True),
            "netcdf4_zstd": again(path, folder, compression="zstd", complevel=19),
            "within": within,
            "netcdf4_rounded": min(
                again(path, folder, steps, compression="zlib", complevel=9, shuffle=True),
                again(path, folder, steps, compression="zstd", complevel=19),
            ),
            **{f"{coder}_payloads": size for coder, size in payloads(path, set(within["errors"])).items()},
        }


def main() -> None:
    results = {}
    for path in sorted((data_root() / "scientific").glob("*.nc")):
        results[path.stem] = measure(path)
        print(path.stem, {k: v for k, v in results[path.stem].items() if isinstance(v, int)}, file=sys.stderr)
    names = [name for name in next(iter(results.values())) if name not in ("lossless", "within")]
    total = {name: sum(found[name] for found in results.values()) for name in names}
    mine = {name: sum(found[name]["bytes"] for found in results.values()) for name in ("lossless", "within")}
    publish("grids-size", {"total": total | mine, "files": results})


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
