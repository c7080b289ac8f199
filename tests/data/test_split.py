import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.data import split
from isthmus.errors import ConfigError

counts, shares, seeds = st.integers(0, 300), st.floats(0, 0.99), st.integers(0, 9)


@given(counts, shares, seeds, st.booleans())
def test_every_sample_is_on_one_side(count, share, seed, last):
    train, held = split(count, share, seed, last)
    assert np.sort(np.concatenate([train, held])).tolist() == list(range(count))


@given(st.integers(2, 300), st.floats(0.001, 0.99), seeds)
def test_neither_side_is_empty(count, share, seed):
    assert all(len(side) for side in split(count, share, seed))


def test_a_seed_decides():
    assert np.array_equal(split(100, 0.2, 1)[1], split(100, 0.2, 1)[1])
    assert not np.array_equal(split(100, 0.2, 1)[1], split(100, 0.2, 2)[1])


def test_nothing_is_held_out_unless_asked_for():
    train, held = split(5, 0.0, 0)
    assert len(train) == 5
    assert len(held) == 0


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(ConfigError, match="held_out"):
        split(10, share, 0)
