"""What a net is told of a spectrogram does not depend on when a sound began, and what it says turns along."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.data.audio.planes import PLANES, TAPS, mended, planes_of
from isthmus.data.audio.spectrogram import Spectrogram

SHAPES = st.tuples(st.integers(0, 9), st.sampled_from([9, 17, 129]), st.integers(0, 2**32 - 1))


def drawn(shape):
    windows, bins, seed = shape
    random = np.random.default_rng(seed)
    parts = random.normal(size=(2, windows, bins)).astype(np.float32)
    said = random.normal(size=(2 * TAPS * bins, windows)).astype(np.float32)
    return parts[0] + 1j * parts[1], said


@given(SHAPES, st.floats(-3, 3))
@settings(max_examples=30)
def test_a_turn_of_all_phases_is_not_told_and_comes_back(shape, angle):
    frames, said = drawn(shape)
    turned = (frames * np.exp(1j * angle)).astype(np.complex64)
    assert planes_of(frames).shape == (PLANES * frames.shape[1], len(frames))
    assert np.allclose(planes_of(turned), planes_of(frames), atol=1e-4)
    assert np.allclose(mended(turned, said), mended(frames, said) * np.exp(1j * angle), atol=1e-4)


@given(SHAPES)
@settings(max_examples=30)
def test_a_net_that_says_nothing_leaves_all_as_it_was(shape):
    frames, said = drawn(shape)
    assert np.array_equal(mended(frames, np.zeros_like(said)), frames)


@given(SHAPES)
@settings(max_examples=30)
def test_a_window_is_mended_from_itself_and_its_neighbours(shape):
    frames, said = drawn(shape)
    windows, bins = frames.shape
    real, imaginary = said.reshape(2, TAPS, bins, windows)
    for window in range(windows):
        wanted = frames[window].copy()
        for tap in range(TAPS):
            other = window + tap - TAPS // 2
            if 0 <= other < windows:
                wanted += (real[tap] + 1j * imaginary[tap])[:, window] * frames[other]
        assert np.allclose(mended(frames, said)[window], wanted, atol=1e-4)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_a_steady_tone_is_told_alike_in_every_window(rate):
    view = Spectrogram.of_rate(rate)
    tone = 0.3 * np.sin(2 * np.pi * 20.0 / view.window * np.arange(40 * view.window)).astype(np.float32)
    planes = planes_of(view.analyse(tone))[:, 10:-10].reshape(PLANES, view.bins, -1)
    loudest = planes[:, 20]  # the tone's own frequency
    assert np.allclose(loudest, loudest[:, :1], atol=1e-3)
    assert loudest[1, 0] > 0.5
    assert abs(loudest[2, 0]) < 1e-2  # it turned as a hop turns it, and no more


def test_silence_is_told_as_silence():
    planes = planes_of(np.zeros((5, 9), np.complex64)).reshape(PLANES, 9, 5)
    assert np.array_equal(planes[0], np.full((9, 5), -0.5))
    assert not planes[1:].any()
