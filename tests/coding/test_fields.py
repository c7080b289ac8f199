"""Fields: every piece undoes itself, structure that is there is found, and the decoder trusts nothing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coding.bound import Bound, same_bits
from isthmus.coding.coders.interpolation import Interpolation
from isthmus.coding.fields.engine import decode_field, encode_field
from isthmus.coding.fields.escapes import escapes_to_bytes, fill_escapes
from isthmus.coding.fields.lattice import find_lattice
from isthmus.coding.fields.scales import from_order, power_of_2, to_order
from isthmus.coding.fields.walk import halvings, points, walk
from isthmus.errors import DamagedFile
from value_blocks import any_bits

SHAPES = st.lists(st.sampled_from((1, 2, 3, 4, 7, 20)), min_size=1, max_size=4).map(tuple)
SEEDS = st.integers(0, 2**32 - 1)


def waves(shape, seed=0):
    """A smooth field whose pattern drifts along every axis."""
    random = np.random.default_rng(seed)
    places = np.meshgrid(*[np.arange(size) for size in shape], indexing="ij")
    return sum(np.sin(place * random.uniform(0.05, 0.3) + random.uniform(0, 6)) for place in places)


@given(SHAPES, SEEDS)
def test_a_walk_reaches_every_point_once(shape, seed):
    framed = (shape[0], *shape[1:], 3)
    order = [axis for axis in range(1, len(framed)) for _ in range((framed[axis] - 1).bit_length())]
    np.random.default_rng(seed).shuffle(order)
    assert len(order) == halvings(framed)
    visits = np.zeros(framed, int)
    for step in walk(framed, order):
        visits[step.targets] += 1
        assert visits[step.targets].size == points(framed, step)
    assert (visits == 1).all()


@given(SHAPES, SEEDS, st.booleans(), st.booleans(), st.data())
def test_a_field_comes_back_as_the_encoder_said(shape, seed, whole, masked, data):
    random = np.random.default_rng(seed)
    units = 10.0 ** data.draw(st.integers(-3, 9)) * random.normal(size=shape)
    units = np.rint(units) if whole else units
    mask = random.random(shape) < 0.3 if masked else None
    frames = data.draw(st.none() | st.integers(0, len(shape) - 1))
    coded, restored = encode_field(units, mask, whole, frames)
    assert np.array_equal(decode_field(coded, shape, mask, whole), restored)
    shown = np.ones(shape, bool) if mask is None else ~mask
    assert np.abs(restored - units)[shown].max(initial=0) <= (0 if whole else 0.5 + 1e-6)


def test_a_pattern_that_stays_is_predicted_from_the_frames_around():
    random = np.random.default_rng(0)
    land = 40 * random.normal(size=(24, 24))
    units = np.rint(land + 300 * np.sin(np.arange(32) / 5)[:, None, None])
    sizes = {frames: len(encode_field(units, None, True, frames)[0]) for frames in (None, 0)}
    assert sizes[0] < 0.5 * sizes[None]


@given(
    st.sampled_from(("int8", "uint16", "int32", "int64", "uint64", "float16", "float32", "float64")), SEEDS
)
def test_order_is_that_of_the_values_and_comes_back(dtype, seed):
    values = any_bits(np.random.default_rng(seed), (50,), np.dtype(dtype))
    values = values[~np.isnan(values)]
    numbers = to_order(values)
    assert same_bits(from_order(numbers, values.dtype), values).all()
    ordered = values[np.argsort(numbers, kind="stable")]
    assert (ordered[:-1] <= ordered[1:]).all()


@given(st.floats(-1000, 1000))
def test_powers_of_2_are_close_to_the_true_ones(exponent):
    assert power_of_2(np.array([exponent]))[0] == pytest.approx(2.0**exponent, rel=1e-14)


@given(st.sampled_from(("float16", "float32", "float64", "int16", "uint64")), SEEDS, st.booleans())
def test_escapes_put_the_truth_back(dtype, seed, near):
    random = np.random.default_rng(seed)
    truth = any_bits(random, (40,), np.dtype(dtype))
    restored = (
        from_order(to_order(truth) ^ np.uint64(1), truth.dtype)
        if near
        else any_bits(random, (40,), truth.dtype)
    )
    wrong = np.flatnonzero(~same_bits(truth, restored))
    data = escapes_to_bytes(truth, restored, wrong)
    fill_escapes(data, restored)
    assert same_bits(truth, restored).all()


@pytest.mark.parametrize("scale", [0.017250275, 0.01, 0.125, 3.7])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_packed_integers_are_noticed(scale, dtype):
    numbers = np.rint(3000 * waves((40, 50))).ravel()
    found = find_lattice((numbers * scale + 273.15).astype(dtype))
    assert found is not None
    restored, spread = found[1], numbers - numbers[0]
    assert np.array_equal(restored - restored[0], spread)


def test_noise_is_no_lattice():
    assert find_lattice(np.random.default_rng(0).normal(size=5000).astype(np.float32)) is None


def test_packed_integers_cost_what_integers_cost():
    numbers = np.rint(500 * waves((30, 40, 50))).astype(np.int16)
    packed = (numbers * np.float64(0.0213) + 11.7).astype(np.float32)
    coder = Interpolation()
    as_integers, as_floats = coder.encode(numbers, None), coder.encode(packed, None)
    assert len(as_floats) < 1.1 * len(as_integers) + 200


@pytest.mark.parametrize("nothing", [np.nan, 1e20, -9999.0])
def test_land_masks_cost_little(nothing):
    field = waves((20, 40, 50)).astype(np.float32)
    bare = len(Interpolation().encode(field, Bound(1e-3)))
    field[:, 10:20, 15:35] = nothing
    payload = Interpolation().encode(field, Bound(1e-3))
    assert len(payload) < 1.6 * bare
    restored = Interpolation().decode(payload, field.shape, field.dtype)
    assert same_bits(field, restored)[:, 10:20, 15:35].all()


@given(SHAPES, SEEDS, st.sampled_from(("float16", "float32", "float64")), st.sampled_from((1e-1, 1e-2, 1e-4)))
@settings(max_examples=30)
def test_relative_to_each_value_over_many_magnitudes(shape, seed, dtype, value):
    random = np.random.default_rng(seed)
    values = np.exp(6 * waves(shape, seed) / len(shape)) * random.choice([1, 1, -1, 0], shape)
    values = values.astype(dtype)
    bound = Bound(value, pointwise=True)
    payload = Interpolation().encode(values, bound)
    if payload is not None:
        assert bound.kept(values, Interpolation().decode(payload, shape, values.dtype)).all()


def test_a_bound_relative_to_each_value_is_coded_over_many_magnitudes():
    values = np.exp(8 * waves((30, 40))).astype(np.float32) * np.sign(waves((30, 40), 1)).astype(np.float32)
    payload = Interpolation().encode(values, Bound(1e-2, pointwise=True))
    assert len(payload) < values.nbytes / 6


@pytest.mark.parametrize(
    "values", [np.array([1e308, -1e308]), np.array([5e-324, 1e-310]), np.zeros(1), np.full(9, np.nan)]
)
@pytest.mark.parametrize("value", [0.0, 5e-324, 1e-300, 1.0, 1e308])
def test_extremes_of_values_and_bounds(values, value):
    payload = Interpolation().encode(values, Bound(value))
    if payload is not None:
        restored = Interpolation().decode(payload, values.shape, values.dtype)
        assert Bound(value).kept(values, restored).all()


def test_a_huge_shape_costs_no_more_than_its_own_array():
    with pytest.raises(DamagedFile):
        Interpolation().decode(b"\x09\0" + bytes(40), (1 << 20,), np.dtype(np.float32))


@given(st.binary(max_size=60), SHAPES)
def test_bytes_of_no_encoder_are_damage_or_a_field(data, shape):
    try:
        with np.errstate(all="ignore"):
            restored = decode_field(data, shape, None, True)
    except DamagedFile:
        return
    assert restored.size == math.prod(shape)
