"""Numbers of a table lose noise where their rows tell them; nothing else is touched."""

import csv

import numpy as np
import pytest

from isthmus.errors import UseError
from isthmus.tasks.denoise_table import denoise_table
from isthmus.tasks.detect import fit_detector

pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Three sensors of one thing with noise, a word, a hole; and the numbers without noise."""
    folder, random = tmp_path_factory.mktemp("sensors"), np.random.default_rng(0)
    truth = random.normal(50, 10, 2000)
    clean = np.stack([truth, 2 * truth + 5, 100 - truth], axis=1)
    noisy = clean + random.normal(0, 1, clean.shape) * [4, 8, 4]
    with (folder / "noisy.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "c", "word"])
        for number, row in enumerate(noisy):
            writer.writerow([*(f"{value:.3f}" for value in row), "x" if number % 3 else ""])
    return folder, clean, noisy


def test_numbers_come_closer_to_what_they_were(tables):
    folder, clean, noisy = tables
    detector = fit_detector(folder / "noisy.csv", steps=400).detector
    result = denoise_table(folder / "noisy.csv", detector, folder / "out.csv", level=0.3)
    made = _rows(folder / "out.csv")
    numbers = np.array([row[:3] for row in made], float)
    before, after = (np.square((each - clean) / [10, 20, 10]).mean() for each in (noisy, numbers))
    assert after < 0.75 * before
    assert [row[3] for row in made] == [row[3] for row in _rows(folder / "noisy.csv")]
    assert result.rows == 2000
    assert set(result.believed) == {"a", "b", "c"}
    assert "2,000 rows" in result.summary()


def test_without_noise_nothing_changes(tables):
    folder, _, _ = tables
    detector = fit_detector(folder / "noisy.csv", steps=20).detector
    result = denoise_table(folder / "noisy.csv", detector, folder / "same.csv", level=0)
    assert result.changed == 0
    assert _rows(folder / "same.csv") == _rows(folder / "noisy.csv")


def test_a_table_must_be_told_how_noisy_it_is(tables):
    folder, _, _ = tables
    detector = fit_detector(folder / "noisy.csv", steps=5).detector
    with pytest.raises(UseError, match="--level"):
        denoise_table(folder / "noisy.csv", detector, folder / "no.csv", level=None)
    with pytest.raises(UseError, match=r"\.csv"):
        denoise_table(folder / "noisy.csv", detector, folder / "no.txt", level=1)


def _rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))[1:]
