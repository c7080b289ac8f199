"""Columns that a model does not know, lacks, or knows otherwise."""

from __future__ import annotations

import json
import random
from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from outputs import done, figures_of
from pyarrow import parquet
from terminal import call

from reports import member


@cache
def usual_rows(rows: int = 300) -> tuple[tuple[int, float, str], ...]:
    r = random.Random(1)
    return tuple((i % 50, r.gauss(10, 2), r.choice("abc")) for i in range(rows))


def write_usual(path: str, names: str = "n,x,c", **more: str) -> None:
    """Rows of the columns named, in that order; others hold one text."""
    lines = [names]
    for n, x, c in usual_rows():
        known = {"n": str(n), "x": f"{x:.2f}", "c": c, "z": f"{x * x:.1f}"} | more
        lines.append(",".join(known[name] for name in names.split(",")))
    Path(path).write_text("\n".join(lines) + "\n")


def write_series(path: str, names: str = "time,load") -> None:
    lines = [names]
    for i in range(400):
        known = {"time": f"2024-01-{1 + i // 24:02d} {i % 24:02d}:00", "load": f"{10 + i % 24:.1f}",
                 "wind": f"{i * 7 % 11}", "label": str(int(i > 390)), "side": "ab"[i % 2]}  # fmt: skip
        lines.append(",".join(known[name] for name in names.split(",")))
    Path(path).write_text("\n".join(lines) + "\n")


@member("K30", everyday=True)
def columns_that_the_model_does_not_know_are_named(folder: Path) -> None:
    write_usual("usual.csv")
    write_usual("more.csv", "n,x,c,z")
    done("fit", "usual.csv", "-o", "usual.ism", "--as", "table", "--budget", "1s")
    notice = "not looked at: z (the model does not know it)"
    assert notice in done("detect", "more.csv", "-m", "usual.ism", "-o", "s.csv").splitlines()
    told = json.loads(call("detect", "more.csv", "-m", "usual.ism", "--json").stdout)
    assert told["notices"] == [notice]
    refused = call("detect", "more.csv", "-m", "usual.ism", "-o", "strict.csv", "--strict")
    assert refused.exit_code == 2
    assert not Path("strict.csv").exists()
    asked = call("detect", "more.csv", "-m", "usual.ism", "-o", "strict.csv", "--strict", "--ignore", "z")
    assert asked.exit_code == 0, asked.output


@member("K30")
def a_column_that_is_missing_is_refused_and_any_order_will_do(folder: Path) -> None:
    write_usual("usual.csv")
    write_usual("less.csv", "n,x")
    write_usual("turned.csv", "c,x,n")
    done("fit", "usual.csv", "-o", "usual.ism", "--as", "table", "--budget", "1s")
    refused = call("detect", "less.csv", "-m", "usual.ism", "-o", "s.csv")
    assert refused.exit_code == 2
    assert "'c'" in refused.stderr
    assert not Path("s.csv").exists()
    for name in ("usual", "turned"):
        assert "not looked at" not in done("detect", f"{name}.csv", "-m", "usual.ism", "-o", f"{name}-s.csv")
    assert figures_of("usual-s.csv") == figures_of("turned-s.csv")


@member("K30")
def a_column_of_another_type_is_named(folder: Path) -> None:
    write_usual("usual.csv")
    done("fit", "usual.csv", "-o", "usual.ism", "--as", "table", "--budget", "1s")
    write_usual("words.csv", x="many")
    said = done("detect", "words.csv", "-m", "usual.ism", "-o", "s.csv")
    assert "not as the model knows it: x (category here, decimal in the model)" in said
    columns = {
        "n": [n for n, _, _ in usual_rows()],
        "x": [date(2024, 1, 1 + n % 28) for n, _, _ in usual_rows()],
    }
    parquet.write_table(pa.table(columns | {"c": ["a"] * len(columns["n"])}), "dates.parquet")
    said = done("detect", "dates.parquet", "-m", "usual.ism", "-o", "s.csv", "--force")
    assert "not as the model knows it: x (date here, decimal in the model)" in said


@member("K30")
def channels_that_a_model_of_series_does_not_know_are_named(folder: Path) -> None:
    write_series("usual.csv")
    write_series("more.csv", "time,load,wind,side")
    done("fit", "usual.csv", "-o", "usual.ism")
    said = done("detect", "more.csv", "-m", "usual.ism", "-o", "s.csv").splitlines()
    assert "not looked at: wind (the model does not know it)" in said
    assert any(line.startswith("not looked at: side (") for line in said)
    assert call("detect", "more.csv", "-m", "usual.ism", "--strict").exit_code == 2
    lacking = call("detect", "usual.csv", "-m", "more.ism")
    done("fit", "more.csv", "-o", "more.ism", "--as", "series")
    lacking = call("detect", "usual.csv", "-m", "more.ism")
    assert lacking.exit_code == 2
    assert "'wind'" in lacking.stderr


@member("K30")
def new_columns_of_a_frame_are_named(folder: Path) -> None:
    from isthmus import OutlierDetector, detect, fit_detector
    from isthmus.errors import SpecMismatch

    frame = pd.DataFrame(usual_rows(), columns=["n", "x", "c"])
    detector = fit_detector(frame, steps=5).detector
    result = detect(frame.assign(z=frame.x * 2), detector)
    assert result.notices == ("not looked at: z (the model does not know it)",)
    found = OutlierDetector(steps=5).fit(frame)
    with pytest.raises(SpecMismatch, match="'z'"):
        found.predict(frame.assign(z=frame.x * 2))
