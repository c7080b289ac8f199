import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.config import DataConfig
from isthmus.data import Augment
from isthmus.data.augment import crop, crop_stack, rotate, shift

BATCH = np.random.default_rng(0).random((6, 3, 13, 9), dtype=np.float32)
STILL = np.zeros((2, 6), int)


def augment(seed=0, **settings):
    return Augment(DataConfig(**settings))(BATCH, np.random.default_rng(seed))


@pytest.mark.parametrize("settings", [{"shift": 3}, {"rotate_degrees": 30.0}, {"flip": True}])
def test_images_move_by_the_seed_alone(settings):
    clean = BATCH.copy()
    moved = augment(**settings)
    assert (moved.shape, moved.dtype) == (BATCH.shape, np.float32)
    assert np.array_equal(moved, augment(**settings))
    assert not np.array_equal(moved, BATCH)
    assert np.array_equal(BATCH, clean)


def test_nothing_asked_for_changes_nothing():
    assert augment() is BATCH
    rows = BATCH.reshape(6, -1)
    assert Augment(DataConfig(shift=2))(rows, np.random.default_rng(0)) is rows


@given(st.integers(-20, 20), st.integers(-20, 20))
def test_a_shift_moves_every_pixel_and_repeats_the_edge(down, right):
    moves = np.tile([[down], [right]], (1, 6))
    moved = shift(BATCH, moves)
    for row, column in ((0, 0), (5, 4), (12, 8)):
        origin = np.clip(row - down, 0, 12), np.clip(column - right, 0, 8)
        assert np.array_equal(moved[:, :, row, column], BATCH[:, :, *origin])


def test_each_image_has_a_shift_of_its_own():
    moves = np.array([[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]])
    one_by_one = [shift(BATCH[i : i + 1], moves[:, i : i + 1]) for i in range(6)]
    assert np.array_equal(shift(BATCH, moves), np.concatenate(one_by_one))


def test_no_turn_is_the_image_itself_and_moves_like_shift():
    np.testing.assert_allclose(rotate(BATCH, np.zeros(6), STILL), BATCH, atol=1e-6)
    moves = np.tile([[2], [-1]], (1, 6))
    np.testing.assert_allclose(rotate(BATCH, np.zeros(6), moves), shift(BATCH, moves), atol=1e-6)


def test_a_quarter_turn_is_anticlockwise_and_exact():
    square = BATCH[:, :, :9]
    turned = rotate(square, np.full(6, np.pi / 2), STILL)
    np.testing.assert_allclose(turned, np.rot90(square, axes=(2, 3)), atol=1e-4)


def test_half_of_the_images_are_mirrored():
    batch = np.repeat(BATCH[:1], 1000, axis=0)
    moved = Augment(DataConfig(flip=True))(batch, np.random.default_rng(0))
    mirrored = (moved == batch[..., ::-1]).all(axis=(1, 2, 3))
    assert mirrored.mean() == pytest.approx(0.5, abs=0.05)
    assert np.array_equal(moved[~mirrored], batch[~mirrored])


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 30), st.booleans(), st.integers(0, 99))
def test_crops_have_the_size_asked_for_and_values_of_the_image(height, width, side, colour, seed):
    images = np.arange(2 * height * width * 3, dtype=np.int32).reshape(2, height, width, 3)
    images = images if colour else images[..., 0]
    stack = crop_stack(images, side, np.random.default_rng(seed))
    single = crop(images[0], side, np.random.default_rng(seed))
    assert stack.shape == (2, side, side, *images.shape[3:])
    assert single.shape == stack.shape[1:]
    assert np.isin(stack[1], images[1]).all()
    if side <= min(height, width):  # nothing mirrored in: neighbours stay neighbours
        assert (np.diff(single, axis=1) == (3 if side > 1 else 0)).all()
