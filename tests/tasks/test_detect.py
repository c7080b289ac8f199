"""A table goes in, scores with reasons come out: by itself, by a model, and as often as was allowed."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from isthmus.data.source import Skipped
from isthmus.data.tables import Column, Schema, Table, open_table
from isthmus.errors import ConfigError, OutputExists, SpecMismatch, UseError
from isthmus.model.detector import Detector
from isthmus.tasks.detect import COLUMNS, Alarm, detect, fit_detector, sampled

pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")


def lines(rows: int = 400, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    hours, rate = random.integers(1, 40, rows), random.integers(10, 20, rows)
    return [
        "hours,rate,pay,site",
        *(f"{h},{r},{h * r},{'ab'[h % 2]}" for h, r in zip(hours, rate, strict=True)),
    ]


@pytest.fixture
def pay(tmp_path):
    table = lines()
    table[18] = "12,15,9999,a"
    path = tmp_path / "pay.csv"
    path.write_text("\n".join(table) + "\n")
    return path


def test_the_odd_row_of_a_file_is_reported_first_with_its_reason(pay, tmp_path):
    result = detect(pay, output=tmp_path / "scores.csv")
    assert result.oddest[0][0] == 17
    assert "pay 9999 (expected" in result.oddest[0][2]
    assert "pay 9999" in result.summary()
    with (tmp_path / "scores.csv").open(newline="") as file:
        told = list(csv.DictReader(file))
    assert tuple(told[0]) == COLUMNS
    assert [int(row["row"]) for row in told] == list(range(400))
    assert np.allclose([float(row["anomaly_score"]) for row in told], result.scores, rtol=1e-5)
    assert told[17]["is_anomaly"] == "1"
    assert told[17]["reason"].startswith("pay 9999")
    assert not any(row["reason"] for row in told if row["is_anomaly"] == "0")


def test_a_model_of_usual_rows_serves_other_files(tmp_path, pay):
    usual = tmp_path / "usual.csv"
    usual.write_text("\n".join(lines(seed=1)) + "\n")
    made = fit_detector(usual, tmp_path / "pay.ism", mode="novelty")
    assert made.rows == 400
    detector = Detector.load(tmp_path / "pay.ism")
    again = detect(pay, detector)
    assert again.oddest[0][0] == 17
    assert again.to_dict()["anomalies"] == again.anomalies
    with pytest.raises(OutputExists):
        fit_detector(usual, tmp_path / "pay.ism")
    (tmp_path / "other.csv").write_text("hours,rate\n1,2\n")
    with pytest.raises(SpecMismatch, match="'pay'"):
        detect(tmp_path / "other.csv", detector)


def test_chunks_are_scored_like_the_whole(pay, monkeypatch):
    whole = detect(pay)
    monkeypatch.setattr("isthmus.data.tables.textfile.READ_BYTES", 900)
    parts = detect(pay, whole.detector)
    assert len(list(open_table(pay).chunks())) > 3
    assert np.allclose(parts.scores, whole.scores, atol=1e-4)
    assert parts.reasons.keys() == whole.reasons.keys()


def test_which_rows_are_reported_is_a_choice_that_needs_no_new_fit(pay):
    detector = fit_detector(pay).detector
    few = detect(pay, detector, alarm=Alarm(contamination=0.01))
    more = detect(pay, detector, alarm=Alarm(false_alarms=0.1))
    assert few.anomalies == 4
    assert more.anomalies == pytest.approx(40, abs=2)
    assert np.array_equal(few.scores, more.scores)
    assert detect(pay, detector, alarm=Alarm(discoveries=0.5)).anomalies <= more.anomalies


def test_alarms_that_cannot_be_are_refused():
    with pytest.raises(UseError, match="Only one"):
        Alarm(false_alarms=0.1, contamination=0.1)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        Alarm(discoveries=1.5)
    with pytest.raises(ConfigError, match="mode"):
        fit_detector(np.zeros((3, 2)), mode="supervised")


def test_no_column_is_dropped_in_silence(tmp_path):
    rows = ["a,always,nothing,b", *(f"{n},7,,{n % 5}" for n in range(60))]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(rows) + "\n")
    said: list[str] = []
    schema = Schema((Column(name="b", kind="integer", used=False),))
    result = detect(path, schema=schema, say=said.append)
    assert result.unused == (Skipped("b", "as asked"),)
    assert [line for line in said if "looked at" in line] == ["not looked at: b (as asked)"]
    assert result.notices == ()
    other = tmp_path / "other.csv"
    other.write_text("a,always,nothing,b,c\n1,8,,2,3\n")
    again = detect(other, result.detector)
    assert again.notices == (
        "not looked at: b (the model was made without it)",
        "not looked at: c (the model does not know it)",
    )


def test_unreadable_rows_are_left_out_and_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 30 + "1,2,3\n" + "2,1\n" * 30)
    result = detect(path, skip_bad=True)
    assert result.rows == 60
    assert result.notices == ("left out: row 30: 3 cells where 2 must be",)


def test_a_sample_is_a_fair_choice_in_order():
    values = np.arange(5000.0)[:, None]
    source = open_table(values)

    def read(_: Schema):
        for start in range(0, 5000, 300):
            yield Table.of_array(values[start : start + 300])

    table, rows = sampled(replace(source, read=read), seed=0, most=1000)
    kept = table.columns[0].numbers
    assert rows == 5000
    assert len(kept) == 1000
    assert (np.diff(kept) > 0).all()
    assert abs(kept.mean() - 2500) < 150
