"""The golden archives of audio are still read, and read alike from the page alone."""

import wave
from pathlib import Path

import independent
import independent_adaptive
import independent_audio
import independent_waves
import numpy as np
import pytest

from isthmus.coding.audio import decode_block, decode_lossy, encode_block, encode_lossy
from isthmus.coding.audio.cascade import Cascade
from isthmus.coding.audio.regression import Regression
from isthmus.coding.audio.transform import SIZES, _matrix
from isthmus.tasks.audio import stretches
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.verify import verify

soundfile = pytest.importorskip("soundfile", reason="soundfile is missing: pip install 'isthmus[audio]'")

FOLDER = Path(__file__).parent / "audio"
GOLDEN = [("adaptive", "steps"), ("stored", "steps"), ("lossy", "lossy")]


def tune(frames: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Tones, noise and a click, float64 within ±1."""
    random, time = np.random.default_rng(seed), np.arange(frames)[:, None]
    tones = sum(np.sin(time * pitch + random.uniform(0, 6, channels)) for pitch in (0.02, 0.11, 0.4))
    made = 0.2 * tones + random.normal(size=(frames, channels)) * 0.003
    made[frames // 3 : frames // 3 + 9] *= 1.4
    return made


@pytest.mark.parametrize(("name", "as_"), GOLDEN)
def test_a_golden_archive_gives_back_what_it_did(tmp_path, name, as_):
    assert verify(FOLDER / f"{name}.isz").ok
    back = decompress(FOLDER / f"{name}.isz", tmp_path).files[0]
    mine, theirs = (soundfile.read(path, dtype="int16") for path in (back, FOLDER / f"{as_}.wav"))
    assert mine[1] == theirs[1]
    assert mine[0].tolist() == theirs[0].tolist()


@pytest.mark.parametrize(("name", "as_"), GOLDEN)
def test_the_independent_reader_restores_the_same_samples(name, as_):
    ((told, rate, samples),) = independent_audio.read_recordings((FOLDER / f"{name}.isz").read_bytes())
    with wave.open(str(FOLDER / f"{as_}.wav")) as file:
        expected = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        assert (told, rate) == ("steps.wav", file.getframerate())
    assert np.array_equal(samples, expected)


@pytest.fixture
def folder(tmp_path):
    """Recordings of every type, of one to three channels; one is empty, one silent."""
    made = tmp_path / "sounds"
    made.mkdir()
    kinds = [("PCM_U8", 1), ("PCM_16", 3), ("PCM_24", 2), ("PCM_32", 1), ("FLOAT", 2), ("DOUBLE", 1)]
    for seed, (subtype, channels) in enumerate(kinds):
        soundfile.write(made / f"{subtype}.wav", tune(70, channels, seed), 8000, subtype=subtype)
    whole = np.rint(tune(80) * 2**15) / 2**15
    soundfile.write(made / "whole.wav", whole.astype(np.float32), 8000, subtype="FLOAT")
    soundfile.write(made / "free.flac", tune(60, 2, 9), 8000, subtype="PCM_24")
    soundfile.write(made / "none.wav", np.zeros((0, 3)), 8000, subtype="PCM_16")
    soundfile.write(made / "silent.aiff", np.zeros((5, 1)), 8000, subtype="PCM_S8")
    return made


@pytest.mark.parametrize(
    ("wish", "plans"),
    [
        ({"effort": 1}, {"stored-predictors", "pcodec"}),
        ({"effort": 5}, {"adaptive", "stored-predictors", "pcodec"}),
        ({"quality": 5}, {"waves"}),
        ({"quality": 95}, {"waves"}),
    ],
)
def test_it_reads_recordings_of_every_type(folder, tmp_path, wish, plans):
    compress(folder, tmp_path / "a.isz", **wish)
    decompress(tmp_path / "a.isz", tmp_path / "back")
    archive = independent.read_archive((tmp_path / "a.isz").read_bytes())
    assert {block["plan"] for block in archive["blocks"]} == plans
    made = independent_audio.read_recordings((tmp_path / "a.isz").read_bytes())
    assert sorted(name for name, _, _ in made) == sorted(each.name for each in folder.iterdir())
    for name, rate, samples in made:
        read_as = {"i": "int32", "f": samples.dtype.name}[samples.dtype.kind]
        theirs, their_rate = soundfile.read(tmp_path / "back" / name, dtype=read_as, always_2d=True)
        info = soundfile.info(tmp_path / "back" / name)
        empty = 32 - independent_audio.BITS.get(info.subtype, 32)  # bits below the samples, in int32
        assert rate == their_rate
        assert samples.tobytes() == (theirs >> empty if empty else theirs).tobytes()


def test_it_reads_recordings_that_go_on_in_the_next_block(tmp_path, monkeypatch):
    monkeypatch.setattr(stretches.blocks_of, "__defaults__", (2**10,))
    monkeypatch.setattr(independent_audio, "BLOCK_SAMPLES", 2**10)
    (tmp_path / "sounds").mkdir()
    told = {f"{seed}.wav": np.rint(tune(700, 2, seed) * 2**15) for seed in range(3)}
    for name, samples in told.items():
        soundfile.write(tmp_path / "sounds" / name, samples.astype(np.int16), 8000)
    compress(tmp_path / "sounds", tmp_path / "a.isz", effort=1)
    made = independent_audio.read_recordings((tmp_path / "a.isz").read_bytes())
    assert {name: samples.tolist() for name, _, samples in made} == {
        name: samples.tolist() for name, samples in told.items()
    }


@pytest.mark.parametrize(
    ("frames", "effort", "plan"),
    [(4099, 5, "adaptive"), (300, 9, "adaptive"), (8193, 1, "stored-predictors")],
)
def test_it_reads_lanes_side_by_side_and_long_filters(frames, effort, plan):
    samples = np.rint(tune(frames) * 2**12).astype(np.int32)
    coded = encode_block(samples, effort=effort)
    assert coded.plan == plan
    made = independent_audio.read_samples(plan, independent.Fields(coded.payload), frames, 1, "PCM_16")
    assert np.array_equal(made, decode_block(plan, coded.payload, frames, 1, samples.dtype))
    assert np.array_equal(made, samples)


def test_it_reads_lanes_of_windows():
    samples = np.rint(np.random.default_rng(0).normal(size=(49_300, 1)) ** 9).clip(-(2**15), 2**15 - 1)
    payload = encode_lossy(samples.astype(np.int32), 16, 40)
    assert payload[0] == 0  # the shortest windows, of which there are enough for two lanes
    made = independent_audio.read_samples("waves", independent.Fields(payload), *samples.shape, "PCM_16")
    assert np.array_equal(made, decode_lossy(payload, *samples.shape, np.dtype(np.int32), 16))


def test_predictions_are_the_same_in_every_bit():
    (own, other, every), channels, lanes, keep = (7, 9, 8), 3, 2, 1 - 131 / 2**16
    truth = np.random.default_rng(0).normal(size=(60, channels, lanes)).cumsum(0) * 100
    samples = np.zeros((channels, 10 + len(truth), lanes))
    theirs, cascade = (
        Regression(samples, own, other, keep),
        Cascade(len(truth), lanes, ((5, 0.01), (3, 0.02))),
    )
    looks = [independent_adaptive.looks_of(channel, channels, own, other) for channel in range(channels)]
    mine = independent_adaptive.Sums(channels, lanes, len(truth), 9, keep)
    blended = independent_adaptive.Cascade([(5, 0.01 * 2**16), (3, 0.02 * 2**16)], lanes)
    weights = theirs.weights
    for step, now in enumerate(truth):
        if step % every == 0 and step >= 18:
            theirs.refit()
            weights = [mine.solve(step, channel, looks[channel]) for channel in range(channels)]
        for channel in range(channels):
            assert np.array_equal(weights[channel], theirs.weights[channel])
            predicted = theirs.predict(channel, 10 + step)
            seen = mine.seen(step, looks[channel])
            assert np.array_equal(independent_adaptive.halves(weights[channel] * seen), predicted)
            if channel == 2:
                assert np.array_equal(cascade.predict(step, predicted), blended.predict(predicted))
                cascade.learn(step, now[channel])
                blended.learn(now[channel])
            mine.put(channel, step, now[channel])
            samples[channel, 10 + step] = now[channel]
        mine.learn(step)
        theirs.learn(10 + step)


@pytest.mark.parametrize("size", SIZES)
def test_windows_are_the_same_in_every_bit(size):
    assert np.array_equal(independent_waves.window(size), _matrix(size).T)
