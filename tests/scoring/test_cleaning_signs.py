"""Columns that tell one another find what contradicts them; slips are found, other words left alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.scoring.dependencies import NOTHING, Suspects, verdicts
from isthmus.scoring.spelling import Typos, looks_like, misshapen, misspelt, shape


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


def test_a_mistyped_cell_is_no_reason_to_say_that_a_column_does_not_follow():
    town, post = told()
    post = post.copy()
    post[np.flatnonzero(post == 5)[:12]] = np.arange(20, 32)
    rare = np.arange(32) >= 20
    assert verdicts([town, post])[1].backers.max() == 0
    found = verdicts([town, post], [Suspects(rare, lambda one, other: True)] * 2)[1]
    assert found.backers.min() == 1


def test_votes_for_a_missing_cell_do_not_depend_on_what_others_hold_there():
    town, post = told()
    strengths = []
    for wrong in (post[4], NOTHING, (post[4] + 1) % 8):
        spoilt = post.copy()
        spoilt[4] = wrong
        strengths.append(verdicts([town, spoilt])[1].strength[4])
    assert max(strengths) == pytest.approx(min(strengths), rel=0.05)


def test_what_is_mostly_missing_in_a_group_is_not_missed_there():
    town, post = told()
    post = np.where((town == 3) & (np.arange(200) % 5 > 0), NOTHING, post)
    found = verdicts([town, post])[1]
    assert (found.best[town == 3] == NOTHING).all()
    assert (found.best[town == 4] != NOTHING).all()


@pytest.mark.parametrize(
    ("word", "meant"),
    [("hospixal", "hospital"), ("hospitl", "hospital"), ("acute caxe", "acute care"), ("yxs", "yes"),
     ("3595x", "35957"), ("2505xu s highway", "2505 u s highway")],
)  # fmt: skip
def test_letters_gone_wrong_are_seen(word, meant):
    assert looks_like(word, meant)
    assert Typos([meant, word], [50, 1]).meant_by(word, meant)


@pytest.mark.parametrize(
    ("word", "other"),
    [("clinic", "hospital"), ("12:34", "12:35"), ("ward 7", "ward 6"), ("16 oz", "12 oz"),
     ("hospitals", "hospital"), ("Hospital", "hospital"), ("randomised", "randomized"),
     ("colour", "color"), ("centre", "center"), ("Müller", "Muller"), ("modelling", "modeling"),
     ("analysing", "analysis"), ("Defence", "Defense"), ("Kathryn", "Catherin"), ("Smyth", "Smith"),
     ("catalogue", "catalog"), ("historical", "historic"), ("Studies", "study"),
     ("American IPA", "American Pale Ale (APA)"), ("al-1", "al 1")],
)  # fmt: skip
def test_what_people_write_on_purpose_is_no_typo(word, other):
    assert not looks_like(word, other)
    assert not looks_like(other, word)


@pytest.mark.parametrize(("word", "other"), [("O. Callan", "S. Callan"), ("OH", "OR"), ("M", "L")])
def test_initials_and_codes_are_no_typos(word, other):
    assert not Typos([other, word], [500, 1]).meant_by(word, other)


def test_a_word_that_stands_elsewhere_in_the_column_is_no_typo():
    values = ["S. Martin", "S. Marten", "A. Marten", "B. Marten", "C. Marten"]
    assert not Typos(values, [50, 1, 1, 1, 1]).meant_by("S. Marten", "S. Martin")
    assert Typos(values[:2], [50, 1]).meant_by("S. Marten", "S. Martin")


@pytest.mark.parametrize("pair", [("Physics & Chemistry", "Physics and Chemistry"), ("The Lancet", "Lancet")])
def test_a_word_left_out_is_no_typo(pair):
    for value, meant in (pair, pair[::-1]):
        assert not Typos([meant, value], [9, 1]).meant_by(value, meant)


def test_spelling_alone_judges_columns_of_few_words():
    assert misspelt(["female", "male", "femxle"], [300, 300, 1]) == {"femxle": "female"}
    assert misspelt(["12 patients", "9 patxents"], [60, 2]) == {"9 patxents": "9 patients"}
    names = [f"name{chr(97 + n)}" for n in range(26)]
    assert misspelt([*names, "nama"], [40] * 26 + [1]) == {}  # too many words, of which any may be rare


def test_a_rare_shape_among_amounts_is_a_mistake_and_among_names_is_not():
    assert misshapen({**{f"{n}%": 10 for n in range(10, 60)}, "x7%": 1}) == ["x7%"]
    assert misshapen({"Ann Lee": 100, "Bo Li": 100, "Cy": 100, "D-Day": 1}) == []
    assert shape("AA-12 b") == "a-0 a"


@given(st.lists(st.text(max_size=12), unique=True, min_size=2, max_size=30))
def test_any_words_pass(words):
    counts = list(range(1, len(words) + 1))
    assert set(misspelt(words, counts)) <= set(words)
    typos = Typos(words, counts)
    assert not typos.meant_by(words[0], words[0])
    typos.meant_by(words[0], words[1])
