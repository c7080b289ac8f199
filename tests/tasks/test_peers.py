"""Rival coders: their files are files of their formats, and better quality is closer and larger."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from isthmus.coding.reader import Sizes
from isthmus.data import open_source
from isthmus.data.distortion import Distortion
from isthmus.spec import DataSpec
from isthmus.tasks import image_codecs as module
from isthmus.tasks.evaluate import EvaluateResult
from isthmus.tasks.image_codecs import image_codecs, missing_codecs
from isthmus.tasks.peers import Peer, lossy_peers

GREY, COLOUR = (48, 40), (48, 40, 3)


def picture(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Smooth, with some noise."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    waves = 110 + 60 * np.sin(rows / 9 + seed) + 50 * np.cos(columns / 7)
    noise = generator.normal(0, 4, shape)
    return np.uint8(np.clip((waves if len(shape) == 2 else waves[..., None]) + noise, 0, 255))


def codecs():
    for grey in (True, False):
        for codec in image_codecs(grey=grey):
            yield pytest.param(
                codec, GREY if grey else COLOUR, id=f"{codec.name}, {'grey' if grey else 'RGB'}"
            )


CODECS = list(codecs())


def spec_of(shape: tuple[int, ...]) -> DataSpec:
    """Of a picture, as it is opened from an array."""
    return open_source(
        np.stack([picture(shape[:2]).reshape(shape) if shape[-1] == 1 else picture(shape)])
    ).spec


@pytest.mark.parametrize(("codec", "shape"), CODECS)
def test_finer_qualities_are_larger_and_closer(codec, shape):
    original = picture(shape)
    coarse, fine = (codec.encode(original, codec.qualities[n]) for n in (1, -1))
    far, near = (codec.decode(file) for file in (coarse, fine))
    assert near.shape == far.shape == shape
    assert near.dtype == np.uint8
    assert len(coarse) < len(fine)
    errors = [np.abs(made.astype(int) - original).mean() for made in (far, near)]
    assert errors[0] > errors[1]
    assert list(codec.qualities) == sorted(codec.qualities)


@pytest.mark.parametrize(("codec", "shape"), CODECS)
def test_tiny_pictures_have_files_too(codec, shape):
    original = picture(shape)[:8, :8]
    assert codec.decode(codec.encode(original, codec.qualities[-1])).shape == original.shape


def test_files_are_of_their_formats():
    formats = {"JPEG": "JPEG", "JPEG 2000": "JPEG2000", "WebP": "WEBP", "AVIF": "AVIF"}
    for codec in image_codecs(grey=False):
        file = codec.encode(picture(COLOUR), codec.qualities[4])
        if codec.family in formats:
            assert Image.open(io.BytesIO(file)).format == formats[codec.family]
        else:
            assert file.startswith(b"\xff\x0a")  # a raw JPEG XL codestream


def test_what_is_absent_is_named_and_left_out(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert "JPEG XL" in missing_codecs()
    assert "JPEG XL" not in [codec.name for codec in image_codecs(grey=True)]


@pytest.mark.parametrize("shape", [GREY, (*GREY, 1), COLOUR])
def test_peers_reach_the_quality_asked_for(shape):
    spec = spec_of(shape)
    samples = [picture(shape[:2] if shape[-1] == 1 else shape, seed).reshape(shape) for seed in range(3)]
    peers = lossy_peers(samples, spec, psnr_db=34.0)
    assert [peer.name for peer in peers] == [n for n in ("JPEG", "WebP", "AVIF") if n not in missing_codecs()]
    assert all(peer.bytes > 0 for peer in peers)
    assert all(34.0 <= peer.psnr_db < 38.0 for peer in peers if peer.name != "WebP")


def test_peers_that_cannot_reach_it_come_as_close_as_they_can():
    peers = lossy_peers([picture(COLOUR)], spec_of(COLOUR), psnr_db=90.0)
    assert all(peer.how.startswith("quality 100") for peer in peers)
    assert "4:4:4" in peers[0].how


def test_a_rival_that_is_not_as_close_wins_nothing():
    nothing = np.zeros(0)
    peers = (Peer("WebP", 100, 38.1, ""), Peer("JPEG", 900, 39.6, ""), Peer("PNG", 5000, None, ""))
    result = EvaluateResult(
        name="photos",
        samples=10,
        raw_bytes=10_000,
        source_bytes=10_000,
        archive_bytes=500,
        sizes=Sizes(0, 0, {}, model=400, index=0, footer=0, earlier=0),
        values=10_000,
        distortion=Distortion(squared=65025.0 * 10**-3.97 * 10_000, values=10_000, peak=255.0),
        peers=peers,
        lossless=None,
        pairs=(nothing, nothing),
    )
    assert result.distortion.psnr_db == pytest.approx(39.7)
    assert "Smaller than JPEG" in result.verdict()
