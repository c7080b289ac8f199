"""A decoder gives each sample the same bits in any company, and is close to its float twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.model import Decoder
from isthmus.model.golden import golden_symbols


@pytest.fixture(scope="module")
def symbols(tiny_model):
    return (
        golden_symbols(tiny_model.decoder.tables, (6,)).repeat(50, axis=0) + np.arange(-50, 50)[:, None] // 20
    )


@given(st.lists(st.integers(0, 99), max_size=40))
def test_a_sample_is_decoded_alike_in_any_company(tiny_model, symbols, chosen):
    together = tiny_model.decoder.decode(symbols)
    assert np.array_equal(tiny_model.decoder.decode(symbols[chosen]), together[chosen])


@given(size=st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_images_of_any_size_come_out_in_that_size_and_close_to_float32(any_size_model, size):
    decoder = any_size_model.decoder
    shape = decoder.code_shape(size)
    symbols = np.random.default_rng(0).integers(-3, 4, (2, *shape)).astype(np.int32)
    exact, near = (decoder.decode(symbols, size, approximate=rough) for rough in (False, True))
    assert exact.shape == near.shape == (2, *size, 3)
    assert np.abs(exact.astype(int) - near).max() <= 8


def test_symbols_far_outside_of_what_was_trained_stay_within_the_limits(any_size_model):
    decoder = any_size_model.decoder
    ends = np.iinfo(np.int32)
    for wild in (ends.min, -(2**21), 2**21, ends.max):
        symbols = np.full((1, *decoder.code_shape((9, 9))), wild, np.int32)
        made, limits = decoder.exact_tensors(symbols), decoder.program.result
        assert limits.low <= made.min() <= made.max() <= limits.high
        assert decoder.decode(symbols, (9, 9)).shape == (1, 9, 9, 3)


def test_no_sample_at_all_is_decoded_to_none(tiny_model, any_size_model):
    assert tiny_model.decoder.decode(np.empty((0, 6), np.int32)).shape == (0, 8, 8)
    empty = np.empty((0, *any_size_model.decoder.code_shape((5, 7))), np.int32)
    assert any_size_model.decoder.decode(empty, (5, 7)).shape == (0, 5, 7, 3)


def test_golden_symbols_are_those_of_the_tables_and_always_the_same(any_size_model):
    decoder = any_size_model.decoder
    first, again = (golden_symbols(decoder.tables, decoder.code) for _ in range(2))
    assert np.array_equal(first, again)
    assert first.shape == (2, 3, 3, 3)
    for channel, table in enumerate(decoder.tables):
        assert table.low <= first[:, channel].min() <= first[:, channel].max() <= table.high


def test_the_golden_vector_costs_an_archive_less_than_50_bytes(tiny_model):
    from isthmus.coding.canonical import pack_tensors

    decoder = tiny_model.decoder
    without = {name: value for name, value in decoder.document().items() if name != "golden"}
    assert len(decoder.to_bytes()) - len(pack_tensors(without, decoder.tensors())) < 50


def test_a_decoder_that_was_pickled_decodes_the_same(tiny_model, symbols):
    import pickle

    expected = tiny_model.decoder.decode(symbols)
    copy: Decoder = pickle.loads(pickle.dumps(tiny_model.decoder))
    assert np.array_equal(copy.decode(symbols), expected)
