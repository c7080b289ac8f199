"""Recordings lose noise, keep length, rate and form; long ones are taken piece by piece without a seam."""

import numpy as np
import pytest

from isthmus.data.audio.spectrogram import Spectrogram
from isthmus.errors import DamagedFile, SpecMismatch, UseError
from isthmus.model import SoundDenoiser, load_model
from isthmus.tasks.sound import Track, denoise_sound, fit_sound_denoiser

soundfile = pytest.importorskip("soundfile", reason="soundfile is missing: pip install 'isthmus[audio]'")

RATE = 8000


def tones(seconds=2.0, seed=0):
    """Notes with pauses, which white noise does not look like."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    notes = 200 * 2 ** (random.integers(0, 24, len(time) // 1000 + 1) / 12)
    pitch = np.repeat(notes, 1000)[: len(time)]
    loud = np.repeat(random.random(len(notes)) < 0.7, 1000)[: len(time)]
    return (0.3 * loud * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)).astype(np.float32)


def with_noise(signal, seed=9):
    return (signal + 0.05 * np.random.default_rng(seed).standard_normal(len(signal))).astype(np.float32)


def snr(clean, made):
    return 10 * np.log10(np.square(clean).sum() / np.square(made - clean).sum())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tones")
    for number in range(4):
        soundfile.write(folder / f"{number}.wav", tones(seed=number), RATE, subtype="PCM_16")
    return folder


@pytest.fixture(scope="module")
def denoiser(folder):
    return fit_sound_denoiser(folder, steps=20).denoiser


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 96000])
@pytest.mark.parametrize("samples", [0, 1, 100, 5000])
def test_a_spectrogram_gives_the_signal_back(rate, samples):
    view = Spectrogram.of_rate(rate)
    signal = np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    assert np.allclose(view.synthesise(view.analyse(signal), samples), signal, atol=1e-5)


def test_noise_becomes_less(denoiser):
    clean = tones(seed=11)
    noisy = with_noise(clean)
    assert snr(clean, denoiser.denoise(noisy)) > snr(clean, noisy) + 3


def test_pieces_of_any_length_give_the_same_without_a_seam(denoiser, monkeypatch):
    from isthmus.model import sound_denoiser

    noisy = with_noise(tones(6.0))
    whole = denoiser.denoise(noisy)
    monkeypatch.setattr(sound_denoiser, "AT_ONCE_S", 1.0)
    cut = np.concatenate(list(denoiser.pieces(np.array_split(noisy, 37))))
    assert cut.shape == noisy.shape
    assert np.abs(cut - whole).max() < 1e-4


def test_long_recordings_are_not_held(denoiser, monkeypatch):
    from isthmus.model import sound_denoiser

    monkeypatch.setattr(sound_denoiser, "AT_ONCE_S", 1.0)
    track = Track(denoiser)
    for second in range(1, 8):
        track.take(with_noise(tones(1.0)))
        assert sum(map(len, track.ready)) >= (second - 1 - 2 * sound_denoiser.MARGIN_S) * RATE
    track.end()
    assert sum(map(len, track.ready)) == 7 * RATE


def test_files_keep_name_form_and_length(denoiser, tmp_path):
    stereo = np.stack([with_noise(tones(seed=5)), with_noise(tones(seed=6), 3)], axis=1)
    for name, subtype in (("a.wav", "PCM_24"), ("sub/b.flac", "PCM_16"), ("c.wav", "FLOAT")):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "in" / name, stereo, RATE, subtype=subtype)
    result = denoise_sound(tmp_path / "in", denoiser, tmp_path / "out")
    assert result.recordings == 3
    for name, subtype in (("a.wav", "PCM_24"), ("sub/b.flac", "PCM_16"), ("c.wav", "FLOAT")):
        told = soundfile.info(tmp_path / "out" / name)
        assert (told.frames, told.samplerate, told.channels, told.subtype) == (len(stereo), RATE, 2, subtype)


def test_a_file_gives_the_same_denoiser(denoiser, tmp_path):
    path = denoiser.save(tmp_path / "d.ism")
    back = load_model(path)
    assert isinstance(back, SoundDenoiser)
    assert np.array_equal(back.denoise(tones()), denoiser.denoise(tones()))
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedFile):
        SoundDenoiser.load(path)


def test_a_denoiser_of_the_former_kind_is_refused_in_a_sentence(denoiser, tmp_path, monkeypatch):
    told = {name: value for name, value in denoiser.told().items() if name != "taps"}
    monkeypatch.setattr(SoundDenoiser, "told", lambda self: told)
    with pytest.raises(UseError, match=r"make it again: isthmus fit"):
        load_model(denoiser.save(tmp_path / "former.ism"))


def test_the_noise_may_be_told_by_recordings_of_it(folder, tmp_path):
    soundfile.write(tmp_path / "hum.wav", 0.2 * np.sin(np.arange(RATE) * 0.04), RATE)
    learned = fit_sound_denoiser(folder, noise=tmp_path / "hum.wav", steps=3)
    assert learned.noise == "recorded"
    soundfile.write(tmp_path / "fast.wav", np.zeros(100), 2 * RATE)
    with pytest.raises(UseError, match="16,000 Hz"):
        fit_sound_denoiser(folder, noise=tmp_path / "fast.wav", steps=3)


def test_other_rates_and_empty_recordings_are_refused_or_right(denoiser, tmp_path):
    soundfile.write(tmp_path / "fast.wav", np.zeros(100), 2 * RATE)
    with pytest.raises(SpecMismatch, match="16,000"):
        denoise_sound(tmp_path / "fast.wav", denoiser, tmp_path / "out")
    soundfile.write(tmp_path / "none.wav", np.zeros(0), RATE)
    assert denoise_sound(tmp_path / "none.wav", denoiser, tmp_path / "out").recordings == 1
    with pytest.raises(UseError, match="empty"):
        fit_sound_denoiser(tmp_path / "none.wav", steps=1)


def test_clipped_recordings_are_named(denoiser, tmp_path):
    soundfile.write(tmp_path / "loud.wav", np.clip(9 * tones(), -1, 1), RATE)
    result = denoise_sound(tmp_path / "loud.wav", denoiser, tmp_path / "out")
    assert result.clipped == ("loud.wav",)
    assert "clipped" in result.summary()


def test_nan_samples_do_not_spread(denoiser, tmp_path):
    signal = tones()
    signal[500] = np.nan
    soundfile.write(tmp_path / "holes.wav", signal, RATE, subtype="FLOAT")
    denoise_sound(tmp_path / "holes.wav", denoiser, tmp_path / "out")
    made, _ = soundfile.read(tmp_path / "out" / "holes.wav")
    assert np.isfinite(made).all()


def test_the_page_shows_spectrograms(denoiser, tmp_path):
    from isthmus.reports.sound import write_sound_page

    (tmp_path / "in").mkdir()
    (tmp_path / "true").mkdir()
    for number in range(2):
        soundfile.write(tmp_path / "true" / f"{number}.wav", tones(seed=number), RATE)
        soundfile.write(tmp_path / "in" / f"{number}.wav", with_noise(tones(seed=number)), RATE)
    result = denoise_sound(tmp_path / "in", denoiser, tmp_path / "out")
    page = write_sound_page(tmp_path / "p.html", tmp_path / "in", tmp_path / "out", tmp_path / "true", result)
    text = page.read_text()
    assert text.count("data:image/png") == 6
    assert "Signal-to-noise" in text
