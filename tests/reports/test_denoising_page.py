"""The page of a denoiser shows before and after, and how far from the truth they are where that is known."""

import numpy as np

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
    without = write_denoising(
        tmp_path / "q.html", source, tmp_path / "out", None, denoise(source, model, tmp_path / "out2")
    )
    assert "MS-SSIM" not in without.read_text()
