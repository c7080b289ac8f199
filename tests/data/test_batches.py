import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from isthmus.config import DataConfig
from isthmus.data import Batches, open_source
from isthmus.errors import BadItem, ConfigError

STREAMED = DataConfig(memory_limit_mb=0)
NUMBERED = open_source(np.arange(100, dtype=np.int32).reshape(100, 1))


@pytest.fixture
def photos(tmp_path):
    for i in range(10):
        values = np.random.default_rng(i).integers(0, 256, (40 + i, 70 - i, 3), np.uint8)
        Image.fromarray(values).save(tmp_path / f"{i}.png")
    return tmp_path


def equal(one, other):
    one, other = list(one), list(other)
    return len(one) == len(other) and all(map(np.array_equal, one, other))


@settings(max_examples=30)
@given(st.integers(1, 100), st.integers(1, 40), st.booleans(), st.integers(0, 3))
def test_an_epoch_gives_full_batches_of_different_samples(count, batch_size, streamed, number):
    data = STREAMED if streamed else DataConfig()
    batches = Batches(NUMBERED, np.arange(count), batch_size, data=data, seed=0)
    epoch = list(batches.epoch(number))
    assert len(epoch) == batches.steps_per_epoch == max(1, count // batch_size)
    assert all(len(batch) == min(batch_size, count) for batch in epoch)
    seen = np.concatenate(epoch).ravel().tolist()
    assert len(set(seen)) == len(seen)
    assert set(seen) <= set(range(count))


def test_only_the_samples_at_the_indices_are_given():
    batches = Batches(NUMBERED, [5, 50, 95], 3, data=DataConfig(), seed=0)
    assert sorted(next(batches.epoch(0)).ravel().tolist()) == [5, 50, 95]


@pytest.mark.parametrize("data", [DataConfig(), STREAMED, DataConfig(crop=24)])
def test_resuming_gives_the_batches_that_were_left(photos, data):
    batches = Batches(open_source(photos), range(10), 3, data=data, seed=7)
    whole = list(batches.epoch(4))
    again = Batches(open_source(photos), range(10), 3, data=data, seed=7)
    assert equal(again.epoch(4, start=1), whole[1:])
    assert not equal(again.epoch(5), whole)


def test_streaming_gives_the_batches_that_memory_gives(photos):
    held, streamed = (
        Batches(open_source(photos), range(10), 3, data=data, seed=1) for data in (DataConfig(), STREAMED)
    )
    assert held.is_in_memory
    assert not streamed.is_in_memory
    assert equal(held.epoch(2), streamed.epoch(2))


def test_batches_keep_the_dtype_of_the_samples():
    digits = open_source("digits")
    assert next(Batches(digits, range(50), 8, data=DataConfig(), seed=0).epoch(0)).dtype == np.uint8


def test_images_of_one_size_can_be_cropped():
    batches = Batches(
        open_source(np.zeros((20, 32, 40, 3), np.uint8)), range(20), 8, data=DataConfig(crop=16), seed=0
    )
    assert [batch.shape for batch in batches.epoch(0)] == [(8, 16, 16, 3)] * 2


def test_images_of_mixed_sizes_get_a_crop_that_fits(photos):
    batches = Batches(open_source(photos), range(10), 4, data=DataConfig(), seed=0)
    assert batches.crop == 32
    assert all(batch.shape == (4, 32, 32, 3) for batch in batches.epoch(0))


def test_small_images_are_mirrored_up_to_the_crop(photos):
    batches = Batches(open_source(photos), range(10), 4, data=DataConfig(crop=64), seed=0)
    assert next(batches.epoch(0)).shape == (4, 64, 64, 3)


@pytest.mark.parametrize("data", [DataConfig(), STREAMED])
def test_a_bad_image_stops_the_run_with_its_name(photos, data):
    path = photos / "3.png"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BadItem, match=r"3\.png"):
        list(Batches(open_source(photos), range(10), 5, data=data, seed=0).epoch(0))


def test_leaving_an_epoch_early_leaves_no_thread_behind(photos):
    epoch = Batches(open_source(photos), range(10), 1, data=STREAMED, seed=0).epoch(0)
    next(epoch)
    epoch.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("isthmus-read")]


def test_impossible_requests_are_refused():
    with pytest.raises(ConfigError, match="at least 1"):
        Batches(NUMBERED, [], 4, data=DataConfig(), seed=0)
    with pytest.raises(ConfigError, match="not images"):
        Batches(NUMBERED, [1], 4, data=DataConfig(crop=8), seed=0)
