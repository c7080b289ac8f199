"""The pages of denoisers show before and after, and how far from the truth they are where that is known."""

import re

import numpy as np
import pytest

from isthmus.data import open_source
from isthmus.reports.denoising import write_denoising
from isthmus.tasks.denoise import denoise, fit_denoiser


def test_the_page_holds_pictures_and_figures(tmp_path):
    random = np.random.default_rng(0)
    clean = np.repeat(np.repeat(random.integers(0, 255, (3, 4, 4)), 8, axis=1), 8, axis=2).astype(np.uint8)
    noisy = np.clip(clean + random.normal(0, 20, clean.shape), 0, 255).astype(np.uint8)
    np.save(tmp_path / "clean.npy", clean)
    np.save(tmp_path / "noisy.npy", noisy)
    source = open_source(tmp_path / "noisy.npy")
    model = fit_denoiser(clean, steps=2).denoiser
    result = denoise(source, model, tmp_path / "out", clean=tmp_path / "clean.npy")
    page = write_denoising(tmp_path / "p.html", source, tmp_path / "out", tmp_path / "clean.npy", result)
    text = page.read_text()
    assert text.count("data:image/png") == 9
    assert f"{result.after_psnr_db:.2f} dB" in text
    assert "MS-SSIM" in text
    assert re.search(
        r'<div class="sides small">\n<div class="side" style="--columns:3"><h3>noisy.npy\[0\]', text
    )
    assert re.search(r"<figcaption>denoised, [0-9.]+ dB</figcaption>", text)
    without = write_denoising(
        tmp_path / "q.html", source, tmp_path / "out", None, denoise(source, model, tmp_path / "out2")
    )
    assert "MS-SSIM" not in without.read_text()


def test_the_page_of_recordings_gives_the_gain_in_decibels(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    pytest.importorskip("torch")
    from isthmus.reports.sound import write_sound_page
    from isthmus.tasks.sound import denoise_sound, fit_sound_denoiser

    random, clean = np.random.default_rng(0), 0.3 * np.sin(np.arange(8000) / 5)
    for folder, noise in (("clean", 0.0), ("noisy", 0.05)):
        (tmp_path / folder).mkdir()
        for name in ("a", "b"):
            soundfile.write(tmp_path / folder / f"{name}.wav", clean + random.normal(0, noise, 8000), 8000)
    noisy, truth = tmp_path / "noisy", tmp_path / "clean"
    result = denoise_sound(noisy, fit_sound_denoiser(truth, steps=2).denoiser, tmp_path / "out")
    page = write_sound_page(tmp_path / "p.html", noisy, tmp_path / "out", truth, result)
    verdict = re.search(r'<p class="verdict">(.*)</p>', page.read_text())
    assert verdict is not None
    assert re.match(r"[+-][0-9.]+ dB: signal to noise [0-9.]+ dB before, [0-9.]+ after", verdict[1])
    alone = write_sound_page(tmp_path / "q.html", noisy, tmp_path / "out", None, result)
    assert "dB softer than the recordings" in alone.read_text()


def test_long_reasons_wrap_and_each_cell_says_what_it_is():
    from isthmus.reports.html import TableRow, table

    made = table(["row", "score", "because"], [TableRow(["7", "5.5", "amount " * 90])], words=[2])
    assert '<table class="told">' in made
    assert '<td class="words" data-name="because">amount amount' in made
    assert '<th scope="row" data-name="row">7</th>' in made
