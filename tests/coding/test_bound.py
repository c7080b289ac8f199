"""A bound: judged exactly, never in the data's own arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from isthmus.coding.bound import Bound, finite_range, same_bits
from isthmus.errors import ConfigError

KINDS = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
FLOATS = ("float16", "float32", "float64")
BOUNDS = st.floats(0, 1e308) | st.sampled_from([0.0, 5e-324, 1.0, 2.0**63, 2.0**64, 1e308])


@st.composite
def pairs(draw):
    """An original and something restored, of any type, often near one another."""
    dtype = np.dtype(draw(st.sampled_from(KINDS + FLOATS)))
    original = draw(hnp.arrays(dtype, 4))
    if draw(st.booleans()):
        return original, draw(hnp.arrays(dtype, 4))
    with np.errstate(all="ignore"):
        return original, (original + draw(hnp.arrays(dtype, 4, elements={"min_value": 0}))).astype(dtype)


def allowed(original, restored, bound) -> bool:
    """The law itself, in exact arithmetic, for one pair of Python numbers."""
    if any(number != number or number in (float("inf"), float("-inf")) for number in (original, restored)):
        return repr(original) == repr(restored)
    if 0 in (original, restored) and "-0.0" in (repr(original), repr(restored)) and original == 0:
        return repr(original) == repr(restored)
    scale = abs(Fraction(original)) if bound.pointwise else 1
    return abs(Fraction(original) - Fraction(restored)) <= Fraction(bound.value) * scale


@given(pairs(), BOUNDS, st.booleans())
def test_never_accepts_what_is_beyond_the_bound(pair, value, pointwise):
    bound = Bound(value, pointwise)
    kept = bound.kept(*pair).tolist()
    exact = [allowed(a, b, bound) for a, b in zip(pair[0].tolist(), pair[1].tolist(), strict=True)]
    assert all(truth for said, truth in zip(kept, exact, strict=True) if said)
    if not pointwise:
        assert kept == exact or any(np.isnan(pair[0]))  # NaN: judged by all its bits


@given(pairs(), BOUNDS, st.booleans())
def test_what_is_the_same_is_always_kept(pair, value, pointwise):
    original, _ = pair
    assert Bound(value, pointwise).kept(original, original.copy()).all()


def test_differences_that_rounding_hides_are_found():
    one, two = np.array([1.0]), np.array([1.0 + 2.0**-40])
    tiny = np.array([-(2.0**-60)])
    assert not Bound(1.0).kept(one, tiny).any()  # 1 + 2**-60 rounds to 1
    assert Bound(2.0**-40).kept(one, two).all()
    extreme = np.array([np.iinfo(np.int64).min]), np.array([np.iinfo(np.int64).max])
    assert not Bound(2.0**63).kept(*extreme).any()


def test_the_sign_of_zero_and_the_payload_of_nan_count():
    zeros = np.array([0.0, -0.0])
    assert not Bound(1.0).kept(zeros, -zeros).any()
    quiet, other = np.array([0x7FC00000, 0x7FC00001], np.uint32).view(np.float32).reshape(2, 1)
    assert not Bound(1.0).kept(quiet, other).any()
    assert same_bits(quiet, quiet).all()


@given(st.floats(0, 1e300), st.floats(-1e308, 1e308), st.floats(-1e308, 1e308))
def test_a_relative_bound_is_never_wider_than_asked_for(value, first, second):
    low, high = sorted((first, second))
    assert Fraction(Bound.relative(value, low, high).value) <= Fraction(value) * (
        Fraction(high) - Fraction(low)
    )


def test_a_psnr_becomes_the_bound_of_a_uniform_error():
    assert Bound.for_psnr(40.0, 0.0, 100.0).value == pytest.approx(100 * 0.01 * 3**0.5)


def test_the_range_is_that_of_the_finite_values():
    assert finite_range(np.array([np.nan, np.inf, 2.0, -3.0])) == (-3.0, 2.0)
    assert finite_range(np.array([np.nan])) == (0.0, 0.0)
    assert finite_range(np.array([0, 2**64 - 1], np.uint64)) == (0, 2**64 - 1)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_bound_is_finite_and_not_negative(value):
    with pytest.raises(ConfigError, match="error bound must be finite, at least 0"):
        Bound(value)
