import numpy as np
import pytest

from isthmus.config import PartConfig
from isthmus.data import CORRUPTIONS, make_corruption
from isthmus.errors import ConfigError, UnknownName

BATCH = np.random.default_rng(0).uniform(0.3, 0.7, (20, 3, 17, 12)).astype(np.float32)


def corrupt(name, seed=0, batch=BATCH, **options):
    return make_corruption(PartConfig(name, options))(batch, np.random.default_rng(seed))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_shape_and_type_stay_and_the_clean_batch_too(name):
    clean = BATCH.copy()
    spoilt = corrupt(name)
    assert (spoilt.shape, spoilt.dtype) == (clean.shape, np.float32)
    assert np.array_equal(BATCH, clean)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_seed_decides(name):
    assert np.array_equal(corrupt(name), corrupt(name))


@pytest.mark.parametrize("name", ["none", "gaussian", "masking", "salt_pepper"])
def test_arrays_can_be_spoilt_too(name):
    rows = BATCH.reshape(20, -1)
    assert corrupt(name, batch=rows).shape == rows.shape


def test_gaussian_adds_noise_of_that_deviation():
    assert np.std(corrupt("gaussian", std=0.2) - BATCH) == pytest.approx(0.2, rel=0.05)


def test_masking_hides_that_share():
    spoilt = corrupt("masking", share=0.3)
    assert (spoilt == 0).mean() == pytest.approx(0.3, abs=0.02)
    assert np.array_equal(spoilt[spoilt != 0], BATCH[spoilt != 0])


def test_salt_and_pepper_come_in_equal_parts():
    spoilt = corrupt("salt_pepper", share=0.4, low=-1.0, high=2.0)
    assert (spoilt == -1).mean() == pytest.approx(0.2, abs=0.02)
    assert (spoilt == 2).mean() == pytest.approx(0.2, abs=0.02)


def test_blur_keeps_what_is_flat_and_spreads_a_point():
    flat = np.full((1, 1, 9, 9), 0.5, np.float32)
    np.testing.assert_allclose(corrupt("blur", batch=flat), flat, rtol=1e-6)
    point = np.zeros((1, 1, 21, 21), np.float32)
    point[0, 0, 10, 10] = 1
    spread = corrupt("blur", batch=point, sigma=2.0)[0, 0]
    assert spread.sum() == pytest.approx(1, abs=1e-5)
    rows = np.arange(21) - 10
    assert np.sqrt((spread.sum(axis=1) * rows**2).sum()) == pytest.approx(2, rel=0.05)
    np.testing.assert_allclose(spread, spread.T, atol=1e-7)


def test_wrong_names_and_options_are_refused():
    with pytest.raises(UnknownName, match="Did you mean 'masking'"):
        corrupt("maskng")
    with pytest.raises(ConfigError, match="share must be 0 to 1"):
        corrupt("masking", share=2)
    with pytest.raises(ConfigError, match="does not take"):
        corrupt("gaussian", sigma=2)
    with pytest.raises(ConfigError, match="for images"):
        corrupt("blur", batch=BATCH[:, 0, 0])
