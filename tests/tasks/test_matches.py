"""Images at equal bytes: ours is what `compress` makes, and the rival never takes less."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.data import open_source
from isthmus.data.samples import pick
from isthmus.tasks.compress import compress_bytes, restore
from isthmus.tasks.image_codecs import ImageCodec
from isthmus.tasks.matches import QUALITY, Match, matches

CODED = "isthmus.tasks.matches.rival_codecs"
STEP = 7


def waves(count: int) -> np.ndarray:
    """Smooth RGB pictures."""
    y, x = np.mgrid[:16, :24] / 8
    waves = [np.sin(x * n) * np.cos(y + n) for n in range(1, count + 1)]
    return (127 + 100 * np.stack([np.stack(waves)] * 3, axis=-1)).astype(np.uint8)


def codec(family: str, error: int, step: int = STEP) -> ImageCodec:
    """Takes `step` bytes a quality, and is wrong by `error` at each."""

    def encode(picture: np.ndarray, quality: float) -> bytes:
        head = np.array(picture.shape, np.uint16).tobytes() + picture.tobytes()
        made[int(quality) * step] = head
        return bytes(int(quality) * step)

    def decode(file: bytes) -> np.ndarray:
        shape = np.frombuffer(made[len(file)][:6], np.uint16)
        return np.frombuffer(made[len(file)][6:], np.uint8).reshape(shape) ^ np.uint8(error)

    made: dict[int, bytes] = {}
    return ImageCodec(family, family, "", tuple(range(1, 101)), encode, decode)


def made(any_size_model, monkeypatch, *codecs: ImageCodec) -> tuple[Match, ...]:
    monkeypatch.setattr(CODED, lambda spec: codecs)
    return matches(open_source(waves(3)), any_size_model)


def test_ours_is_what_the_archive_restores_and_counts(any_size_model, monkeypatch):
    source = open_source(waves(3))
    for index, match in enumerate(made(any_size_model, monkeypatch)):
        assert (match.original == waves(3)[index]).all()
        alone = pick(source, [index])
        archive, result, _ = compress_bytes(alone, any_size_model, quality=QUALITY, metadata="none")
        assert (match.ours.picture == restore(archive)[0]).all()
        assert result.payload_bytes < match.ours.bytes < result.payload_bytes + result.overhead_bytes


def test_the_rival_is_the_smallest_file_that_takes_as_many_bytes_as_ours(any_size_model, monkeypatch):
    for match in made(any_size_model, monkeypatch, codec("AVIF", 2)):
        assert match.rival_name == "AVIF"
        assert match.ours.bytes <= match.rival.bytes < match.ours.bytes + STEP
        assert match.rival.psnr_db == pytest.approx(10 * np.log10(255**2 / 2**2))


def test_a_rival_that_cannot_take_so_many_bytes_is_at_its_best(any_size_model, monkeypatch):
    for match in made(any_size_model, monkeypatch, codec("AVIF", 2, step=1)):
        assert match.rival.bytes == 100


def test_the_closer_format_is_chosen_and_the_closer_of_its_coders(any_size_model, monkeypatch):
    codecs = codec("AVIF", 4), codec("WebP", 8), codec("WebP", 1), codec("JPEG", 0)
    for match in made(any_size_model, monkeypatch, *codecs):
        assert match.rival_name == "WebP"
        assert match.rival.psnr_db == pytest.approx(10 * np.log10(255**2))


def test_where_no_other_coder_takes_such_images_ours_stands_alone(any_size_model, monkeypatch):
    for match in made(any_size_model, monkeypatch):
        assert (match.rival, match.rival_name) == (None, "")
