"""Choose the defaults of detection on some sets and measure them on others.

Candidates differ in which views there are, how many of them count, and what new values add. A candidate is
eligible where it is not worse than the former default by more than TOLERANCE on any collection, NSL-KDD being
one; of these, the one of the highest mean AUROC is chosen. For the left-out figures, four fifths of the sets
choose and the last fifth is measured, in turn, five times over; NSL-KDD always helps to choose.

    make bench NAME=detection-defaults
    make bench NAME=detection-defaults ARGS="--cache FOLDER"  # keeps each set's scores, to go on later
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from common import machine, publish
from common_detection import LabelledSet, adbench_sets, auroc, isolation_forest, nearest, oddbench_sets
from intrusion import connections

from isthmus.data.tables import Table
from isthmus.model.detector import Detector
from isthmus.scoring.nearest_views import LinearNearest, MembersNearest, NormalNearest, PlainNearest
from isthmus.scoring.new_values import AMOUNT_BITS, NewValues
from isthmus.scoring.spread_views import FullSpread, Tails
from isthmus.scoring.usual import Usual
from isthmus.scoring.view import View
from isthmus.scoring.views import VIEWS, together
from isthmus.training.detecting import train_detector

TRAIN, TEST = 1000, 2000
"""Rows that a set is sampled to."""
WIDEST = 500
"""Columns of a set where odd rows hide; robust covariances of more take minutes."""
TOLERANCE = 0.002
FOLDS, REPEATS = 5, 5
FORMER = {"novelty": "former, 3, none", "contaminated": "former, 3, none"}


class MembersOne(MembersNearest):
    """By the nearest row alone."""

    name, neighbours = "members of 1", 1


class LinearOne(LinearNearest):
    """By the nearest row alone."""

    name, neighbours = "linear of 1", 1


class PlainOne(PlainNearest):
    """By the nearest row alone."""

    name, neighbours = "plain of 1", 1


POOL: Mapping[str, tuple[type[View], ...]] = {
    "novelty": (MembersOne, LinearOne, PlainOne, MembersNearest, LinearNearest, PlainNearest, NormalNearest,
                FullSpread, Tails),
    "contaminated": VIEWS["contaminated"],
}  # fmt: skip
PANELS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "novelty": {
        "former": ("members of 1", "linear of 1", "plain of 1", "full", "tails"),
        "five nearest": ("members", "linear", "plain", "full", "tails"),
        "with normal": ("members", "linear", "plain", "normal", "full", "tails"),
        "normal for linear": ("members", "plain", "normal", "full", "tails"),
        "normal for full": ("members", "linear", "plain", "normal", "tails"),
        "nearest alone": ("members", "linear", "plain", "normal"),
    },
    "contaminated": {
        "former": ("members", "linear", "apart", "tails", "neighbours", "near"),
        "with far": ("members", "linear", "apart", "tails", "neighbours", "near", "far"),
        "far for near": ("members", "linear", "apart", "tails", "neighbours", "far"),
        "far for neighbours": ("members", "linear", "apart", "tails", "near", "far"),
        "no neighbours": ("members", "linear", "apart", "tails"),
        "with far and forest": ("members", "linear", "apart", "tails", "neighbours", "near", "far", "forest"),
    },
}
COUNTED = (1, 2, 3, 4)
NEW: Mapping[str, tuple[str, ...]] = {
    "novelty": ("none", "codes", "amounts damped", "amounts"),
    "contaminated": ("none",),
}
"""What new values add: of codes alone; of amounts too, damped as shipped or by their probability."""


@dataclass(frozen=True)
class Scored:
    """A set's scores by every candidate, as AUROCs."""

    collection: str
    figures: Mapping[str, float]


def sets(mode: str) -> Iterator[LabelledSet]:
    """Those that choose and are left out in turn."""
    for one in (*oddbench_sets(), *adbench_sets()):
        some = one if mode == "novelty" else one.mixed()
        if mode == "novelty":
            yield some.fewer(TRAIN, TEST, 0)
        elif one.train.shape[1] <= WIDEST:
            kept = some.fewer(1, TEST, 0)
            yield LabelledSet(one.name, one.collection, kept.test, kept.test, kept.labels)


def views_of(detector: Detector, table: Table, mode: str, seed_rows: np.ndarray) -> dict[str, np.ndarray]:
    """Each view's z-scores of the rows of a table."""
    known = detector.rows(detector.kept)
    folds, members = detector.members.folds, len(detector.members)
    fold = np.arange(len(detector.kept)) % folds
    unknown = None if folds == 1 else fold[None] == (np.arange(members) % folds)[:, None]
    rows, found = detector.rows(detector.features.matrix(table)), {}
    for view in POOL[mode]:
        learned = view.learn(known)
        usual = Usual.of(learned.distance(known, among=True, unknown=unknown))
        name = "full" if view is FullSpread else view.name
        found[name] = usual.away(learned.distance(rows))
    if mode == "contaminated":
        forest = isolation_forest(seed_rows, seed_rows, 0)
        found["forest"] = Usual.of(forest * 10).away(forest * 10)  # its spread is near Usual's least
    return found


def candidates(detector: Detector, table: Table, mode: str, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Every candidate's scores: "panel, counted, new values"."""
    away, found = views_of(detector, table, mode, rows), {}
    new = NewValues.of(detector.kept_novelty, hidden=mode == "contaminated")
    bits = detector.features.novelty(table).sum(axis=2)
    added = {
        "none": (0.0, 0.0, AMOUNT_BITS),
        "codes": (1.0, 0.0, AMOUNT_BITS),
        "amounts damped": (1.0, 1.0, AMOUNT_BITS),
        "amounts": (1.0, 1.0, 0.72),
    }
    for (panel, names), counted in product(PANELS[mode].items(), COUNTED):
        score = together([away[name] for name in names], counted)
        for how in NEW[mode]:
            codes, amounts, unit = added[how]
            kept = bits * np.array([[codes], [amounts]])
            found[f"{panel}, {counted}, {how}"] = new.added_to(score, kept, amount_bits=unit)
    return found


def scored(one: LabelledSet, mode: str, cache: Path) -> Scored:
    """Every candidate's AUROC of a set, and kNN's."""
    path = cache / f"{mode}-{one.collection}-{one.name}.npz"
    if not path.exists():
        detector = train_detector(Table.of_array(one.train), mode)
        scores = candidates(detector, Table.of_array(one.test), mode, one.test)
        scores["kNN, k = 5, standardised"] = nearest(5)(one.train, one.test, 0)
        np.savez(path, **{name: auroc(one.labels, values) for name, values in scores.items()})
    with np.load(path) as file:
        return Scored(one.collection, {name: float(file[name]) for name in file.files})


def intrusions(cache: Path) -> Scored:
    """NSL-KDD's, of columns of words too."""
    path = cache / "novelty-nsl-kdd.npz"
    if not path.exists():
        train, attack = connections("KDDTrain+_20Percent.txt")
        test, attacks = connections("KDDTest+.txt")
        random = np.random.default_rng(0)
        learned = train.take(np.sort(random.permutation(np.flatnonzero(~attack))[: 5 * TRAIN]))
        some = np.sort(random.permutation(len(test))[: 5 * TEST])
        found = candidates(train_detector(learned, "novelty"), test.take(some), "novelty", np.zeros((0, 0)))
        labels = attacks[some].astype(int)
        np.savez(path, **{name: auroc(labels, values) for name, values in found.items()})
    with np.load(path) as file:
        return Scored("nsl-kdd", {name: float(file[name]) for name in file.files})


def means(some: list[Scored], name: str) -> dict[str, float]:
    """A candidate's mean AUROC of each collection."""
    kinds = sorted({one.collection for one in some})
    return {
        kind: float(np.mean([one.figures[name] for one in some if one.collection == kind])) for kind in kinds
    }


def chosen(some: list[Scored], mode: str) -> str:
    """The eligible candidate of the highest mean AUROC."""
    former = means(some, FORMER[mode])

    def eligible(name: str) -> bool:
        return all(of >= former[kind] - TOLERANCE for kind, of in means(some, name).items())

    names = [name for name in some[0].figures if not name.startswith("kNN") and eligible(name)]
    judging = [one for one in some if one.collection != "nsl-kdd"]
    return max(names, key=lambda name: float(np.mean([one.figures[name] for one in judging])))


def left_out(all_: list[Scored], always: list[Scored], mode: str) -> tuple[dict[str, float], dict[str, int]]:
    """Mean AUROCs of sets that did not choose, and how often what was chosen."""
    figures: list[dict[str, float]] = []
    counts: dict[str, int] = {}
    for repeat in range(REPEATS):
        fold = np.random.default_rng(repeat).permutation(len(all_)) % FOLDS
        measured = []
        for part in range(FOLDS):
            inner = [one for one, at in zip(all_, fold, strict=True) if at != part]
            name = chosen([*inner, *always], mode)
            counts[name] = counts.get(name, 0) + 1
            measured += [
                Scored(one.collection, {"chosen": one.figures[name]})
                for one, at in zip(all_, fold, strict=True)
                if at == part
            ]
        figures.append(means(measured, "chosen"))
    return {kind: float(np.mean([one[kind] for one in figures])) for kind in figures[0]}, counts


def report(all_: list[Scored], always: list[Scored], mode: str) -> dict[str, Any]:
    """Fitted figures beside left-out ones, all candidates, and what was chosen."""
    best = chosen([*all_, *always], mode)
    outer, counts = left_out(all_, always, mode)
    knn = means(all_, "kNN, k = 5, standardised") if mode == "novelty" else {}
    names = [name for name in all_[0].figures if not name.startswith("kNN")]
    rounded = {name: _rounded(means([*all_, *always], name)) for name in names}
    return {
        "sets": {kind: sum(one.collection == kind for one in all_) for kind in means(all_, best)},
        "chosen": best,
        "fitted": rounded[best],
        "left_out": _rounded(outer),
        "former": rounded[FORMER[mode]],
        "knn_5_standardised": _rounded(knn),
        "chosen_in_folds": dict(sorted(counts.items(), key=lambda pair: -pair[1])),
        "candidates": rounded,
    }


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, help="a folder for each set's figures")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")  # of scikit-learn's
    before, figures = machine(), {}
    with tempfile.TemporaryDirectory() as folder:
        cache = asked.cache or Path(folder)
        for mode in PANELS:
            found = []
            for one in sets(mode):
                found.append(scored(one, mode, cache))
                print(mode, one.name, found[-1].figures[FORMER[mode]], flush=True)
            figures[mode] = report(found, [intrusions(cache)] if mode == "novelty" else [], mode)
            print({name: of for name, of in figures[mode].items() if name != "candidates"}, flush=True)
    publish("detection-defaults", figures, machine_then=before)


if __name__ == "__main__":
    main()
