"""Intrusions without labels: NSL-KDD, what is usual learned from normal connections alone.

80 % of the training file's normal rows are learned from; the other 20 % measure how often a usual row is
reported where 1 % is asked for. The last two columns, label and difficulty, are never looked at.

    make bench NAME=intrusion
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
from adbench import peers, scaled
from common import data_root, machine, publish

from isthmus.data.tables import Table, open_table
from isthmus.data.tables.features import TableFeatures
from isthmus.training.detecting import train_detector

FEATURES = 41
ASKED = 0.01


def connections(name: str) -> tuple[Table, np.ndarray]:
    """The 41 features, and whether a connection is an attack."""
    table = open_table(data_root() / "nsl-kdd" / name).whole()
    label = table.columns[FEATURES]
    attack = label.labels[label.codes] != "normal"
    return Table(table.columns[:FEATURES]), attack


def measure(seed: int) -> dict[str, Any]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    train, attack = connections("KDDTrain+_20Percent.txt")
    test, attacks = connections("KDDTest+.txt")
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(~attack))
    cut = int(0.8 * len(normal))
    learned, held = train.take(np.sort(normal[:cut])), train.take(np.sort(normal[cut:]))
    started = time.perf_counter()
    detector = train_detector(learned, "novelty", seed=seed)
    fit_s = time.perf_counter() - started
    scores = detector.scores(test)
    seconds = time.perf_counter() - started - fit_s
    p_held, p_test = detector.p_values(detector.scores(held)), detector.p_values(scores)
    figures: dict[str, Any] = {
        "auroc": round(float(roc_auc_score(attacks, scores)), 4),
        "ap": round(float(average_precision_score(attacks, scores)), 4),
        "false_alarms_asked": ASKED,
        "false_alarms_held_out": round(float((p_held <= ASKED).mean()), 4),
        "false_alarms_test_normal": round(float((p_test[~attacks] <= ASKED).mean()), 4),
        "attacks_found": round(float((p_test[attacks] <= ASKED).mean()), 4),
        "fit_s": round(fit_s, 2),
        "score_s": round(seconds, 2),
    }
    features = TableFeatures.learn(learned)
    some, rest = (features.matrix(one).astype(np.float64) for one in (learned, test))
    for name, of in peers().items():
        if "scaled" not in name and name != "MCD":
            scored = np.nan_to_num(scaled(of)(some, rest, seed))
            figures[name] = round(float(roc_auc_score(attacks, scored)), 4)
    return figures


def main() -> None:
    warnings.filterwarnings("ignore")
    before = machine()
    runs = [measure(seed) for seed in range(3)]
    means = {name: round(float(np.mean([run[name] for run in runs])), 4) for name in runs[0]}
    print(means)
    publish("intrusion", means | {"seeds": len(runs), "runs": runs}, machine_then=before)


if __name__ == "__main__":
    main()
