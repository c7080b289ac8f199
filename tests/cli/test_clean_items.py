"""`isthmus clean` on folders of images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from terminal import call, left_in, write_pictures


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = write_pictures(tmp_path / "pictures", 12)
    (folder / "cut.png").write_bytes((folder / "00.png").read_bytes()[:60])
    Image.open(folder / "03.png").save(folder / "same.bmp")
    return folder


def test_a_folder_is_cleaned_with_a_log(pictures: Path, tmp_path: Path):
    tried = call("clean", pictures, "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert "cut.png: damaged (" in tried.stderr
    assert "same.bmp: duplicate (the same pixels as 03.png)" in tried.stderr
    assert left_in(tmp_path) == [f"pictures/{name}" for name in left_in(pictures)]
    done = call("clean", pictures, "-o", tmp_path / "clean", "--log", tmp_path / "issues.csv")
    assert done.exit_code == 0, done.output
    assert "14 items: 1 damaged" in done.stdout
    assert "12 copied" in done.stdout
    assert left_in(tmp_path / "clean") == [f"{number:02}.png" for number in range(12)]
    assert "same.bmp,duplicate,03.png,," in (tmp_path / "issues.csv").read_text()


def test_results_go_to_json_and_nothing_is_written_unasked(pictures: Path, tmp_path: Path):
    told = json.loads(call("clean", pictures, "--json").stdout)
    assert (told["items"], told["damaged"], told["duplicates"], told["kept"]) == (14, 1, 1, 12)
    assert left_in(tmp_path) == [f"pictures/{name}" for name in left_in(pictures)]


def test_mistakes_are_one_sentence(pictures: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    for words, said in [
        ((pictures, "--odd-rows"), "--odd-rows must be left out"),
        ((pictures, "--no-header"), "--header must be left out"),
        ((pictures, "--confidence", 0.9), "--confidence must be left out"),
        ((pictures, "-o", pictures), "must lie beside"),
        ((pictures, "-o", tmp_path / "c.csv"), "into a folder"),
        ((tmp_path / "empty",), "must hold images"),
        ((tmp_path / "none",), "does not exist"),
        ((tmp_path / "none.csv",), "no table at"),
    ]:
        done = call("clean", *words)
        assert done.exit_code == 2, done.output
        assert said in done.stderr.replace("\n", " "), done.stderr
        assert "Traceback" not in done.stderr
