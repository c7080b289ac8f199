"""From a series to its odd spans in the terminal; line by line; mistakes in one sentence."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from terminal import call

pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")
ROWS = 480


def written(path: Path, values: np.ndarray) -> Path:
    stamps = [f"2024-03-{1 + row // 24:02d} {row % 24:02d}:00:00" for row in range(len(values))]
    lines = [f"{stamp},{value:.3f}" for stamp, value in zip(stamps, values, strict=True)]
    path.write_text("\n".join(["when,load", *lines, ""]))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("series")
    random = np.random.default_rng(0)
    values = 10 + np.sin(np.arange(ROWS) * 2 * np.pi / 24) + random.normal(0, 0.1, ROWS)
    written(folder / "usual.csv", values)
    values[300:312] += 4
    written(folder / "odd.csv", values)
    made = call("fit", folder / "usual.csv", "-o", folder / "m.ism", "--mode", "novelty", "--for", "detect")
    assert made.exit_code == 0, made.output
    assert "480 rows of 1 channel with a period of 24 rows" in made.stdout
    return folder


def test_a_table_with_ascending_stamps_is_a_series_unless_somebody_says_otherwise(folder: Path):
    done = call("detect", folder / "odd.csv", "-o", "-", "-q")
    told = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(told[0]) == ["row", "stamp", "anomaly_score", "p_value", "is_anomaly", "reason"]
    assert told[302]["stamp"] == "2024-03-13 14:00:00"
    assert 290 <= max(range(ROWS), key=lambda row: float(told[row]["anomaly_score"])) < 322
    table = call("detect", folder / "odd.csv", "-o", "-", "-q", "--as", "table", "--budget", "0.1s")
    assert table.stdout.splitlines()[0] == "row,anomaly_score,p_value,is_anomaly,reason"


def test_a_model_finds_the_span_says_why_and_draws_it(folder: Path, tmp_path: Path):
    pytest.importorskip("matplotlib")
    page = tmp_path / "page.html"
    done = call("detect", folder / "odd.csv", "-m", folder / "m.ism", "--report", page, "--json")
    told = json.loads(done.stdout)
    first, last, _, reason = told["oddest"][0]
    assert first < 312
    assert last >= 300
    assert reason.startswith("load, row")
    text = page.read_text()
    assert reason.split(":")[0] in text
    assert "<svg" in text
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_lines_are_followed(folder: Path):
    lines = (folder / "odd.csv").read_text().replace("2024-03-02 00:00:00,", "2024-03-02 00:00:00,oops ")
    done = call("detect", "-", "--follow", "-m", folder / "m.ism", stdin=lines)
    assert done.exit_code == 0, done.output
    told = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(told) == ROWS
    assert "line 26 is left out: load must be a number; it is 'oops " in told[24]["reason"]
    assert any(row["is_anomaly"] == "1" and "load, row" in row["reason"] for row in told[299:312])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("detect", "odd.csv", "--follow", "-m", "m.ism"), "reads standard input"),
        (("detect", "-", "--follow"), "takes a model of a series"),
        (("detect", "odd.csv", "--as", "table", "-m", "m.ism"), "made for a series"),
        (("detect", "odd.csv", "--as", "song"), "series or table"),
        (("detect", "odd.csv", "--stamp", "load2"), "no column 'load2'"),
        (("detect", "odd.csv", "--as", "table", "--stamp", "when"), "--stamp is for series"),
        (("detect", "odd.csv", "--budget", "9s"), "leave out --budget"),
        (("fit", "odd.csv", "--set", "train.epochs=3"), "not changed by --set"),
        (("detect", "-", "--follow", "-m", "m.ism", "--contamination", "0.1"), "--false-alarms"),
    ],
)
def test_mistakes_are_one_sentence(folder: Path, words: tuple[str, ...], sentence: str):
    done = call(*(folder / word if word.endswith((".csv", ".ism")) else word for word in words), stdin="")
    assert done.exit_code == 2, done.output
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_info_tells_what_was_learned(folder: Path):
    told = call("info", folder / "m.ism").stdout
    assert "detector for series of 1 channel" in told
    assert "24 rows" in told
