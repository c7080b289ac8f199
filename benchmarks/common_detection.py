"""What the benchmarks of detection share: sets with labels, detectors of others, and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import data_root

Scores = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""(rows to learn from, rows to score, seed) → scores, higher is more anomalous."""


@dataclass(frozen=True)
class LabelledSet:
    """Rows to learn from, rows to score, and which of these are anomalous."""

    name: str
    collection: str
    """"oddbench", "ovrbench" or "adbench"."""
    train: np.ndarray
    test: np.ndarray
    labels: np.ndarray

    def fewer(self, train: int, test: int, seed: int) -> LabelledSet:
        """At most so many rows, drawn at random; anomalous ones all stay if few of them would."""
        random = np.random.default_rng(seed)
        some = np.sort(random.choice(len(self.train), min(train, len(self.train)), replace=False))
        kept = np.sort(random.choice(len(self.test), min(test, len(self.test)), replace=False))
        if self.labels[kept].sum() < 3:
            kept = np.union1d(kept, np.flatnonzero(self.labels))
        return LabelledSet(self.name, self.collection, self.train[some], self.test[kept], self.labels[kept])

    def mixed(self) -> LabelledSet:
        """All rows to learn from and to score: anomalous ones hide among those that are learned from."""
        rows = np.concatenate([self.train, self.test])
        labels = np.concatenate([np.zeros(len(self.train), int), self.labels])
        return LabelledSet(self.name, self.collection, rows, rows, labels)


def oddbench_sets() -> Iterator[LabelledSet]:
    """OddBench's and OvRBench's; those that are learned from hold usual rows alone."""
    for path in sorted((data_root() / "oddbench").glob("*.npz")):
        with np.load(path, allow_pickle=True) as file:
            train, test = file["train"].astype(np.float64), file["test"].astype(np.float64)
            labels = file["test_labels"].astype(int)
        collection, _, name = path.stem.partition("__")
        yield LabelledSet(name, collection, train, test, labels)


def adbench_rows(path: Path, seed: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a set, sampled where there are more than `most`, and their labels."""
    with np.load(path) as file:
        values, labels = file["X"].astype(np.float64), file["y"].astype(int)
    if len(values) > most:
        some = np.sort(np.random.default_rng(seed).choice(len(values), most, replace=False))
        values, labels = values[some], labels[some]
    return values, labels


def adbench_sets(seed: int = 0, most: int = 10_000) -> Iterator[LabelledSet]:
    """ADBench's; a random half of the usual rows is learned from."""
    for path in sorted((data_root() / "adbench").glob("*.npz")):
        yield halved(path.stem, *adbench_rows(path, seed, most), seed)


def halved(name: str, values: np.ndarray, labels: np.ndarray, seed: int) -> LabelledSet:
    """Learned from is a random half of the normal rows, scored are all others."""
    normal = np.random.default_rng(1000 + seed).permutation(np.flatnonzero(labels == 0))
    half = len(normal) // 2
    rest = np.sort(np.concatenate([normal[half:], np.flatnonzero(labels)]))
    return LabelledSet(name, "adbench", values[np.sort(normal[:half])], values[rest], labels[rest])


def auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """The probability that an anomalous row scores higher than a usual one."""
    from scipy.stats import rankdata

    odd = int(labels.sum())
    ranks = rankdata(np.nan_to_num(scores))[labels == 1].sum()
    return float((ranks - odd * (odd + 1) / 2) / (odd * (len(labels) - odd)))


def nearest(neighbours: int) -> Scores:
    """The distance to the k-th nearest row on columns of mean 0 and deviation 1."""

    def scores(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        from sklearn.neighbors import NearestNeighbors

        middle, deviation = train.mean(axis=0), train.std(axis=0)
        deviation = np.where(deviation > 0, deviation, 1)
        found = NearestNeighbors(n_neighbors=min(neighbours, len(train))).fit((train - middle) / deviation)
        distances: np.ndarray = found.kneighbors((test - middle) / deviation)[0][:, -1]
        return distances

    return scores


def isolation_forest(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Scikit-learn's."""
    from sklearn.ensemble import IsolationForest

    found: np.ndarray = -IsolationForest(random_state=seed).fit(train).score_samples(test)
    return found
