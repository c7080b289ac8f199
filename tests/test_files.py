"""Whole files or none, whatever happens in between."""

import errno
import os
import stat

import pytest

from isthmus import files
from isthmus.errors import MachineError, OutputExists
from isthmus.files import atomic_write, write_bytes


def write_and_raise(path, error):
    with atomic_write(path) as file:
        file.write(b"new")
        raise error


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_written_file_holds_what_was_written(tmp_path):
    write_bytes(tmp_path / "deep" / "a.bin", b"abc")
    assert (tmp_path / "deep" / "a.bin").read_bytes() == b"abc"
    assert left(tmp_path / "deep") == ["a.bin"]


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, interruption):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    with pytest.raises(interruption):
        write_and_raise(path, interruption)
    assert path.read_bytes() == b"old"
    assert left(tmp_path) == ["a.bin"]


def test_an_existing_file_is_refused_unless_forced(tmp_path):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old", force=False)
    with pytest.raises(OutputExists, match="--force"):
        write_bytes(path, b"new", force=False)
    assert path.read_bytes() == b"old"
    write_bytes(path, b"new", force=True)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, number, call):
    def full(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(*((files.os, "fsync") if call == "fsync" else (files.Path, "replace")), full)
    with pytest.raises(MachineError, match=r"Cannot write .*a\.bin: the disk .*; make room"):
        write_bytes(tmp_path / "a.bin", b"x")
    monkeypatch.undo()
    assert left(tmp_path) == []


def test_a_disk_that_fills_up_while_writing_is_the_same_sentence(tmp_path):
    with pytest.raises(MachineError, match="the disk is full"):
        write_and_raise(tmp_path / "a.bin", OSError(errno.ENOSPC, "no space"))
    assert left(tmp_path) == []


def test_an_error_of_another_kind_stays_what_it_is(tmp_path):
    with pytest.raises(OSError, match="odd"), atomic_write(tmp_path / "a.bin"):
        raise OSError(errno.EIO, "odd")


def test_a_file_where_a_folder_should_be_is_one_sentence(tmp_path):
    write_bytes(tmp_path / "a", b"x")
    with pytest.raises(MachineError, match="file, not a folder"):
        write_bytes(tmp_path / "a" / "b", b"x")


def test_a_folder_where_the_file_should_be_is_one_sentence(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(MachineError, match="Cannot write"):
        write_bytes(tmp_path / "a", b"x")
    assert left(tmp_path) == ["a"]


@pytest.mark.skipif(os.name != "posix", reason="permissions as on POSIX")
def test_the_file_has_the_permissions_that_any_new_file_has(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    write_bytes(tmp_path / "ours", b"")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "ours")}
    assert len(modes) == 1
