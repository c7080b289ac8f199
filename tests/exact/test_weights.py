"""Weights become integers and back, at most half a step off, whatever their size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from isthmus.errors import DamagedFile
from isthmus.exact.weights import IntegerWeights, from_tensors, to_integers, to_tensors

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, max_side=5)
BITS = st.integers(4, 16)


@st.composite
def weights(draw):
    """Rows of very different sizes, some of them 0."""
    values = draw(hnp.arrays(np.float32, draw(SHAPES), elements=st.floats(-1, 1, width=32)))
    if values.ndim < 2:
        return values * np.float32(draw(st.sampled_from([0.0, 1e-9, 1.0, 1e9])))
    scale = draw(
        hnp.arrays(np.float32, len(values), elements=st.sampled_from([0.0, 1e-12, 1e-3, 1.0, 1e6, 1e30]))
    )
    return values * scale.reshape(-1, *[1] * (values.ndim - 1))


@given(weights(), BITS)
def test_integers_are_within_half_a_step_of_each_row(original, bits):
    stored = to_integers(original, bits=bits)
    back = stored.to_float()
    assert back.dtype == np.float32
    assert back.shape == original.shape
    rows = (len(original) if original.ndim > 1 else 1, -1)
    error = np.abs(back.astype(np.float64) - original).reshape(rows)
    assert (error <= np.ldexp(0.5, stored.exponents.astype(int))[:, None]).all()


@given(weights(), BITS)
def test_no_bit_is_wasted_and_none_is_borrowed(original, bits):
    stored = to_integers(original, bits=bits)
    bits = bits if original.ndim > 1 else 16
    assert stored.values.dtype == (np.int8 if bits <= 8 else np.int16)
    assert stored.exponents.dtype == np.int8
    rows = np.abs(stored.values.astype(int).reshape(len(original) if original.ndim > 1 else 1, -1)).max(
        axis=1
    )
    assert (rows <= 2 ** (bits - 1)).all()
    large = np.abs(original.reshape(len(rows), -1)).max(axis=1) > 2.0**-50
    assert (rows[large] >= 2 ** (bits - 2) - 1).all(), "the largest weight of a row uses the highest bit"


@given(weights(), BITS)
def test_what_was_rounded_once_stays_as_it_is(original, bits):
    once = to_integers(original, bits=bits).to_float()
    assert np.array_equal(to_integers(once, bits=bits).to_float(), once)


@given(st.dictionaries(st.text("abc.", min_size=1, max_size=4), st.tuples(weights(), BITS), max_size=3))
def test_tensors_hold_everything(named):
    stored = {name: to_integers(values, bits=bits) for name, (values, bits) in named.items()}
    back = from_tensors(to_tensors(stored))
    assert sorted(back) == sorted(stored)
    for name, expected in stored.items():
        assert np.array_equal(back[name].values, expected.values)
        assert np.array_equal(back[name].exponents, expected.exponents)


def test_a_weight_without_its_exponents_is_damage():
    tensors = to_tensors({"w": to_integers(np.ones((2, 3), np.float32), bits=8)})
    with pytest.raises(DamagedFile, match="lacks its 2 row exponents"):
        from_tensors({"w": tensors["w"]})
    with pytest.raises(DamagedFile, match="lacks its 2 row exponents"):
        from_tensors({**tensors, "w.exponents": np.zeros(3, np.int8)})


def test_to_float_is_exact():
    stored = IntegerWeights(np.int16([[32767], [-32768]]), np.int8([-75, 100]))
    assert stored.to_float().astype(np.float64).tolist() == [[32767 * 2.0**-75], [-32768 * 2.0**100]]
