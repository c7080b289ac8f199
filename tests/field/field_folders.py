"""Folders and .zip files that hold more than one kind of thing."""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from terminal import call

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
