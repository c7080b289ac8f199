"""The golden archives of gridded arrays are still read, and mean what they meant."""

import hashlib

import gridded_golden as golden
import numpy as np
import pytest

import gridded
from isthmus.tasks.compress import decompress
from isthmus.tasks.verify import verify


@pytest.mark.parametrize("name", golden.ARCHIVES)
def test_a_golden_archive_is_whole_without_any_library(name):
    assert verify(golden.FOLDER / f"{name}.isz").ok


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("old", "ed87477418b906aefeb565c5d647ad854f6df7d0d1820d5358f80d271d0d7e40"),
        ("old-bounded", "1dfae705c5a760308fa7e561f824d3d865625c8062ed2ba0139795943a36c4f6"),
    ],
)
def test_netcdf_3_comes_back_to_the_byte_it_did(tmp_path, name, told):
    back = decompress(golden.FOLDER / f"{name}.isz", tmp_path).files[0]
    assert hashlib.sha256(back.read_bytes()).hexdigest() == told


@pytest.mark.parametrize(("name", "of"), [("old", "old.nc"), ("new", "new.nc")])
def test_netcdf_comes_back(tmp_path, name, of):
    pytest.importorskip("netCDF4", reason="netCDF4 is missing: pip install 'isthmus[arrays]'")
    source = golden.source(of, tmp_path)
    assert verify(golden.FOLDER / f"{name}.isz", against=source).ok
    back = decompress(golden.FOLDER / f"{name}.isz", tmp_path / "back").files[0]
    assert gridded.library_says(back) == gridded.library_says(source)


def test_bounded_numbers_come_back_as_they_did(tmp_path):
    netcdf4 = pytest.importorskip("netCDF4", reason="netCDF4 is missing: pip install 'isthmus[arrays]'")
    assert verify(golden.FOLDER / "new-bounded.isz", against=golden.source("new.nc", tmp_path)).ok
    back = decompress(golden.FOLDER / "new-bounded.isz", tmp_path / "back").files[0]
    digest = hashlib.sha256()
    with netcdf4.Dataset(back) as file:
        file.set_auto_maskandscale(False)
        for name in ("t", "p"):
            digest.update(np.asarray(file[name][...]).tobytes())
    assert digest.hexdigest() == "66f994dba8b90dc6c285169021b27d455ebaef82c3fa11003c4d97f36dd0d32c"


def test_a_zarr_comes_back(tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is missing: pip install 'isthmus[arrays]'")
    back = decompress(golden.FOLDER / "store.isz", tmp_path).files[0]
    with zarr.storage.ZipStore(back, mode="r") as store:
        found = zarr.open_group(store, mode="r")
        assert found["t"][...].tobytes() == golden.values().astype("f4").tobytes()
        assert found["when"][...].astype(int).tolist() == [0, 1, 2, 3]
