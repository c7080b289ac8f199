"""Every odd thing that netCDF can tell comes back as netCDF4 reads it, or is refused by name."""

import sys

import numpy as np
import pytest

import gridded
from isthmus.data.grids import grid_writer, lost, open_grid
from isthmus.errors import BadItem, MissingExtra
from isthmus.tasks.compress import compress, decompress

netcdf4 = pytest.importorskip("netCDF4", reason="netCDF4 is missing: pip install 'isthmus[arrays]'")
pytestmark = pytest.mark.filterwarnings("ignore:endian-ness")


def nothing(made):
    made.note = "no variables"


def several_unlimited(made):
    for name in "abc":
        made.createDimension(name, None)
    made.createVariable("v", "f4", ("a", "b"))[0:3, 0:5] = 1
    made.createVariable("w", "i2", ("b",))[0:2] = 4


def groups(made):
    made.createDimension("x", 5)
    inner = made.createGroup("g")
    inner.createDimension("x", 3)  # in front of the one above
    inner.createVariable("w", "f4", ("x",))[:] = 4
    made.createVariable("w", "f4", ("x",))[:] = np.arange(5)
    deep = inner.createGroup("h")
    deep.note = "deep"
    deep.createVariable("z", "i8", ("x",))[:] = 2


def enumerations(made):
    kind = made.createEnumType(np.int16, "kind", {"a": -3, "b": 4})
    made.createDimension("x", 5)
    made.createVariable("v", kind, ("x",), fill_value=4)[:] = -3
    made.createGroup("g").createVariable("w", kind, ("x",))[:] = 4


def letters_and_words(made):
    made.createDimension("x", 2)
    made.createVariable("v", str, ("x",))[0] = "é"
    made.createVariable("s", str, ())[...] = "hello"
    made.createVariable("c", "S1", ("x",), fill_value=b"z")[0] = b"q"
    made.setncatts({"empty": "", "padded": "  a ", "list": ["a", "é"], "none": np.zeros(0, "f4")})


def filters(made):
    made.createDimension("t", None)
    made.createDimension("x", 100)
    for name in ("zlib", "zstd", "bzip2", "blosc_zstd"):
        chosen = {"compression": name, "complevel": 6, "chunksizes": (10, 100)}
        made.createVariable(name, "f4", ("t", "x"), **chosen)[0:30] = np.arange(3000).reshape(30, 100) // 50
    made.createVariable("big", "f8", ("t", "x"), endian="big", fletcher32=True)[0:30] = 0.1


def rounded_when_written(made):
    made.createDimension("x", 300)
    values = np.random.default_rng(0).normal(size=300)
    made.createVariable("l", "f4", ("x",), zlib=True, least_significant_digit=1)[:] = values
    made.createVariable("s", "f4", ("x",), zlib=True, significant_digits=3)[:] = values


@pytest.mark.parametrize(
    "fill",
    [nothing, several_unlimited, groups, enumerations, letters_and_words, filters, rounded_when_written],
)
def test_it_comes_back(tmp_path, fill):
    source = tmp_path / "a.nc"
    with netcdf4.Dataset(source, "w") as made:
        fill(made)
    result = compress(source, tmp_path / "a.isz", effort=1)
    assert result.advice == ()
    (back,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
    assert gridded.library_says(back) == gridded.library_says(source)


def test_bytes_that_are_declared_unsigned_keep_a_bound_as_such(tmp_path):
    noise = np.random.default_rng(0).normal(size=3000) * 4
    values = np.clip(127 + 130 * np.sin(np.arange(3000) / 50) + noise, 0, 255).round().astype("u1")
    for kind in ("NETCDF4", "NETCDF3_CLASSIC"):
        with netcdf4.Dataset(tmp_path / "a.nc", "w", format=kind) as made:
            made.createDimension("x", 3000)
            found = made.createVariable("v", "i1", ("x",), fill_value=np.int8(-1))
            found.set_auto_maskandscale(False)
            found.setncatts({"_Unsigned": "true", "scale_factor": 0.5})
            found[:] = values.view("i1")
        compress(tmp_path / "a.nc", tmp_path / "a.isz", max_error=1.0, force=True)
        (back,) = decompress(tmp_path / "a.isz", tmp_path / "back", force=True).files
        with netcdf4.Dataset(back) as file:
            file.set_auto_maskandscale(False)
            mine = np.asarray(file["v"][:]).view("u1").astype(int)
        assert 0 < np.abs(mine - values).max() <= 2
        assert ((mine == 255) == (values == 255)).all()


def test_what_would_not_come_back_is_told(tmp_path, monkeypatch):
    with netcdf4.Dataset(tmp_path / "a.nc", "w") as made:
        filters(made)
    with open_grid(tmp_path / "a.nc") as found:
        assert lost(found) == ()
        monkeypatch.setattr("isthmus.data.grids.nested_writing._LEVELLED", ("zlib", "bzip2"))
        assert lost(found) == ("zstd",)


def test_the_file_is_only_read_wherever_it_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with netcdf4.Dataset("a.nc", "w") as made:
        filters(made)
    before = (tmp_path / "a.nc").read_bytes()
    compress("a.nc", "a.isz", effort=1)
    assert (tmp_path / "a.nc").read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.isz", "a.nc"]


def test_a_damaged_chunk_is_refused(tmp_path):
    path = tmp_path / "a.nc"
    with netcdf4.Dataset(path, "w") as made:
        made.createDimension("x", 20000)
        found = made.createVariable("v", "f4", ("x",), zlib=True, fletcher32=True, chunksizes=(5000,))
        found[:] = np.random.default_rng(0).normal(size=20000)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(BadItem, match=r"a\.nc \(v\) cannot be read as netCDF"):
        compress(path, tmp_path / "a.isz")
    assert not (tmp_path / "a.isz").exists()


def declared(values, axes):
    return {"dtype": values.dtype.str[1:], "axes": axes, "attributes": {}, "how": {}, "values": values}


def test_netcdf_3_needs_no_library_and_netcdf_4_names_it(tmp_path, monkeypatch):
    told = {
        "kind": "NETCDF3_CLASSIC", "dimensions": {"x": (4, False)}, "attributes": {}, "group": False,
        "variables": {"v": declared(np.arange(4, dtype="f4"), ["x"])},
    }  # fmt: skip
    old = gridded.write(told, tmp_path / "old.nc")
    new = gridded.write(told | {"kind": "NETCDF4"}, tmp_path / "new.nc")
    monkeypatch.setitem(sys.modules, "netCDF4", None)
    compress(old, tmp_path / "a.isz")
    assert decompress(tmp_path / "a.isz", tmp_path / "back").files[0].read_bytes()[:4] == b"CDF\x01"
    with pytest.raises(MissingExtra, match=r"pip install 'isthmus\[arrays\]'"):
        compress(new, tmp_path / "b.isz")


def test_records_of_one_short_variable_are_not_padded(tmp_path):
    told = {
        "kind": "NETCDF3_CLASSIC", "dimensions": {"t": (5, True), "x": (3, False)}, "attributes": {},
        "group": False, "variables": {"v": declared(np.arange(15, dtype="i1").reshape(5, 3), ["t", "x"])},
    }  # fmt: skip
    source = gridded.write(told, tmp_path / "a.nc")
    whole = slice(0, 5), slice(0, 3)
    with open_grid(source) as found:
        assert (found.read(0, whole) == told["variables"]["v"]["values"]).all()
        writer = grid_writer(found.form, tmp_path / "b.nc", found.about(), found.variables)
        writer.write(0, whole, found.read(0, whole))
        writer.close()
    assert gridded.library_says(tmp_path / "b.nc") == gridded.library_says(source)
