"""Channels along time come back, by a plan that comes back too; what no encoder writes is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coding.columns import Whole, decode_block, encode_block
from isthmus.coding.columns.along import series_of
from isthmus.coding.series import decode_series, encode_series
from isthmus.coding.series.contexts import MENU
from isthmus.coding.series.inputs import period_of
from isthmus.coding.series.plan import STAGES, Channel, Input, Plan, stages_of
from isthmus.errors import DamagedFile


def waves(rows=600, channels=3, seed=0, period=24):
    random = np.random.default_rng(seed)
    at = np.arange(rows)[:, None]
    shape = random.uniform(20, 200, channels) * np.sin(
        2 * np.pi * at / period + random.uniform(0, 6, channels)
    )
    return np.round(shape + random.normal(0, 3, (rows, channels))).astype(np.int64)


def restored(values):
    return decode_series(encode_series(values)[0], *values.shape)


@given(
    st.integers(1, 90),
    st.integers(1, 4),
    st.sampled_from([1, 7, 300, 2**31]),
    st.integers(-(2**40), 2**40),
    st.integers(0, 9),
)
@settings(max_examples=25, deadline=None)
def test_any_numbers_come_back(rows, channels, reach, middle, seed):
    random = np.random.default_rng(seed)
    values = middle + random.integers(-reach, reach, (rows, channels))
    assert np.array_equal(restored(values), values)


@pytest.mark.parametrize("what", ["still", "jump", "lattice", "walk"])
def test_odd_channels_come_back(what):
    values = waves()
    values[:, 1] = {
        "still": np.full(600, 5),
        "jump": np.where(np.arange(600) == 300, 2**31, 0),
        "lattice": values[:, 1] // 9 * 9 + 4,
        "walk": np.cumsum(np.random.default_rng(1).integers(-9, 10, 600)),
    }[what]
    assert np.array_equal(restored(values), values)


def test_the_same_numbers_give_the_same_bytes():
    assert encode_series(waves())[0] == encode_series(waves())[0]


def test_lanes_begin_like_any_row(monkeypatch):
    from isthmus.coding.series import planning

    monkeypatch.setattr(planning, "STEPS", 70)
    values = waves(605)
    data, _ = encode_series(values)
    assert np.array_equal(decode_series(data, 605, 3), values)


def test_a_period_and_a_channel_beside_are_used():
    random = np.random.default_rng(0)
    season = np.tile(random.integers(0, 1000, 48), 20)
    first = season + random.integers(0, 2, len(season))
    second = 3 * first - 17 + random.integers(0, 2, len(season))
    assert period_of(np.stack([first, second]).astype(float), 200) == 48
    _, found = encode_series(np.stack([first, second], axis=1))
    alone = np.log2(1000) / 8 * len(season)
    assert found[0] < 0.4 * alone
    assert found[1] < 0.3 * alone


def test_numbers_on_a_lattice_cost_no_more_than_their_places():
    places = waves(2000, 1)[:, 0] // 8
    whole, gaps = encode_series(places[:, None])[1], encode_series(places[:, None] * 37 + 5)[1]
    assert gaps[0] < whole[0] * 1.1 + 100


def test_the_first_steps_of_a_lane_look_no_further_back_than_they_can():
    assert [stages_of(step, 40) for step in (0, 1, 7, 8, 39, 40)] == [-1, 0, 0, 1, 1, 2]
    assert STAGES[0] == 1


@given(st.data())
@settings(max_examples=20)
def test_a_plan_comes_back(data):
    low = data.draw(st.integers(-50, 50))
    inputs = (Input(0, data.draw(st.integers(1, 4000))),)
    weights = tuple((data.draw(st.integers(-(2**20), 2**20)),) for _ in range(3))
    trust = tuple((data.draw(st.integers(-256, 256)),) * 3 for _ in range(2))
    first = Channel(
        low, low + 9, low + 3, 17, 8, inputs, weights, (-1, -1), (4,), (low, low + 2, low + 9), trust
    )
    second = Channel(0, 3, 1, 5, 6, (Input(0, 0),), ((1,), (2,), (3,)), (0, -1))
    plan = Plan(2, 24, (first, second))
    assert Plan.from_bytes(plan.to_bytes()) == plan
    assert plan.generations == [[0], [1]]


def test_a_plan_that_looks_ahead_is_refused():
    ahead = Channel(0, 3, 1, 5, 6, (Input(1, 0),), ((1,), (2,), (3,)))
    with pytest.raises(DamagedFile, match="not known yet"):
        Plan.from_bytes(Plan(1, 0, (ahead, ahead)).to_bytes())
    with pytest.raises(DamagedFile, match="cannot be"):
        Plan.from_bytes(Plan(1, 0, (Channel(0, 3, 1, 5, contexts=(len(MENU),)),)).to_bytes())


def test_a_plan_that_asks_for_too_much_is_refused(monkeypatch):
    from isthmus.coding.series import plan as plans
    from isthmus.coding.series import planning

    values = waves(400, 2)
    monkeypatch.setattr(planning, "MOST_COUNTS", 10)
    data = encode_series(values)[0]  # without contexts, then
    assert np.array_equal(decode_series(data, 400, 2), values)
    monkeypatch.setattr(plans, "MOST_COUNTS", 10)
    with pytest.raises(DamagedFile, match="more counts"):
        decode_series(data, 400, 2)
    with pytest.raises(DamagedFile):
        decode_series(data, 20, 2)


def test_damage_is_refused_or_seen():
    values = waves(300, 2)
    data = encode_series(values)[0]
    random = np.random.default_rng(0)
    for _ in range(30):
        wrong = bytearray(data)
        wrong[random.integers(len(wrong))] ^= 1 << random.integers(8)
        try:
            found = decode_series(bytes(wrong), 300, 2)
        except DamagedFile:
            continue
        assert found.shape == values.shape
    for cut in (0, 3, len(data) // 2, len(data) - 4):
        with pytest.raises(DamagedFile):
            decode_series(data[:cut], 300, 2)


def test_a_block_tells_smooth_columns_along_time_and_comes_back():
    values = waves(1500, 2, period=288)
    parts = [Whole(values[:, 0]), Whole(np.arange(1500)), Whole(values[:, 1])]
    coded = encode_block(parts)
    assert coded.has_series
    assert coded.coder_of[0] == "series"
    for part, back in zip(parts, decode_block(coded.payload), strict=True):
        assert np.array_equal(part.values, back.values)
    assert series_of(parts, [10, 10, 10]).columns == ()


def test_a_large_block_is_left_to_time(monkeypatch):
    from isthmus.coding.columns import block

    values = waves(400, 3)
    parts = [Whole(column) for column in values.T]
    monkeypatch.setattr(block, "LARGE", 1000)
    coded = encode_block(parts)
    assert "contexts" not in coded.coder_of
    assert all(
        np.array_equal(a.values, b.values) for a, b in zip(parts, decode_block(coded.payload), strict=True)
    )
