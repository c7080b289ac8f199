"""Whatever stops a command, no half-written output is left where it could be taken for a whole one."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from isthmus.coding.container import ArchiveReader
from isthmus.errors import IsthmusError, MachineError
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.repack import repack
from isthmus.tasks.verify import verify

STOPPING = """
import os, signal, sys
import numpy as np
from isthmus.coding import writer
from isthmus.tasks.compress import compress

source, output, append, room = sys.argv[1], sys.argv[2], sys.argv[3] == "append", int(sys.argv[4])
write = writer.ArchiveWriter._write

def stop_within(self, data):
    global room
    if len(data) > room:
        write(self, data[:room])
        getattr(self._file, "flush", lambda: None)()
        os.kill(os.getpid(), signal.SIGKILL)
    room -= len(data)
    write(self, data)

writer.ArchiveWriter._write = stop_within
compress(source, output, append=append, coder="stored")
"""


def killed(source, output, how, room):
    done = subprocess.run(
        [sys.executable, "-c", STOPPING, source, output, how, str(room)], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.fixture
def numbers(tmp_path):
    np.save(tmp_path / "numbers.npy", np.arange(3000, dtype=np.int32).reshape(300, 10))
    return tmp_path / "numbers.npy"


@pytest.mark.skipif(os.name != "posix", reason="kill -9 as on POSIX")
def test_killed_while_compressing(numbers, tmp_path):
    killed(numbers, tmp_path / "a.isz", "new", 6_000)
    assert not (tmp_path / "a.isz").exists()
    compress(numbers, tmp_path / "a.isz")
    assert verify(tmp_path / "a.isz").ok


@pytest.mark.skipif(os.name != "posix", reason="kill -9 as on POSIX")
def test_killed_while_appending(numbers, tmp_path):
    archive = tmp_path / "a.isz"
    compress(numbers, archive, coder="stored")
    before = archive.read_bytes()
    killed(numbers, archive, "append", 6_000)
    assert archive.read_bytes()[: len(before)] == before
    assert len(archive.read_bytes()) == len(before) + 6_000
    with pytest.raises(IsthmusError, match="isthmus repack"):
        ArchiveReader(archive)
    repack(archive, tmp_path / "b.isz", recover=True)
    assert (tmp_path / "b.isz").read_bytes() == before


@pytest.fixture
def small_disk():
    """A folder with a megabyte of room."""
    place = Path("/dev/shm")
    if not (place.is_dir() and os.geteuid() == 0 and shutil.which("mount")):
        pytest.skip("mounting a small disk takes root")
    folder = place / f"isthmus-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "isthmus", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)
    folder.rmdir()


def test_a_real_full_disk(small_disk, tmp_path):
    random = np.random.default_rng(0).integers(0, 256, (2, 1_000_000), dtype=np.uint8)
    np.save(tmp_path / "noise.npy", random)
    with pytest.raises(MachineError, match="the disk is full"):
        compress(tmp_path / "noise.npy", small_disk / "a.isz")
    assert list(small_disk.iterdir()) == []
    compress(tmp_path / "noise.npy", tmp_path / "a.isz")
    with pytest.raises(MachineError, match="the disk is full"):
        decompress(tmp_path / "a.isz", small_disk)
    assert list(small_disk.iterdir()) == []


def test_a_real_full_disk_leaves_the_old_archive(small_disk, tmp_path):
    np.save(tmp_path / "small.npy", np.arange(1000, dtype=np.uint8).reshape(1, 1000))
    np.save(tmp_path / "noise.npy", np.random.default_rng(0).integers(0, 256, (1100, 1000), dtype=np.uint8))
    compress(tmp_path / "small.npy", small_disk / "a.isz")
    before = (small_disk / "a.isz").read_bytes()
    with pytest.raises(MachineError, match="the disk is full"):
        compress(tmp_path / "noise.npy", small_disk / "a.isz", append=True)
    assert (small_disk / "a.isz").read_bytes() == before
    assert [path.name for path in small_disk.iterdir()] == ["a.isz"]
