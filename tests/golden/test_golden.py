"""The golden files are written as they are, and read by a reader that knows only docs/format.md."""

import independent
import make
import numpy as np
import pytest

from isthmus.coding.canonical import content_hash, unpack_tensors
from isthmus.coding.coder import decode
from isthmus.coding.container import ArchiveReader
from isthmus.coding.tables import Table, tables_from_bytes

SMALL = make.FOLDER / "format1-small.isz"


@pytest.mark.parametrize("name", make.GOLDEN)
def test_todays_program_writes_the_same_bytes(name):
    assert make.GOLDEN[name]() == (make.FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", [name for name in make.GOLDEN if name.endswith(".isz")])
def test_todays_program_reads_them(name):
    with ArchiveReader(make.FOLDER / name) as reader:
        assert reader.verify() == []
        assert reader.sizes().total == (make.FOLDER / name).stat().st_size


def test_the_archive_gives_back_what_was_put_in():
    with ArchiveReader(SMALL) as reader:
        document, tensors = unpack_tensors(reader.model_bytes)
        tables = tables_from_bytes(tensors["tables"].tobytes())
        payload = reader.read_block(0).layers[0].payload
        values = decode(payload, [(300, tables[0]), (300, tables[1])])
        assert reader.header == make.HEADER
        assert document == make.DOCUMENT
        assert reader.extras["model"] == content_hash(document, tensors)
    for name, tensor in make.TENSORS.items():
        np.testing.assert_array_equal(tensors[name], tensor, strict=True)
    np.testing.assert_array_equal(values, make.LATENTS[:2])


def test_the_independent_reader_finds_the_same_blocks():
    archive = independent.read_archive(SMALL.read_bytes())
    assert archive["header"] == make.HEADER
    assert [block["plan"] for block in archive["blocks"]] == ["latents", 3, "stored"]
    assert [block["items"] for block in archive["blocks"]] == [[0, 1, 2, 3], [4, 6, 7], [5, 8]]
    assert archive["blocks"][2]["layers"]["stored"]["payload"] == bytes(range(20))
    assert archive["extras"]["names"][0] == "é/0.png"
    assert independent.read_archive((make.FOLDER / "format1-empty.isz").read_bytes())["blocks"] == []


def test_the_independent_reader_decodes_the_same_numbers():
    archive = independent.read_archive(SMALL.read_bytes())
    tables = [independent.read_table(table.to_bytes()) for table in make.TABLES]
    payload = archive["blocks"][0]["layers"]["latents"]["payload"]
    values = independent.decode_message(payload, [(300, tables[0]), (300, tables[1])])
    assert values == [group.tolist() for group in make.LATENTS[:2]]


def test_the_independent_reader_unpacks_the_same_model():
    archive = independent.read_archive(SMALL.read_bytes())
    document, tensors = independent.read_packed(archive["model"])
    assert document == make.DOCUMENT
    for name, (dtype, shape, values) in tensors.items():
        expected = make.TENSORS[name]
        assert (dtype, shape, values) == (
            expected.dtype.name,
            list(expected.shape),
            expected.ravel().tolist(),
        )
    assert independent.hash_packed(document, tensors) == archive["extras"]["model"]


def test_a_scan_finds_every_block_without_the_index():
    data = SMALL.read_bytes()
    archive = independent.read_archive(data)
    cut = data[: data.index(archive["model"])]
    assert independent.scan_for_blocks(cut) == archive["blocks"]


def test_tables_are_read_alike():
    table = Table(low=-3, frequencies=np.array([5, 1000, 3, 1, 15]))
    assert independent.read_table(table.to_bytes()) == (-3, table.frequencies.tolist(), 10)
