"""From a table to scores in the terminal; mistakes in one sentence."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from terminal import call

pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    random = np.random.default_rng(0)
    width = random.normal(10, 1, 300).round(2)
    rows = [f"{w:.2f},{2 * w:.2f},{'xy'[int(w > 10)]}" for w in width]
    (folder / "usual.csv").write_text("\n".join(["width,length,side", *rows]) + "\n")
    rows[40] = "10.00,55.00,x"
    (folder / "odd.csv").write_text("\n".join(["width,length,side", *rows]) + "\n")
    made = call("fit", folder / "usual.csv", "-o", folder / "usual.ism", "--mode", "novelty")
    assert made.exit_code == 0, made.output
    assert "300 rows of 3 columns: 2 decimal, 1 category" in made.stderr
    return folder


def test_a_model_finds_the_odd_row_and_says_why(folder: Path, tmp_path: Path):
    done = call("detect", folder / "odd.csv", "-m", folder / "usual.ism", "-o", tmp_path / "s.csv")
    assert done.exit_code == 0, done.output
    assert "row 40: length 55.00 (expected" in done.stdout
    told = list(csv.DictReader(io.StringIO((tmp_path / "s.csv").read_text())))
    assert max(told, key=lambda row: float(row["anomaly_score"]))["row"] == "40"


def test_scores_go_to_standard_output_and_results_to_json(folder: Path):
    lines = call("detect", folder / "odd.csv", "-m", folder / "usual.ism", "-o", "-", "-q").stdout
    assert len(list(csv.reader(io.StringIO(lines)))) == 301
    told = json.loads(call("detect", folder / "odd.csv", "--json", "--contamination", 0.01).stdout)
    assert told["anomalies"] == 3
    assert told["oddest"][0][0] == 40


def test_info_tells_of_tables_and_detectors_and_writes_a_schema_to_edit(folder: Path, tmp_path: Path):
    told = call("info", folder / "odd.csv", "--schema", tmp_path / "s.toml")
    assert "length  decimal, 2 digits" in told.stdout
    edited = (tmp_path / "s.toml").read_text().replace('"category"', '"category"\nused = false')
    (tmp_path / "s.toml").write_text(edited)
    done = call("detect", folder / "odd.csv", "--schema", tmp_path / "s.toml")
    assert "not looked at: side" in done.stderr
    assert "300 rows" in call("info", folder / "usual.ism").stdout
    assert call("info", folder / "odd.csv", "--schema", tmp_path / "s.toml").exit_code == 2


@pytest.mark.parametrize("kind", ["table", "series"])
def test_a_column_is_ignored_as_asked_and_the_model_remembers_it(kind: str, tmp_path: Path):
    path, model = tmp_path / "t.csv", tmp_path / "m.ism"
    rows = (f"2024-01-{1 + n // 24:02} {n % 24:02}:00,{n % 24},{n % 7},{int(n == 40)}" for n in range(300))
    path.write_text("time,load,wind,label\n" + "\n".join(rows) + "\n")
    fitted = call("fit", path, "-o", model, "--as", kind, "--ignore", "label", "--ignore", "wind")
    assert fitted.exit_code == 0, fitted.output
    assert "not looked at: label (as asked)" in fitted.stderr
    assert "ignores" in call("info", model).stdout
    again = call("detect", path, "-m", model)
    assert "not looked at: label (the model was made without it)" in again.stderr
    assert "label" not in again.stdout
    asked = call("detect", path, "-m", model, "--ignore", "label", "--ignore", "wind", "--strict")
    assert asked.exit_code == 0, asked.output
    for words, said in [
        (("fit", path, "-o", tmp_path / "x.ism", "--as", kind, "--ignore", "lable"), "Did you mean 'label'?"),
        (("detect", path, "-m", model, "--ignore", "load"), "The model looks at 'load'"),
    ]:
        refused = call(*words)
        assert refused.exit_code == 2, refused.output
        assert said in refused.stderr.replace("\n", " ")


def test_the_page_names_the_oddest_rows_and_asks_nothing_of_the_network(folder: Path, tmp_path: Path):
    done = call("detect", folder / "odd.csv", "-m", folder / "usual.ism", "--report", tmp_path / "page.html")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "length 55.00 (expected" in page
    assert "<svg" in page
    assert 'src="http' not in page
    assert "<script" not in page
    again = call("detect", folder / "odd.csv", "-m", folder / "usual.ism", "--report", tmp_path / "page.html")
    assert again.exit_code == 2


def test_a_table_is_cleaned_with_a_log(folder: Path, tmp_path: Path):
    rows = ["town,land,post", *["Oslo,NO,a1", "Lyon,FR,b6", "Kiel,DE,c2"] * 30, "Oslo,FR,a1"]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    tried = call("clean", tmp_path / "t.csv", "--dry-run")
    assert "row 90, land: FR → NO" in tried.stderr
    done = call("clean", tmp_path / "t.csv", "-o", tmp_path / "c.csv", "--log", tmp_path / "log.csv")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "c.csv").read_text().endswith("Oslo,NO,a1\n")
    assert "90,land,FR,NO" in (tmp_path / "log.csv").read_text()
    told = json.loads(call("clean", tmp_path / "t.csv", "--json").stdout)
    assert told["changed"] == 1
    assert call("clean", tmp_path / "t.csv", "--confidence", 7).exit_code == 2


def test_mistakes_are_one_sentence(folder: Path, tmp_path: Path):
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3\n")
    for words, said in [
        (("detect", tmp_path / "none.csv"), "no table at"),
        (("detect", tmp_path / "ragged.csv"), "row 1 has 1 cells"),
        (("detect", folder / "odd.csv", "--mode", "clever"), "mode must be"),
        (("detect", folder / "odd.csv", "--false-alarms", 2), "between 0 and 1"),
        (("detect", folder / "odd.csv", "-m", folder / "odd.csv"), "not a whole Isthmus model"),
        (("fit", folder / "odd.csv", "-o", tmp_path / "m.ism", "--recipe", "images"), "--recipe"),
        (
            ("embed", folder / "odd.csv", "-m", folder / "usual.ism", "-o", tmp_path / "z.csv"),
            "a codec; got a detector",
        ),
        (("detect", folder / "odd.csv", "--json", "-o", "-"), "leave out --json"),
    ]:
        done = call(*words)
        assert done.exit_code == 2, done.output
        assert said in done.stderr.replace("\n", " "), done.stderr
        assert "Traceback" not in done.stderr
