"""Anomalous rows where all rows learned from are usual: 100 sets of OddBench and OvRBench; constant columns.

Sets of more than 10,000 rows to learn from are sampled. Everybody has the same settings for every set.
Left-out figures are those of detection_defaults.py, which chooses on other sets than those it reports.

    make bench NAME=oddbench
    make bench NAME=oddbench ARGS="--most 1000"  # fewer rows; prints, publishes nothing
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from common import machine, publish, published
from common_detection import Scores, auroc, isolation_forest, nearest, oddbench_sets

from isthmus.data.tables import Cells, Column, Table
from isthmus.training.detecting import train_detector


def ours(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    return train_detector(Table.of_array(train), "novelty", seed=seed).scores(Table.of_array(test))


METHODS: Mapping[str, Scores] = {
    "Isthmus": ours,
    "kNN, k = 5, standardised": nearest(5),
    "kNN, k = 1, standardised": nearest(1),
    "IsolationForest": isolation_forest,
}
"""PyOD's autoencoder is beside them in adbench.py."""


def measure(most: int) -> dict[str, dict[str, Any]]:
    from sklearn.metrics import average_precision_score

    rows: dict[str, dict[str, list[float]]] = {who: {} for who in METHODS}
    for one in oddbench_sets():
        some = one.fewer(most, len(one.test), 0)
        for who, of in METHODS.items():
            started = time.perf_counter()
            scores = np.nan_to_num(of(some.train, some.test, 0))
            seconds = time.perf_counter() - started
            ap = float(average_precision_score(some.labels, scores))
            rows[who][f"{one.collection}/{one.name}"] = [auroc(some.labels, scores), ap, seconds]
        print(
            one.name, {who: np.round(rows[who][f"{one.collection}/{one.name}"], 3).tolist() for who in rows}
        )
    return {who: summed(by) for who, by in rows.items()}


def summed(by: Mapping[str, list[float]]) -> dict[str, Any]:
    """Means over the sets, and each set's AUROC and average precision."""
    means = np.mean(list(by.values()), axis=0)
    return {
        "sets": len(by),
        "auroc": round(float(means[0]), 4),
        "ap": round(float(means[1]), 4),
        "median_s": round(float(np.median([row[2] for row in by.values()])), 2),
        "by_set": {name: np.round(row[:2], 4).tolist() for name, row in by.items()},
    }


def constant_columns() -> dict[str, float]:
    """AUROC of rows with another value in a column that was always the same, by kind of column."""
    number, word = Column(name="extra", kind="integer"), Column(name="extra", kind="category")
    random = np.random.default_rng(5)
    usual: Mapping[str, tuple[Column, Any, Any]] = {
        "numbers": (number, -1.0, lambda: float(random.integers(100, 400))),
        "words": (word, "ok", lambda: "failed"),
        "flags": (Column(name="extra", kind="boolean"), "true", lambda: "false"),
        "dates": (Column(name="extra", kind="date", format="%Y-%m-%d"), 1.7e9, lambda: 1.7e9 + 86400.0),
        "missing": (number, 3.0, lambda: np.nan),
        "always missing": (word, None, lambda: "E17"),
    }
    return {kind: round(_constant(*how), 4) for kind, how in usual.items()}


def _constant(column: Column, usual: Any, other: Any) -> float:
    """Rows of an age, an amount and a day beside the column; 400 of 2,000 new ones differ in it."""

    def table(seed: int, cells: list[Any]) -> Table:
        random = np.random.default_rng(seed)
        rest = np.stack([random.normal(40, 15, len(cells)).round(), random.gamma(1, 900, len(cells)).round(2),
                         random.integers(1, 32, len(cells))], axis=1)  # fmt: skip
        extra = (
            Cells(column, np.array(cells, np.float64)) if column.is_numeric else Cells.of_words(column, cells)
        )
        return Table((*Table.of_array(rest).columns, extra))

    detector = train_detector(table(1, [usual] * 4000), "novelty")
    cells = [other() if row < 400 else usual for row in range(2000)]
    return auroc(np.arange(2000) < 400, detector.scores(table(2, cells)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--most", type=int, default=10_000, help="rows to learn from")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")  # of scikit-learn's
    before = machine()
    constant = constant_columns()
    print("constant columns", constant)
    figures: dict[str, Any] = {"constant_columns_auroc": constant, "sets": measure(asked.most)}
    chosen = published("detection-defaults").get("novelty", {})
    figures["left_out"] = {key: of for key, of in chosen.items() if key != "candidates"}
    for who, of in figures["sets"].items():
        print(who, {name: value for name, value in of.items() if name != "by_set"})
    if asked.most == 10_000:
        publish("oddbench", figures, machine_then=before)


if __name__ == "__main__":
    main()
