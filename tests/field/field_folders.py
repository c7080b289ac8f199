"""Folders and .zip files that hold more than one kind of thing."""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from terminal import call

from isthmus.data import open_source
from isthmus.errors import NoData
from reports import member


def photo(path: Path, seed: int = 1) -> Path:
    """A small picture of noise."""
    random = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(random.integers(0, 255, (24, 20, 3), dtype=np.uint8)).save(path)
    return path


@member("K16", everyday=True)
def files_of_other_kinds_are_named(folder: Path) -> None:
    photo(folder / "phone" / "IMG_0.jpg")
    (folder / "phone" / "clip.mp4").write_bytes(bytes(1000))
    (folder / "phone" / "memo.wav").write_bytes(bytes(1000))
    made = call("compress", "phone", "-o", "phone.isz")
    assert made.exit_code == 0, made.output
    assert "left out: clip.mp4: not an image" in made.stderr
    assert "left out: memo.wav: not an image" in made.stderr
    told = json.loads(call("compress", "phone", "-o", "phone.isz", "--force", "--json").stdout)
    assert len(told["notices"]) == 2


@member("K16")
def strict_refuses_before_anything_is_written(folder: Path) -> None:
    photo(folder / "phone" / "IMG_0.jpg")
    (folder / "phone" / "clip.mp4").write_bytes(bytes(1000))
    made = call("compress", "phone", "-o", "phone.isz", "--strict")
    assert made.exit_code == 2
    assert "clip.mp4" in made.stderr
    assert not Path("phone.isz").exists()


@member("K16")
def links_to_folders_are_named(folder: Path) -> None:
    photo(folder / "phone" / "IMG_0.jpg")
    photo(folder / "elsewhere" / "IMG_1.jpg")
    os.symlink(folder / "elsewhere", folder / "phone" / "more")
    made = call("compress", "phone", "-o", "phone.isz")
    assert "left out: more: a link to a folder" in made.stderr


@member("K16")
def names_that_a_zip_holds_twice_are_named(folder: Path) -> None:
    photo(folder / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile("two.zip", "w") as archive:
            archive.write("a.png")
            archive.write("a.png")
            archive.writestr("notes.txt", "not a picture")
    made = call("compress", "two.zip", "-o", "two.isz")
    assert made.exit_code == 0, made.output
    assert "left out: a.png: stands there 2 times" in made.stderr
    assert "left out: notes.txt: not an image" in made.stderr


@member("K16")
def what_stands_beside_arrays_is_named(folder: Path) -> None:
    np.savez("a.npz", a=np.zeros((3, 2)), b=np.ones((3, 2)))
    with zipfile.ZipFile("a.npz", "a") as archive:
        archive.writestr("notes.txt", "hello")
    np.save("n.npy", np.zeros(5))
    with open("n.npy", "ab") as file:
        file.write(b"trailing")
    for name, said in (("a.npz", "notes.txt: not an array"), ("n.npy", "8 bytes behind its array")):
        made = call("compress", name, "-o", "x.isz", "--force")
        assert made.exit_code == 0, made.output
        assert said in made.stderr
        assert call("compress", name, "-o", "y.isz", "--strict").exit_code == 2
    assert not Path("y.isz").exists()


@member("K16")
def what_is_no_ordinary_file_stops_nothing(folder: Path) -> None:
    photo(folder / "phone" / "a.png")
    os.symlink("/nowhere/b.png", folder / "phone" / "broken.png")
    os.mkfifo(folder / "phone" / "pipe.png")
    made = call("compress", "phone", "-o", "p.isz")
    assert made.exit_code == 2
    assert "broken.png" in made.stderr
    made = call("compress", "phone", "-o", "p.isz", "--skip-bad")
    assert made.exit_code == 0, made.output
    assert "broken.png" in made.stderr
    assert "pipe.png is no ordinary file" in made.stderr


@member("K23")
def what_is_no_array_is_refused_in_python(folder: Path) -> None:
    masked = np.ma.masked_array(np.ones((3, 2)), np.eye(3, 2))
    for odd in ([1, 2, 3], 5, {"a": 1}, [[1.0, 2.0]], masked):
        with pytest.raises(NoData):
            open_source(odd)
