"""Blocks of video come back as they were, or within their bound; damage is called damage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coding.video import Form, decode_block, encode_block
from isthmus.coding.video.motion import find_motion
from isthmus.errors import DamagedFile, TooLarge
from isthmus.limits import Limits


def scene(frames: int, height: int, width: int, top: int = 255, seed: int = 0) -> np.ndarray:
    """A pattern that moves over a pattern that does not, with some noise on the first half of rows."""
    random = np.random.default_rng(seed)
    still = np.add.outer(np.sin(np.arange(height) / 5), np.cos(np.arange(width) / 7)) / 4 + 0.5
    found = np.repeat(still[None], frames, axis=0)
    for frame in range(frames):
        found[frame, height // 4 : height // 2, (2 * frame) % width : (2 * frame) % width + width // 3] = 0.9
    found[:, : height // 2] += random.normal(size=(frames, height // 2, width)) * 0.02
    return np.rint(np.clip(found, 0, 1) * top).astype(np.uint8 if top < 256 else np.uint16)


def form_of(planes, top):
    return Form(tuple(each.shape[1:] for each in planes), top)


@settings(max_examples=12, deadline=None)
@given(
    frames=st.integers(1, 5),
    height=st.integers(1, 19),
    width=st.integers(1, 21),
    layout=st.sampled_from([(), ((2, 2),) * 2, ((1, 2),) * 2, ((1, 1),) * 2, ((1, 1),) * 3, ((4, 4),) * 2]),
    top=st.sampled_from([255, 1023, 65535]),
    error=st.sampled_from([0, 0, 1, 5]),
    seed=st.integers(0, 3),
)
def test_a_block_comes_back_within_its_bound(frames, height, width, layout, top, error, seed):
    planes = [scene(frames, height, width, top, seed)]
    if seed == 3:
        planes = [np.random.default_rng(1).integers(0, top + 1, planes[0].shape).astype(planes[0].dtype)]
    planes += [planes[0][:, ::down, ::over] // 2 for down, over in layout]
    payload = encode_block(planes, top, error=error, effort=3)
    back = decode_block(payload, form_of(planes, top), frames)
    for mine, theirs in zip(back, planes, strict=True):
        assert mine.shape == theirs.shape
        assert mine.dtype == theirs.dtype
        assert np.abs(mine.astype(int) - theirs).max() <= error


def test_the_same_bytes_again():
    planes = [scene(4, 24, 40)]
    assert encode_block(planes, 255) == encode_block([planes[0].copy()], 255)


def test_what_stands_still_takes_nearly_nothing():
    planes = [np.repeat(scene(1, 64, 64), 30, axis=0)]
    one, many = (len(encode_block([planes[0][:count]], 255)) for count in (1, 30))
    assert many < one + 400


def test_what_moves_is_found():
    rough = np.random.default_rng(0).normal(size=(60, 90))
    smooth = sum(np.roll(rough, (y, x), (0, 1)) for y in range(8) for x in range(8))
    whole = np.rint(128 + 10 * smooth).astype(np.int16)
    before, frame = whole[5:53, 9:73], whole[8:56, 4:68]
    assert (find_motion(frame, before)[:-1, 1:] == [3, -5]).all()


def test_a_frame_like_the_one_before_costs_less_than_the_first():
    moving = scene(6, 48, 64)
    alone = sum(len(encode_block([moving[each : each + 1]], 255)) for each in range(6))
    assert len(encode_block([moving], 255)) < 0.8 * alone


@pytest.mark.parametrize("place", [0, 1, 3, 9, 40, -40, -1])
def test_damage_is_called_damage_or_gives_other_frames(place):
    planes = [scene(3, 16, 24)]
    payload = bytearray(encode_block(planes, 255))
    payload[place] ^= 0x55
    try:
        back = decode_block(bytes(payload), form_of(planes, 255), 3)
    except DamagedFile:
        return
    assert back[0].shape == planes[0].shape  # the CRC of the samples finds it


@pytest.mark.parametrize("length", [0, 1, 2, 5, 60])
def test_a_cut_block_is_called_damaged(length):
    planes = [scene(3, 16, 24)]
    with pytest.raises(DamagedFile):
        decode_block(encode_block(planes, 255)[:length], form_of(planes, 255), 3)


def test_sizes_are_checked_before_anything_is_made():
    payload = encode_block([scene(1, 8, 8)], 255)
    with pytest.raises(TooLarge):
        decode_block(payload, Form(((8, 8),), 255), 1, limits=Limits(block_bytes=100))
    with pytest.raises(DamagedFile):
        decode_block(payload, Form(((1 << 14, 1 << 14),), 255), 60)
