"""Noise is taken from video; neighbouring frames help where they agree; times and sizes stay."""

from fractions import Fraction

import numpy as np
import pytest
from typer.testing import CliRunner

from isthmus.data.video import Frame, Kind, VideoSource, write_clip
from isthmus.errors import BadItem, UseError
from isthmus.tasks.video.denoising import _agreement, denoise_video, fit_video_denoiser

pytest.importorskip("av", reason="PyAV is missing: pip install 'isthmus[video]'")
pytest.importorskip("torch", reason="PyTorch is missing: pip install 'isthmus[train]'")

KIND = Kind("yuv420p", 40, 32, Fraction(1, 1000), Fraction(25))
TICKS = (0, 40, 95, 120, 160)


def write(path, noise=0.0, kind=KIND, ticks=TICKS):
    """A smooth picture that moves by a sample a frame."""
    random, frames = np.random.default_rng(0), []
    for number, tick in enumerate(ticks):
        planes = []
        for high, wide in kind.shapes:
            rows, columns = np.arange(high)[:, None], np.arange(wide) + number
            clean = 128 + 60 * np.sin(rows / 6) * np.cos(columns / 7)
            made = np.clip(np.rint(clean + noise * random.normal(size=(high, wide))), 0, 255)
            planes.append(made.astype(np.uint8 if kind.top == 255 else np.uint16))
        frames.append(Frame(tick, tuple(planes)))
    write_clip(path, kind, frames)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("noisy")
    write(made / "clean.mkv")
    write(made / "noisy.mkv", 15.0)
    return made


@pytest.fixture(scope="module")
def denoiser(folder):
    return fit_video_denoiser(folder / "clean.mkv", folder / "d.ism", steps=3).denoiser


@pytest.fixture
def leaves(denoiser, monkeypatch):
    """Takes no noise, so that what neighbours do is seen alone."""
    monkeypatch.setattr(type(denoiser), "level_of", lambda self, image: 40.0)
    monkeypatch.setattr(type(denoiser), "denoise", lambda self, image, level: image)
    return denoiser


def test_neighbours_that_agree_help(folder, leaves, tmp_path):
    noisy, clean = folder / "noisy.mkv", folder / "clean.mkv"
    alone, along = (
        denoise_video(noisy, leaves, tmp_path / str(each), clean=clean, along_motion=each)
        for each in (False, True)
    )
    assert along.frames == len(TICKS)
    assert along.before_psnr_db == alone.before_psnr_db == alone.after_psnr_db
    assert along.after_psnr_db > alone.after_psnr_db + 2
    video = VideoSource(along.files[0])
    assert [frame.ticks for frame in video.frames(video.clips[0])] == list(TICKS)
    assert video.kind(video.clips[0]).shapes == KIND.shapes


def test_agreement_is_all_or_nothing_far_from_edges():
    plane = np.full((20, 30), 100, np.uint8)
    other = plane.copy()
    other[:, 15:] = 200
    found = _agreement(plane, other, 10.0)
    assert (found[:, :10] == 1).all()
    assert (found[:, 20:] == 0).all()


def test_what_cannot_be_cleaned_is_refused(folder, denoiser, tmp_path):
    deep = write(tmp_path / "deep.mkv", kind=Kind("gray10le", 16, 16, KIND.tick_s, KIND.rate))
    with pytest.raises(BadItem, match="8 bits"):
        denoise_video(deep, denoiser, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.mkv"))
    short = write(tmp_path / "short.mkv", ticks=TICKS[:3])
    with pytest.raises(UseError):
        denoise_video(folder / "noisy.mkv", denoiser, tmp_path / "out", clean=short)


def test_the_command_cleans_clips(folder, denoiser, tmp_path):
    from isthmus.cli.app import app

    words = ["denoise", folder / "noisy.mkv", "-m", folder / "d.ism", "-o", tmp_path / "out", "--level", 15]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "noisy.mkv").exists()
