"""Metadata of image files, kept and dropped through the command."""

import json

import numpy as np
import pytest
from PIL import Image
from terminal import call


@pytest.fixture
def photos(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Isthmus Optics"
    (tmp_path / "photos").mkdir()
    Image.fromarray(np.zeros((6, 9, 3), np.uint8)).save(tmp_path / "photos" / "a.jpg", exif=exif)
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("level", "kept"),
    [(None, {0x0112, 0x010F}), ("all", {0x0112, 0x010F}), ("display", {0x0112}), ("none", set())],
)
def test_each_level_keeps_what_it_says(photos, tmp_path, level, kept):
    wishes = () if level is None else ("--metadata", level)
    done = call("compress", photos, "-o", tmp_path / "a.isz", "--json", "--verify-after", *wishes)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["metadata_bytes"] > 0) == bool(kept)
    assert told["model_bytes"] + told["payload_bytes"] + told["overhead_bytes"] == told["archive_bytes"]
    assert call("decompress", tmp_path / "a.isz", "-o", tmp_path / "out").exit_code == 0
    with Image.open(tmp_path / "out" / "a.png") as image:
        assert set(image.getexif()) == kept
    assert ("metadata" in call("info", tmp_path / "a.isz").stdout) == bool(kept)


def test_repack_takes_it_away(photos, tmp_path):
    assert call("compress", photos, "-o", tmp_path / "a.isz").exit_code == 0
    done = call("repack", tmp_path / "a.isz", "-o", tmp_path / "b.isz", "--metadata", "none")
    assert done.exit_code == 0, done.output
    assert "metadata" not in call("info", tmp_path / "b.isz").stdout


@pytest.mark.parametrize("name", ["compress", "repack"])
def test_an_unknown_level_is_bad_use(photos, tmp_path, name):
    call("compress", photos, "-o", tmp_path / "a.isz")
    source = photos if name == "compress" else tmp_path / "a.isz"
    done = call(name, source, "-o", tmp_path / "b.isz", "--metadata", "some")
    assert done.exit_code == 2
    assert "all, embedded, display, none" in done.stderr
    assert not (tmp_path / "b.isz").exists()
