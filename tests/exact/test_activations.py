"""Tables are the functions they are named for, rounded, and made of whole numbers alone."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.exact.activations import MAX_ENTRIES, decay_table, table
from isthmus.exact.ops import TABLES, Scale

FUNCTIONS = {
    "leaky_relu": lambda x: x if x > 0 else x / 100,
    "gelu": lambda x: 0.5 * x * math.erfc(-x / math.sqrt(2)),
    "silu": lambda x: x / (1 + math.exp(-x)) if x > -700 else 0.0,
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)) if x > -700 else 0.0,
}
SMALL = st.integers(0, 300)


@settings(max_examples=60)
@given(
    st.sampled_from(TABLES),
    st.integers(-30, 10),
    SMALL,
    SMALL,
    st.integers(-20, 4),
    st.integers(1, 2**15 - 1),
)
def test_an_entry_is_the_function_rounded_and_clipped(kind, exponent, below, above, made, limit):
    scale = Scale(made, -limit, limit)
    entries = table(kind, Scale(exponent, -below, above), scale)
    assert entries.dtype == np.float32
    assert entries.shape == (below + above + 1,)
    for x, entry in zip(range(-below, above + 1), entries, strict=True):
        exact = FUNCTIONS[kind](x * 2.0**exponent) / 2.0**made
        assert entry == round(entry)
        assert abs(entry - min(max(exact, -limit), limit)) <= 0.5 + 1e-6 * max(1, abs(exact))


def test_every_activation_of_a_net_has_its_table():
    assert set(TABLES) == set(FUNCTIONS)


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_of_too_many_entries_is_refused(kind):
    with pytest.raises(ValueError, match="entries"):
        table(kind, Scale(0, -MAX_ENTRIES // 2, MAX_ENTRIES // 2), Scale(0, 0, 1))


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("exponent", [-60, 60])
def test_extreme_scales_end_soon(kind, exponent):
    entries = table(kind, Scale(exponent, -50, 50), Scale(0, -9, 9))
    ends = [FUNCTIONS[kind](x * 2.0**exponent) for x in (-50, 50)]
    assert np.abs(entries[[0, -1]] - np.clip(ends, -9, 9)).max() <= 0.5


@given(st.integers(-12, 4), st.integers(0, 500))
def test_decay_is_the_exponential(exponent, high):
    entries = decay_table(Scale(exponent, 0, high), 15)
    assert np.abs(entries - np.exp(-np.arange(high + 1) * 2.0**exponent) * 2**15).max() <= 0.5 + 1e-6
