"""Distances grow with oddness, odd rows do not widen what is usual, and p-values keep their promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.scoring.conformal import discoveries, p_values
from isthmus.scoring.nearest import LEAST, Nearest
from isthmus.scoring.spread import Spread
from isthmus.scoring.usual import Usual


def normal(rows: int, features: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, features))


@given(st.integers(0, 1000), st.integers(1, 8))
@settings(max_examples=20, deadline=None)
def test_a_spread_of_all_rows_whitens_them(seed, features):
    mix = np.eye(features) + 0.3 * normal(features, features, seed)
    rows = normal(2000, features, seed + 1) @ mix + 7
    white = Spread.of(rows, share=1.0).whitened(rows)
    assert np.allclose(white.mean(axis=0), 0, atol=1e-6)
    assert np.abs(np.cov(white.T).reshape(features, features) - np.eye(features)).max() < 0.6


def test_a_fifth_of_odd_rows_does_not_move_a_robust_spread():
    usual, odd = normal(800, 3), normal(200, 3, 1) * 0.2 + 12
    rows = np.concatenate([usual, odd])
    robust, plain = (Spread.of(rows, share=share) for share in (0.75, 1.0))
    assert np.abs(robust.centre).max() < 0.3
    assert np.abs(plain.centre).max() > 2
    assert robust.log_distance(odd).min() > robust.log_distance(usual).max()


@pytest.mark.parametrize("rows", [np.zeros((5, 3)), normal(2, 6), np.ones((1, 2))])
def test_rows_that_hardly_vary_still_have_a_spread(rows):
    spread = Spread.of(rows, share=0.75)
    assert np.isfinite(spread.log_distance(rows)).all()
    again = Spread.from_tensors(spread.tensors())
    assert np.array_equal(again.log_distance(rows), spread.log_distance(rows))


def test_a_spread_that_cannot_be_is_refused():
    good = Spread.of(normal(9, 2), share=1.0).tensors()
    for name, wrong in (("centre", np.zeros(3)), ("covariance", np.full((2, 2), np.nan))):
        with pytest.raises(ValueError, match="spread"):
            Spread.from_tensors({**good, name: wrong})


@pytest.mark.parametrize("features", [2, 40])
def test_the_nearest_row_is_the_nearest_and_not_the_row_itself(features):
    rows = normal(200, features).astype(np.float32)
    gaps = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    nearest = Nearest(rows, 1)
    assert np.allclose(np.exp(nearest.log_distance(rows, among=True)), gaps.min(axis=1) + LEAST, atol=1e-3)
    assert np.allclose(np.exp(nearest.log_distance(rows)), LEAST, atol=2e-3)
    some = Nearest(rows, 5, mean=True).log_distance(rows, among=True)
    assert np.allclose(np.exp(some), np.sort(gaps, axis=1)[:, :5].mean(axis=1) + LEAST, atol=1e-3)
    assert np.isfinite(Nearest(rows[:1], 40).log_distance(rows)).all()


def test_p_values_of_usual_rows_are_below_any_level_no_more_often_than_it_says():
    random = np.random.default_rng(0)
    below = [p_values(random.normal(size=50), random.normal(size=99)) <= 0.1 for _ in range(400)]
    assert 0.08 < np.mean(below) < 0.115


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_p_values_fall_as_scores_grow_and_are_never_nought(scores, calibration):
    ordered = np.sort(np.array(scores))
    p = p_values(ordered, np.array(calibration))
    assert (np.diff(p) <= 0).all()
    assert ((p > 0) & (p <= 1)).all()


def test_of_the_reported_rows_about_as_many_are_usual_as_was_allowed():
    random = np.random.default_rng(1)
    shares = []
    for _ in range(200):
        usual, odd = random.normal(size=180), random.normal(4, 1, size=20)
        found = discoveries(p_values(np.concatenate([usual, odd]), random.normal(size=2000)), 0.2)
        shares.append(found[:180].sum() / max(1, found.sum()))
    assert np.mean(shares) < 0.22
    assert not discoveries(np.ones(5), 0.2).any()


def test_spreads_from_the_middle_have_no_unit():
    scores = np.random.default_rng(0).gamma(3, size=500)
    assert np.allclose(Usual.of(scores).away(scores), Usual.of(7 * scores + 3).away(7 * scores + 3))
    assert np.isfinite(Usual.of(np.ones(4)).away(np.ones(4))).all()
