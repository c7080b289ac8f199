"""One model, every quality: more of it is closer and longer, and sizes and PSNRs asked for are kept."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from isthmus.errors import UseError
from isthmus.model import Model
from isthmus.tasks.compress import compress, restore
from isthmus.tasks.fit import fit

LITTLE = (
    *(
        "net.decoder.channels=8",
        "net.decoder.blocks=1",
        "train.steps=30",
        "net.encoder.stride=8",
        "net.decoder.stride=8",
        "train.threads=1",
        "contexts.trees=0",
        "net.latent=20",
    ),
)


def smooth(count: int, sides: tuple[int, int] = (24, 24), seed: int = 0) -> np.ndarray:
    """Pictures of a wave each."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: sides[0], : sides[1]] / 8
    waves = [np.sin(x * a + b) * np.cos(y * c) for a, b, c in random.uniform(0.2, 2, (count, 3))]
    return (127 + 100 * np.stack(waves)).astype(np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Model:
    """Hardly trained, so that it takes no time; the laws hold nevertheless."""
    path = tmp_path_factory.mktemp("graded") / "m.ism"
    fit(smooth(80), path, settings=LITTLE, quiet=True)
    return Model.load(path)


def made(images: np.ndarray, model: Model, **options):
    file = BytesIO()
    result = compress(images, file, model=model, mode="lossy", **options)
    assert result.archive_bytes == len(file.getvalue())
    restored = restore(file.getvalue())
    error = np.mean((restored.astype(float) - images) ** 2)
    return result, restored, 10 * np.log10(255**2 / error)


def test_more_quality_takes_more_bytes_and_comes_closer(model):
    images = smooth(60, seed=1)
    tried = [made(images, model, quality=quality) for quality in (1, 50, 100)]
    payloads = [result.payload_bytes for result, _, _ in tried]
    assert payloads == sorted(payloads)
    assert payloads[0] < payloads[-1]
    assert tried[0][2] < tried[1][2] <= tried[2][2] + 0.1
    assert [result.quality for result, _, _ in tried] == [1, 50, 100]


def test_an_archive_of_a_quality_is_the_same_bytes_twice_and_for_any_number_of_workers(model):
    images = smooth(600, seed=2)
    files = [BytesIO() for _ in range(3)]
    for file, workers in zip(files, (1, 1, 2), strict=True):
        compress(images, file, model=model, mode="lossy", quality=30, workers=workers)
    assert len({file.getvalue() for file in files}) == 1


def test_the_archive_fits_the_bytes_asked_for_and_one_quality_more_does_not(model):
    images = smooth(60, seed=3)
    sizes = [made(images, model, quality=quality)[0].archive_bytes for quality in (20, 60)]
    limit = sum(sizes) // 2
    result, _, _ = made(images, model, max_bytes=limit)
    assert result.archive_bytes <= limit
    assert 20 <= result.quality < 60
    assert made(images, model, quality=result.quality + 1)[0].archive_bytes > limit


def test_from_effort_3_on_codes_are_rounded_to_save_bits(model):
    images = smooth(60, seed=6)
    files = []
    for effort in (1, 2, 3, 9):
        file = BytesIO()
        compress(images, file, model=model, mode="lossy", effort=effort)
        files.append(file.getvalue())
    assert files[0] == files[1]
    assert files[2] == files[3]
    assert len(files[2]) < len(files[0])


def test_where_all_fits_the_best_quality_is_taken(model):
    images = smooth(60, seed=3)
    largest = made(images, model, quality=100)[0].archive_bytes
    assert made(images, model, max_bytes=largest)[0].quality == 100
    assert made(images, model, max_bytes=10 * largest)[0].quality == 100


def test_the_psnr_asked_for_is_reached_by_the_least_quality(model):
    images = smooth(60, seed=4)
    wanted = made(images, model, quality=40)[2] - 0.01
    result, _, reached = made(images, model, target_psnr=wanted)
    assert reached >= wanted
    assert result.quality <= 40


def test_a_psnr_that_only_a_bound_can_reach_becomes_a_bound(model):
    images = smooth(30, seed=5)
    file = BytesIO()
    result = compress(images, file, model=model, target_psnr=70)
    assert result.mode == "bounded"
    with pytest.raises(UseError, match="At its best quality"):
        compress(images, BytesIO(), model=model, mode="lossy", target_psnr=70)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"quality": 0}, "1 to 100"),
        ({"quality": 10, "max_bytes": 5000}, "not both"),
        ({"max_bytes": 10}, "At quality 1"),
        ({"max_bytes": 0}, "at least 1"),
        ({"quality": 10, "mode": "lossless"}, "for lossy archives"),
    ],
)
def test_wishes_that_cannot_be_granted_are_refused_in_a_sentence(model, options, sentence):
    with pytest.raises(UseError, match=sentence):
        compress(smooth(10), BytesIO(), model=model, **options)


def test_a_model_of_one_quality_says_so(tiny_model):
    images = np.zeros((4, *tiny_model.spec.shape), np.uint8)
    with pytest.raises(UseError, match="several qualities"):
        compress(images, BytesIO(), model=tiny_model, quality=10)
