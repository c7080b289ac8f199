import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from isthmus.reports.pictures import CUT_SIDE, data_uri, diverging, nice, thumbnail, triples
from isthmus.spec import DataSpec


def spec_of(shape: tuple[int, ...], dtype: str = "uint8", low: float = 0, high: float = 255) -> DataSpec:
    axes = ("height", "width", "channel")[: len(shape)]
    return DataSpec(modality="image", axes=axes, shape=shape, dtype=dtype, low=low, high=high)


def opened(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,")))))


def test_a_picture_holds_the_very_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    assert (opened(data_uri(pixels)) == pixels).all()


def test_no_difference_is_white():
    assert (diverging(np.zeros((2, 2)), 1.0) == 255).all()


@given(st.floats(1e-6, 1e9))
def test_a_nice_number_is_not_below_and_at_most_two_and_a_half_times(value):
    assert value * (1 - 1e-6) <= nice(value) <= 2.5 * value * (1 + 1e-6)


@pytest.mark.parametrize("shape", [(9, 8), (9, 8, 1), (9, 8, 2), (9, 8, 3), (9, 8, 4), (9, 8, 5)])
@pytest.mark.parametrize(
    ("dtype", "high"), [("uint8", 255), ("uint8", 16), ("uint16", 65535), ("float32", 1)]
)
def test_images_of_every_kind_can_be_drawn(shape, dtype, high):
    sample = (np.random.default_rng(1).random(shape) * high).astype(dtype)
    spec = spec_of(shape, dtype, 0, high)
    (drawn,), limit = triples([sample], [sample], spec)
    assert drawn.psnr_db == 200
    assert limit > 0
    assert opened(drawn.original).shape[:2] == (9, 8)
    assert thumbnail(sample, spec).shape == (9, 8, 3)


def test_a_large_image_is_shown_by_its_middle():
    sample = np.arange(400 * 300, dtype=np.uint32).astype(np.uint8).reshape(400, 300)
    (drawn,), _ = triples([sample], [sample], spec_of((400, 300)))
    assert drawn.cut
    assert (drawn.height, drawn.width) == (CUT_SIDE, CUT_SIDE)
    assert (opened(drawn.original) == sample[72:328, 22:278]).all()
