"""Repacking and skipping damage, as a person would type it."""

import json

import numpy as np
from terminal import call

from isthmus.coding.container import ArchiveReader


def damaged(path, target, number=0):
    with ArchiveReader(path) as reader:
        at = reader.blocks[number].end - 3
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    target.write_bytes(data)
    return target


def two_blocks(folder):
    np.save(folder / "x.npy", np.arange(300 * 64, dtype=np.uint8).reshape(300, 8, 8))
    assert call("compress", folder / "x.npy", "-o", folder / "x.isz").exit_code == 0
    return folder / "x.isz"


def test_damage_is_skipped_named_and_told_by_the_exit_code(tmp_path):
    broken = damaged(two_blocks(tmp_path), tmp_path / "broken.isz")
    assert call("decompress", broken, "-o", tmp_path / "out").exit_code == 1
    done = call("decompress", broken, "-o", tmp_path / "out", "--skip-damaged")
    assert done.exit_code == 1
    assert "left out: x.npy[255]" in done.stderr
    assert np.load(tmp_path / "out" / "x.npy").shape == (44, 8, 8)


def test_repack_saves_what_is_whole(tmp_path):
    broken = damaged(two_blocks(tmp_path), tmp_path / "broken.isz")
    assert call("repack", broken, "-o", tmp_path / "new.isz").exit_code == 1
    done = call("repack", broken, "-o", tmp_path / "new.isz", "--skip-damaged", "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["samples"], len(told["missing"])) == (44, 256)
    assert call("verify", tmp_path / "new.isz").exit_code == 0


def test_repack_of_a_whole_archive(tmp_path):
    archive = two_blocks(tmp_path)
    assert call("repack", archive, "-o", tmp_path / "new.isz").exit_code == 0
    assert (tmp_path / "new.isz").read_bytes() == archive.read_bytes()
    assert call("repack", archive, "-o", tmp_path / "new.isz").exit_code == 2  # it is there
    assert call("repack", archive, "-o", tmp_path / "n.isz", "--keep", "evil").exit_code == 2


def test_more_output_than_asked_for_is_refused(tmp_path):
    archive = two_blocks(tmp_path)
    for name in ("decompress", "verify"):
        words = ("-o", tmp_path / "out") if name == "decompress" else ("--against", tmp_path / "x.npy")
        done = call(name, archive, *words, "--max-output-bytes", 300 * 64 - 1)
        assert done.exit_code == 2
        assert "--max-output-bytes" in done.stderr
    assert not [path for path in (tmp_path / "out").glob("*") if path.is_file()]
