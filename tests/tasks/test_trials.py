"""Our points are those of the archives that `compress` writes, and a break-even count is a count."""

from __future__ import annotations

import json

import numpy as np
import pytest

from isthmus.data import open_source
from isthmus.tasks.compress import compress_bytes, restore
from isthmus.tasks.curves import PSNR, Curve, Point
from isthmus.tasks.image_codecs import image_codecs
from isthmus.tasks.trials import Comparison, Ours, Rival, coded, our_points

OURS = Ours(10, (25, 50, 75), (Point(600, 30, 0.9), Point(1000, 36, 0.95), Point(1700, 42, 0.99)), 700)


def theirs(name: str, *sizes: int) -> Curve:
    return Curve(name, tuple(Point(n, psnr, 0.97) for n, psnr in zip(sizes, (30, 36, 42), strict=True)))


def waves(count: int = 6) -> np.ndarray:
    """Smooth RGB pictures."""
    random = np.random.default_rng(3)
    y, x = np.mgrid[:16, :24] / 8
    waves = [np.sin(x * a + b) * np.cos(y * c) for a, b, c in random.uniform(0.2, 2, (count, 3))]
    return (127 + 100 * np.stack([waves] * 3, axis=-1)).astype(np.uint8)


def test_points_are_those_of_archives_that_leave_the_model_out(any_size_model):
    source = open_source(waves())
    ours = our_points(source, any_size_model, qualities=(1, 50))
    for quality, point in zip(ours.qualities, ours.points, strict=True):
        archive, result, _ = compress_bytes(
            source, any_size_model, mode="lossy", quality=quality, metadata="none", embed_model=False
        )
        assert point.bytes == len(archive) == result.archive_bytes
        error = np.mean((restore(archive, model=any_size_model).astype(float) - waves()) ** 2)
        assert point.psnr_db == pytest.approx(10 * np.log10(255**2 / error))
    assert ours.usual == ours.points[1]


def test_the_model_is_as_large_as_the_usual_archive_would_hold_it(any_size_model):
    source = open_source(waves())
    ours = our_points(source, any_size_model, qualities=(1, 50))
    _, result, _ = compress_bytes(source, any_size_model, mode="lossy", quality=50, metadata="none")
    assert ours.model_bytes == result.model_bytes > 0


def test_from_the_break_even_count_on_ours_is_smaller():
    count = OURS.break_even(theirs("rival", 900, 1071, 1800))  # of 10 images each
    assert 107.1 * count > 100 * count + OURS.model_bytes
    assert 107.1 * (count - 1) <= 100 * (count - 1) + OURS.model_bytes
    assert OURS.break_even(theirs("smaller", 500, 900, 1500)) is None
    with pytest.raises(ValueError, match="was measured from"):
        OURS.break_even(Curve("coarse", (Point(10, 20, 0.5), Point(20, 25, 0.6))))


def test_what_cannot_be_compared_is_none():
    coarse = Comparison.of(Curve("coarse", (Point(10, 20, 0.5), Point(20, 25, 0.6))), OURS)
    assert (coarse.bd_psnr, coarse.bytes_there, coarse.break_even) == (None, None, None)
    assert Comparison.of(Curve("one point", (Point(10, 33, 0.93),)), OURS).bd_ms_ssim is None


def test_a_family_is_as_good_as_its_best_coder_at_each_quality():
    family = Rival.of("both", [theirs("fine", 900, 1100, 1500), theirs("coarse", 500, 1050, 2500)], OURS)
    best = theirs("best", 500, 1050, 1500)
    assert family.best.curve.front(PSNR) == list(best.points)
    assert family.best.bd_psnr == Comparison.of(best, OURS).bd_psnr
    assert family.best.bd_psnr >= max(coder.bd_psnr for coder in family.coders)
    told = json.loads(json.dumps(family.to_dict()))
    assert told["coders"]["fine"]["points"][0] == [900, 30, 0.97]


def test_rivals_count_every_file():
    codec = image_codecs(grey=False)[0]
    total, restored = coded(codec, 50, list(waves(3)))
    assert total == sum(len(codec.encode(picture, 50)) for picture in waves(3))
    assert [made.shape for made in restored] == [(16, 24, 3)] * 3
