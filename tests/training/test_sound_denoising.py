"""The training of sound denoisers: its arithmetic is the model's, its lessons are set by seed and step."""

import numpy as np
import pytest
import torch

from isthmus.data.audio import planes
from isthmus.data.audio.spectrogram import Spectrogram
from isthmus.training.sound_denoising import (
    SoundLessons,
    SoundPlan,
    mended,
    synthesised,
    train_sound_denoiser,
)

RATE = 8000
VIEW = Spectrogram.of_rate(RATE)


@pytest.fixture(scope="module")
def recordings():
    random = np.random.default_rng(3)
    return [(0.1 * random.standard_normal(n)).astype(np.float32) for n in (3000, 0, 90, 20_000)]


def test_what_is_learned_is_what_is_run():
    random = np.random.default_rng(0)
    signals = random.normal(size=(3, 2000)).astype(np.float32)
    frames = np.stack([VIEW.analyse(signal) for signal in signals])
    said = 0.3 * random.normal(size=(3, 2 * planes.TAPS * VIEW.bins, frames.shape[1])).astype(np.float32)
    made = synthesised(mended(torch.from_numpy(frames), torch.from_numpy(said)), VIEW, 2000).numpy()
    for one, told, given in zip(made, said, frames, strict=True):
        assert np.allclose(one, VIEW.synthesise(planes.mended(given, told), 2000), atol=1e-4)


def test_a_lesson_depends_on_seed_and_step_alone(recordings):
    plan = SoundPlan(batch=3, frames=20)
    first, again = (SoundLessons(recordings, recordings[:1], RATE, plan)[7] for _ in range(2))
    assert np.array_equal(first.given, again.given)
    assert np.array_equal(first.clean, again.clean)
    other = SoundLessons(recordings, recordings[:1], RATE, plan)[8]
    assert not np.array_equal(first.clean, other.clean)


@pytest.mark.parametrize("noise", [0, 1, 3])
def test_stretches_have_the_noise_that_was_asked_for(recordings, noise):
    plan = SoundPlan(batch=8, frames=20, least_db=6.0, most_db=6.0)
    lesson = SoundLessons(recordings, recordings[:noise], RATE, plan)[0]
    for clean, frames in zip(lesson.clean, lesson.noisy, strict=True):
        noisy = VIEW.synthesise(frames, len(clean))
        assert 10 * np.log10(np.square(clean).sum() / np.square(noisy - clean).sum()) == pytest.approx(
            6, abs=0.1
        )


def test_the_same_plan_gives_the_same_net(recordings):
    plan = SoundPlan(batch=2, frames=20, channels=8, steps=2)
    first, again = (train_sound_denoiser(recordings, [], RATE, plan) for _ in range(2))
    assert all(
        np.array_equal(again.program.tensors[name], one) for name, one in first.program.tensors.items()
    )
