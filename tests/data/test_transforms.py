import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.config import PartConfig
from isthmus.data import TRANSFORMS, Transform, fit_transform, open_source
from isthmus.errors import ConfigError, UnknownName
from strategies import IMAGE_KINDS, pixels, sample_arrays

names = st.sampled_from(list(TRANSFORMS))


def fitted(name, values):
    return fit_transform(PartConfig(name), open_source(values).spec, values)


@given(names, sample_arrays(("bool", "uint8", "int8", "uint16", "int16")))
def test_inverse_gives_integers_back_exactly(name, values):
    transform = fitted(name, values)
    again = transform.inverse(transform.forward(values))
    assert again.dtype == values.dtype
    assert np.array_equal(again, values)


@given(names, sample_arrays(("float16", "float32", "float64", "int32", "int64")))
def test_inverse_gives_wide_numbers_back_to_within_float32(name, values):
    transform = fitted(name, values)
    again = transform.inverse(transform.forward(values)).astype(np.float64)
    error = np.abs(again - values.astype(np.float64))
    spread = max(abs(float(values.min())), abs(float(values.max())))
    assert (
        error <= max(spread * 2e-6, np.finfo(np.float32).tiny) + spread * 1e-3 * (values.dtype == np.float16)
    ).all()


@given(names, sample_arrays())
def test_json_gives_the_transform_back(name, values):
    transform = fitted(name, values)
    assert Transform.from_dict(json.loads(json.dumps(transform.to_dict()))) == transform


@given(sample_arrays())
def test_unit_stays_between_0_and_1(values):
    tensor = fitted("unit", values).forward(values)
    assert tensor.dtype == np.float32
    assert tensor.min() >= 0
    assert tensor.max() <= 1


@given(st.data(), names, st.sampled_from(IMAGE_KINDS))
def test_images_turn_channel_first_and_back(data, name, kind):
    image = data.draw(pixels(*kind))[None]
    transform = fitted(name, image)
    tensor = transform.forward(image)
    assert tensor.shape == (1, kind[0], *image.shape[1:3])
    assert tensor.flags.c_contiguous
    assert np.array_equal(transform.inverse(tensor), image)


def test_standard_gives_each_channel_mean_0_and_deviation_1():
    images = np.random.default_rng(0).integers(0, [50, 150, 255], (5000, 9, 8, 3), dtype=np.uint8)
    tensor = fitted("standard", images).forward(images).astype(np.float64)
    np.testing.assert_allclose(tensor.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(tensor.std(axis=(0, 2, 3)), 1, atol=1e-5)


def test_standard_fits_each_feature_and_leaves_constants_finite():
    values = np.array([[1.0, 5.0, 1e9], [3.0, 5.0, 1e9 + 2]])
    assert fitted("standard", values).forward(values).tolist() == [[-1, 0, -1], [1, 0, 1]]


def test_a_list_of_images_is_fitted_like_one_array():
    images = np.random.default_rng(0).integers(0, 255, (7, 9, 8, 3), dtype=np.uint8)
    spec = open_source(images).spec
    one, other = (fit_transform(PartConfig("standard"), spec, x) for x in (images, list(images)))
    np.testing.assert_allclose(one.offset, other.offset)
    np.testing.assert_allclose(one.scale, other.scale)


def test_a_net_may_overshoot_but_pixels_stay_in_range():
    digits = open_source("digits")
    transform = fit_transform(PartConfig("unit"), digits.spec, digits.read([0]))
    tensor = np.array([-1.0, 0.49 / 16, 0.5, 9.0], np.float32).reshape(1, 1, 2, 2)
    assert transform.inverse(tensor).tolist() == [[[0, 0], [8, 16]]]


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64"])
def test_overshoot_stays_in_the_range_of_the_type(dtype):
    values = np.array([[-5], [5]], dtype)
    limits = np.iinfo(dtype)
    low, high = fitted("unit", values).inverse(np.array([[-1e30], [1e30]], np.float32)).ravel().tolist()
    assert low == limits.min
    assert limits.max * (1 - 1e-15) <= high <= limits.max


def test_wrong_names_and_options_are_refused():
    values = np.ones((2, 2))
    with pytest.raises(UnknownName, match="Did you mean 'unit'"):
        fitted("units", values)
    with pytest.raises(ConfigError, match="does not take"):
        fit_transform(PartConfig("unit", {"low": 1}), open_source(values).spec, values)
    with pytest.raises(ConfigError, match="at least 1"):
        fit_transform(PartConfig("standard"), open_source(values).spec, [])
