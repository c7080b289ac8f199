"""BD-rate by curves whose answer is known on paper."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.data.similarity import ms_ssim
from isthmus.tasks.curves import MS_SSIM, PSNR, Curve, Point, bd_rate, best_of


def curve(*pairs: tuple[float, float]) -> Curve:
    """From (PSNR in dB, bytes)."""
    return Curve("made up", tuple(Point(round(size), psnr, 1 - 10 ** (-psnr / 20)) for psnr, size in pairs))


def doubling(every_db: float, *, qualities=range(30, 43, 2), at_30_db: float = 1e9) -> Curve:
    return curve(*((psnr, at_30_db * 2 ** ((psnr - 30) / every_db)) for psnr in qualities))


BENT = curve((28, 1_000_000), (31, 1_400_000), (35, 2_900_000), (40, 8_000_000), (44, 30_000_000))


def test_half_the_bytes_everywhere_is_half():
    half = Curve("half", tuple(Point(p.bytes // 2, p.psnr_db, p.ms_ssim) for p in BENT.points))
    assert bd_rate(BENT, half) == pytest.approx(-0.5, abs=1e-12)
    assert bd_rate(half, BENT) == pytest.approx(1.0, abs=1e-12)
    assert bd_rate(BENT, half, measure=MS_SSIM) == pytest.approx(-0.5, abs=1e-12)


def test_lines_of_other_slopes_differ_by_the_mean_of_their_logarithms():
    # log2 of the bytes grows by 12/4 = 3 against 12/6 = 2 over 12 dB: by half a bit in the mean.
    assert bd_rate(doubling(6), doubling(4)) == pytest.approx(2**0.5 - 1, rel=1e-7)


def test_only_qualities_that_both_cover_count():
    wide, narrow = doubling(6, qualities=range(24, 61, 2)), doubling(6, qualities=(33, 35, 38), at_30_db=8e8)
    assert bd_rate(wide, narrow) == pytest.approx(-0.2, rel=1e-7)


def test_the_way_back_undoes_the_way_there():
    there, back = bd_rate(BENT, doubling(5)), bd_rate(doubling(5), BENT)
    assert (1 + there) * (1 + back) == pytest.approx(1)


def test_points_in_any_order_and_points_beaten_in_both_change_nothing():
    beaten = Curve("beaten", (*reversed(BENT.points), Point(9_000_000, 39.0, 0.9)))
    assert bd_rate(BENT, beaten) == pytest.approx(0, abs=1e-12)


def test_curves_without_a_shared_quality_are_refused():
    with pytest.raises(ValueError, match="share no quality"):
        bd_rate(doubling(6, qualities=(20, 25, 30)), doubling(6, qualities=(30, 35)))
    with pytest.raises(ValueError, match="at least 2 points"):
        bd_rate(BENT, curve((30, 1000)))


def test_bytes_at_a_quality_lie_on_the_curve():
    assert BENT.bytes_at(35) == pytest.approx(2_900_000)
    assert doubling(6).bytes_at(33) == pytest.approx(1e9 * 2**0.5, rel=1e-7)
    with pytest.raises(ValueError, match="was measured from"):
        BENT.bytes_at(50)


def test_a_point_counts_all_values_and_averages_images():
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 255, (16, 12 + n % 2), dtype=np.uint8) for n in range(4)]
    made = [np.uint8(image // 2 * 2) for image in images]
    point = Point.of(77, images, made)
    odd = sum(int((image % 2).sum()) for image in images) / sum(image.size for image in images)
    assert (point.bytes, point.psnr_db) == (77, pytest.approx(10 * np.log10(255**2 / odd)))
    alone = [ms_ssim(x[None, ..., None], y[None, ..., None])[0] for x, y in zip(images, made, strict=True)]
    assert point.ms_ssim == pytest.approx(np.mean(alone))
    assert Point.of(1, images, images) == Point(1, 200.0, pytest.approx(1.0))


def test_an_exact_match_is_on_no_curve():
    exact = Curve("exact", (*BENT.points, Point(40_000_000, 200.0, 1.0)))
    assert exact.front(PSNR) == list(BENT.points)
    assert bd_rate(BENT, exact) == pytest.approx(0, abs=1e-12)


def test_the_best_of_two_coders_is_the_smaller_at_each_quality():
    steep, flat = doubling(4, at_30_db=1e9), doubling(8, at_30_db=2e9)  # equal at 38 dB
    best = best_of("best", [steep, flat])
    for psnr, winner in ((31, steep), (33, steep), (41, flat)):
        # Near the crossing the interpolated slope knows of both, hence not exactly.
        assert best.bytes_at(psnr) == pytest.approx(winner.bytes_at(psnr), rel=0.02)
    assert bd_rate(steep, best) < 0 > bd_rate(flat, best)


def test_sparse_points_do_not_make_the_best_worse_than_one_of_its_coders():
    sparse = doubling(6, qualities=(30, 36, 42))
    worse = Curve(
        "worse", tuple(Point(p.bytes + 50_000_000, p.psnr_db, p.ms_ssim) for p in doubling(6).points)
    )
    assert bd_rate(sparse, best_of("best", [sparse, worse])) == pytest.approx(0, abs=1e-9)
