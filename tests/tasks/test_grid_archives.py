"""Gridded arrays come back as they were, with all that is told of them, or within bounds in their units."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gridded
from isthmus.data.grids import kinds
from isthmus.errors import BadItem, DamagedFile, FileError, NoData, OutputExists, TooLarge, UseError
from isthmus.limits import Limits
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.info import info
from isthmus.tasks.verify import verify

netcdf4 = pytest.importorskip("netCDF4", reason="netCDF4 is missing: pip install 'isthmus[arrays]'")

SLOWLY = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def there_and_back(source: Path, folder: Path, **wishes) -> Path:
    compress(source, folder / "a.isz", force=True, **{"effort": 1, **wishes})
    checked = verify(folder / "a.isz", against=source)
    assert checked.ok, checked.problems
    return decompress(folder / "a.isz", folder / "back", force=True).files[0]


@SLOWLY
@given(told=gridded.files())
def test_any_netcdf_comes_back(tmp_path, told):
    source = gridded.write(told, tmp_path / "any.nc")
    back = there_and_back(source, tmp_path)
    assert back.name == "any.nc"
    assert gridded.library_says(back) == gridded.library_says(source)


@pytest.fixture
def weather(tmp_path) -> Path:
    """Floats with gaps, packed numbers with gaps, coordinates, flags."""
    path = tmp_path / "weather.nc"
    values = gridded.field()
    with netcdf4.Dataset(path, "w") as made:
        for name, size in (("time", None), ("y", 16), ("x", 20)):
            made.createDimension(name, size)
        hours = made.createVariable("time", "i4", ("time",))
        hours.setncatts({"units": "hours since 1990-01-01", "calendar": "noleap"})
        hours[:] = np.arange(12) * 6
        place = made.createVariable("lat", "f8", ("y", "x"))
        place[:] = np.linspace(40, 60, 320).reshape(16, 20)
        floats = made.createVariable("t", "f4", ("time", "y", "x"), fill_value=np.float32(-40), zlib=True)
        floats.set_auto_maskandscale(False)
        floats.setncatts({"units": "K", "coordinates": "lat"})
        gaps = np.where(values > 22, -40, values)
        gaps[2, 5, 5:9] = np.nan
        floats[:] = gaps
        packed = made.createVariable("p", "i2", ("time", "y", "x"), fill_value=np.int16(-700))
        packed.set_auto_maskandscale(False)
        packed.setncatts({"scale_factor": np.float32(0.05), "add_offset": 3.0})
        stored = np.rint(values / 0.05).astype("i2")
        packed[:] = np.where(values < -25, -700, stored)
        flags = made.createVariable("flags", "u1", ("time", "y", "x"))
        flags[:] = np.random.default_rng(0).integers(0, 4, values.shape)
    return path


def stored(path: Path) -> dict[str, np.ndarray]:
    with netcdf4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        return {name: np.asarray(each[...]) for name, each in file.variables.items()}


@pytest.mark.parametrize("bound", [0.12, 1.0, 9.0])
def test_a_bound_holds_in_the_unit_of_each_variable_and_gaps_stay(weather, tmp_path, bound):
    result = compress(weather, tmp_path / "a.isz", max_error=bound)
    assert result.mode == "bounded"
    assert set(json.loads(json.dumps(result.to_dict()))["winners"])
    mine, theirs = stored(decompress(tmp_path / "a.isz", tmp_path / "back").files[0]), stored(weather)
    for name in ("time", "lat", "flags"):
        assert mine[name].tobytes() == theirs[name].tobytes()
    for name, unit, gaps in (("t", 1.0, (-40,)), ("p", float(np.float32(0.05)), (-700,))):
        for gap in gaps:
            assert ((mine[name] == gap) == (theirs[name] == gap)).all()
        real = ~np.isin(theirs[name], gaps) & np.isfinite(theirs[name])
        away = np.abs(mine[name].astype(np.float64) - theirs[name].astype(np.float64)) * unit
        assert 0 < away[real].max() <= bound
        assert np.array_equal(np.isnan(mine[name]), np.isnan(theirs[name]))
    checked = verify(tmp_path / "a.isz", against=weather)
    assert checked.ok, checked.problems
    assert result.archive_bytes == (tmp_path / "a.isz").stat().st_size


def test_bounds_by_name_and_by_range(weather, tmp_path):
    compress(
        weather, tmp_path / "a.isz", bounds={"flags": 1, "lat": 0.5, "t": 0}, max_error=1e-2, error_mode="rel"
    )
    mine, theirs = stored(decompress(tmp_path / "a.isz", tmp_path / "back").files[0]), stored(weather)
    assert mine["t"].tobytes() == theirs["t"].tobytes()
    assert 0 < np.abs(mine["lat"] - theirs["lat"]).max() <= 0.5
    assert 0 < np.abs(mine["flags"].astype(int) - theirs["flags"]).max() <= 1
    real = theirs["p"] != -700
    away = np.abs(mine["p"].astype(int) - theirs["p"])[real].max()
    assert 0 < away <= 1e-2 * np.ptp(theirs["p"][real].astype(int))
    assert "rel 0.01" in info(tmp_path / "a.isz").facts["p"]


def test_pointwise_is_for_floats(weather, tmp_path):
    compress(weather, tmp_path / "a.isz", max_error=1e-3, error_mode="pointwise")
    mine, theirs = stored(decompress(tmp_path / "a.isz", tmp_path / "back").files[0]), stored(weather)
    assert mine["p"].tobytes() == theirs["p"].tobytes()
    real = np.isfinite(theirs["t"])
    ours, others = mine["t"][real].astype(np.float64), theirs["t"][real].astype(np.float64)
    assert (np.abs(ours - others) <= 1e-3 * np.abs(others)).all()
    assert (ours != others).any()


def test_variables_may_come_back_alone(weather, tmp_path):
    compress(weather, tmp_path / "a.isz", effort=1)
    back = decompress(tmp_path / "a.isz", tmp_path / "back", variables=("p", "time")).files[0]
    mine, theirs = stored(back), stored(weather)
    assert set(mine) == {"p", "time"}
    assert mine["p"].tobytes() == theirs["p"].tobytes()
    with pytest.raises(UseError, match="no variable 'q' in the archive; there are time, lat, t, p, flags"):
        decompress(tmp_path / "a.isz", tmp_path / "other", variables=("q",))


def test_tiles_are_coded_one_by_one_and_alike_by_any_number_of_workers(weather, tmp_path, monkeypatch):
    monkeypatch.setattr(kinds.tile_shape, "__defaults__", (640,))
    for name, workers in (("a", 1), ("b", 2)):
        result = compress(weather, tmp_path / f"{name}.isz", max_error=0.1, workers=workers, effort=1)
    assert sum(won.blocks for won in result.winners.values()) > 15
    assert (tmp_path / "a.isz").read_bytes() == (tmp_path / "b.isz").read_bytes()
    checked = verify(tmp_path / "a.isz", against=weather)
    assert checked.ok, checked.problems
    decompress(tmp_path / "a.isz", tmp_path / "back")


def test_verify_tells_what_differs(weather, tmp_path):
    compress(weather, tmp_path / "a.isz", effort=1)
    other = tmp_path / "other.nc"
    other.write_bytes(weather.read_bytes())
    with netcdf4.Dataset(other, "a") as file:
        file["p"].set_auto_maskandscale(False)
        file["p"][3, 2, 1] += 1
    assert verify(tmp_path / "a.isz", against=other).problems == (
        "p is not as promised, first at [3, 2, 1] (counted from 0)",
    )
    with netcdf4.Dataset(other, "a") as file:
        file.note = "new"
    assert "other attributes" in verify(tmp_path / "a.isz", against=other).problems[0]


def test_every_flipped_byte_is_found(weather, tmp_path):
    archive = tmp_path / "a.isz"
    compress(weather, archive, max_error=0.5, effort=1)
    whole = archive.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        archive.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        assert found_damage(archive), place
    for length in range(0, len(whole), max(1, len(whole) // 20)):
        archive.write_bytes(whole[:length])
        assert found_damage(archive), length


def found_damage(archive: Path) -> bool:
    try:
        return not verify(archive).ok
    except FileError:
        return True


def test_objects_of_xarray(weather, tmp_path):
    xarray = pytest.importorskip("xarray", reason="xarray is missing: pip install 'isthmus[arrays]'")
    with xarray.open_dataset(weather, decode_timedelta=False) as dataset:
        compress(dataset, tmp_path / "a.isz", effort=1)
        (back,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
        with xarray.open_dataset(back, decode_timedelta=False) as mine:
            assert mine.identical(dataset)
            for name in dataset.variables:
                told = mine[name].encoding
                for key in ("dtype", "scale_factor", "add_offset", "_FillValue", "calendar", "units", "zlib"):
                    if (was := dataset[name].encoding.get(key)) is not None:
                        assert told[key] == was
        assert verify(tmp_path / "a.isz", against=dataset).ok


def test_files_are_not_replaced_unasked(weather, tmp_path):
    compress(weather, tmp_path / "a.isz", effort=1)
    decompress(tmp_path / "a.isz", tmp_path / "back")
    with pytest.raises(OutputExists):
        decompress(tmp_path / "a.isz", tmp_path / "back")
    assert [each.name for each in (tmp_path / "back").iterdir()] == ["weather.nc"]


def test_sizes_are_looked_at_first(weather, tmp_path):
    compress(weather, tmp_path / "a.isz", effort=1)
    with pytest.raises(TooLarge):
        decompress(tmp_path / "a.isz", tmp_path / "back", limits=Limits(output_bytes=10_000))
    assert not (tmp_path / "back" / "weather.nc").exists()


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"bounds": {"tt": 1}}, "no variable 'tt' to bound. Did you mean 't'"),
        ({"bounds": {"t": -1}}, "finite and at least 0; got -1"),
        ({"mode": "lossy"}, "kept as they are, or within bounds"),
        ({"mode": "lossless", "max_error": 1.0}, "not both"),
        ({"max_error": 1.0, "error_mode": "odd"}, "must be one of abs, rel, pointwise"),
        ({"quality": 50}, "leave out --quality"),
    ],
)
def test_wishes_that_cannot_be_are_refused(weather, tmp_path, wishes, sentence):
    with pytest.raises(UseError, match=sentence):
        compress(weather, tmp_path / "a.isz", **wishes)
    assert not (tmp_path / "a.isz").exists()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from(["i1", "i2", "u2", "i4", "i8", "f4", "f8"]))
def test_gaps_amid_the_values_stay_under_any_bound(seed, dtype):
    from isthmus.coding.bound import Bound
    from isthmus.tasks.grids.blocks import Task, Tile, TileDecoder, encode_tile, gap_map

    random = np.random.default_rng(seed)
    values = np.cumsum(random.integers(-2, 3, (6, 40)), axis=1).astype(dtype)
    gaps = tuple(np.array([gap], dtype).tobytes() for gap in random.choice(9, 2, replace=False))
    if dtype[0] == "f":
        values[random.random(values.shape) < 0.05] = np.nan
    variable = kinds.Variable("v", np.dtype(dtype).name, values.shape, (1, 1), gaps)
    bound = Bound(float(random.integers(1, 6)))
    made = encode_tile(Tile(variable, values, ("interpolation", "pcodec", "stored"), bound))
    back = TileDecoder()(Task(variable, values.shape, made.plan, made.payload, made.crc))
    assert back.dtype == values.dtype
    assert (gap_map(back, gaps) == gap_map(values, gaps)).all()
    assert bound.kept(values, back).all()


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_nothing_but_gaps_comes_back(dtype, shape):
    from isthmus.tasks.grids.blocks import Task, Tile, TileDecoder, encode_tile

    values = np.full(shape, 7, dtype)
    variable = kinds.Variable("v", dtype, shape, (1,) * len(shape), (np.array([7], dtype).tobytes(),))
    made = encode_tile(Tile(variable, values, ("interpolation", "pcodec", "zstd", "stored"), None))
    back = TileDecoder()(Task(variable, shape, made.plan, made.payload, made.crc))
    assert back.dtype == values.dtype
    assert back.shape == shape
    assert (back == 7).all()


def test_bad_files_are_refused_in_a_sentence(weather, tmp_path):
    with pytest.raises(NoData, match="does not exist"):
        compress(tmp_path / "none.nc", tmp_path / "a.isz")
    bad = tmp_path / "bad.nc"
    bad.write_text("time,temperature\n")
    with pytest.raises(BadItem, match=r"bad\.nc is no file of netCDF"):
        compress(bad, tmp_path / "a.isz")
    bad.write_bytes(weather.read_bytes()[:4000])
    with pytest.raises(BadItem, match=r"bad\.nc cannot be read as netCDF"):
        compress(bad, tmp_path / "a.isz")
    with netcdf4.Dataset(bad, "w") as file:
        file.createDimension("x", 3)
        kind = file.createCompoundType(np.dtype([("a", "f4"), ("b", "i4")]), "pair")
        file.createVariable("both", kind, ("x",))
    with pytest.raises(BadItem, match="compound type 'pair'"):
        compress(bad, tmp_path / "a.isz")
    with netcdf4.Dataset(bad, "w") as file:
        file.createVLType(np.int32, "ragged")
    with pytest.raises(BadItem, match="variable-length type 'ragged'"):
        compress(bad, tmp_path / "a.isz")
    assert not (tmp_path / "a.isz").exists()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=gridded.files(gridded.NETCDF3), seed=st.integers(0, 2**32 - 1))
def test_a_netcdf_3_file_cut_short_or_damaged_is_refused_or_read(tmp_path, told, seed):
    from isthmus.data.grids import open_grid

    random = np.random.default_rng(seed)
    source = gridded.write(told, tmp_path / "any.nc")
    whole = bytearray(source.read_bytes())
    if random.random() < 0.5:
        del whole[int(random.integers(0, len(whole))) :]
    else:
        whole[int(random.integers(0, min(len(whole), 400)))] ^= 1 << int(random.integers(0, 8))
    source.write_bytes(whole)
    try:
        with open_grid(source) as found:
            assert found.raw_bytes <= 2 * len(whole) + 64
    except (BadItem, NoData):
        pass


def test_an_archive_that_lies_is_damaged(weather, tmp_path):
    from isthmus.coding.container import ArchiveReader, ArchiveWriter

    compress(weather, tmp_path / "a.isz", effort=1)
    with ArchiveReader(tmp_path / "a.isz") as reader:
        header, extras = reader.header, json.loads(json.dumps(reader.extras))
        blocks = [reader.read_block(number) for number in range(len(reader.blocks))]

    def forged(change):
        told = json.loads(json.dumps(extras))
        change(told["grid"])
        with ArchiveWriter(tmp_path / "b.isz", header, force=True) as writer:
            for number, block in enumerate(blocks):
                writer.add_block([number], block.plan, block.layers)
            writer.finish(None, told)
        with pytest.raises((DamagedFile, TooLarge)):
            decompress(tmp_path / "b.isz", tmp_path / "forged")
        assert not list((tmp_path / "forged").glob("*.nc"))

    (tmp_path / "forged").mkdir()
    forged(lambda grid: grid.update(name="../out.nc"))
    forged(lambda grid: grid.update(form="netcdf9"))
    forged(lambda grid: grid["variables"][2].__setitem__(2, [1 << 40, 1 << 40]))
    forged(lambda grid: grid["variables"][2].__setitem__(2, [11, 16, 20]))
    forged(lambda grid: grid["variables"][3].__setitem__(1, "object"))
    forged(lambda grid: grid["variables"].pop())
    forged(lambda grid: grid.update(about={"model": "NETCDF4", "root": {}}))
    forged(lambda grid: grid["about"].update(model="pickle"))
