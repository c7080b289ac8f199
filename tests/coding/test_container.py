"""Every part of an archive is found, checked and counted, and no damage passes unseen."""

import errno
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.coding.blocks import BlockHeader
from isthmus.coding.container import ArchiveReader, ArchiveWriter, Layer
from isthmus.errors import (
    DamagedFile,
    FileError,
    IsthmusError,
    MachineError,
    NewerFormat,
    NotOurFile,
    OutputExists,
)


def archive(model=b"model", blocks=3):
    file = BytesIO()
    with ArchiveWriter(file, {"kind": "test"}) as writer:
        for i in range(blocks):
            layers = [Layer("latents", bytes([i] * 5), content_crc=i), Layer("residual", b"r" * i)]
            writer.add_block(slice(4 * i, 4 * i + 4), "plan", layers)
        writer.finish(model, {"names": ["a", "b"]})
    return file.getvalue()


SMALL = archive()

layers = st.lists(
    st.builds(Layer, st.text(max_size=3), st.binary(max_size=20), st.integers(0, 2**32 - 1)),
    max_size=3,
    unique_by=lambda layer: layer.name,
)
plans = st.integers(0, 300) | st.text(max_size=4)


@given(st.lists(st.tuples(plans, layers), max_size=6), st.none() | st.binary(max_size=30), st.data())
def test_reading_undoes_writing(blocks, model, data):
    owners = data.draw(st.lists(st.integers(0, len(blocks) - 1), min_size=len(blocks))) if blocks else []
    owners += range(len(blocks))  # so that each block has an item
    items = [[i for i, owner in enumerate(owners) if owner == number] for number in range(len(blocks))]
    file = BytesIO()
    with ArchiveWriter(file, {"kind": "test"}) as writer:
        for mine, (plan, parts) in zip(items, blocks, strict=True):
            writer.add_block(mine, plan, parts)
        writer.finish(model, {"note": "é"})
    with ArchiveReader(file.getvalue()) as reader:
        read = [reader.read_block(number) for number in range(len(reader.blocks))]
        assert [(block.items, block.plan, list(block.layers)) for block in read] == [
            (mine, plan, parts) for mine, (plan, parts) in zip(items, blocks, strict=True)
        ]
        assert (reader.header, reader.extras) == ({"kind": "test"}, {"note": "é"})
        assert (reader.model_bytes, reader.items, reader.generation) == (model, len(owners), 0)
        assert reader.verify() == []
        assert reader.sizes().total == len(file.getvalue())


def is_found_damaged(data):
    try:
        with ArchiveReader(data) as reader:
            return bool(reader.verify())
    except (DamagedFile, NotOurFile, NewerFormat):
        return True


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_every_flipped_byte_is_found(flip):
    for position in range(len(SMALL)):
        damaged = bytearray(SMALL)
        damaged[position] ^= flip
        assert is_found_damaged(bytes(damaged)), position


def test_every_truncation_is_found():
    for length in range(len(SMALL)):
        with pytest.raises((DamagedFile, NotOurFile), match="The archive: "):
            ArchiveReader(SMALL[:length])


@given(st.binary(max_size=200))
def test_bytes_between_or_after_the_parts_are_found(extra):
    if extra:
        with pytest.raises(DamagedFile):
            ArchiveReader(SMALL + extra)


@given(st.binary(max_size=150))
def test_other_files_are_refused(data):
    with pytest.raises(NotOurFile):
        ArchiveReader(data)


def test_a_newer_format_says_how_to_update():
    newer = SMALL[:8] + b"\x07" + SMALL[9:]
    with pytest.raises(NewerFormat, match=r"format 7; .*pip install -U isthmus"):
        ArchiveReader(newer)


def test_a_format_from_before_it_was_frozen_is_refused_in_one_sentence():
    older = SMALL[:8] + b"\x00" + SMALL[9:]
    with pytest.raises(NotOurFile, match=r"format 0, from before .* Make it again"):
        ArchiveReader(older)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(FileError, match=r"gone\.isz cannot be read: no such file"):
        ArchiveReader(tmp_path / "gone.isz")
    with pytest.raises(FileError, match="cannot be read"):
        ArchiveReader(tmp_path)


def test_damage_in_one_block_is_named_and_leaves_the_others_readable():
    damaged = bytearray(SMALL)
    damaged[SMALL.index(b"\x01" * 5)] ^= 1
    with ArchiveReader(bytes(damaged)) as reader:
        assert [problem.block for problem in reader.verify()] == [1, None]  # the block, and the whole
        with pytest.raises(DamagedFile, match="Layer 'latents' of block 1"):
            reader.read_block(1)
        assert reader.read_block(1, ["residual"]).layers[0].payload == b"r"
        assert reader.read_block(2).layers[0].payload == b"\x02" * 5


def test_a_damaged_model_is_named():
    damaged = SMALL.replace(b"\x05model", b"\x05modem")
    with ArchiveReader(damaged) as reader:
        assert "The model does not match" in str(reader.verify()[0])
        with pytest.raises(DamagedFile, match="The model"):
            _ = reader.model_bytes


def test_single_layers_and_the_blocks_of_some_items_can_be_read():
    with ArchiveReader(SMALL) as reader:
        assert reader.blocks_for(3, 5) == [0, 1]
        assert reader.blocks_for(8, 9) == [2]
        assert reader.blocks_for(5, 5) == []
        assert [layer.name for layer in reader.read_block(2, ["residual"]).layers] == ["residual"]
        with pytest.raises(KeyError):
            reader.read_block(0, ["no such layer"])


def test_opening_reads_the_two_ends_only(tmp_path):
    path = tmp_path / "large.isz"
    with ArchiveWriter(path, {}) as writer:
        for i in range(20):
            writer.add_block([i], "stored", [Layer("stored", bytes(100_000))])
        writer.finish()
    file = Counting(path.read_bytes())
    with ArchiveReader(file) as reader:
        assert file.bytes_read < 2_000
        reader.read_block(7)
        assert file.bytes_read < 102_000


class Counting(BytesIO):
    bytes_read = 0

    def read(self, size=-1):
        data = super().read(size)
        self.bytes_read += len(data)
        return data


def test_blocks_cost_few_bytes_besides_their_payload():
    file = BytesIO()
    with ArchiveWriter(file, {}) as writer:
        for i in range(1000):
            payload = np.random.default_rng(i).bytes(100 + i % 50)
            writer.add_block(slice(100 * i, 100 * i + 100), "latents", [Layer("latents", payload, i * 7919)])
        writer.finish()
    sizes = ArchiveReader(file.getvalue()).sizes()
    assert (sizes.blocks + sizes.index) / 1000 < 60


def test_an_existing_file_is_refused_or_replaced_whole(tmp_path):
    path = tmp_path / "a.isz"
    path.write_bytes(b"old")
    with pytest.raises(OutputExists), ArchiveWriter(path, {}) as writer:
        writer.finish()
    assert path.read_bytes() == b"old"
    with ArchiveWriter(path, {}, force=True) as writer:
        writer.finish()
    with ArchiveReader(path) as reader:
        assert reader.verify() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_writer_leaves_nothing_behind(tmp_path, error):
    def write_half():
        with ArchiveWriter(tmp_path / "a.isz", {}) as writer:
            writer.add_block([0], "stored", [])
            raise error

    with pytest.raises(error):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_writer_is_a_mistake_and_leaves_nothing_behind(tmp_path):
    with pytest.raises(RuntimeError, match="finish"), ArchiveWriter(tmp_path / "a.isz", {}) as writer:
        writer.add_block([0], "stored", [])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_sentence_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ArchiveWriter, "_write", full)
    with pytest.raises(MachineError, match="the disk is full"), ArchiveWriter(tmp_path / "a.isz", {}):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("items", [[], [2, 1], [1, 1], [-1], slice(0, 0)])
def test_blocks_of_impossible_items_are_refused(items):
    with pytest.raises(ValueError, match="block must"):
        BlockHeader.of(items, "plan", [])


@pytest.mark.parametrize("blocks", [[[1]], [[0], [0]], [[0, 1], [1, 2]], [[0], [2]]])
def test_items_missing_or_twice_are_refused(blocks):
    def write():
        with ArchiveWriter(BytesIO(), {}) as writer:
            for items in blocks:
                writer.add_block(items, "plan", [])
            writer.finish()

    with pytest.raises(ValueError, match="exactly one block"):
        write()


def test_two_layers_of_one_name_are_refused():
    with pytest.raises(ValueError, match="different names"):
        BlockHeader.of([0], "plan", [Layer("a", b""), Layer("a", b"")])


@given(st.binary(max_size=40))
def test_any_bytes_are_a_block_header_or_refused(data):
    try:
        header = BlockHeader.from_fields(data)
    except IsthmusError:
        return
    assert BlockHeader.from_fields(header.fields()) == header


def test_nothing_in_an_archive_depends_on_time_or_place():
    assert archive() == archive()
