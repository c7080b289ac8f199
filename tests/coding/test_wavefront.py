"""Planes come back through their wavefronts, whatever predicts them and whatever chooses the tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coding import wavefront
from isthmus.coding.wavefront import decode_planes, encode_planes, steps_of
from isthmus.errors import DamagedFile


def planes(seed, groups, count, height, width, dtype):
    random = np.random.default_rng(seed)
    slope = np.cumsum(random.normal(0, 3, (groups, count, height, width)), axis=3)
    return (np.cumsum(slope, axis=2) + 100).astype(np.int64).astype(dtype)


@given(
    seed=st.integers(0, 10**6), groups=st.integers(1, 3), count=st.integers(1, 9),
    height=st.integers(1, 12), width=st.integers(1, 12), dtype=st.sampled_from([np.uint8, np.uint16]),
    outside=st.booleans(),
)  # fmt: skip
@settings(max_examples=60)
def test_decoding_undoes_encoding(seed, groups, count, height, width, dtype, outside):
    values = planes(seed, groups, count, height, width, dtype)
    about = np.random.default_rng(seed).integers(0, 4, values.shape).astype(np.uint8) if outside else None
    data = encode_planes(values, about)
    assert np.array_equal(decode_planes(data, values.shape, dtype, about), values)


@pytest.mark.parametrize("predictor", range(6))
def test_every_predictor_undoes_itself(predictor, monkeypatch):
    monkeypatch.setattr(wavefront, "_best_predictor", lambda group: predictor)
    values = np.random.default_rng(predictor).integers(0, 256, (2, 5, 9, 7), dtype=np.uint8)
    assert np.array_equal(decode_planes(encode_planes(values), values.shape, np.uint8), values)


def test_smooth_planes_take_few_bits_and_noise_hardly_more_than_itself():
    rows, columns = np.mgrid[:64, :64]
    smooth = np.stack([(rows * a + columns * b) // 7 for a, b in ((1, 2), (3, 1), (2, 2), (0, 5))])
    assert len(encode_planes(smooth[None].astype(np.uint8))) < smooth.size / 4
    noise = np.random.default_rng(0).integers(0, 256, (1, 16, 64, 64), dtype=np.uint8)
    assert len(encode_planes(noise)) < 1.05 * noise.size


def test_classes_choose_tables_where_planes_are_quiet_and_loud():
    random = np.random.default_rng(0)
    loud = np.repeat(random.random((1, 8, 8, 8)) < 0.3, 8, 2).repeat(8, 3)
    values = np.where(loud, random.integers(0, 256, loud.shape), 7).astype(np.uint8)
    without = encode_planes(values)
    assert len(without) < 0.45 * values.size  # 0.3 of it is noise
    assert len(encode_planes(values, loud.astype(np.uint8))) < len(without)


def test_every_place_belongs_to_one_step_after_its_neighbours():
    seen = {}
    for number, (rows, columns) in enumerate(wavefront._steps(5, 7)):
        seen.update(dict.fromkeys(zip(rows.tolist(), columns.tolist(), strict=True), number))
    assert sorted(seen) == [(row, column) for row in range(5) for column in range(7)]
    for (row, column), number in seen.items():
        for near in ((row, column - 1), (row - 1, column - 1), (row - 1, column), (row - 1, column + 1)):
            assert near not in seen or seen[near] < number
    assert len({*seen.values()}) == steps_of(5, 7)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=60)
def test_hostile_bytes_are_damage_or_planes(seed):
    random, values = np.random.default_rng(seed), planes(seed, 1, 3, 5, 6, np.uint8)
    data = bytearray(encode_planes(values))
    data[int(random.integers(0, len(data)))] ^= int(random.integers(1, 256))
    for hostile in (bytes(data), bytes(data[: int(random.integers(0, len(data)))])):
        try:
            assert decode_planes(hostile, values.shape, np.uint8).shape == values.shape
        except DamagedFile:
            continue
