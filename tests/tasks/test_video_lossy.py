"""Video at a quality, by a model: the same everywhere, closer for more bytes, alone or with the model."""

from fractions import Fraction

import numpy as np
import pytest
from typer.testing import CliRunner

from isthmus.data.video import Frame, Kind, VideoSource, write_clip
from isthmus.errors import BadItem, DamagedFile, ModelNeeded, UseError
from isthmus.model import VideoModel, load_model
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.info import info
from isthmus.tasks.verify import verify

pytest.importorskip("av", reason="PyAV is missing: pip install 'isthmus[video]'")
pytest.importorskip("torch", reason="PyTorch is missing: pip install 'isthmus[train]'")

QUICK = ["train.steps=2", "net.decoder.channels=4", "net.decoder.blocks=1", "train.threads=1"]


def write(path, count=8, layout="yuv420p", seed=0):
    """A smooth picture that moves by a sample a frame, and another one from the sixth frame on."""
    kind = Kind(layout, 48, 32, Fraction(1, 1000), Fraction(25))
    frames = []
    for number in range(count):
        planes = []
        for high, wide in kind.shapes:
            rows, columns = np.arange(high)[:, None], np.arange(wide) + number * wide / 48
            waves = (
                np.sin(rows / 4 + seed) * np.cos(columns / 5) if number < 5 else np.cos(rows / 2 + columns)
            )
            planes.append(
                np.rint(kind.top / 2 * (1 + 0.8 * waves)).astype(np.uint8 if kind.top < 256 else np.uint16)
            )
        frames.append(Frame(40 * number, tuple(planes)))
    write_clip(path, kind, frames)
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write(tmp_path_factory.mktemp("lossy") / "clip.mkv")


@pytest.fixture(scope="module")
def model(clip):
    from isthmus.cli.app import app

    words = [
        "fit",
        clip,
        "-o",
        clip.parent / "m.ism",
        "-q",
        *(part for each in QUICK for part in ("--set", each)),
    ]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert "pairs of frames" in done.output
    return load_model(clip.parent / "m.ism")


def planes(path):
    video = VideoSource(path)
    return [np.concatenate([each.ravel() for each in frame.planes]) for frame in video.frames(video.clips[0])]


def test_a_model_is_saved_as_it_is(model, clip):
    assert isinstance(model, VideoModel)
    model.save(clip.parent / "again.ism")
    assert (clip.parent / "again.ism").read_bytes() == (clip.parent / "m.ism").read_bytes()
    assert info(clip.parent / "m.ism").title.endswith("model of video")


def test_more_quality_is_closer_and_takes_more(model, clip, tmp_path):
    sizes, errors, truth = [], [], planes(clip)
    for quality in (10, 90):
        result = compress(clip, tmp_path / "a.isz", model=model, quality=quality, force=True)
        assert (result.mode, result.quality) == ("lossy", quality)
        assert result.archive_bytes == result.model_bytes + result.payload_bytes + result.overhead_bytes
        (back,) = decompress(tmp_path / "a.isz", tmp_path / "back", force=True).files
        apart = np.concatenate(planes(back)).astype(float) - np.concatenate(truth)
        sizes.append(result.payload_bytes)
        errors.append(np.square(apart).mean())
        assert result.psnr_db == pytest.approx(10 * np.log10(255**2 / errors[-1]), abs=0.01)
        assert verify(tmp_path / "a.isz", against=clip).ok
    assert sizes[0] < sizes[1]
    assert errors[0] > errors[1]


def test_the_same_bytes_again_and_any_frame_by_itself(model, clip, tmp_path):
    for name in "ab":
        compress(clip, tmp_path / f"{name}.isz", model=model)
    assert (tmp_path / "a.isz").read_bytes() == (tmp_path / "b.isz").read_bytes()
    (whole,) = decompress(tmp_path / "a.isz", tmp_path / "whole").files
    (part,) = decompress(tmp_path / "a.isz", tmp_path / "part", items=(4, 7)).files
    assert np.array_equal(planes(part), planes(whole)[4:7])


def test_the_model_may_stay_outside(model, clip, tmp_path):
    held = compress(clip, tmp_path / "a.isz", model=model)
    named = compress(clip, tmp_path / "b.isz", model=model, embed_model=False)
    assert named.archive_bytes < held.archive_bytes - 1000
    with pytest.raises(ModelNeeded):
        decompress(tmp_path / "b.isz", tmp_path / "back")
    assert "lossy, quality 50" in info(tmp_path / "b.isz").facts["mode"]
    (mine,) = decompress(tmp_path / "b.isz", tmp_path / "back", model=model).files
    (theirs,) = decompress(tmp_path / "a.isz", tmp_path / "other").files
    assert np.array_equal(planes(mine), planes(theirs))


def test_a_model_changes_nothing_for_a_lossless_archive(model, clip, tmp_path):
    compress(clip, tmp_path / "a.isz", model=model, mode="lossless", effort=1)
    (back,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
    assert np.array_equal(planes(back), planes(clip))


def test_what_no_model_tells_is_refused(model, tmp_path):
    deep = write(tmp_path / "deep.mkv", 2, "gray10le")
    with pytest.raises(BadItem, match="8 bits"):
        compress(deep, tmp_path / "a.isz", model=model)
    for wish in ({"quality": 0}, {"quality": 5, "max_error": 1}, {"quality": 5, "mode": "lossless"}):
        with pytest.raises(UseError):
            compress(deep, tmp_path / "a.isz", model=model, **wish)


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_damage_is_called_damage(model, clip, place):
    from isthmus.coding.video import Form
    from isthmus.limits import DEFAULT_LIMITS
    from isthmus.tasks.video.lossy import decode_lossy, encode_lossy

    video = VideoSource(clip)
    truth = [np.stack(each) for each in zip(*(f.planes for f in video.frames(video.clips[0])), strict=True)]
    payload = bytearray(encode_lossy(truth, model, 40).payload)
    payload[place] ^= 0x5A
    form = Form(tuple(each.shape[1:] for each in truth), 255)
    try:
        back = decode_lossy(bytes(payload), model.decoder, form, len(truth[0]), DEFAULT_LIMITS)
    except DamagedFile:
        return
    assert [each.shape for each in back] == [each.shape for each in truth]  # the CRC of samples finds it
