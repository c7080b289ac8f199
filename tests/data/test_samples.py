import numpy as np
import pytest
from PIL import Image

from isthmus.data import open_source
from isthmus.data.samples import Samples, pick
from isthmus.errors import NoData


def test_picked_samples_are_those_of_the_source_with_its_spec():
    digits = open_source("digits")
    few = pick(digits, [0, 4, 1796])
    assert few.spec == digits.spec  # its high of 16 too, which these samples alone do not show
    assert len(few) == 3
    assert (few.stack(range(3)) == digits.stack([0, 4, 1796])).all()
    assert few.raw_bytes == 3 * 64


def test_picked_files_keep_their_names(tmp_path):
    for name in "abcd":
        Image.fromarray(np.full((9, 9), ord(name), np.uint8)).save(tmp_path / f"{name}.png")
    few = pick(open_source(tmp_path), [1, 3])
    assert [member.name for member in few.layout.members] == ["b.png", "d.png"]
    assert [sample[0, 0] for sample in few.read([0, 1])] == [ord("b"), ord("d")]


def test_members_of_several_arrays_are_counted_anew(tmp_path):
    path = tmp_path / "two.npz"
    np.savez(path, a=np.zeros((3, 2)), b=np.ones((4, 2)))
    few = pick(open_source(path), [2, 3, 6])
    assert [member.count for member in few.layout.members] == [1, 2]


def test_they_can_be_written_and_read_again(tmp_path):
    few = pick(open_source("digits"), [5, 6])
    (path,) = Samples.write(few.layout, few.spec, few.read([0, 1]), tmp_path, force=False)
    assert (np.load(path) == few.stack([0, 1])).all()


def test_none_at_all_are_refused():
    with pytest.raises(NoData):
        pick(open_source("digits"), [])
