"""Columns come back as they were, whatever they hold; chances are whole numbers; damage is called damage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coding.columns import Floats, Whole, Words, decode_block, encode_block
from isthmus.coding.columns.counts import LEVELS, TOTAL_BITS, WEIGHT_ONE, Counts
from isthmus.coding.columns.lists import (
    numbers_from_list,
    numbers_to_list,
    pack,
    unpack,
    words_from_bytes,
    words_to_bytes,
)
from isthmus.coding.columns.logarithms import LOGS, POWERS, UNIT, log2, power2
from isthmus.coding.columns.plan import Column, Context, Field, Input, Look, Plan
from isthmus.coding.columns.rows import Rows
from isthmus.coding.squeeze import squeeze
from isthmus.coding.varints import write_varint, zigzag
from isthmus.errors import DamagedFile

NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.integers(-(10**6), 10**6),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 7]),
)


@st.composite
def columns(draw, rows):
    kind = draw(st.sampled_from(["words", "text", "numbers", "walk", "floats"]))
    if kind == "words":
        return Words.of(draw(st.lists(st.sampled_from(["a", "b", "", "é"]), min_size=rows, max_size=rows)))
    if kind == "text":
        return Words.of(draw(st.lists(st.text(max_size=6), min_size=rows, max_size=rows)))
    if kind == "floats":
        return Floats(np.array(draw(st.lists(st.floats(), min_size=rows, max_size=rows)), np.float64))
    values = np.array(draw(st.lists(NUMBERS, min_size=rows, max_size=rows)), np.int64)
    return Whole(np.cumsum(values // 2**20)) if kind == "walk" else Whole(values)


@st.composite
def tables(draw, known=0):
    """Columns, and of each the first rows apart."""
    rows = draw(st.integers(1, 60))
    whole = [draw(columns(rows + known)) for _ in range(draw(st.integers(1, 4)))]
    return [part_of(c, slice(known, None)) for c in whole], [part_of(c, slice(0, known)) for c in whole]


def part_of(column, rows):
    if isinstance(column, Words):
        return Words.of(column.texts()[rows])
    return type(column)(column.values[rows])


def same(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        assert type(mine) is type(other)
        if isinstance(mine, Words):
            assert mine.texts() == other.texts()
        else:
            assert mine.values.tobytes() == other.values.tobytes()


@given(tables())
@settings(max_examples=60)
def test_a_block_comes_back(table):
    parts, _ = table
    same(parts, decode_block(encode_block(parts).payload))


@given(tables(known=20))
@settings(max_examples=40)
def test_a_block_comes_back_to_a_reader_that_knows_rows_of_its_kind(table):
    parts, known = table
    same(parts, decode_block(encode_block(parts, known).payload, known))


def test_what_follows_from_other_columns_costs_next_to_nothing():
    random = np.random.default_rng(0)
    town = random.integers(0, 20, 3000)
    post = random.permutation(90000)[:20] + 10000
    height = random.integers(0, 10**6, 3000)
    parts = [Words.of([f"town {n}" for n in town]), Whole(post[town]), Whole(height), Whole(2 * height + 17)]
    coded = encode_block(parts)
    assert coded.bytes_of[1] < 150  # the list of 20 numbers is among these
    assert coded.bytes_of[3] < 60
    same(parts, decode_block(coded.payload))


def test_rows_known_beforehand_save_what_they_teach():
    random = np.random.default_rng(1)
    town = random.integers(0, 100, 3000)
    parts = [Words.of([f"town {n * n}" for n in town]), Whole((town * 7919) % 100_003)]
    old, new = ([part_of(c, s) for c in parts] for s in (slice(0, 2800), slice(2800, None)))
    assert len(encode_block(new, old).payload) < 0.7 * len(encode_block(new).payload)


def test_numbers_too_wide_for_the_walk_among_the_known_rows_leave_a_column_alone():
    known, new = [Whole(np.array([0, 2**62]))], [Whole(np.array([0, 1]))]
    coded = encode_block(new, known)
    assert coded.coder_of == ("pcodec",)
    same(new, decode_block(coded.payload, known))


def test_a_column_that_fares_better_alone_stands_alone_and_is_looked_at():
    random = np.random.default_rng(2)
    noise = random.normal(size=4000).view(np.int64) >> 14
    parts = [Whole(noise), Whole(noise + random.integers(0, 3, 4000))]
    coded = encode_block(parts)
    same(parts, decode_block(coded.payload))
    assert coded.bytes_of[1] < 1200 < coded.bytes_of[0]


def test_the_tables_of_logarithms_hold_on_every_machine():
    # No entry is so near the middle between two whole numbers that a library could round it otherwise.
    steps = np.arange(1 << 11)
    logs = np.log2(1 + (steps + 0.5) / (1 << 11)) * UNIT
    powers = 2.0 ** (24 - steps / UNIT)
    for exact in (logs, powers):
        assert np.abs(exact - np.floor(exact) - 0.5).min() > 1e-6
    assert LOGS[:2048].tolist() == np.round(logs).astype(int).tolist()
    assert POWERS.tolist() == np.round(powers).astype(int).tolist()


@given(st.integers(1, 2**62))
def test_logarithms_are_true_to_a_thousandth(number):
    assert abs(int(log2(np.array(number))) / UNIT - np.log2(float(number))) < 0.001


@given(st.integers(0, 10**6))
def test_powers_undo_logarithms(below):
    assert (
        abs(int(power2(np.array(below))) - 2.0 ** (24 - below / UNIT))
        <= 1 + 2.0 ** (24 - below / UNIT) * 1e-6
    )


@given(st.integers(2, 40), st.integers(0, 200), st.integers(-200, 200), st.integers(0, 2**32 - 1))
def test_chances_are_whole_and_sum_to_two_to_the_24(alphabet, seen, weight, seed):
    random = np.random.default_rng(seed)
    counts = Counts(alphabet, [5], [64])
    counts.learn([random.integers(0, 5, seen)], random.integers(0, alphabet, seen))
    weights = np.array([[WEIGHT_ONE] * LEVELS, [weight] * LEVELS])
    chances = counts.chances([np.arange(5)], weights, 5)
    assert (chances >= 1).all()
    assert (chances.sum(axis=1) == 1 << TOTAL_BITS).all()


@given(st.integers(0, 50), st.integers(0, 3000), st.integers(1, 6000))
def test_each_row_is_told_once_and_looks_back_only_at_rows_told_before(known, told, columns_):
    rows, done = Rows(known, told, columns_), set(range(known))
    for step in rows.steps():
        before = rows.before(step, 1)
        assert all(row == rows.all or row in done for row in before.tolist())
        assert not done & set(step.tolist())
        done |= set(step.tolist())
    assert done == set(range(known + told))


PLAN = Plan(
    (
        Column((Field(3, (Context((Look(0, 0, 1, 0),), 64),), ((32,) * LEVELS, (16,) * LEVELS)),), high=2),
        Column(
            (Field(31),), 5, -9, 99, (Input(1, 1, weight=1 << 16), Input(1, 1, 1, 2, 3, -7)), 16, (0, 7, 9)
        ),
    )
)


def test_a_plan_comes_back():
    assert Plan.from_bytes(PLAN.to_bytes()) == PLAN


@pytest.mark.parametrize(
    "columns_",
    [
        (Column((Field(3, (Context((Look(0, 0, 0, 0),), 64),), ((32,) * LEVELS,) * 2),), high=2),),
        (Column((Field(3, (Context((Look(1, 0, 1, 0),), 64),), ((32,) * LEVELS,) * 2),), high=2),),
        (Column((Field(31),), inputs=(Input(0, 0),)),),
        (Column((Field(31),), inputs=(Input(0, 3),)),),
        (Column((Field(31),), inputs=(Input(0, 1, weight=1 << 41),)),),
        (Column((Field(256), Field(256)), inputs=()),),
    ],
    ids=["itself", "nobody", "now", "too far", "too heavy", "two fields"],
)
def test_a_plan_that_looks_where_nothing_is_known_is_refused(columns_):
    data = b"".join(write_varint(zigzag(int(n))) for n in _numbers(columns_))
    with pytest.raises(DamagedFile):
        Plan.from_bytes(squeeze(data))


def _numbers(columns_):
    from isthmus.coding.columns.plan import _column_numbers

    return [len(columns_), *(number for column in columns_ for number in _column_numbers(column))]


@given(st.lists(st.text(st.characters(exclude_categories=[]), max_size=5)))
def test_lists_of_words_come_back_even_with_what_is_no_unicode(words):
    assert words_from_bytes(unpack(pack([words_to_bytes(words)]), 1)[0]) == words


@given(st.sets(st.integers(-(2**61), 2**61)))
def test_lists_of_numbers_come_back(numbers):
    ascending = np.array(sorted(numbers), np.int64)
    assert numbers_from_list(numbers_to_list(ascending), 1 << 16).tolist() == ascending.tolist()


@given(st.data())
@settings(max_examples=80)
def test_a_damaged_block_is_called_damaged(data):
    random = np.random.default_rng(3)
    parts = [
        Words.of(random.choice(["x", "y", "zz"], 40).tolist()),
        Whole(random.integers(0, 9, 40)),
        Whole(np.cumsum(random.integers(-900, 900, 40))),
        Floats(random.normal(size=40)),
    ]
    block = bytearray(encode_block(parts).payload)
    for _ in range(data.draw(st.integers(1, 3))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode_block(bytes(block[: data.draw(st.integers(0, len(block)))]))
    except DamagedFile:
        return
    assert len({len(part) for part in found}) <= 1
