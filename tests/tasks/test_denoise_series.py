"""Series come back with less noise, their stamps and words as they were, and gaps filled on request."""

import csv

import numpy as np
import pytest

from isthmus.data.noise import NoiseModel, series_noise_level
from isthmus.errors import DamagedFile, SpecMismatch, UseError
from isthmus.model import SeriesDenoiser, load_model
from isthmus.tasks.denoise_series import denoise_series, fit_series_denoiser

pytest.importorskip("torch", reason="PyTorch is missing: pip install 'isthmus[train]'")
pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")


def waves(rows, seed=0):
    at, random = np.arange(rows), np.random.default_rng(seed)
    slow = np.sin(at / 11 + random.uniform(0, 6)) + 0.4 * np.sin(at / 5.3)
    return np.stack([10 + 4 * slow, 100 - 30 * slow], axis=1)


def taught(values, noise, **wishes):
    """By a small net, quickly."""
    from isthmus.training.series_denoising import SeriesPlan, train_series_denoiser

    plan = SeriesPlan(noise=noise, channels=32, blocks=1, batch=8, steps=500, learning_rate=1e-2, **wishes)
    names = tuple(f"channel_{number}" for number in range(values.shape[1]))
    return train_series_denoiser(values, names, plan)


@pytest.fixture(scope="module")
def denoiser():
    return taught(waves(3000), NoiseModel.of("gaussian", 0.0, 0.15))


def noisy(rows=800, seed=5):
    clean = waves(rows, seed)
    return clean, clean + np.random.default_rng(9).normal(0, [0.5, 4.0], clean.shape)


def read(path):
    return list(csv.reader(path.read_text().splitlines()))


def error(made, clean):
    return np.sqrt(((made - clean) ** 2).mean(axis=0))


def test_noise_becomes_less(denoiser):
    clean, spoilt = noisy()
    made = denoiser.denoise(spoilt)
    assert (error(made, clean) < 0.6 * error(spoilt, clean)).all()
    told = denoiser.denoise(spoilt, level=0.05)
    assert (error(told, clean) < 0.6 * error(spoilt, clean)).all()


def test_noise_is_seen():
    _, spoilt = noisy(4000)
    assert [series_noise_level(column) for column in spoilt.T] == pytest.approx([0.5, 4.0], rel=0.1)
    assert series_noise_level(np.arange(5.0)) == pytest.approx(0, abs=1e-9)


def test_gaps_are_left_or_filled(denoiser):
    clean, spoilt = noisy()
    holed = spoilt.copy()
    holed[300:312, 0] = np.nan
    left, filled = denoiser.denoise(holed), denoiser.denoise(holed, fill=True)
    assert np.isnan(left[300:312, 0]).all()
    assert np.isfinite(left[:300]).all()
    assert np.isfinite(filled).all()
    straight = np.interp(np.arange(300, 312), [299, 312], spoilt[[299, 312], 0])
    assert error(filled[300:312, 0], clean[300:312, 0]) < error(straight, clean[300:312, 0])


@pytest.mark.parametrize("kind", ["gaussian", "impulse"])
def test_noisy_series_alone_teach(kind):
    clean, spoilt = noisy(3000)
    made = taught(spoilt, NoiseModel.of(kind), from_noisy=True).denoise(spoilt)
    assert (error(made, clean) < 0.9 * error(spoilt, clean)).all()


def test_long_series_have_no_seams(denoiser, monkeypatch):
    from isthmus.model import series_denoiser

    _, spoilt = noisy(1500)
    whole = denoiser.denoise(spoilt, level=0.05)
    monkeypatch.setattr(series_denoiser, "AT_ONCE", 512)
    assert denoiser.denoise(spoilt, level=0.05) == pytest.approx(whole, abs=1e-4)


def test_many_channels_are_seen_one_by_one():
    many = np.repeat(waves(400), 9, axis=1)
    made = fit_series_denoiser(many, steps=2).denoiser
    assert made.program.start[0] == 2
    assert made.denoise(many).shape == many.shape


def test_a_file_keeps_its_stamps_words_and_order(denoiser, tmp_path):
    _, spoilt = noisy(120)
    path = tmp_path / "s.csv"
    with path.open("w", newline="") as file:
        write = csv.writer(file)
        write.writerow(["time", "channel_0", "note", "channel_1"])
        for row, (one, two) in enumerate(spoilt.tolist()):
            write.writerow(
                [
                    f"2024-01-{row // 24 + 1:02d} {row % 24:02d}:00",
                    f"{one:.2f}" if row else "",
                    "ok, so",
                    f"{two:.1f}",
                ]
            )
    result = denoise_series(path, denoiser, tmp_path / "out")
    before, after = (read(each) for each in (path, result.file))
    assert [row[0::2] for row in after] == [row[0::2] for row in before]
    assert after[1][1] == ""
    assert result.gaps == 1
    assert float(after[9][1]) == pytest.approx(result.after[8, 0], abs=1e-3)
    assert abs(result.after[8, 0] - result.before[8, 0]) > 1e-6
    filled = denoise_series(path, denoiser, tmp_path / "out", fill=True, force=True)
    assert float(read(filled.file)[1][1]) > 0


def test_typed_files_and_arrays_come_back_as_such(denoiser, tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    _, spoilt = noisy(100)
    table = pa.table(
        {"channel_0": spoilt[:, 0].astype(np.float32), "word": ["a"] * 100, "channel_1": spoilt[:, 1]}
    )
    parquet.write_table(table, tmp_path / "s.parquet")
    back = parquet.read_table(denoise_series(tmp_path / "s.parquet", denoiser, tmp_path / "out").file)
    assert back.schema.types == table.schema.types
    assert back["word"].equals(table["word"])
    np.save(tmp_path / "s.npy", spoilt)
    result = denoise_series(tmp_path / "s.npy", denoiser, tmp_path / "out")
    assert np.load(result.file) == pytest.approx(result.after)


def test_a_model_comes_back(denoiser, tmp_path):
    path = denoiser.save(tmp_path / "s.ism")
    again = load_model(path)
    assert isinstance(again, SeriesDenoiser)
    _, spoilt = noisy(200)
    assert np.array_equal(again.denoise(spoilt), denoiser.denoise(spoilt))
    assert again.facts()["can"] == "denoise"
    data = bytearray(path.read_bytes())
    data[-9] ^= 4
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedFile):
        load_model(path)


def test_other_channels_and_short_series_are_refused(denoiser):
    with pytest.raises(SpecMismatch, match="channel_2"):
        denoise_series(np.zeros((100, 3)), denoiser)
    with pytest.raises(UseError, match="at least 64 rows"):
        fit_series_denoiser(waves(30))


def test_a_page_shows_before_and_after(denoiser, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is missing")
    from isthmus.reports.series_denoising import write_series_page

    _, spoilt = noisy(300)
    spoilt[100:110, 1] = np.nan
    page = write_series_page(tmp_path / "p.html", denoise_series(spoilt, denoiser)).read_text()
    assert "channel_0" in page
    assert page.count("<svg") == 1
