"""Columns that tell one another find what contradicts them; slips are found, other words left alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.scoring.dependencies import NOTHING, verdicts
from isthmus.scoring.spelling import shape, slips


def told(rows: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A town and its post code, which follows from it."""
    town = np.random.default_rng(seed).integers(0, 8, rows)
    return town, town * 3 % 8


@given(st.integers(0, 199), st.integers(0, 7), st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_a_cell_that_contradicts_its_row_is_told_what_it_should_be(row, wrong, seed):
    town, post = told(seed=seed)
    spoilt = post.copy()
    spoilt[row] = wrong
    found = verdicts([town, spoilt])[1]
    assert found.best[row] == post[row]
    assert (found.margin[row] > 0) == (wrong != post[row])
    assert (found.best == post).all()


def test_missing_cells_are_told_and_missing_givers_say_nothing():
    town, post = told()
    post, holes = post.copy(), town.copy()
    right = int(post[4])
    post[4], holes[9] = NOTHING, NOTHING
    found = verdicts([holes, post])[1]
    assert (found.best[4], found.best[9]) == (right, NOTHING)
    assert found.margin[9] == 0


@pytest.mark.parametrize("agreement", [0.6, 0.8, 0.9])
def test_what_merely_goes_together_is_no_reason_to_doubt_a_common_word(agreement):
    random = np.random.default_rng(0)
    one = random.integers(0, 3, 600)
    other = np.where(random.random(600) < agreement, one, random.integers(0, 3, 600))
    few = random.integers(0, 150, 600)  # groups so small that most agree by chance
    assert not any((found.margin > 0).any() for found in verdicts([one, other, few]).values())


def test_columns_that_have_nothing_to_do_with_one_another_tell_nothing():
    random = np.random.default_rng(0)
    columns = [random.integers(0, 6, 500), random.integers(0, 6, 500), np.arange(500), np.zeros(500, int)]
    assert verdicts(columns) == {}


@pytest.mark.parametrize(
    ("word", "meant"),
    [("hospixal", "hospital"), ("hospitl", "hospital"), ("acute caxe", "acute care"), ("yxs", "yes")],
)
def test_a_slip_in_a_frequent_word_is_mended(word, meant):
    words, counts = ["hospital", "acute care", "yes", "no", word], [300, 300, 200, 200, 1]
    assert slips(words, counts) == {word: meant}


@pytest.mark.parametrize("word", ["clinic", "12:34", "ward 7", "al", "hospitals for all", "nos"])
def test_other_rare_words_are_left_alone(word):
    assert slips(["hospital", "12:35", "ward 6", "ak", word], [300, 300, 200, 200, 1]) == {}


def test_a_rare_shape_among_amounts_is_a_slip_and_among_names_is_not():
    amounts = [f"{n}%" for n in range(10, 60)]
    assert slips([*amounts, "x7%"], [10] * 50 + [1]) == {"x7%": None}
    names = ["Ann Lee", "Bo Li", "Cy", "D-Day"]
    assert slips(names, [100, 100, 100, 1]) == {}
    assert shape("AA-12 b") == "a-0 a"


@given(st.lists(st.text(max_size=12), unique=True, max_size=30))
def test_any_words_pass(words):
    found = slips(words, list(range(1, len(words) + 1)))
    assert set(found) <= set(words)
