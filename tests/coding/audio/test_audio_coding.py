"""Samples of sound come back, whatever they are; damage is called damage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coding.audio import decode_block, decode_lossy, encode_block, encode_lossy, stored, walk
from isthmus.coding.audio.filling import _signs
from isthmus.coding.audio.lanes import Lanes
from isthmus.coding.audio.regression import Regression, solve
from isthmus.coding.audio.transform import SIZES, WEIGHT_BITS, _cosines, _matrix, backward, forward
from isthmus.coding.audio.waves import step_of
from isthmus.errors import DamagedFile, TooLarge
from isthmus.limits import Limits

WALKS = {"noise", "tone", "silence", "steps", "loud"}


def sound(kind: str, frames: int, channels: int, bits: int, seed: int) -> np.ndarray:
    """int64 (frame, channel) within so many bits."""
    random, top = np.random.default_rng(seed), (1 << (bits - 1)) - 1
    time = np.arange(frames)[:, None]
    made = {
        "noise": lambda: random.integers(-top - 1, top, (frames, channels), endpoint=True),
        "tone": lambda: np.rint(top * 0.9 * np.sin(time * random.uniform(0.01, 3, channels))),
        "silence": lambda: np.zeros((frames, channels)),
        "steps": lambda: np.repeat(random.integers(-top, top, (frames // 7 + 1, channels)), 7, 0)[:frames],
        "loud": lambda: np.clip(top * 4 * np.sin(time * random.uniform(0.01, 3, channels)), -top - 1, top),
    }[kind]()
    return np.asarray(made).astype(np.int64)


@st.composite
def sounds(draw, most: int = 150) -> np.ndarray:
    kind = draw(st.sampled_from(sorted(WALKS)))
    bits = draw(st.sampled_from([8, 16, 24, 32]))
    shape = draw(st.integers(1, most)), draw(st.integers(1, 6))
    return sound(kind, *shape, bits, draw(st.integers(0, 99)))


@given(sounds(), st.sampled_from([1, 5, 9]))
@settings(max_examples=20)
def test_integers_come_back(samples, effort):
    samples = samples.astype(np.int32)
    coded = encode_block(samples, effort=effort)
    found = decode_block(coded.plan, coded.payload, *samples.shape, samples.dtype)
    assert found.dtype == samples.dtype
    assert (found == samples).all()


@given(sounds(90))
@settings(max_examples=20)
def test_every_plan_gives_integers_back(samples):
    low, high = int(samples.min()), int(samples.max())
    assert (stored.decode(stored.encode(samples), *samples.shape) == samples).all()
    if low < high:
        data = walk.encode(samples, low, high)
        assert (walk.decode(data, *samples.shape, low, high) == samples).all()


@given(st.sampled_from(["float32", "float64"]), st.integers(1, 300), st.integers(1, 3), st.integers(0, 9))
@settings(max_examples=20)
def test_floats_come_back_bit_for_bit(dtype, frames, channels, seed):
    samples = np.random.default_rng(seed).normal(size=(frames, channels)).astype(dtype)
    samples[:: seed + 2] = (np.nan, -0.0, np.inf, 0.0)[seed % 4]
    coded = encode_block(samples)
    found = decode_block(coded.plan, coded.payload, *samples.shape, samples.dtype)
    assert found.tobytes() == samples.tobytes()


@pytest.mark.parametrize("power", [15, 23])
def test_floats_that_were_integers_are_coded_as_such(power):
    samples = (sound("tone", 1200, 1, power + 1, 1) / (1 << power)).astype(np.float32)
    coded = encode_block(samples)
    assert coded.plan == "adaptive"
    assert (decode_block(coded.plan, coded.payload, *samples.shape, samples.dtype) == samples).all()


def test_a_range_that_is_used_in_steps_costs_no_more():
    samples = sound("tone", 1000, 1, 8, 3).astype(np.int32)
    few, many = (len(encode_block(each).payload) for each in (samples, samples * 256))
    assert many <= few + 2


def test_what_can_be_predicted_takes_few_bytes():
    time = np.arange(10_000)
    noise = np.random.default_rng(0).normal(size=time.size) * 3
    left = 8000 * np.sin(time * 0.05) + 3000 * np.sin(time * 0.31) + noise
    samples = np.rint(np.stack([left, 0.7 * left + 40], axis=1)).astype(np.int32)
    bits = 8 * len(encode_block(samples).payload) / samples.size
    assert bits < 3.0  # noise of 3 takes 3.6 bits in one channel, and the other follows from it


@given(sounds(60), st.data())
@settings(max_examples=40)
def test_a_damaged_payload_is_called_damaged(samples, data):
    coded = encode_block(samples.astype(np.int32), effort=data.draw(st.sampled_from([1, 5])))
    payload = bytearray(coded.payload)
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    payload = payload[: data.draw(st.integers(0, len(payload)))]
    try:
        found = decode_block(coded.plan, bytes(payload), *samples.shape, np.dtype(np.int32))
    except (DamagedFile, TooLarge):
        return
    assert found.shape == samples.shape


def test_more_than_the_limits_allow_is_refused():
    coded = encode_block(np.arange(9, dtype=np.int32)[:, None])
    with pytest.raises(DamagedFile):
        decode_block(coded.plan, coded.payload, 1 << 40, 1, np.dtype(np.int32))
    with pytest.raises(TooLarge):
        decode_block(coded.plan, coded.payload, 9, 1, np.dtype(np.int32), limits=Limits(block_bytes=100))
    with pytest.raises(DamagedFile):
        decode_block("unheard-of", coded.payload, 9, 1, np.dtype(np.int32))


def test_plans_that_would_take_hours_are_refused():
    for lanes, plan in ((1, walk.PLAN), (1000, walk.Plan(own=64, other=64)), (500, walk.Plan(every=1))):
        data = bytes([lanes % 128 | 128, lanes // 128]) + plan.to_bytes() + bytes(9)
        with pytest.raises(DamagedFile, match="cannot be"):
            walk.decode(data, 1 << 22, 1, 0, 9)
    for channels in range(1, 65):  # and no writer makes such
        for steps in (8192, 32768):
            frames = (1 << 22) // channels
            lanes = Lanes.of(frames, steps)
            assert lanes.steps * channels <= walk.MOST_STEPS
            assert walk.sums_bytes(lanes.count, channels, walk.LONG_PLAN) <= 1 << 27


@given(st.integers(1, 500), st.integers(1, 20), st.integers(1, 3))
def test_lanes_hold_every_frame_once(frames, count, channels):
    count = min(count, frames)
    lanes = Lanes(frames, count, -(-frames // count))
    samples = np.arange(frames * channels).reshape(frames, channels)
    assert (lanes.gather(lanes.spread(samples)) == samples).all()
    assert sum(lanes.told(step) for step in range(lanes.steps)) == frames


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_the_regression_is_least_squares_over_all_that_was_seen(channels):
    random = np.random.default_rng(channels)
    samples = np.zeros((channels, 105, 2))
    samples[:, 5:] = random.normal(size=(channels, 100, 2)) * 100
    regression = Regression(samples, own=4, other=3, keep=1 - 2**-6)
    for step in range(5, 105):
        regression.learn(step)
    regression.refit()
    for channel, looks in enumerate(regression.looks):
        for lane in range(2):
            times = np.arange(5 + 4, 105)  # the first that look back no further than the first sample
            fading = (1 - 2**-6) ** ((104 - times) / 2)
            seen = np.stack([samples[c, times - lag, lane] for c, lag in looks], axis=1)
            wanted = samples[channel, times, lane]
            expected = np.linalg.lstsq(seen * fading[:, None], wanted * fading, rcond=None)[0]
            assert np.allclose(regression.weights[channel][:, lane], expected, atol=1e-3)


def test_equations_are_solved():
    random = np.random.default_rng(0)
    parts = random.normal(size=(6, 9, 3))
    matrix, side = np.einsum("itl,jtl->ijl", parts, parts), random.normal(size=(6, 3))
    found = solve(np.concatenate([matrix, side[:, None]], axis=1))
    assert np.allclose(np.einsum("ijl,jl->il", matrix, found), side)


@pytest.mark.parametrize("size", SIZES)
def test_windows_add_up_to_what_they_were_cut_from(size):
    samples = np.random.default_rng(size).normal(size=3 * size + 7) * 3000
    plain = forward(samples, size, samples[:0], samples[:0])
    told = np.rint(plain * 64).astype(np.int64)
    found = backward(told, len(samples)) / (64 << WEIGHT_BITS)
    assert np.abs(found - samples).max() < 0.6
    silence = np.zeros(2 * size)
    energy = np.square(forward(samples, size, silence, silence)).sum() / np.square(samples).sum()
    assert abs(energy - 1) < 1e-3  # orthonormal, so a step costs the same everywhere


def test_cosines_are_the_rounded_ones():
    for size in SIZES[:2]:
        exact = np.cos(2 * np.pi * np.arange(8 * size) / (8 * size)) * 2**30
        assert np.abs(_cosines(8 * size) - exact).max() <= 0.5 + 1e-5
        assert (_matrix(size) == np.rint(_matrix(size))).all()


def test_the_way_back_is_exact_whatever_the_order():
    random = np.random.default_rng(5)
    told = random.integers(-(2**20), 2**20, (40, 256))
    weights = _matrix(256).astype(np.int64)
    both = told @ weights  # in int64, which has no rounding
    sums = np.zeros((41, 256), np.int64)
    sums[:-1] += both[:, :256]
    sums[1:] += both[:, 256:]
    assert (backward(told, 38 * 256) == sums.ravel()[256:][: 38 * 256]).all()


@given(sounds(700), st.integers(1, 100))
@settings(max_examples=40)
def test_lossy_samples_stay_near(samples, quality):
    bits = max(8, 8 * -(-int(np.abs(samples).max() + 1).bit_length() // 8))
    bits = 32 if bits > 24 else bits
    told = np.clip(samples, -(1 << (bits - 1)), (1 << (bits - 1)) - 1).astype(np.int32)
    payload = encode_lossy(told, bits, quality)
    found = decode_lossy(payload, *told.shape, told.dtype, bits)
    assert found.shape == told.shape
    error = np.sqrt(np.square((found - told.astype(float)) * 2.0 ** (16 - bits)).mean())
    assert error <= 0.7 * step_of(quality) / 16 + 2.0 ** (16 - bits)


@given(st.sampled_from(["float32", "float64"]), st.integers(1, 500), st.integers(1, 3))
@settings(max_examples=15)
def test_lossy_floats_stay_near(dtype, frames, channels):
    samples = np.random.default_rng(frames).uniform(-4, 4, (frames, channels)).astype(dtype)
    found = decode_lossy(encode_lossy(samples, 0, 90), frames, channels, samples.dtype, 0)
    assert found.dtype == samples.dtype
    assert np.sqrt(np.square(found - samples).mean()) < 2 * step_of(90) / 16 / 2**15


@given(sounds(300), st.data())
@settings(max_examples=50)
def test_damage_of_a_lossy_payload_is_called_damage(samples, data):
    told = (samples >> 16).astype(np.int32)
    payload = bytearray(encode_lossy(told, 16, data.draw(st.integers(1, 100))))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    payload = payload[: data.draw(st.integers(0, len(payload)))]
    try:
        found = decode_lossy(bytes(payload), *told.shape, told.dtype, 16)
    except (DamagedFile, TooLarge):
        return
    assert found.shape == told.shape


def test_noise_has_no_pattern_and_silence_none():
    signs = _signs(np.arange(100_000))
    assert abs(signs.mean()) < 0.01
    assert abs((signs[1:] * signs[:-1]).mean()) < 0.01
    samples = np.zeros((9000, 1), np.int32)
    samples[::2000] = 20_000
    found = decode_lossy(encode_lossy(samples, 16, 50), *samples.shape, samples.dtype, 16)
    assert not decode_lossy(encode_lossy(samples * 0, 16, 50), 9000, 1, samples.dtype, 16).any()
    assert np.abs(found - samples).mean() < step_of(50) / 16


def test_errors_jump_by_no_more_than_a_step():
    time = np.arange(30_000)
    samples = np.rint(12_000 * np.sin(time * 0.031))[:, None].astype(np.int32)
    first, second = samples[:14_001], samples[14_001:]
    found = [
        decode_lossy(encode_lossy(first, 16, 60, None, second[:4096]), *first.shape, samples.dtype, 16),
        decode_lossy(encode_lossy(second, 16, 60, first[-4096:]), *second.shape, samples.dtype, 16),
    ]
    error = (np.concatenate(found) - samples)[:, 0].astype(float)
    jumps = np.abs(np.diff(error))
    assert jumps.max() <= step_of(60) / 16  # also where one block ends, and where the tone begins
    assert error.any()
