"""Zarrs come back with the documents they had, folder or .zip, of versions 2 and 3."""

import json
import zipfile

import numpy as np
import pytest

from isthmus.data.grids import is_grid, open_grid
from isthmus.errors import BadItem
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.verify import verify

zarr = pytest.importorskip("zarr", reason="zarr is missing: pip install 'isthmus[arrays]'")

TYPES = ("bool", "int8", ">i4", "uint16", "int64", "float16", "<f4", ">f8", "complex64", "M8[s]", "U5", "S3")
# Types of letters and dates have no written specification in version 3 yet, and warn.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(params=[2, 3])
def store(request, tmp_path):
    """Arrays of every type, in groups, chunked, sharded, with gaps, with none."""
    path = tmp_path / "all.zarr"
    random = np.random.default_rng(0)
    group = zarr.open_group(path, mode="w", zarr_format=request.param)
    group.attrs.update({"title": "all", "list": [1, 2.5, None]})
    for number, dtype in enumerate(TYPES):
        values = random.integers(0, 50, (7, 9)).astype(dtype)
        group.create_array(f"a{number}", shape=(7, 9), chunks=(3, 4), dtype=dtype)[...] = values
    deep = group.create_group("deep").create_group("deeper")
    deep.create_array("words", shape=(4,), dtype=str)[:] = np.array(["a", "", "hé", "long"])
    deep.create_array("one", shape=(), dtype="f4")[...] = 3
    deep.create_array("none", shape=(0, 4), chunks=(1, 4), dtype="i2")
    deep.create_array("sparse", shape=(40, 4), chunks=(4, 4), dtype="f4", fill_value=-9)[8:12] = 1
    if request.param == 3:
        group.create_array("sharded", shape=(8, 8), chunks=(2, 2), shards=(4, 4), dtype="f4")[...] = 2.5
    zarr.consolidate_metadata(path)
    return path


def documents(path):
    names = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")
    return {each.relative_to(path): each.read_bytes() for each in path.rglob("*") if each.name in names}


def values(path):
    group = zarr.open_group(path, mode="r")
    return {
        name: found[...].tolist() for name, found in group.members(max_depth=None) if hasattr(found, "shape")
    }


def test_a_folder_comes_back(store, tmp_path):
    compress(store, tmp_path / "a.isz", effort=1)
    checked = verify(tmp_path / "a.isz", against=store)
    assert checked.ok, checked.problems
    (back,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
    assert back.name == "all.zarr"
    assert documents(back) == documents(store)
    assert values(back) == values(store)
    assert len(list((back / "deep" / "deeper" / "sparse").rglob("*"))) < 8  # chunks of nothing stay away


def test_a_zip_comes_back(store, tmp_path):
    packed = tmp_path / "all.zarr.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for each in sorted(store.rglob("*")):
            if each.is_file():
                archive.write(each, each.relative_to(store))
    compress(packed, tmp_path / "a.isz", effort=1)
    (back,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
    assert back.name == "all.zarr.zip"
    with zipfile.ZipFile(back) as archive:
        archive.extractall(tmp_path / "out")
    assert documents(tmp_path / "out") == documents(store)
    assert values(tmp_path / "out") == values(store)


def test_an_array_may_come_back_alone(store, tmp_path):
    compress(store, tmp_path / "a.isz", effort=1)
    decompress(tmp_path / "a.isz", tmp_path / "back", variables=("deep/deeper/words", "a3"))
    mine, theirs = values(tmp_path / "back" / "all.zarr"), values(store)
    assert mine == {name: theirs[name] for name in ("deep/deeper/words", "a3")}


def test_a_single_array_is_a_store(tmp_path):
    array = zarr.create_array(tmp_path / "one.zarr", shape=(5, 4), chunks=(2, 4), dtype="f4")
    array[...] = np.arange(20).reshape(5, 4)
    compress(tmp_path / "one.zarr", tmp_path / "a.isz", bounds={"one": 0.25})
    (back,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
    assert np.abs(zarr.open_array(back, mode="r")[...] - array[...]).max() <= 0.25


def test_pickles_are_not_opened(tmp_path):
    path = tmp_path / "odd.zarr"
    path.mkdir()
    told = {
        "zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "compressor": None, "fill_value": None,
        "order": "C", "filters": [{"id": "pickle", "protocol": 5}],
    }  # fmt: skip
    (path / ".zarray").write_text(json.dumps(told))
    with pytest.raises(BadItem, match="pickle"):
        open_grid(path)


def test_what_is_no_zarr_is_refused(tmp_path):
    (tmp_path / "empty.zarr").mkdir()
    assert not is_grid(tmp_path / "empty.zarr")
    zarr.open_group(tmp_path / "bare.zarr", mode="w")
    with pytest.raises(BadItem, match="without arrays"):
        open_grid(tmp_path / "bare.zarr")
    (tmp_path / "bad.zarr.zip").write_bytes(b"no zip")
    with pytest.raises(BadItem, match=r"bad\.zarr\.zip cannot be read as a zarr"):
        open_grid(tmp_path / "bad.zarr.zip")


def test_a_damaged_chunk_is_refused(store, tmp_path):
    chunk = next(
        each
        for each in sorted((store / "a2").rglob("*"))
        if each.is_file() and "." not in each.name[:1] and each.name != "zarr.json"
    )
    chunk.write_bytes(chunk.read_bytes()[:5])
    with pytest.raises(BadItem, match=r"all\.zarr \(a2\) cannot be read"):
        compress(store, tmp_path / "a.isz", effort=1)
    assert not (tmp_path / "a.isz").exists()
