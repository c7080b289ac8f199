"""Gridded arrays on the command line: four commands, and sentences for what cannot be."""

import json

import numpy as np
import pytest
from terminal import call

netcdf4 = pytest.importorskip("netCDF4", reason="netCDF4 is missing: pip install 'isthmus[arrays]'")


@pytest.fixture
def field(tmp_path):
    path = tmp_path / "field.nc"
    with netcdf4.Dataset(path, "w") as made:
        made.createDimension("y", 40)
        made.createDimension("x", 50)
        made.createVariable("y", "f8", ("y",))[:] = np.arange(40) / 4
        waves = np.sin(np.arange(2000).reshape(40, 50) / 90)
        for name in ("u", "v"):
            made.createVariable(name, "f4", ("y", "x"))[:] = waves
    return path


def test_there_and_back(field, tmp_path):
    archive = tmp_path / "f.isz"
    done = call("compress", field, "-o", archive, "--max-error", "0.01", "--bound", "v=0", "--verify-after")
    assert done.exit_code == 0, done.output
    assert "u within 0.01; all else as it was: 3 variables" in done.output
    assert call("verify", archive, "--against", field).exit_code == 0
    facts = json.loads(call("info", archive, "--json").output)["facts"]
    assert facts["u"].startswith("40×50 float32, within 0.01")
    assert facts["v"].startswith("40×50 float32, as it was")
    assert call("decompress", archive, "-o", tmp_path / "back", "--variable", "u").exit_code == 0
    with netcdf4.Dataset(tmp_path / "back" / "field.nc") as mine, netcdf4.Dataset(field) as theirs:
        assert list(mine.variables) == ["u"]
        assert 0 < np.abs(mine["u"][:] - theirs["u"][:]).max() <= 0.01


def test_info_tells_the_variables_of_a_file(field):
    facts = json.loads(call("info", field, "--json").output)["facts"]
    assert facts == {"y": "40 float64 (y)", "u": "40×50 float32 (y, x)", "v": "40×50 float32 (y, x)"}


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        (("--bound", "w=1"), "There is no variable 'w' to bound"),
        (("--bound", "w"), "--bound must be NAME=NUMBER"),
        (("--quality", "5"), "leave out --quality"),
        (("--lossy",), "kept as they are, or within bounds"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(field, tmp_path, wishes, sentence):
    done = call("compress", field, "-o", tmp_path / "f.isz", *wishes)
    assert done.exit_code == 2
    assert sentence in " ".join(done.output.split())
    assert "Traceback" not in done.output


def test_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "bad.nc").write_text("no")
    done = call("compress", tmp_path / "bad.nc", "-o", tmp_path / "f.isz")
    assert done.exit_code == 2
    assert "bad.nc is no file of netCDF" in " ".join(done.output.split())


def test_variable_is_for_grids(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(30.0))
    call("compress", tmp_path / "a.npy", "-o", tmp_path / "a.isz")
    done = call("decompress", tmp_path / "a.isz", "-o", tmp_path / "back", "--variable", "u")
    assert done.exit_code == 2
    assert "--variable is for archives of gridded arrays" in " ".join(done.output.split())
