"""Latents at every quality: what goes in comes out, and steps are the same whole numbers everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coding.latents import MAX_QUALITY, Grades, Levels, Neighbours
from isthmus.coding.latents import pieces as rooms
from isthmus.coding.latents.grades import distances, fit_tables
from isthmus.coding.latents.neighbours import Group, Walk
from isthmus.coding.latents.pieces import pieces
from isthmus.errors import DamagedFile


def made_neighbours(seed: int, sizes: tuple[int, ...]) -> Neighbours:
    """Random weights, groups of one to three scales."""
    random = np.random.default_rng(seed)
    groups, before = [], 0
    for size in sizes:
        side = int(random.choice([1, 3]))
        earlier = random.integers(-300, 300, (2, side * side, before, size)).astype(np.int16)
        alone = bool(random.integers(2))
        shape = (2, int(random.integers(1, 4)), 3, 9, size) + (() if alone else (size,))
        groups.append(Group(earlier, random.integers(-300, 300, shape).astype(np.int16)))
        before += size
    bias = random.integers(-2000, 2000, (2, 3, before)).astype(np.int32)
    return Neighbours(tuple(groups), bias, np.array([-500, 0, 700, 3000], np.int32))


def made_grades(seed: int, sizes: tuple[int, ...] = (1, 2, 3)) -> Grades:
    neighbours = made_neighbours(seed, sizes)
    stack = np.random.default_rng(seed).integers(-3, 4, (2, sum(sizes), 5, 6)).astype(np.int32)
    levels = Levels(np.array([[0] * sum(sizes), [-200] * sum(sizes)], np.int16))
    return Grades(levels, neighbours, fit_tables(neighbours, [(stack, 50)]))


@st.composite
def stacks(draw):
    shape = (draw(st.integers(1, 3)), 6, draw(st.integers(1, 7)), draw(st.integers(1, 7)))
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    reach = draw(st.sampled_from([1, 5, 400, 1 << 20]))
    return random.integers(-reach, reach + 1, shape).astype(np.int32)


@given(st.lists(stacks(), min_size=1, max_size=3), st.integers(0, 20), st.integers(1, MAX_QUALITY))
@settings(max_examples=40, deadline=None)
def test_decoding_undoes_encoding_for_any_symbols_and_any_weights(made, seed, quality):
    grades = made_grades(seed)
    data = grades.encode(made, quality)
    back = grades.decode(data, [stack.shape for stack in made], quality)
    assert all(np.array_equal(one, other) for one, other in zip(made, back, strict=True))


@given(stacks(), st.integers(0, 20))
@settings(max_examples=20, deadline=None)
def test_what_is_expected_is_the_same_for_a_sample_in_any_company(stack, seed):
    neighbours = made_neighbours(seed, (2, 4))
    together = distances(neighbours, stack, 30)
    alone = [distances(neighbours, one[None], 30) for one in stack]
    for step, (symbols, numbers) in enumerate(together):
        assert np.array_equal(symbols, np.concatenate([parts[step][0] for parts in alone]))
        assert np.array_equal(numbers, np.concatenate([parts[step][1] for parts in alone]))


@given(stacks())
@settings(max_examples=20, deadline=None)
def test_a_walk_comes_by_every_symbol_once(stack):
    walk = Walk(made_neighbours(0, (2, 4)), stack.shape, 1)
    visits = np.zeros(stack.transpose(0, 2, 3, 1).shape, int)
    for step in walk.steps():
        visits[(*step.positions, step.channels)] += 1
    assert (visits == 1).all()


def test_the_tensors_make_the_same_grades_again():
    grades = made_grades(3)
    again = Grades.from_tensors(grades.tensors())
    stack = np.arange(6 * 12, dtype=np.int32).reshape(1, 6, 3, 4) % 5
    assert again.encode([stack], 77) == grades.encode([stack], 77)


def test_steps_grow_finer_from_quality_to_quality():
    levels = Levels.nearest(np.array([[1.0, 2.0], [0.5, 0.0], [-3.0, -2.0]]))
    steps = np.stack([levels.steps(quality) for quality in range(1, MAX_QUALITY + 1)])
    assert (np.diff(steps, axis=0) <= 0).all()
    assert steps[0].tolist() == [2.0, 4.0]
    assert steps[-1].tolist() == [0.125, 0.25]


def test_steps_are_these_on_every_machine():
    levels = Levels(np.array([[7, -300, 64], [-500, 13, 65]], np.int16))
    assert levels.steps(42).view(np.uint32).tolist() == GOLDEN


GOLDEN = [1038303113, 1042329681, 1073741824]


@pytest.mark.parametrize("name", ["bias", "thresholds", "0.own", "1.earlier", "tables", "levels"])
def test_a_part_that_is_missing_or_cut_is_refused(name):
    tensors = made_grades(1).tensors()
    for wrong in ({**tensors, name: tensors[name][:-1]}, {k: v for k, v in tensors.items() if k != name}):
        with pytest.raises((ValueError, KeyError, DamagedFile)):
            Grades.from_tensors(wrong)


def test_weights_whose_sums_float32_cannot_hold_are_refused():
    groups = made_neighbours(0, (2, 4)).groups
    with pytest.raises(ValueError, match="float32"):
        Neighbours(groups, np.full((2, 2, 6), 1 << 24, np.int32), np.array([1], np.int32))


def test_damaged_bytes_are_found_or_decode_to_something_else_but_never_crash():
    grades = made_grades(2)
    stack = np.random.default_rng(0).integers(-4, 5, (2, 6, 4, 4)).astype(np.int32)
    data = grades.encode([stack], 10)
    for place in range(len(data)):
        wrong = bytearray(data)
        wrong[place] ^= 0x11
        try:
            back = grades.decode(bytes(wrong), [stack.shape], 10)
        except DamagedFile:
            continue
        assert not np.array_equal(back[0], stack)


@given(st.integers(0, 20), st.sampled_from([0.01, 0.3, 1e9]))
@settings(max_examples=20, deadline=None)
def test_thrifty_symbols_are_the_nearest_or_one_nearer_to_nothing_and_cost_no_more(seed, worth):
    grades = made_grades(seed)
    scaled = np.random.default_rng(seed).normal(0, 2, (2, 6, 5, 4)).astype(np.float32)
    nearest = np.rint(scaled).astype(np.int32)
    chosen = grades.thrifty(scaled, 50, np.full(6, worth))
    assert ((chosen == nearest) | (chosen == nearest - np.sign(nearest))).all()
    if worth == 1e9:
        assert np.array_equal(chosen, nearest)


def test_what_is_worth_little_is_left_out():
    grades = made_grades(4)
    scaled = np.random.default_rng(4).normal(0, 1.5, (4, 6, 9, 9)).astype(np.float32)
    sizes = [len(grades.encode([grades.thrifty(scaled, 50, np.full(6, worth))], 50)) for worth in (0.1, 1e3)]
    assert sizes[0] < sizes[1]


def test_choosing_and_coding_in_one_walk_is_the_same_as_one_after_the_other():
    grades, worth = made_grades(4), np.full(6, 0.3)
    stacks = [np.random.default_rng(n).normal(0, 1.5, (n, 6, 9, 7)).astype(np.float32) for n in (4, 1)]
    data, chosen = grades.encode_thriftily(stacks, 50, worth)
    apart = [grades.thrifty(stack, 50, worth) for stack in stacks]
    assert all(map(np.array_equal, chosen, apart))
    assert data == grades.encode(apart, 50)


SHAPES = st.tuples(st.integers(0, 3), st.just(6), st.integers(1, 300), st.integers(1, 300))


@given(SHAPES, st.integers(1, 1 << 18))
def test_pieces_hold_every_position_once_and_about_as_many_symbols_as_asked_for(shape, size):
    samples, channels, height, width = shape
    visits = np.zeros((height, width), int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rooms, "PIECE", size)
        for rows, columns in pieces(shape):
            visits[rows, columns] += 1
            column = samples * channels * min(height, rooms.LEAST_ROWS)
            held = samples * channels * (rows.stop - rows.start) * (columns.stop - columns.start)
            assert held <= max(size, column)
    assert (visits == 1).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 20), st.integers(1, 500))
@settings(deadline=None, max_examples=30)
def test_a_grid_in_pieces_is_coded_and_comes_back(seed, height, width, size):
    random = np.random.default_rng(seed)
    grades = made_grades(0)
    scaled = (3 * random.normal(size=(2, 6, height, width))).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rooms, "PIECE", size)
        patch.setattr(rooms, "LEAST_ROWS", 3)
        stack = grades.thrifty(scaled, 50, np.ones(6))
        assert np.abs(stack - scaled).max() <= 1.5
        back = grades.decode(grades.encode([stack, stack[:1]], 50), [stack.shape, (1, *stack.shape[1:])], 50)
    assert np.array_equal(back[0], stack)
    assert np.array_equal(back[1], stack[:1])


def test_each_band_of_qualities_is_coded_by_tables_of_its_own():
    random = np.random.default_rng(0)
    made = made_neighbours(3, (1, 2, 3))
    low = (random.random((6, made.channels, 8, 8)) < 0.02).astype(np.int32)
    high = random.integers(-30, 31, (6, made.channels, 8, 8)).astype(np.int32)
    levels = Levels(np.zeros((2, made.channels), np.int16))
    together = Grades(levels, made, fit_tables(made, [(low, 10), (high, 90)]))
    apart = Grades(levels, made, fit_tables(made, [(low, 10), (high, 90)], 2))
    for stack, quality in ((low, 10), (high, 90)):
        coded = apart.encode([stack], quality)
        assert len(coded) < len(together.encode([stack], quality))
        assert np.array_equal(apart.decode(coded, [stack.shape], quality)[0], stack)
    again = Grades.from_tensors(apart.tensors())
    assert again.encode([low], 10) == apart.encode([low], 10)
    with pytest.raises(ValueError, match="for each class"):
        Grades(levels, made, apart.tables[:-1])
