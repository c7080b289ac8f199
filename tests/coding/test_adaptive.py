"""Tokens under contexts, coded by counts that grow: what went in comes out, and damage is no crash."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from isthmus.coding.adaptive import CONTEXTS, TokenReader, TokenWriter
from isthmus.coding.tokens import ALPHABET, BitReader, from_tokens, pack_bits, raw_bits, to_tokens
from isthmus.errors import DamagedFile

NUMBERS = hnp.arrays(
    np.int64, st.integers(0, 300), elements=st.integers(1 - 2**52, 2**52 - 1) | st.integers(-40, 40)
)


@given(NUMBERS)
def test_numbers_become_tokens_and_raw_bits_and_come_back(numbers):
    tokens, raw, widths = to_tokens(numbers)
    far = tokens[tokens >= 31]
    assert raw_bits(far).tolist() == widths.tolist()
    reader = BitReader(pack_bits(raw, widths))
    assert from_tokens(tokens, reader.take(widths)).tolist() == numbers.tolist()
    reader.finish()


@given(st.lists(st.tuples(st.integers(0, 57), st.integers(0, 2**57 - 1))))
def test_bits_of_any_width_come_back_in_several_goes(pairs):
    widths = np.array([width for width, _ in pairs], np.int64)
    values = np.array([value & (1 << width) - 1 for width, value in pairs], np.int64)
    reader = BitReader(pack_bits(values, widths))
    half = len(pairs) // 2
    parts = np.concatenate([reader.take(widths[:half]), reader.take(widths[half:])])
    assert parts.tolist() == values.tolist()
    with pytest.raises(DamagedFile, match="lack some of their bits"):
        reader.take(np.array([57], np.int64))


@st.composite
def goes(draw):
    """Tokens and contexts in a few goes, some long enough to fill the counts."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    alphabet = draw(st.integers(2, ALPHABET))
    sizes = draw(st.lists(st.sampled_from([0, 1, 63, 64, 65, 1000, 70000]), max_size=4))
    parts = [
        (random.integers(0, alphabet, size) * random.integers(0, 2, size), random.integers(0, 3, size))
        for size in sizes
    ]
    first = draw(st.integers(0, CONTEXTS - 3))
    return alphabet, [
        (tokens.astype(np.uint8), (first + contexts).astype(np.uint8)) for tokens, contexts in parts
    ]


@given(goes())
def test_tokens_come_back_go_by_go(message):
    alphabet, parts = message
    writer = TokenWriter(alphabet)
    for tokens, contexts in parts:
        writer.put(tokens, contexts)
    reader = TokenReader(writer.to_bytes(), alphabet)
    for tokens, contexts in parts:
        assert np.array_equal(reader.take(contexts), tokens)
    reader.finish()


def test_a_pattern_is_learned():
    tokens = np.tile(np.array([5, 5, 5, 7], np.uint8), 5000)
    writer = TokenWriter(ALPHABET)
    writer.put(tokens, np.zeros(tokens.size, np.uint8))
    assert len(writer.to_bytes()) < 1.04 * tokens.size * 0.8113 / 8  # the entropy of 3 : 1


@given(st.binary(max_size=40), st.integers(0, 500))
def test_bytes_of_no_encoder_are_damage_or_tokens(data, count):
    try:
        reader = TokenReader(data, 20)
        tokens = reader.take(np.zeros(count, np.uint8))
        reader.finish()
    except DamagedFile:
        return
    assert tokens.size == count
    assert tokens.max(initial=0) < 20
