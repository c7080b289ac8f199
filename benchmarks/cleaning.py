"""Wrong cells without labels: hospital and flights, against their clean versions, cell by cell.

A cell is wrong where dirty and clean differ. Found: called wrong. Repaired: what is put there is right.
Missing cells count. The baselines: a column's own rules (words that come once or twice, numbers beyond three
deviations, texts among numbers, missing cells), and the same in the rows that IsolationForest finds odd.

    make bench NAME=cleaning
"""

from __future__ import annotations

import csv
import time
from typing import Any

import numpy as np
from common import data_root, machine, publish

from isthmus.data.tables import Table, open_table
from isthmus.data.tables.features import TableFeatures
from isthmus.tasks.clean import clean

SETS = ("hospital", "flights")
SOUND = (
    "tabular-small/penguins.csv",
    "tabular-small/diamonds.csv",
    "tabular-small/titanic.csv",
    "adult/adult-test.csv",
)
"""Tables in which nobody knows of wrong cells: what is called wrong there is most likely right."""
Cell = tuple[int, int]


def cells_of(name: str, version: str) -> list[list[str]]:
    path = data_root() / "dirty-clean" / name / f"{version}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [[cell.strip() for cell in row] for row in list(csv.reader(file))[1:]]


def scored(found: set[Cell], wrong: set[Cell], right: set[Cell]) -> dict[str, float]:
    """Precision, recall and F1 of finding, and of repairing."""

    def three(what: str, hits: int) -> dict[str, float]:
        precision, recall = hits / max(1, len(found)), hits / max(1, len(wrong))
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        told = {"precision": precision, "recall": recall, "f1": f1}
        return {f"{what}_{name}": round(value, 4) for name, value in told.items()}

    return three("detection", len(found & wrong)) | three("repair", len(right & wrong))


def rules(table: Table) -> set[Cell]:
    """Cells that a rule of their own column calls wrong."""
    found: set[Cell] = set()
    for place, cells in enumerate(table.columns):
        odd = cells.missing.copy()
        odd[list(cells.strays)] = True
        if cells.numbers is not None:
            finite = cells.numbers[~np.isnan(cells.numbers)]
            odd |= np.abs(cells.numbers - finite.mean()) > 3 * finite.std()
        elif cells.codes is not None:
            counts = np.append(np.bincount(cells.codes[cells.codes >= 0], minlength=len(cells.labels)), 0)
            odd |= (counts[cells.codes] <= 2) & (counts[cells.codes] > 0)
        found |= {(int(row), place) for row in np.flatnonzero(odd)}
    return found


def odd_rows(table: Table) -> set[int]:
    """Rows that IsolationForest finds odd, a tenth of them."""
    from pyod.models.iforest import IForest

    labels = IForest(random_state=0).fit(TableFeatures.learn(table).matrix(table)).labels_
    return set(np.flatnonzero(labels).tolist())


def measure(name: str) -> dict[str, Any]:
    dirty, truth = cells_of(name, "dirty"), cells_of(name, "clean")
    source = open_table(data_root() / "dirty-clean" / name / "dirty.csv")
    wrong = {(i, j) for i, row in enumerate(dirty) for j, cell in enumerate(row) if cell != truth[i][j]}
    started = time.perf_counter()
    result = clean(source)
    seconds = time.perf_counter() - started
    places = {column: place for place, column in enumerate(source.schema.names)}
    put = {(issue.row, places[issue.column]): issue.new for issue in result.issues}
    right = {(i, j) for (i, j), new in put.items() if new == truth[i][j]}
    by_rules, odd = rules(source.whole()), odd_rows(source.whole())
    return {
        "cells": len(dirty) * len(dirty[0]),
        "wrong": len(wrong),
        "isthmus": scored(set(put), wrong, right),
        "rules": scored(by_rules, wrong, set()),
        "rules_in_odd_rows": scored({cell for cell in by_rules if cell[0] in odd}, wrong, set()),
        "seconds": round(seconds, 2),
    }


def doubted(name: str) -> str:
    """How many cells that are there are called wrong, of how many."""
    source = open_table(data_root() / name)
    issues = [issue for issue in clean(source).issues if issue.old is not None]
    table = source.whole()
    return f"{len(issues):,} of {len(table) * len(table.columns):,}"


def main() -> None:
    before = machine()
    figures = {name: measure(name) for name in SETS}
    figures["called wrong in sound tables"] = {name: doubted(name) for name in SOUND}
    for name, told in figures.items():
        print(name, told)
    publish("cleaning", figures, machine_then=before)


if __name__ == "__main__":
    main()
