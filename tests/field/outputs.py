"""What commands wrote about tables, for members of kinds of faults."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from terminal import call


def lines_of(path: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def reasons_in(scores: str) -> dict[int, str]:
    """The reason of each reported row in a file of scores."""
    return {int(line["row"]): line["reason"] for line in lines_of(scores) if line["reason"]}


def done(*words: object) -> str:
    """What a command that goes well says on standard error."""
    made = call(*words)
    assert made.exit_code == 0, made.output
    return made.stderr


def kinds_in(path: str) -> dict[str, str]:
    """The kind of each column, as `info` has it."""
    made = call("info", path, "--json")
    assert made.exit_code == 0, made.output
    return json.loads(made.stdout)["facts"]


def write_columns(path: str, columns: dict[str, Sequence[str]], delimiter: str = "\t") -> None:
    """A file of text, its columns repeated to 120 rows."""
    rows = [[cells[row % len(cells)] for cells in columns.values()] for row in range(120)]
    text = "\n".join(delimiter.join(row) for row in [list(columns), *rows])
    Path(path).write_text(text + "\n", encoding="utf-8")


def figures_of(scores: str) -> list[tuple[str, str]]:
    """Score and p-value of every row."""
    return [(line["anomaly_score"], line["p_value"]) for line in lines_of(scores)]
