"""Numbers come back from their varints; what is no varint is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from isthmus.coding.varints import (
    ByteReader,
    read_signed,
    unzigzag,
    write_signed,
    write_text,
    write_varint,
    zigzag,
)
from isthmus.errors import DamagedFile

int32 = st.integers(-(2**31), 2**31 - 1)


@given(st.integers(0, 2**63 - 1))
def test_reading_undoes_writing(value):
    fields = ByteReader(write_varint(value), "a test")
    assert fields.varint() == value
    fields.finish()


@given(st.integers(-(2**62), 2**62))
def test_unzigzag_undoes_zigzag(value):
    assert zigzag(value) >= 0
    assert unzigzag(zigzag(value)) == value


@given(st.text())
def test_text_comes_back(text):
    assert ByteReader(write_text(text), "a test").text() == text


@given(arrays.arrays(np.int32, st.integers(0, 40), elements=int32))
def test_many_signed_numbers_come_back(values):
    assert read_signed(write_signed(values)).tolist() == values.tolist()


@given(arrays.arrays(np.int32, st.integers(0, 10), elements=int32))
def test_many_are_written_as_one_by_one(values):
    one_by_one = b"".join(write_varint(zigzag(value)) for value in values.tolist())
    assert write_signed(values) == one_by_one


@given(st.binary(max_size=20))
def test_any_bytes_are_read_or_refused(data):
    try:
        values = read_signed(data)
    except DamagedFile:
        return
    assert np.abs(values).max(initial=0) <= 2**31


@pytest.mark.parametrize("value", [-1, 2**63])
def test_only_63_bits_are_written(value):
    with pytest.raises(ValueError, match="varint holds"):
        write_varint(value)


def test_only_32_bits_are_written_in_lists():
    with pytest.raises(ValueError, match="32 bits"):
        write_signed(np.array([2**40]))


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"\x80" * 12, ByteReader.varint),  # never ends
        (b"\x80", ByteReader.varint),  # cut short
        (b"\x05abc", ByteReader.sized),
        (b"\x02\xff\xff", ByteReader.text),
        (b"\x09abc", ByteReader.count),
        (b"abc", ByteReader.unsigned32),
        (b"left over", ByteReader.finish),
    ],
)
def test_fields_that_do_not_fit_are_refused(data, read):
    with pytest.raises(DamagedFile):
        read(ByteReader(data, "A test"))
