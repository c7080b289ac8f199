"""Odd spans in series: NAB and UCR, by VUS-PR and AUC-PR, beside the strongest simple detectors.

Every file with at least one labelled window is judged without labels and without a model: what is usual is
learned from the series itself. Peers work on windows of one length, that of TSB-AD's rule (the highest peak
of the autocorrelation, else 125), and are what TSB-AD (commit 8763009) runs: IsolationForest, the distance
to the 10th neighbour, and Sub-PCA. The same length is VUS-PR's longest buffer.

Choices were made while looking at NAB's artificialWithAnomaly and every other file of realAWSCloudwatch; the
means of the others stand beside those of all (what was seen of them, and when: docs/decisions/0022).

    make bench NAME=series-detect
"""

from __future__ import annotations

import csv
import json
import math
import time
import warnings
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from common import data_root, machine, publish

from isthmus.scoring.volumes import vus_pr
from isthmus.tasks.series.detect import detect_series, fit_series_detector

UCR = "001_UCR_Anomaly_DISTORTED1sddb40_35000_52000_52620.txt"
BLEEDING = "135_UCR_Anomaly_InternalBleeding16_{}.csv"
NO_PERIOD = 125


class Labelled(NamedTuple):
    """A series whose odd rows are known."""

    values: np.ndarray
    odd: np.ndarray
    """int (rows,): 0 or 1."""
    usual: np.ndarray | None = None
    """Rows that are said to be all usual."""


def series() -> dict[str, Labelled]:
    """All files with a labelled window, by name."""
    nab = data_root() / "nab"
    windows = json.loads((nab / "labels" / "combined_windows.json").read_text())
    found = {name: labelled(name, spans) for name, spans in windows.items() if spans}
    ecg = np.loadtxt(data_root() / "ucr" / UCR)
    odd = np.zeros(len(ecg), int)
    odd[52000:52621] = 1
    found["ucr/001"] = Labelled(ecg, odd, ecg[:35000])
    train, test = (bleeding(part) for part in ("TRAIN", "TEST"))
    found["ucr/135"] = Labelled(test[:, 1], test[:, 2].astype(int), train[:, 1])
    return found


def bleeding(part: str) -> np.ndarray:
    return np.loadtxt(data_root() / "ucr" / BLEEDING.format(part), delimiter=",", skiprows=1)


def labelled(name: str, spans: list[list[str]]) -> Labelled:
    with (data_root() / "nab" / "data" / name).open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    stamps = np.array([datetime.fromisoformat(row[0]) for row in rows])
    odd = np.zeros(len(rows), int)
    for first, last in spans:
        odd |= (stamps >= datetime.fromisoformat(first)) & (stamps <= datetime.fromisoformat(last))
    return Labelled(np.array([float(row[1]) for row in rows]), odd)


def chosen_on(names: list[str]) -> set[str]:
    """The files that were looked at while choices were made."""
    return {name for name in names if "artificialWith" in name} | set(
        sorted(n for n in names if "AWS" in n)[::2]
    )


def window_of(values: np.ndarray) -> int:
    """TSB-AD's find_length: the lag of the highest peak of the autocorrelation."""
    from scipy.signal import argrelextrema

    values = values[:20000] - values[:20000].mean()
    power = np.abs(np.fft.rfft(values, 2 * len(values))) ** 2
    correlation = np.fft.irfft(power)[3:401]
    peaks = argrelextrema(correlation, np.greater)[0]
    if not len(peaks):
        return NO_PERIOD
    best = int(peaks[np.argmax(correlation[peaks])])
    return best + 3 if 3 <= best <= 300 else NO_PERIOD


def windows_of(values: np.ndarray, width: int) -> np.ndarray:
    """(windows, width), every column standardised, as TSB-AD does."""
    windows = np.lib.stride_tricks.sliding_window_view(values, width)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num((windows - windows.mean(axis=0)) / windows.std(axis=0))


def sub_pca(windows: np.ndarray) -> np.ndarray:
    """Distances to the ends of all components' unit vectors, each divided by its share of the variance.

    The components of least variance decide, and the distance to their ends is nearly the length of the
    standardised window: Sub-PCA asks how far a window is from the mean window.
    """
    from scipy.spatial.distance import cdist
    from sklearn.decomposition import PCA

    windows = windows[:, np.any(windows != 0, axis=0)]
    found = PCA(random_state=0).fit(windows)
    return (cdist(windows, found.components_) / found.explained_variance_ratio_).sum(axis=1)


def forest(windows: np.ndarray) -> np.ndarray:
    from sklearn.ensemble import IsolationForest

    return -IsolationForest(n_estimators=150, random_state=0).fit(windows).decision_function(windows)


def neighbours(windows: np.ndarray, neighbour: int = 10) -> np.ndarray:
    """The distance to the 10th other window; overlapping ones count, as in TSB-AD."""
    rows = windows.astype(np.float32)
    squares, found = np.square(rows).sum(axis=1), np.empty(len(rows))
    for start in range(0, len(rows), 1000):
        some = slice(start, min(start + 1000, len(rows)))
        squared = squares[some, None] + squares - 2 * rows[some] @ rows.T
        squared[np.arange(len(squared)), np.arange(some.start, some.stop)] = np.inf
        found[some] = np.partition(squared, neighbour - 1, axis=1)[:, neighbour - 1]
    return np.sqrt(np.maximum(found, 0))


PEERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Sub-PCA": sub_pca,
    "IsolationForest on windows": forest,
    "kNN on windows": neighbours,
}


def on_rows(scores: np.ndarray, width: int) -> np.ndarray:
    """Each window's score in its middle, as TSB-AD pads them."""
    return np.pad(scores, (math.ceil((width - 1) / 2), (width - 1) // 2), mode="edge")


def judged(one: Labelled) -> dict[str, Any]:
    """VUS-PR, AUC-PR and seconds, by detector."""
    from sklearn.metrics import average_precision_score

    width = window_of(one.values)
    found: dict[str, Any] = {"rows": len(one.values), "window": width}

    def note(name: str, work: Callable[[], np.ndarray]) -> None:
        started = time.perf_counter()
        scores = work()
        seconds = time.perf_counter() - started
        both = vus_pr(one.odd, scores, width), float(average_precision_score(one.odd, scores))
        found[name] = [round(both[0], 4), round(both[1], 4), round(seconds, 2)]

    note("isthmus", lambda: detect_series(one.values).scores)
    for name, of in PEERS.items():
        note(name, lambda of=of: on_rows(of(windows_of(one.values, width)), width))
    if one.usual is not None:
        usual = fit_series_detector(one.usual, mode="novelty").detector
        note("isthmus, from usual rows", lambda: detect_series(one.values, usual).scores)
    return found


def means(files: dict[str, dict[str, Any]], names: set[str]) -> dict[str, list[float]]:
    """Of VUS-PR and AUC-PR, by detector."""
    return {
        detector: np.mean([files[name][detector][:2] for name in sorted(names)], axis=0).round(4).tolist()
        for detector in ("isthmus", *PEERS)
    }


def main() -> None:
    warnings.filterwarnings("ignore")
    before = machine()
    files = {}
    for name, one in series().items():
        files[name] = judged(one)
        print(name, files[name], flush=True)
    names, seen = set(files), chosen_on(list(files))
    figures: dict[str, Any] = {
        "files": len(names),
        "all": means(files, names),
        "chosen on": means(files, seen),
        "the others": means(files, names - seen),
        "seconds": {
            each: round(sum(files[name][each][2] for name in names), 1) for each in ("isthmus", *PEERS)
        },
        "names chosen on": sorted(seen),
        "each": files,
    }
    publish("series-detect", figures, machine_then=before)


if __name__ == "__main__":
    main()
