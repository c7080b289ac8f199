"""What the golden archives of gridded arrays hold; made by arithmetic alone, so that nothing can change it.

python tests/golden/gridded_golden.py    writes the archives that are missing
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "grids"
ARCHIVES: dict[str, tuple[str, dict[str, Any]]] = {
    "old": ("old.nc", {}),
    "old-bounded": ("old.nc", {"max_error": 0.5}),
    "new": ("new.nc", {}),
    "new-bounded": ("new.nc", {"bounds": {"t": 0.25, "p": 1.0}}),
    "store": ("store.zarr.zip", {}),
}
"""By name: of which file, and what was asked."""


def values() -> np.ndarray:
    """Of a field, (time, y, x), float64, in sixty-fourths."""
    time, y, x = np.meshgrid(np.arange(4), np.arange(16), np.arange(20), indexing="ij")
    rough = (time * 7 + y * 13 + x * x * 3) % 17
    return ((x - 9) ** 2 * 8 - (y - 5) ** 2 * 10 + time * 40 + rough) / 64 + 3


def source(name: str, folder: Path) -> Path:
    """Make one of the files."""
    path = folder / name
    if name.endswith(".zip"):
        return _store(path)
    import netCDF4

    new = name == "new.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF4" if new else "NETCDF3_64BIT_OFFSET") as made:
        _fill(made, new)
    return path


def _fill(made: Any, new: bool) -> None:
    made.title = "golden"
    made.setncattr("numbers", np.array([1.5, -0.0, 3], "f4"))
    for name, size in (("time", None), ("y", 16), ("x", 20), ("letters", 4)):
        made.createDimension(name, size)
    time = made.createVariable("time", "i4", ("time",))
    time.setncatts({"units": "hours since 1990-01-01", "calendar": "noleap"})
    time[:] = np.arange(4) * 6
    stored = {"compression": "zlib", "chunksizes": (2, 16, 20)} if new else {}
    field = made.createVariable("t", "f4", ("time", "y", "x"), fill_value=np.float32(-40), **stored)
    packed = made.createVariable("p", "i2", ("time", "y", "x"), fill_value=np.int16(-70))
    field.set_auto_maskandscale(False)
    packed.set_auto_maskandscale(False)
    field.units = "K"
    packed.setncatts({"scale_factor": np.float32(0.125), "add_offset": 3.0})
    floats = values().astype("f4")
    floats[:, 3:5, 4], floats[1, 2, 3] = -40, np.nan
    field[:] = floats
    packed[:] = np.where(values() < -5, -70, values() * 8).astype("i2")
    letters = made.createVariable("code", "S1", ("y", "letters"))
    letters[:] = (np.arange(64, dtype="u1").reshape(16, 4) % 26 + 97).view("S1")
    made.createVariable("scalar", "f8", ())[...] = 0.1
    if new:
        inner = made.createGroup("inner")
        kind = inner.createEnumType(np.uint8, "sky_type", {"clear": 0, "cloudy": 1})
        inner.createVariable("sky", kind, ("y",))[:] = np.arange(16, dtype="u1") % 2
        inner.createVariable("names", str, ("letters",))[:] = np.array(["a", "hé", "", "long words"], object)


def _store(path: Path) -> Path:
    import zarr

    with tempfile.TemporaryDirectory() as folder:
        group = zarr.open_group(folder, mode="w", zarr_format=2)
        group.attrs["title"] = "golden"
        field = group.create_array("t", shape=(4, 16, 20), chunks=(2, 16, 20), dtype="f4", fill_value=-9)
        field.attrs["_ARRAY_DIMENSIONS"] = ["time", "y", "x"]
        field[:] = values().astype("f4")
        group.create_array("when", shape=(4,), dtype="M8[s]")[:] = np.arange(4).astype("M8[s]")
        with zipfile.ZipFile(path, "w") as packed:
            for each in sorted(Path(folder).rglob("*")):
                if each.is_file():
                    packed.write(each, each.relative_to(folder))
    return path


def main() -> None:
    from isthmus.tasks.compress import compress

    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, (of, wishes) in ARCHIVES.items():
            if not (FOLDER / f"{name}.isz").exists():
                compress(source(of, Path(folder)), FOLDER / f"{name}.isz", **wishes)


if __name__ == "__main__":
    main()
