"""Decoding undoes encoding, in the very frequencies of the tables, and damage never crashes."""

import constriction
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from isthmus.coding import coder
from isthmus.coding.coder import decode, encode
from isthmus.coding.tables import Table, frequency_table
from isthmus.errors import DamagedFile


@st.composite
def groups(draw):
    shares = draw(arrays.arrays(np.float64, st.integers(2, 30), elements=st.floats(1e-6, 1)))
    table = Table(
        draw(st.integers(-50, 50)), frequency_table(shares, precision_bits=draw(st.integers(5, 20)))
    )
    near, anywhere = st.integers(-60, 90), st.integers(-(2**31), 2**31 - 1)
    values = draw(st.lists(st.one_of(near, near, near, anywhere), max_size=60))
    return np.array(values, dtype=np.int32), table


messages = st.lists(groups(), max_size=5)


@given(messages)
def test_decoding_undoes_encoding(message):
    data = encode(message)
    decoded = decode(data, [(len(values), table) for values, table in message])
    assert [values.tolist() for values in decoded] == [values.tolist() for values, _ in message]
    assert all(values.dtype == np.int32 for values in decoded)


@given(messages)
def test_encoding_twice_gives_the_same_bytes(message):
    assert encode(message) == encode(message)


@given(messages, st.data())
def test_damaged_messages_are_refused_or_decode_to_as_many_values(message, data):
    damaged = bytearray(encode(message))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    refused_or_decoded(bytes(damaged), message)


@given(messages, st.binary(max_size=40))
def test_any_bytes_are_refused_or_decode_to_as_many_values(message, data):
    refused_or_decoded(data, message)


def refused_or_decoded(data, message):
    counts = [(len(values), table) for values, table in message]
    try:
        decoded = decode(data, counts)
    except DamagedFile:
        return
    assert [len(values) for values in decoded] == [count for count, _ in counts]


def test_values_of_more_than_32_bits_are_refused():
    with pytest.raises(ValueError, match="32 bits"):
        encode([(np.array([2**40]), Table(0, np.array([1, 1])))])


@pytest.mark.parametrize("precision_bits", [8, 16, 20, 24])
@pytest.mark.parametrize("entries", [2, 7, 200])
def test_the_library_uses_our_frequencies_exactly(entries, precision_bits):
    """Each entry starts and ends where the sums of our integers say, probed quantile by quantile."""
    random = np.random.default_rng(entries)
    shares = random.exponential(size=entries) ** 4
    table = Table(0, frequency_table(shares, precision_bits=precision_bits))
    model = coder.entropy_model(table)
    ends = np.cumsum(table.frequencies) << 24 - precision_bits
    starts = ends - (table.frequencies << 24 - precision_bits)
    assert [entry_at(model, quantile) for quantile in starts] == list(range(entries))
    assert [entry_at(model, quantile - 1) for quantile in ends] == list(range(entries))


def entry_at(model, quantile):
    """The entry that the decoder finds at one of the 2**24 quantiles."""
    words = np.array([quantile, 1], dtype=np.uint32)  # the quantile is the low 24 bits of the state
    return constriction.stream.stack.AnsCoder(words).decode(model)


def test_a_message_takes_as_many_bits_as_its_table_says():
    table = Table(0, np.array([32768, 16384, 8192, 8191, 1]))
    values = np.random.default_rng(0).choice(4, p=[0.5, 0.25, 0.125, 0.125], size=10_000)
    assert 8 * len(encode([(values, table)])) == pytest.approx(table.bits(values), abs=48)


def test_the_bytes_are_those_of_every_machine():
    table = Table(-1, np.array([2, 5, 8, 1]))
    values = np.array([1, 1, 0, -1, 1, 900, 0, 0, 1, -1, 1] * 3)
    assert encode([(values, table)]).hex() == "06880e880e880e0000b0e31f1fb625b76b0300"
