"""Damage takes what it hits and nothing more: whatever stands whole is found again."""

import zlib
from io import BytesIO

import pytest

from isthmus.coding.blocks import MARK, BlockHeader
from isthmus.coding.container import ArchiveReader, ArchiveWriter, Layer
from isthmus.coding.index import END_MARK, MODEL_MARK
from isthmus.coding.varints import write_varint
from isthmus.errors import DamagedFile, FileError, NotOurFile, TooLarge
from isthmus.limits import Limits

PAYLOADS = [bytes([65 + i]) * 40 for i in range(5)]


def archive(payloads=PAYLOADS):
    file = BytesIO()
    with ArchiveWriter(file, {"kind": "test"}) as writer:
        for number, payload in enumerate(payloads):
            writer.add_block([number], "plain", [Layer("only", payload)])
        writer.finish(b"the model", {"names": list("abcde")})
    return file.getvalue()


WHOLE = archive()


def whole_payloads(reader):
    found = {}
    for number, entry in enumerate(reader.blocks):
        try:
            found[entry.header.runs[0].start] = reader.read_block(number).layers[0].payload
        except DamagedFile:
            continue
    return found


@pytest.mark.parametrize("position", range(len(WHOLE)))
def test_one_flipped_byte_costs_at_most_one_block(position):
    damaged = bytearray(WHOLE)
    damaged[position] ^= 0x55
    with ArchiveReader(bytes(damaged), salvage="blocks") as reader:
        found = whole_payloads(reader)
        assert reader.header == {"kind": "test"}
        assert len(found) >= len(PAYLOADS) - 1
        assert all(payload == PAYLOADS[item] for item, payload in found.items())
        try:
            model = reader.model_bytes
        except DamagedFile:
            model = None
        assert model == b"the model" or len(found) == len(PAYLOADS)


@pytest.mark.parametrize("length", range(60, len(WHOLE), 3))
def test_a_cut_costs_only_what_was_behind_it(length):
    with ArchiveReader(WHOLE[:length], salvage="blocks") as reader:
        whole = [i for i, payload in enumerate(PAYLOADS) if WHOLE.index(payload) + 40 <= length]
        assert sorted(whole_payloads(reader)) == whole
        assert reader.damage


def test_a_lost_index_leaves_blocks_and_model():
    with ArchiveReader(WHOLE[: WHOLE.index(b"the model") + 13], salvage="blocks") as reader:
        assert len(whole_payloads(reader)) == 5
        assert reader.model_bytes == b"the model"
        assert reader.extras == {}


def test_without_any_whole_generation_there_is_none():
    with pytest.raises(DamagedFile, match="No generation"):
        ArchiveReader(WHOLE[:-1], salvage="generation")


def test_a_lost_start_and_end_cannot_be_salvaged():
    with pytest.raises(NotOurFile):
        ArchiveReader(b"x" + WHOLE[1:-1], salvage="blocks")


def test_a_whole_archive_is_opened_as_ever():
    with ArchiveReader(WHOLE, salvage="blocks") as reader:
        assert (reader.damage, reader.verify(), reader.items) == ((), [], 5)


def test_marks_across_the_pieces_in_which_a_file_is_read_are_found():
    payloads = [bytes((1 << 20) - shift) for shift in (40, 60, 64, 66, 68)]
    data = archive(payloads)
    with ArchiveReader(data[:-1], salvage="blocks") as reader:
        assert sorted(whole_payloads(reader)) == [0, 1, 2, 3, 4]
    with ArchiveReader(data + bytes((1 << 20) - 2), salvage="generation") as reader:
        assert reader.extras["names"] == list("abcde")


def block(items, payload=b""):
    layers = [Layer("only", payload)]
    return BlockHeader.of(items, "plain", layers).to_bytes() + payload


def test_blocks_that_claim_items_of_others_are_left_out():
    start = WHOLE[: WHOLE.index(MARK)]
    data = start + block([0, 1], b"mine") + block([1, 2], b"thief") + block([2], b"third")
    with ArchiveReader(data, salvage="blocks") as reader:
        assert whole_payloads(reader) == {0: b"mine", 2: b"third"}


def test_blocks_that_reach_past_the_end_are_left_out():
    data = WHOLE[: WHOLE.index(MARK)] + block([0], b"0123456789")[:-1]
    with ArchiveReader(data, salvage="blocks") as reader:
        assert reader.blocks == ()


@pytest.mark.parametrize("mark", [MARK, MODEL_MARK])
def test_a_file_full_of_false_marks_is_given_up(mark):
    step = mark + write_varint(1 << 17)
    data = WHOLE[: WHOLE.index(MARK)] + step * (1 << 16)
    with pytest.raises(TooLarge, match="gave up"):
        ArchiveReader(data, salvage="blocks")


def test_false_footers_are_given_up():
    fields = (len(WHOLE)).to_bytes(8, "little") + bytes(44)
    footer = fields + zlib.crc32(fields).to_bytes(4, "little") + END_MARK
    with pytest.raises(FileError):
        ArchiveReader(WHOLE + footer * 50, salvage="generation")
    with ArchiveReader(WHOLE + footer * 3, salvage="generation") as reader:
        assert reader.items == 5


def test_limits_hold_when_salvaging_too():
    with pytest.raises(TooLarge, match="number of blocks"):
        ArchiveReader(WHOLE[:-1], salvage="blocks", limits=Limits(blocks=4))
