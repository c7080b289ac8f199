"""Hostile archives are refused with a named error, in little time and memory."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import forge
import hostile
import pytest

from isthmus.coding.container import ArchiveReader
from isthmus.errors import FileError, IsthmusError


def test_what_forge_makes_is_right_but_for_the_hostile_part():
    data = hostile.blocks(forge.fields(runs=((0, 2),)), forge.fields(runs=((2, 1),)))
    assert hostile.open_all(data) == "passed as whole"
    assert hostile.open_all(hostile.with_summary(forge.summary())) == "passed as whole"
    assert hostile.open_all(hostile.packed_model([["a", "int8", [2], 0]], raw=b"ab")) == "passed as whole"


@pytest.mark.parametrize("name", hostile.HOSTILE)
def test_each_is_refused_by_name(name):
    with pytest.raises(FileError, match=r"archive|model|array"):
        hostile.open_all(hostile.HOSTILE[name])


@pytest.mark.parametrize("salvage", ["generation", "blocks"])
@pytest.mark.parametrize("name", hostile.HOSTILE)
def test_salvage_gives_sound_blocks_or_refuses(name, salvage):
    try:
        reader = ArchiveReader(hostile.HOSTILE[name], salvage=salvage)
    except FileError:
        return
    with reader:
        runs = sorted((r.start, r.stop) for entry in reader.blocks for r in entry.header.runs)
        assert reader.items <= reader.limits.items
        assert sum(entry.header.count for entry in reader.blocks) <= reader.items
        assert all(before[1] <= after[0] for before, after in pairwise(runs))


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory as on Linux")
def test_none_needs_much_memory_or_time():
    script = Path(hostile.__file__)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=300)
    told = dict(line.split("\t", 1) for line in done.stdout.splitlines())
    assert done.returncode == 0, done.stderr[-2000:]
    assert sorted(told) == sorted(hostile.HOSTILE)
    assert not [name for name, outcome in told.items() if outcome.startswith("passed")]


def test_a_block_of_another_archive_is_found():
    mine, theirs = (
        hostile.blocks(forge.fields(layers=(("only", payload),))) for payload in (b"payload", b"PAYLOAD")
    )
    start, stop = mine.index(forge.MARK), mine.index(b"payload") + len(b"payload")
    mixed = mine[:start] + theirs[start:stop] + mine[stop:]
    assert mixed not in (mine, theirs)
    assert _outcome(mixed) != "passed as whole"


def test_a_model_of_another_archive_is_found():
    mine, theirs = (hostile.packed_model([["a", "int8", [2], 0]], raw=raw) for raw in (b"ab", b"cd"))
    with ArchiveReader(mine) as reader:
        place = slice(reader.model.offset, reader.model.end)
    mixed = mine[: place.start] + theirs[place] + mine[place.stop :]
    assert mixed not in (mine, theirs)
    assert _outcome(mixed) != "passed as whole"


def _outcome(data):
    try:
        return hostile.open_all(data)
    except IsthmusError as error:
        return type(error).__name__
