"""Tables are exact in bytes, near the entropy in bits, and never trust what they read."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from isthmus.coding import minifloats
from isthmus.coding.coder import encode
from isthmus.coding.tables import Table, frequency_table, tables_from_bytes, tables_to_bytes
from isthmus.errors import DamagedFile

weights = arrays.arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1e9)).filter(np.any)


@st.composite
def tables(draw):
    precision_bits = draw(st.integers(6, 20))
    shares = draw(arrays.arrays(np.float64, st.integers(2, 40), elements=st.floats(1e-6, 1)))
    low = draw(st.integers(-(2**31), 2**31 - 60))
    return Table(low, frequency_table(shares, precision_bits=precision_bits))


@given(weights, st.integers(6, 24))
def test_frequencies_sum_to_the_total_and_none_is_zero(probabilities, precision_bits):
    table = frequency_table(probabilities, precision_bits=precision_bits)
    assert table.sum() == 2**precision_bits
    assert table.min() >= 1


@given(weights)
def test_the_likelier_symbol_never_costs_more(probabilities):
    table = frequency_table(probabilities)
    order = np.argsort(probabilities, kind="stable")
    assert (np.diff(table[order]) >= -1).all()  # ties may differ by the one that was left over


@pytest.mark.parametrize("wrong", [[], [0.0], [np.nan, 1], [-1, 2], [np.inf], [[1.0]], np.ones(9)])
def test_what_is_no_distribution_is_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        frequency_table(np.array(wrong), precision_bits=3)


@given(tables())
def test_any_table_comes_back(table):
    assert Table.from_bytes(table.to_bytes()) == table


@given(st.lists(tables(), max_size=4))
def test_lists_of_tables_come_back(several):
    assert tables_from_bytes(tables_to_bytes(several)) == several


@given(arrays.arrays(np.int32, st.integers(0, 80), elements=st.integers(-(2**31), 2**31 - 1)))
def test_a_table_fits_whatever_integers_there_are(values):
    table = Table.fit(values)
    assert table.precision_bits == 16
    assert np.isfinite(table.bits(values))


@given(st.integers(0, 24), st.integers(0, 2**24))
def test_a_place_on_the_grid_holds_the_last_number_not_above(digits, frequency):
    at = minifloats.place(frequency, digits)
    assert minifloats.number(at, digits) <= frequency < minifloats.number(at + 1, digits)


@given(tables(), st.integers(1, 6))
def test_rounding_keeps_the_sum_and_stays_near(table, digits):
    rounded = minifloats.round_all(table.frequencies, digits)
    assert rounded.sum() == table.frequencies.sum()
    assert rounded.min() >= 1
    assert (rounded <= 2.5 * table.frequencies).all()


def test_typical_tables_take_a_few_dozen_bytes():
    values = np.rint(np.random.default_rng(0).normal(scale=3, size=20_000)).astype(np.int32)
    assert len(Table.fit(values).to_bytes()) <= 30


@pytest.mark.parametrize("scale", [0.1, 0.5, 3, 30, 300])
def test_fitted_tables_cost_hardly_more_than_the_entropy(scale):
    values = np.rint(np.random.default_rng(1).normal(scale=scale, size=50_000)).astype(np.int32)
    counts = np.unique(values, return_counts=True)[1]
    entropy_bits = -(counts * np.log2(counts / values.size)).sum()
    assert Table.fit(values).bits(values) <= 1.01 * entropy_bits + 64


def test_one_far_value_does_not_swell_the_table():
    values = np.array([0, 1] * 1000 + [1_000_000, -1_000_000], dtype=np.int32)
    assert len(Table.fit(values).frequencies) == 3


def test_bits_say_what_the_coder_will_take():
    random = np.random.default_rng(2)
    values = np.append(np.rint(random.normal(scale=4, size=9_000)), [10**6, -(10**6)]).astype(np.int32)
    table = Table.fit(values)
    assert 0 <= 8 * len(encode([(values, table)])) - table.bits(values) <= 64


@pytest.mark.parametrize("frequencies", [[1], [1, 2], [0, 2], [3, -1], [1 << 24, 1 << 24]])
def test_impossible_tables_are_refused(frequencies):
    with pytest.raises(ValueError, match="must"):
        Table(0, np.array(frequencies))


@given(st.binary(max_size=40))
def test_any_bytes_are_a_table_or_refused(data):
    try:
        table = Table.from_bytes(data)
    except DamagedFile:
        return
    assert Table.from_bytes(table.to_bytes()) == table


@given(tables(), st.data())
def test_damaged_tables_are_a_table_or_refused(table, data):
    damaged = bytearray(table.to_bytes())
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(DamagedFile):  # any other error would fail
        Table.from_bytes(bytes(damaged))
