"""Wrong cells without labels: how many are found, how many sound ones are harmed, what confidence is worth.

Found: hospital and flights against their clean versions; a cell is wrong where the two differ, and missing
cells count. The baselines: a column's own rules (words that come once or twice, numbers beyond three
deviations, texts among numbers, missing cells), and the same in the rows that IsolationForest isolates.
Harm: changes in tables in which nobody knows of wrong cells, five of them made up to be hard.
Confidence: of the changes at each confidence or above, how many are right. Thresholds and confidences were
chosen on CHOOSING and on no table of REPORTING; errors are put in where a table has none.

    make bench NAME=cleaning
"""

from __future__ import annotations

import csv
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import data_root, machine, publish
from common_sound_tables import SOUND
from common_spoiling import spoiled

from isthmus.data.tables import Table, open_table
from isthmus.data.tables.features import TableFeatures
from isthmus.data.tables.schema import MISSING
from isthmus.tasks.clean import CONFIDENCE, CleanResult, clean_table

SETS = {"hospital": 1, "flights": 2}
"""Where truth is known, and the column by which they are parted in two: providers, flights stay together."""
FILES = {
    "penguins": "tabular-small/penguins.csv",
    "diamonds": "tabular-small/diamonds.csv",
    "titanic": "tabular-small/titanic.csv",
    "adult-test": "adult/adult-test.csv",
}
CHOOSING = ("penguins", "diamonds", "titles", "places")
REPORTING = ("titanic", "adult-test", "names", "styles", "publications")
MOST_ROWS = 6000
"""Of a table that errors are put into."""
SHARES = (0.005, 0.03)
"""Of the cells that get an error."""
LEVELS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98)
PLOT = Path(__file__).parents[1] / "docs" / "cleaning-confidence.svg"

Cell = tuple[int, int]
Rows = list[list[str]]
Change = tuple[float, bool]
"""Its confidence, and whether it is right."""


def rows_of(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return [[cell.strip() for cell in row] for row in csv.reader(file)]


def truth_of(name: str, version: str) -> Rows:
    return rows_of(data_root() / "dirty-clean" / name / f"{version}.csv")


def sound(name: str) -> Rows:
    if name in SOUND:
        return SOUND[name]()
    rows = rows_of(data_root() / FILES[name])
    if name == "adult-test":  # it has no header
        return [[f"column_{place}" for place in range(len(rows[0]))], *rows]
    return rows


def cleaned(rows: Rows) -> CleanResult:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return clean_table(path, header=True)


def scored(found: set[Cell], wrong: set[Cell], right: set[Cell]) -> dict[str, float]:
    """Precision, recall and F1 of finding, and of repairing."""

    def three(what: str, hits: int) -> dict[str, float]:
        precision, recall = hits / max(1, len(found)), hits / max(1, len(wrong))
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        figures = {"precision": precision, "recall": recall, "f1": f1}
        return {f"{what}_{name}": round(value, 4) for name, value in figures.items()}

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


def isolated_rows(table: Table) -> set[int]:
    """The tenth of the rows that IsolationForest finds most anomalous."""
    from sklearn.ensemble import IsolationForest

    matrix = TableFeatures.learn(table).matrix(table)
    labels = IsolationForest(contamination=0.1, random_state=0).fit_predict(matrix)
    return set(np.flatnonzero(labels == -1).tolist())


def found(name: str) -> dict[str, Any]:
    dirty, truth = truth_of(name, "dirty")[1:], truth_of(name, "clean")[1:]
    source = open_table(data_root() / "dirty-clean" / name / "dirty.csv")
    wrong = {(i, j) for i, row in enumerate(dirty) for j, cell in enumerate(row) if cell != truth[i][j]}
    started = time.perf_counter()
    result = clean_table(source)
    seconds = time.perf_counter() - started
    places = {column: place for place, column in enumerate(source.schema.names)}
    put = {(issue.row, places[issue.column]): issue.new for issue in result.issues}
    right = {(i, j) for (i, j), new in put.items() if new == truth[i][j]}
    changes = [(issue.row, places[issue.column], issue.new) for issue in result.changes]
    by_rules, isolated = rules(source.whole()), isolated_rows(source.whole())
    return {
        "cells": len(dirty) * len(dirty[0]),
        "wrong": len(wrong),
        "isthmus": scored(set(put), wrong, right),
        "changed": len(changes),
        "changed_rightly": sum(new == truth[i][j] for i, j, new in changes),
        "rules": scored(by_rules, wrong, set()),
        "rules_in_isolated_rows": scored({cell for cell in by_rules if cell[0] in isolated}, wrong, set()),
        "seconds": round(seconds, 2),
    }


def harm(name: str) -> dict[str, Any]:
    """Changes in a sound table, missing cells that are filled among them."""
    rows = sound(name)
    result, cells = cleaned(rows), (len(rows) - 1) * len(rows[0])
    return {
        "cells": cells,
        "changed": result.changed,
        "changed_in_10000": round(1e4 * result.changed / cells, 3),
        "suggested": result.suggested,
    }


def pairs(part: str) -> Iterator[tuple[str, Rows, Rows]]:
    """Name, dirty rows and what is true, of all tables of a part."""
    for name, key in SETS.items():
        dirty, truth = truth_of(name, "dirty"), truth_of(name, "clean")
        kept = [
            i
            for i, row in enumerate(truth)
            if i and (zlib.crc32(row[key].encode()) % 2 == 0) == (part == "choosing")
        ]
        yield name, [dirty[0], *(dirty[i] for i in kept)], [truth[0], *(truth[i] for i in kept)]
    for name in CHOOSING if part == "choosing" else REPORTING:
        rows = sound(name)[: MOST_ROWS + 1]
        for share in SHARES:
            yield f"{name}, {share:.1%} wrong", spoiled(rows, share, seed=len(name) + int(1000 * share)), rows


def changes_of(dirty: Rows, truth: Rows) -> list[Change]:
    """All that are proposed, but for cells that the truth leaves empty: what belongs there, nobody knows."""
    result, places = cleaned(dirty), {name: place for place, name in enumerate(dirty[0])}
    made = []
    for issue in result.issues:
        true = truth[issue.row + 1][places[issue.column]]
        if issue.new is not None and not (issue.old is None and true in MISSING):
            made.append((issue.confidence, issue.new == true))
    return made


def curve(changes: list[Change]) -> dict[str, list[float]]:
    """Of the changes at a confidence or above: how many there are, and the share that is right."""
    at = [[right for confidence, right in changes if confidence >= level] for level in LEVELS]
    some = [(level, rights) for level, rights in zip(LEVELS, at, strict=True) if rights]
    return {
        "confidence": [level for level, _ in some],
        "changes": [len(rights) for _, rights in some],
        "right": [round(sum(rights) / len(rights), 4) for _, rights in some],
    }


def confidence(part: str) -> dict[str, Any]:
    by_table = {name: changes_of(dirty, truth) for name, dirty, truth in pairs(part)}
    sure = {name: [right for level, right in made if level >= CONFIDENCE] for name, made in by_table.items()}
    return {
        "all": curve([change for made in by_table.values() for change in made]),
        "hospital": curve(by_table["hospital"]),
        "flights": curve(by_table["flights"]),
        f"at {CONFIDENCE:g}: right of changed": {
            name: f"{sum(rights)} of {len(rights)}" for name, rights in sure.items()
        },
    }


def plot(curves: dict[str, dict[str, Any]]) -> None:
    """What confidence is worth, on the tables that nothing was chosen on and on the others."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "isthmus", "font.size": 9}):
        figure = Figure(figsize=(5.2, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.plot([0.2, 1], [0.15, 0.95], color="0.6", lw=1, ls="--", label="promised: confidence − 0.05")
        looks = {"choosing": ("0.5", "s", "all, choosing"), "reporting": ("#0b6", "o", "all, reporting")}
        for part, (colour, mark, label) in looks.items():
            line = curves[part]["all"]
            axes.plot(line["confidence"], line["right"], color=colour, marker=mark, ms=4, label=label)
        for name, colour in (("hospital", "#37b"), ("flights", "#c52")):
            line = curves["reporting"][name]
            axes.plot(
                line["confidence"], line["right"], color=colour, lw=1, marker=".", label=f"{name}, reporting"
            )
        axes.set(
            xlabel="confidence, at least",
            ylabel="share of changes that are right",
            xlim=(0.18, 1),
            ylim=(0, 1.02),
        )
        axes.legend(loc="lower right", frameon=False)
        figure.savefig(PLOT, metadata={"Date": None})


def main() -> None:
    before = machine()
    figures: dict[str, Any] = {name: found(name) for name in SETS}
    figures["sound"] = {name: harm(name) for name in (*FILES, *SOUND)}
    figures["confidence"] = {part: confidence(part) for part in ("choosing", "reporting")}
    plot(figures["confidence"])
    publish("cleaning", figures, machine_then=before)


if __name__ == "__main__":
    main()
