"""What is packed comes back, small, under a hash that is the content's alone."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from isthmus.coding.canonical import (
    DTYPES,
    canonical_json,
    content_hash,
    pack_tensors,
    parse_json,
    unpack_tensors,
)
from isthmus.coding.integers import integers_from_bytes, integers_to_bytes
from isthmus.coding.squeeze import expand, squeeze
from isthmus.errors import DamagedFile

finite = st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | st.integers() | finite | st.text()
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
documents = st.dictionaries(st.text(), json_values, max_size=4)
tensors = st.sampled_from(DTYPES).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))
)


@given(json_values)
def test_parsing_undoes_writing(value):
    assert parse_json(canonical_json(value), "a test") == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b"[1, 2]",
        b'{"a":1,"a":1}',
        b"NaN",
        b"1e999",
        b"\xff",
        b'"\xc3\xa9"',
        b"",
        b"[" * 100_000,
    ],
)
def test_json_in_any_other_form_is_refused(data):
    with pytest.raises(DamagedFile, match="a test"):
        parse_json(data, "a test")


@given(documents, st.dictionaries(st.text(), tensors, max_size=4))
def test_unpacking_undoes_packing(document, named):
    packed = pack_tensors(document, named)
    found, unpacked = unpack_tensors(packed)
    assert found == document
    assert sorted(unpacked) == sorted(named)
    for name, tensor in named.items():
        np.testing.assert_array_equal(unpacked[name], tensor, strict=True)
    assert packed == pack_tensors(document, dict(reversed(named.items())))
    assert content_hash(found, unpacked) == content_hash(document, named)


@given(arrays.arrays(np.int32, st.integers(1, 50), elements=st.integers(-(2**31), 2**31 - 1)))
def test_coded_arrays_come_back(values):
    assert integers_from_bytes(integers_to_bytes(values), values.size).tolist() == values.tolist()


@pytest.mark.parametrize(("dtype", "scale"), [("int8", 30), ("int16", 3000), ("int32", 1e6)])
def test_weights_are_packed_within_one_per_cent_of_the_entropy(dtype, scale):
    values = np.random.default_rng(0).normal(scale=scale, size=40_000)
    weights = np.clip(np.rint(values), np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)
    entropy_bytes = weights.size * np.log2(scale * np.sqrt(2 * np.pi * np.e)) / 8
    assert len(pack_tensors({}, {"weight": weights})) < 1.01 * entropy_bytes


def test_the_hash_sees_every_part_of_the_content():
    one = np.array([[1, 2]], dtype=np.int16)
    others = [
        content_hash({}, {"a": one}),
        content_hash({"note": 1}, {"a": one}),
        content_hash({}, {"b": one}),
        content_hash({}, {"a": one.T}),
        content_hash({}, {"a": one.astype(np.int32)}),
        content_hash({}, {"a": one + np.int16(1)}),
    ]
    assert len(set(others)) == len(others)


def test_a_tensor_in_another_memory_order_has_the_same_hash():
    tensor = np.arange(12, dtype=np.int32).reshape(3, 4)
    swapped = np.asfortranarray(tensor).astype(">i4")
    assert content_hash({}, {"a": swapped}) == content_hash({}, {"a": tensor})
    assert pack_tensors({}, {"a": swapped}) == pack_tensors({}, {"a": tensor})


def test_floats_are_refused():
    with pytest.raises(ValueError, match="float32"):
        pack_tensors({}, {"a": np.zeros(2, dtype=np.float32)})


def test_more_than_allowed_is_refused_before_it_is_made():
    packed = pack_tensors({}, {"zeros": np.zeros(1_000_000, dtype=np.int8)})
    assert len(packed) < 1_000
    with pytest.raises(DamagedFile, match="at most 10000 bytes"):
        unpack_tensors(packed, max_bytes=10_000)


@pytest.mark.parametrize(
    "entry",
    [
        ["a", "float64", [1], 0],
        ["a", "int8", [-1], 0],
        ["a", "int8", [2**62, 0, 2**62], 0],
        ["a", "int8", [1], 7],
        ["a", "int8", 1, 0],
        ["a", "int8", [1.5], 0],
        [1, "int8", [1], 0],
        ["a", "int8", [1]],
        "text",
    ],
)
def test_impossible_listings_are_refused(entry):
    head = squeeze(canonical_json({"document": {}, "tensors": [entry]}))
    with pytest.raises(DamagedFile, match="packed model"):
        unpack_tensors(bytes([len(head)]) + head + bytes(5))


PACKED = pack_tensors({"a": 1}, {"w": np.arange(300, dtype=np.int16) % 37, "b": np.arange(3, dtype=np.uint8)})


@given(st.integers(0, len(PACKED) - 1), st.integers(1, 255))
def test_damaged_packs_are_refused_or_read(position, flip):
    damaged = bytearray(PACKED)
    damaged[position] ^= flip
    with suppress(DamagedFile):  # any other error would fail
        unpack_tensors(bytes(damaged), max_bytes=10_000)


@pytest.mark.parametrize("cut", range(0, len(PACKED), 7))
def test_packs_cut_short_are_refused(cut):
    with pytest.raises(DamagedFile):
        unpack_tensors(PACKED[:cut])


@given(st.binary(max_size=60))
def test_no_bytes_crash_the_expander(data):
    with suppress(DamagedFile):
        assert len(expand(data, 1_000, "A test")) <= 1_000


def test_bytes_after_the_frame_are_refused():
    with pytest.raises(DamagedFile):
        expand(squeeze(b"content") + b"more", 1_000, "A test")
