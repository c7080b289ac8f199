"""`verify` says whether an archive is whole and right; `info` what a file holds."""

import json

import numpy as np
import pytest
from PIL import Image

from isthmus.errors import ModelNeeded, NoData, NotOurFile
from isthmus.tasks.compress import compress, compress_bytes
from isthmus.tasks.info import info
from isthmus.tasks.verify import verify


@pytest.fixture
def archive(tiny_model, images, tmp_path):
    compress(images, tmp_path / "a.isz", model=tiny_model)
    return tmp_path / "a.isz"


def test_a_whole_archive_is_ok(archive, images, tiny_model):
    result = verify(archive)
    assert result.ok
    assert (result.samples, result.blocks, result.distortion) == (300, 2, None)
    assert result.summary() == "OK: 300 samples in 2 blocks, every checksum matches"
    assert json.loads(json.dumps(result.to_dict()))["ok"] is True


def test_against_the_originals_the_distortion_is_the_true_one(archive, images, tiny_model):
    result = verify(archive, against=images)
    restored = tiny_model.decoder.decode(tiny_model.quantise(images))
    assert result.ok
    assert result.distortion.mse == pytest.approx(np.mean((restored.astype(float) - images) ** 2))
    assert "dB" in result.summary()


def test_other_originals_are_named_as_such(archive, images):
    fewer = verify(archive, against=images[:200])
    assert "holds 300 samples of 8×8 grey image, uint8, the originals are 200" in fewer.summary()
    wider = verify(archive, against=np.zeros((300, 9, 8), np.uint8))
    assert "the originals are 300 of 9×8 grey image" in wider.summary()
    assert (fewer.status, wider.status) == ("different", "different")


def test_other_names_are_named(any_size_model, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 9, 9, 3), dtype=np.uint8)
    for folder, names in (("one", "abc"), ("two", "abd")):
        (tmp_path / folder).mkdir()
        for name, image in zip(names, pixels, strict=True):
            Image.fromarray(image).save(tmp_path / folder / f"{name}.png")
    compress(tmp_path / "one", tmp_path / "a.isz", model=any_size_model)
    assert verify(tmp_path / "a.isz", against=tmp_path / "one").ok
    other = verify(tmp_path / "a.isz", against=tmp_path / "two")
    assert other.summary() == "DIFFERENT: the items have other names: c.png is in the archive alone"


def test_an_archive_without_its_model_is_verified_as_far_as_it_goes(
    images, tiny_model, any_size_model, tmp_path
):
    path = tmp_path / "a.isz"
    compress(images, path, model=tiny_model, embed_model=False)
    assert verify(path).ok
    assert verify(path, model=tiny_model, against=images).ok
    with pytest.raises(ModelNeeded):
        verify(path, model=any_size_model)
    for model, told in ((None, "does not hold it"), (any_size_model, "was made with model")):
        found = verify(path, model=model, against=images)
        assert (found.status, found.exit_code) == ("incomparable", 2)
        assert told in found.problems[0]


def test_codes_of_another_model_are_found(images, tiny_model, tmp_path):
    """All checksums fit, but the symbols are not those that were written."""
    from dataclasses import replace

    from test_compress import rebuilt

    data, _, _ = compress_bytes(images, tiny_model)
    wrong = rebuilt(data, layers=lambda layers: [replace(layer, content_crc=1) for layer in layers])
    (tmp_path / "a.isz").write_bytes(wrong)
    result = verify(tmp_path / "a.isz")
    assert result.status == "damaged"
    assert "block 0" in result.problems[0]


def test_info_of_an_archive(archive, tiny_model):
    told = info(archive)
    assert told.kind == "archive"
    assert "8×8 grey image" in told.title
    assert tiny_model.hash in told.facts["model"]
    assert told.facts["samples"] == "300 in 2 blocks"
    assert json.loads(json.dumps(told.to_dict()))
    assert told.summary().startswith(f"{archive}: archive of")


def test_info_of_a_model(tiny_model, tmp_path):
    told = info(tiny_model.save(tmp_path / "m.ism"))
    assert told.kind == "model"
    assert told.facts["hash"] == tiny_model.hash
    assert json.loads(json.dumps(told.to_dict()))


def test_info_of_neither(tmp_path):
    with pytest.raises(NoData, match="There is no file at"):
        info(tmp_path / "none")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(NotOurFile):
        info(tmp_path / "text")
