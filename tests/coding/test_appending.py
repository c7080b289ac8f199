"""An archive grows by generations; whatever stops the growing, the earlier archive is still there."""

import errno
import os
from io import BytesIO

import independent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.coding.container import ArchiveReader, ArchiveWriter, Layer
from isthmus.errors import DamagedFile, IsthmusError, MachineError, UseError

HEADER = {"kind": "test"}


def begin(file, blocks, model=None):
    with ArchiveWriter(file, HEADER) as writer:
        fill(writer, blocks, model)


def grow(file, blocks, model=None, header=HEADER):
    with ArchiveWriter.append(file, header) as writer:
        fill(writer, blocks, model)


def fill(writer, blocks, model):
    names, first = list(writer.extras.get("names", [])), writer.items
    for payload in blocks:
        writer.add_block([first], "plain", [Layer("only", payload)])
        names.append(f"item {first}")
        first += 1
    writer.finish(model, {"names": names})


def content(data, **options):
    with ArchiveReader(data, **options) as reader:
        numbers = range(len(reader.blocks))
        return [reader.read_block(n).layers[0].payload for n in numbers], reader.extras["names"]


generations = st.lists(st.lists(st.binary(max_size=30), min_size=1, max_size=3), min_size=1, max_size=4)


@given(generations, st.none() | st.binary(max_size=30), st.data())
def test_every_generation_is_whole_and_can_be_had_again_by_a_cut(blocks, model, data):
    model_at = data.draw(st.integers(0, len(blocks) - 1))
    file, ends = BytesIO(), []
    for number, mine in enumerate(blocks):
        theirs = model if number >= model_at else None
        grow(file, mine, theirs) if number else begin(file, mine, theirs)
        ends.append(len(file.getvalue()))
    for number, end in enumerate(ends):
        cut = file.getvalue()[:end]
        with ArchiveReader(cut) as reader:
            assert reader.verify() == []
            assert reader.generation == number
            assert reader.earlier_ends() == ends[:number]
            assert reader.model_bytes == (model if number >= model_at else None)
            assert reader.sizes().total == end
        written = [payload for mine in blocks[: number + 1] for payload in mine]
        assert content(cut) == (written, [f"item {i}" for i in range(len(written))])
        by_another = independent.read_archive(cut)
        assert [block["layers"]["only"]["payload"] for block in by_another["blocks"]] == written


def two_generations():
    file = BytesIO()
    begin(file, [b"first", b"second"], b"model")
    old = len(file.getvalue())
    grow(file, [b"third"], b"model")
    return file.getvalue(), old


WHOLE, OLD = two_generations()


def test_the_model_is_not_written_twice():
    assert WHOLE.count(b"\x05model") == 1


@pytest.mark.parametrize("length", range(OLD, len(WHOLE)))
def test_a_crash_at_any_byte_leaves_the_old_archive_to_be_found(length):
    torn = WHOLE[:length]
    if length > OLD:
        with pytest.raises(DamagedFile, match="isthmus repack"):
            ArchiveReader(torn)
    assert content(torn, salvage="generation") == content(WHOLE[:OLD])
    payloads, names = content(torn, salvage="blocks")
    assert payloads[:2] == [b"first", b"second"]
    assert names == ["item 0", "item 1"]


@pytest.mark.parametrize("length", [n for n in range(len(WHOLE)) if n != OLD])
def test_every_other_cut_is_found(length):
    with pytest.raises(IsthmusError):
        ArchiveReader(WHOLE[:length])


@pytest.mark.parametrize("flip", [0x01, 0xFF])
def test_every_flipped_byte_of_two_generations_is_found(flip):
    for position in range(len(WHOLE)):
        damaged = bytearray(WHOLE)
        damaged[position] ^= flip
        try:
            with ArchiveReader(bytes(damaged)) as reader:
                assert reader.verify(), position
        except IsthmusError:
            pass


class Failing(BytesIO):
    """A disk with only so much room."""

    room = 1 << 30

    def write(self, data):
        if self.tell() + len(data) > self.room:
            super().write(bytes(data)[: self.room - self.tell()])
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("room", range(OLD, len(WHOLE), 7))
def test_a_disk_that_fills_up_leaves_the_old_archive(room):
    file = Failing(WHOLE[:OLD])
    file.room = room
    with pytest.raises(OSError, match="No space"):
        grow(file, [b"third"])
    assert file.getvalue() == WHOLE[:OLD]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interruption_leaves_the_old_file(tmp_path, error):
    def write_half():
        with ArchiveWriter.append(path, HEADER) as writer:
            writer.add_block([2], "plain", [Layer("only", b"third")])
            raise error

    path = tmp_path / "a.isz"
    path.write_bytes(WHOLE[:OLD])
    with pytest.raises(error):
        write_half()
    assert path.read_bytes() == WHOLE[:OLD]
    grow(path, [b"third"])
    assert path.read_bytes() == WHOLE


def test_other_data_or_another_model_are_refused_and_nothing_changes():
    for options, error in (({"header": {}}, UseError), ({"model": b"other"}, ValueError)):
        file = BytesIO(WHOLE[:OLD])
        with pytest.raises(error):
            grow(file, [b"third"], **options)
        assert file.getvalue() == WHOLE[:OLD]


def test_nothing_is_built_on_a_damaged_archive():
    damaged = bytearray(WHOLE[:OLD])
    damaged[damaged.index(b"first")] ^= 1
    file = BytesIO(damaged)
    with pytest.raises(DamagedFile, match="nothing was appended"):
        grow(file, [b"third"])
    assert file.getvalue() == damaged


def test_a_generation_without_a_block_is_refused():
    file = BytesIO(WHOLE[:OLD])
    with pytest.raises(ValueError, match="add a block"):
        grow(file, [])
    assert file.getvalue() == WHOLE[:OLD]


@pytest.mark.skipif(os.name != "posix", reason="the lock is POSIX")
def test_two_cannot_append_at_once(tmp_path):
    path = tmp_path / "a.isz"
    path.write_bytes(WHOLE[:OLD])
    with ArchiveWriter.append(path, HEADER) as first:
        with pytest.raises(MachineError, match="Another process"):
            grow(path, [b"third"])
        fill(first, [b"third"], None)
    assert path.read_bytes() == WHOLE
