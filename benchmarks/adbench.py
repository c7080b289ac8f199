"""Detecting odd rows without labels: the ADBench sets, beside PyOD's detectors in the same process.

Contaminated: fit on all rows, score all rows. Novelty: fit on a random half of the normal rows, score the
rest and all anomalies. Five seeds; sets of more than 10,000 rows are sampled by each. Everybody has shipped
defaults, the same for every set. Seconds are fit and score inside a running process. Left-out figures are
those of detection_defaults.py.

    make bench NAME=adbench
    make bench NAME=adbench ARGS="--seeds 1 --sets 40_vowels 29_Pima"  # prints, publishes nothing
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from common import data_root, machine, publish, published
from common_detection import Scores, adbench_rows, halved

from isthmus.data.tables import Table
from isthmus.training.detecting import train_detector

MOST_ROWS = 10_000


def ours(mode: str) -> Scores:
    def scores(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        return train_detector(Table.of_array(train), mode, seed=seed).scores(Table.of_array(test))

    return scores


def peer(make: Callable[[int], Any]) -> Scores:
    def scores(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        fitted = make(seed).fit(train)
        return fitted.decision_scores_ if test is train else fitted.decision_function(test)

    return scores


def scaled(of: Scores) -> Scores:
    """On columns of mean 0 and deviation 1."""

    def scores(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        middle, deviation = train.mean(axis=0), train.std(axis=0)
        deviation = np.where(deviation > 0, deviation, 1)
        trained = (train - middle) / deviation
        return of(trained, trained if test is train else (test - middle) / deviation, seed)

    return scores


def peers() -> dict[str, Scores]:
    from pyod.models.auto_encoder import AutoEncoder
    from pyod.models.ecod import ECOD
    from pyod.models.iforest import IForest
    from pyod.models.knn import KNN
    from pyod.models.mcd import MCD
    from pyod.models.pca import PCA

    plain: dict[str, Callable[[int], Any]] = {
        "IsolationForest": lambda seed: IForest(random_state=seed),
        "ECOD": lambda seed: ECOD(),
        "kNN, k = 5": lambda seed: KNN(n_neighbors=5),
        "kNN, k = 1": lambda seed: KNN(n_neighbors=1),
        "PCA": lambda seed: PCA(random_state=seed),
        "MCD": lambda seed: MCD(random_state=seed),
        "PyOD AutoEncoder": lambda seed: AutoEncoder(random_state=seed, verbose=0),
    }
    found = {name: peer(make) for name, make in plain.items()}
    return found | {f"{name}, scaled": scaled(found[name]) for name in ("kNN, k = 5", "kNN, k = 1")}


TOO_SLOW = {("MCD", "17_InternetAds")}
"""Robust covariances of 1,555 columns take it over an hour a seed."""


def judged(of: Scores, train: np.ndarray, test: np.ndarray, labels: np.ndarray, seed: int) -> list[float]:
    """AUROC, average precision, seconds."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    started = time.perf_counter()
    scores = np.nan_to_num(of(train, test, seed))
    seconds = time.perf_counter() - started
    return [float(roc_auc_score(labels, scores)), float(average_precision_score(labels, scores)), seconds]


def measure(names: list[str], seeds: int) -> dict[str, Any]:
    found: dict[str, dict[str, dict[str, list[list[float]]]]] = {"contaminated": {}, "novelty": {}}
    rivals = peers()
    for name in names:
        for seed in range(seeds):
            path = data_root() / "adbench" / f"{name}.npz"
            values, labels = adbench_rows(path, seed, MOST_ROWS)
            half = halved(name, values, labels, seed)
            learned = (half.train, half.test, half.labels)
            for mode, data in (("contaminated", (values, values, labels)), ("novelty", learned)):
                for who, of in {"Isthmus": ours(mode), **rivals}.items():
                    if (who, name) not in TOO_SLOW:
                        row = judged(of, *data, seed)
                        found[mode].setdefault(who, {}).setdefault(name, []).append(row)
        for mode, by in found.items():
            told = {who: np.mean(rows[name], axis=0).round(3) for who, rows in by.items() if name in rows}
            print(name, mode, {who: means.tolist() for who, means in told.items()}, flush=True)
    return {mode: {who: summed(rows) for who, rows in by.items()} for mode, by in found.items()}


def summed(rows: dict[str, list[list[float]]]) -> dict[str, Any]:
    """Means over the sets, the standard error of the seeds' means, and each set's AUROC."""
    all_ = np.array([rows[name] for name in rows])  # (set, seed, figure)
    by_seed = all_[:, :, :2].mean(axis=0)
    error = by_seed.std(axis=0, ddof=1) / len(by_seed) ** 0.5 if len(by_seed) > 1 else np.zeros(2)
    return {
        "sets": len(rows),
        "auroc": round(float(all_[..., 0].mean()), 4),
        "auroc_error": round(float(error[0]), 4),
        "ap": round(float(all_[..., 1].mean()), 4),
        "ap_error": round(float(error[1]), 4),
        "median_s": round(float(np.median(all_[..., 2].mean(axis=1))), 3),
        "auroc_by_set": {name: round(float(np.mean(rows[name], axis=0)[0]), 4) for name in rows},
    }


def left_out() -> dict[str, Any]:
    """Fitted and left-out AUROCs of ADBench by detection_defaults.py, where it has been run."""
    return {
        mode: {key: of[key].get("adbench") for key in ("former", "fitted", "left_out")}
        for mode, of in published("detection-defaults").items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", nargs="*", metavar="NAME")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")  # of PyOD's
    before = machine()
    names = sorted(path.stem for path in (data_root() / "adbench").glob("*.npz"))
    figures = measure([name for name in names if name in (asked.sets or names)], asked.seeds)
    for mode, by in figures.items():
        for who, told in by.items():
            print(mode, who, {key: value for key, value in told.items() if key != "auroc_by_set"})
    figures["left_out"] = left_out()
    print("left out", figures["left_out"])
    if asked.seeds == 5 and not asked.sets:
        publish("adbench", figures, machine_then=before)


if __name__ == "__main__":
    main()
