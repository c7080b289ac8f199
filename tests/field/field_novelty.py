"""Values that a column never held while a detector learned from rows that are all usual."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from terminal import call

from isthmus import OutlierDetector, detect, fit_detector
from reports import member

USUAL, NEW, CHANGED = 1500, 600, 120
"""Rows that are learned from, rows that are judged, and of these the first, whose cell is changed."""
STEPS = 60
"""Of training, where a function is called: what is tested here does not depend on the members."""


def write(path: str, column: str, cells: Sequence[object], seed: int) -> Path:
    """A table of three columns that vary and one that is given."""
    random = np.random.default_rng(seed)
    age, amount = random.normal(40, 15, len(cells)), random.gamma(1, 900, len(cells))
    day = random.integers(1, 32, len(cells))
    with open(path, "w", newline="") as file:
        rows = zip(age.astype(int), amount.round(2), day, cells, strict=True)
        csv.writer(file).writerows([["age", "amount", "day", column], *rows])
    return Path(path)


def read(path: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def auroc(scores: np.ndarray) -> float:
    """How well scores tell the changed rows, which are the first, from the others."""
    return float(roc_auc_score(np.arange(len(scores)) < CHANGED, scores))


def changed(usual: object, other: Callable[[int], object]) -> list[object]:
    """A column in which the first cells are another value than usual."""
    return [other(row) if row < CHANGED else usual for row in range(NEW)]


def require_found(column: str, usual: object, other: Callable[[int], object], reason: str) -> None:
    """A column that was always the same: other cells are found, and the reason says so."""
    model = fit_detector(write("usual.csv", column, [usual] * USUAL, 1), mode="novelty", steps=STEPS)
    found = detect(write("new.csv", column, changed(usual, other), 2), model.detector)
    assert auroc(found.scores) >= 0.99, auroc(found.scores)
    assert found.is_anomaly[:CHANGED].mean() >= 0.9
    assert found.is_anomaly[CHANGED:].mean() <= 0.03
    sentence = found.oddest[0][2]
    assert reason in sentence, sentence


@member("K40", everyday=True)
def a_number_that_was_always_the_same_is_seen_and_named(folder: Path) -> None:
    random = np.random.default_rng(3)
    write("usual.csv", "retries", [-1] * USUAL, 1)
    write("new.csv", "retries", changed(-1, lambda row: random.integers(100, 400)), 2)
    fitted = call("fit", "usual.csv", "-o", "usual.ism", "--mode", "novelty", "--budget", "1s")
    assert fitted.exit_code == 0, fitted.output
    found = call("detect", "new.csv", "-m", "usual.ism", "-o", "scores.csv")
    assert found.exit_code == 0, found.output
    rows = read("scores.csv")
    scores = np.zeros(NEW)
    scores[[int(row["row"]) for row in rows]] = [float(row["anomaly_score"]) for row in rows]
    assert auroc(scores) >= 0.99
    seen = read("new.csv")[int(rows[0]["row"])]["retries"]
    assert f"retries {seen} (always -1 in training)" in rows[0]["reason"]


@member("K40")
def a_word_that_was_always_the_same_is_seen(folder: Path) -> None:
    require_found("state", "ok", lambda row: "failed", "state failed (always ok in training)")


@member("K40")
def a_flag_that_was_always_the_same_is_seen(folder: Path) -> None:
    require_found("armed", "true", lambda row: "false", "armed false (always true in training)")


@member("K40")
def a_flag_of_zero_that_becomes_one_is_seen(folder: Path) -> None:
    require_found("fault", 0, lambda row: 1, "fault 1 (always 0 in training)")


@member("K40")
def a_date_that_was_always_the_same_is_seen(folder: Path) -> None:
    require_found("batch", "2024-05-01", lambda row: f"2024-05-{2 + row % 20:02}", "(always 2024-05-01 in")


@member("K40")
def a_cell_that_was_never_missing_is_seen(folder: Path) -> None:
    require_found("gate", 7.5, lambda row: "", "gate missing (never missing in training)")


@member("K40")
def a_cell_that_was_always_missing_is_seen(folder: Path) -> None:
    require_found("error", "", lambda row: "E17", "error E17 (always missing in training)")


@member("K40")
def a_text_among_numbers_is_seen(folder: Path) -> None:
    require_found("count", 3, lambda row: "three", "count three (expected a number)")


@member("K40")
def a_word_beyond_the_few_there_were_is_seen(folder: Path) -> None:
    usual = [("red", "green")[row % 2] for row in range(USUAL)]
    model = fit_detector(write("usual.csv", "lamp", usual, 1), mode="novelty", steps=STEPS)
    cells = changed("red", lambda row: "blue")
    found = detect(write("new.csv", "lamp", cells, 2), model.detector)
    assert auroc(found.scores) >= 0.99
    assert "lamp blue (only green or red in training)" in found.oddest[0][2]


@member("K40")
def a_number_between_the_few_there_were_is_seen(folder: Path) -> None:
    usual = [(0, 100)[row % 2] for row in range(USUAL)]
    model = fit_detector(write("usual.csv", "valve", usual, 1), mode="novelty", steps=STEPS)
    found = detect(write("new.csv", "valve", changed(100, lambda row: 50), 2), model.detector)
    assert auroc(found.scores) >= 0.99


@member("K40")
def a_last_digit_that_changes_is_no_alarm(folder: Path) -> None:
    usual = np.random.default_rng(1).normal(size=(USUAL, 4))
    usual[:, 2] = 0.25
    detector = OutlierDetector(mode="novelty", steps=STEPS).fit(usual)
    new = np.random.default_rng(2).normal(size=(NEW, 4))
    new[:, 2] = 0.25
    before = detector.score_samples(new)
    new[:CHANGED, 2] += 1e-9
    assert np.allclose(before, detector.score_samples(new))
    new[:CHANGED, 2] = 0.5
    assert auroc(-detector.score_samples(new)) >= 0.99
    assert -detector.score_samples(new).min() < 100


@member("K40")
def a_new_name_where_every_name_is_new_is_nothing_special(folder: Path) -> None:
    names = [f"{number:06x}" for number in np.random.default_rng(4).integers(16**6, size=USUAL + NEW)]
    model = fit_detector(write("usual.csv", "name", names[:USUAL], 1), mode="novelty", steps=STEPS)
    found = detect(write("new.csv", "name", names[USUAL:], 2), model.detector)
    assert found.is_anomaly.mean() <= 0.05


@member("K40")
def a_new_value_stands_out_among_many_columns_in_a_matrix(folder: Path) -> None:
    random = np.random.default_rng(1)
    usual, new = random.normal(size=(USUAL, 60)), random.normal(size=(NEW, 60))
    usual[:, 30:] = new[:, 30:] = 1.0
    new[:CHANGED, 40] = 4.0
    detector = OutlierDetector(mode="novelty", steps=STEPS).fit(usual)
    assert auroc(-detector.score_samples(new)) >= 0.99
    [first, *_] = detector.explain(new, [5])[0]
    assert first.sentence() == "column_40 4.0 (always 1 in training)"


@member("K40")
def a_table_that_is_always_the_same_has_moderate_scores(folder: Path) -> None:
    detector = OutlierDetector(mode="novelty", steps=STEPS).fit(np.ones((200, 3)))
    scores = -detector.score_samples(np.array([[1.0, 1, 1], [1, 1, 2], [1, 1 + 1e-9, 1]]))
    assert scores[1] > scores[0] == scores[2]
    assert scores[1] < 1000


@member("K40")
def one_row_that_differs_in_a_column_is_seen_where_odd_rows_may_hide(folder: Path) -> None:
    cells: list[object] = [-1] * USUAL
    cells[77] = 250
    found = detect(write("mixed.csv", "retries", cells, 1), mode="contaminated")
    assert found.scores.argmax() == 77
    again = detect(write("new.csv", "retries", changed(-1, lambda row: 990), 2), found.detector)
    assert auroc(again.scores) >= 0.99


@member("K40")
def a_parquet_file_and_a_frame_tell_the_same(folder: Path) -> None:
    import pandas as pd

    write("usual.csv", "state", ["ok"] * USUAL, 1)
    write("new.csv", "state", changed("ok", lambda row: "failed"), 2)
    usual, new = pd.read_csv("usual.csv"), pd.read_csv("new.csv")
    usual["none"], new["none"] = None, [1.5 if row < CHANGED else None for row in range(NEW)]
    usual.to_parquet("usual.parquet")
    model = fit_detector("usual.parquet", mode="novelty", steps=STEPS)
    found = detect(new, model.detector)
    assert auroc(found.scores) >= 0.99
    assert "state failed (always ok in training)" in found.oddest[0][2]
    assert "none 1.5 (always missing in training)" in found.oddest[0][2]
