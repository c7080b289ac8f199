"""Windows are the means of their rows; gaps are bridged, long ones say nothing; distances are distances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.scoring.channels import NOTHING, ChannelJudge
from isthmus.scoring.window_views import LikeWindows
from isthmus.scoring.windows import Channel, Scale, scales_of


@given(st.integers(1, 60), st.integers(0, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_a_window_is_the_means_of_its_cells(rows: int, start: int, seed: int):
    values, scale = np.random.default_rng(seed).normal(size=120), Scale.of(rows)
    window = Channel.of(values).windows(scale, np.array([start]))[0]
    mine = values[start : start + scale.rows].reshape(scale.cells, scale.cell).mean(axis=1)
    assert np.allclose(window, mine, atol=1e-5)
    assert scale.cells <= 33


@given(st.integers(1, 4000) | st.none(), st.integers(48, 100_000))
@settings(max_examples=50, deadline=None)
def test_the_longer_windows_hold_whole_periods_and_leave_rows_to_compare_with(period, rows):
    scales = scales_of(period, rows)
    assert 1 <= len(scales) <= 3
    assert all(scale.rows <= max(rows / 3, 16) for scale in scales)
    assert len({scale.rows for scale in scales}) == len(scales)


def test_a_short_gap_is_bridged_and_a_long_one_says_nothing():
    values = np.arange(100.0)
    values[10:13], values[50:80] = np.nan, np.nan
    channel, scale = Channel.of(values), Scale.of(16)
    assert np.allclose(channel.windows(scale, np.array([5]))[0], np.arange(5, 21))
    assert np.isnan(channel.windows(scale, np.array([55]))).all()
    assert np.isnan(Channel.of(np.full(40, np.nan)).windows(scale, np.array([3]))).all()


@pytest.mark.parametrize("places", [True, False])
def test_the_distance_is_that_to_the_kth_nearest_that_does_not_overlap(places: bool):
    random = np.random.default_rng(0)
    windows, where = random.normal(size=(60, 5)).astype(np.float32), np.arange(60)
    like = LikeWindows(windows, where, rows=5, neighbour=3)
    asked = random.normal(size=(7, 5)).astype(np.float32)
    found = like.log_distance(asked, np.arange(7) * 8 if places else None)
    for row in range(7):
        distances = np.linalg.norm(windows - asked[row], axis=1)
        distances = distances[np.abs(where - 8 * row) >= 5] if places else distances
        assert found[row] == pytest.approx(np.log(np.sort(distances)[2]), abs=1e-4)


def wave(rows: int, seed: int) -> np.ndarray:
    return np.sin(np.arange(rows) * 2 * np.pi / 40) + np.random.default_rng(seed).normal(0, 0.2, rows)


@pytest.mark.parametrize("clean", [True, False])
def test_what_comes_later_has_no_part_in_what_is_said_until_then(clean: bool):
    scales = scales_of(40, 800)
    judge = ChannelJudge(scales, [(0, Channel.of(wave(800, 0)))], clean, 200)
    values, rows = wave(300, 1), np.arange(0, 200, 7)
    changed = values.copy()
    changed[200:] = 50
    before, after = (judge.scores_until(Channel.of(one), rows, None) for one in (values, changed))
    assert np.allclose(before, after)
    early = judge.away_until(Channel.of(values), np.array([10]), None)
    assert (early == NOTHING).all(), "no window has ended yet"


def test_the_rows_it_learned_from_are_judged_as_if_they_were_others():
    judge = ChannelJudge(scales_of(40, 800), [(0, Channel.of(wave(800, 0)))], False, 200)
    assert np.allclose(judge.scores(Channel.of(wave(800, 0)), 0), judge.own)
