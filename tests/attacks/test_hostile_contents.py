"""Archives whose bytes are all in order, but whose header, names or model ask for what they must not."""

import copy
import json
import tracemalloc
from io import BytesIO

import numpy as np
import pytest
import road
from forge import block, fields

from isthmus.coding.container import ArchiveReader, ArchiveWriter
from isthmus.errors import BadItem, DataError, FileError, IsthmusError, TooLarge
from isthmus.limits import Limits
from isthmus.tasks.compress import compress_bytes, decompress, restore
from isthmus.tasks.info import info
from isthmus.tasks.promise import LOSSLESS
from isthmus.tasks.repack import repack
from isthmus.tasks.verify import verify

MEMORY_BYTES = 100 << 20


@pytest.fixture(scope="module")
def whole():
    return compress_bytes(np.arange(600, dtype=np.uint8).reshape(60, 10), coder="stored")[0]


@pytest.fixture(scope="module")
def lossy():
    return compress_bytes(road.samples()[:10], road.model())[0]


def changed(data, header=None, extras=None, model=lambda packed: packed):
    """The same archive, its JSON changed by functions, all checksums right."""
    file = BytesIO()
    with ArchiveReader(data) as reader:
        told, said = copy.deepcopy(reader.header), copy.deepcopy(reader.extras)
        if header:
            header(told)
        if extras:
            extras(said["layout"])
        with ArchiveWriter(file, told) as writer:
            for number in range(len(reader.blocks)):
                held = reader.read_block(number)
                writer.add_block(held.items, held.plan, held.layers)
            writer.finish(model(reader.model_bytes), said)
    return file.getvalue()


def refuse(data, tmp_path):
    """Every task refuses it by name, and leaves nothing."""
    path = tmp_path / "a.isz"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises((FileError, DataError)):
            decompress(path, tmp_path / "out")
        with pytest.raises((FileError, DataError)):
            decompress(path, tmp_path / "out", skip_damaged=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_BYTES
    assert not [left for left in (tmp_path / "out").rglob("*") if left.is_file()]
    for task in (verify, info, lambda path: repack(path, tmp_path / "b.isz")):
        try:
            task(path)
        except IsthmusError:
            continue


SPECS = {
    "a sample of 2^60 bytes": {"shape": [1 << 30, 1 << 30], "axes": ["a", "b"]},
    "a negative side": {"shape": [-10]},
    "a side that is text": {"shape": ["10"]},
    "a side that is a fraction": {"shape": [10.0]},
    "a side that is a truth value": {"shape": [True]},
    "a shape that is a number": {"shape": 10},
    "more axes than NumPy has": {"shape": [1] * 100, "axes": [str(n) for n in range(100)]},
    "objects": {"dtype": "object"},
    "a type of its own": {"dtype": "V1000000000"},
    "text": {"dtype": "U10"},
    "times": {"dtype": "M8[s]"},
    "records": {"dtype": "i4,f8"},
    "another length": {"dtype": "float64"},
    "no type": {"dtype": "evil.Type"},
    "a type that is a number": {"dtype": 7},
    "an unknown modality": {"modality": "\x00"},
    "a field of its own": {"evil": 1},
}


@pytest.mark.parametrize("name", SPECS)
def test_samples_that_cannot_be(whole, tmp_path, name):
    refuse(changed(whole, header=lambda told: told["spec"].update(SPECS[name])), tmp_path)


NAMES = [
    "../out",
    "/etc/evil",
    "a/../../b",
    "C:\\evil",
    "C:evil",
    "a\\b",
    "a\0b",
    "",
    ".",
    "..",
    "a//b",
    "x" * 300,
]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_leave_the_folder(whole, tmp_path, name):
    data = changed(whole, extras=lambda told: told.update(reader="npy", members=[[name, 60]]))
    refuse(data, tmp_path)
    assert not (tmp_path / "evil").exists()


def test_names_that_meet(whole, tmp_path):
    twice = changed(whole, extras=lambda told: told.update(reader="npy", members=[["a", 30], ["a", 30]]))
    refuse(twice, tmp_path)
    inside = changed(whole, extras=lambda told: told.update(reader="npy", members=[["a", 30], ["a/b", 30]]))
    refuse(inside, tmp_path)


def test_names_that_meet_only_where_case_is_ignored(whole, tmp_path, monkeypatch):
    monkeypatch.setattr("isthmus.data.names._ignores_case", lambda directory: True)
    data = changed(whole, extras=lambda told: told.update(reader="npy", members=[["a", 30], ["A", 30]]))
    with pytest.raises(BadItem, match="one file here"):
        decompress(data, tmp_path / "out")


def test_a_link_in_the_way_is_replaced_and_not_followed(whole, tmp_path):
    data = changed(whole, extras=lambda told: told.update(reader="npy", members=[["a.npy", 60]]))
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.npy").symlink_to(tmp_path / "precious")
    decompress(data, tmp_path / "out", force=True)
    assert (tmp_path / "precious").read_text() == "precious"
    assert not (tmp_path / "out" / "a.npy").is_symlink()


LAYOUTS = {
    "an unknown reader": {"reader": "os.system"},
    "a reader that is a list": {"reader": []},
    "more samples than blocks": {"members": [["a", 61]]},
    "fewer samples than blocks": {"members": [["a", 59]]},
    "2^62 samples": {"members": [["a", 1 << 62]]},
    "a negative count": {"members": [["a", 70], ["b", -10]]},
    "a count that is a truth value": {"members": [["a", True], ["b", 59]]},
    "members that are objects": {"members": [{"name": "a"}]},
    "no members": {"members": None},
    "options that are a list": {"options": [1]},
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_that_cannot_be(whole, tmp_path, name):
    path = tmp_path / "a.isz"
    path.write_bytes(changed(whole, extras=lambda told: told.update(LAYOUTS[name])))
    with pytest.raises(IsthmusError):
        decompress(path, tmp_path / "out")
    assert not [left for left in (tmp_path / "out").rglob("*") if left.is_file()]


def test_items_far_apart_take_no_memory(whole, tmp_path):
    """A scan finds a block that claims to be the trillionth."""
    layers = ((LOSSLESS, bytes(600)),)
    told = fields(runs=((1 << 40, 60),), layers=layers, plan="stored")
    with ArchiveReader(whole) as reader:
        start = whole[: reader.blocks[0].offset]
    refuse(start + block(told, bytes(600)), tmp_path)


@pytest.mark.parametrize(
    "parts",
    [{"autoencoder": "0" * 64}, {"evil": "0" * 64}, {"autoencoder": 7}, {"autoencoder": None}, [], "text", 5],
)
def test_models_of_another_name(lossy, tmp_path, parts):
    refuse(changed(lossy, header=lambda told: told.update(parts=parts)), tmp_path)


@pytest.mark.parametrize("cut", range(0, 600, 37))
def test_models_cut_short_or_with_more_behind(lossy, tmp_path, cut):
    refuse(changed(lossy, model=lambda packed: packed[: cut - 600]), tmp_path)
    refuse(changed(lossy, model=lambda packed: packed + b"\0" * (cut + 1)), tmp_path)


@pytest.mark.parametrize("mode", ["evil", None, 7, "bounded", {}])
def test_promises_that_cannot_be(whole, tmp_path, mode):
    refuse(changed(whole, header=lambda told: told.update(mode=mode)), tmp_path)


def test_a_bomb_of_many_blocks_meets_the_limit_on_the_output(tmp_path):
    data = compress_bytes(np.zeros((20, 1 << 20), np.uint8), coder="zstd")[0]
    assert len(data) < 10_000
    with pytest.raises(TooLarge):
        decompress(data, tmp_path / "out", limits=Limits(output_bytes=20 << 20 - 1))
    assert not [left for left in (tmp_path / "out").rglob("*") if left.is_file()]
    with pytest.raises(TooLarge):
        decompress(data, tmp_path / "out", limits=Limits(block_bytes=1 << 20))
    assert restore(data).shape == (20, 1 << 20)
    assert json.dumps(info_of(data, tmp_path))


def info_of(data, tmp_path):
    (tmp_path / "bomb.isz").write_bytes(data)
    return info(tmp_path / "bomb.isz").to_dict()
