"""What was measured while training, as rows: in memory, as JSONL and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from isthmus.files import write_bytes


@dataclass(frozen=True)
class Row:
    """One look at the training, taken after `step` steps."""

    step: int
    epoch: float
    seconds: float
    """Of training so far, over all its resumptions."""
    train_loss: float
    """Mean objective since the last row."""
    train_distortion: float
    held_out_loss: float | None
    held_out_distortion: float | None
    rate_bits: float
    """Estimated bits per value, on held-out samples; 0 where the bottleneck estimates none."""
    learning_rate: float
    gradient_norm: float
    """Largest since the last row, before clipping."""
    clipped: float
    """Share of the steps since the last row whose gradient was clipped by norm."""
    samples_per_s: float
    best: bool
    """Whether the held-out loss (the training loss if nothing is held out) was the least so far."""

    def line(self) -> str:
        """One plain line for a log."""
        held = "" if self.held_out_loss is None else f"  held-out {self.held_out_loss:.6g}"
        rate = f"  {self.rate_bits:.4f} bit/value" if self.rate_bits else ""
        return (
            f"epoch {self.epoch:.1f}  step {self.step}  train {self.train_loss:.6g}{held}{rate}  "
            f"{self.samples_per_s:,.0f} samples/s{'  *best' if self.best else ''}"
        )


def write_history(rows: Sequence[Row], folder: Path) -> None:
    """Write history.jsonl and history.csv, each whole or not at all."""
    lines = "".join(json.dumps(asdict(row)) + "\n" for row in rows)
    write_bytes(folder / "history.jsonl", lines.encode())
    table = io.StringIO()
    writer = csv.DictWriter(table, [f.name for f in fields(Row)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    write_bytes(folder / "history.csv", table.getvalue().encode())


def read_history(folder: Path) -> list[Row]:
    """Undo `write_history`, from the JSONL file."""
    lines = (folder / "history.jsonl").read_text().splitlines()
    return [Row(**json.loads(line)) for line in lines]


def rows_from(values: Sequence[dict[str, Any]]) -> list[Row]:
    """Rows from their JSON form."""
    return [Row(**value) for value in values]
