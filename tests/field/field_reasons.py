"""What reasons quote, and that they say something."""

from __future__ import annotations

import csv
import json
import random
import re
from pathlib import Path

import numpy as np
import pandas as pd
from outputs import done, lines_of, reasons_in

from reports import member


def says_nothing(part: str) -> bool:
    """Whether what a part of a reason has seen is what it expected."""
    found = re.fullmatch(r"\S+ (\S+) \(expected (\S+)(?: to (\S+))?\)", part)
    if found is None:
        return False
    seen, low, high = found.groups()
    if high is None:
        return seen == low
    try:
        return float(low) <= float(seen) <= float(high)
    except ValueError:
        return low <= seen <= high


@member("K31", everyday=True)
def dates_that_no_calendar_has_are_quoted_as_they_stand(folder: Path) -> None:
    r = random.Random(1)
    rows = [("2024-02-30" if i == 7 else f"2024-01-{1 + i % 28:02d}", r.gauss(50, 5)) for i in range(300)]
    Path("feb.csv").write_text("when,x\n" + "".join(f"{d},{x:.3f}\n" for d, x in rows))
    done("detect", "feb.csv", "--as", "table", "-o", "s.csv")
    assert "when 2024-02-30 (expected a date)" in reasons_in("s.csv")[7]
    done("clean", "feb.csv", "-o", "c.csv", "--log", "log.csv")
    [issue] = lines_of("log.csv")
    assert (issue["row"], issue["column"], issue["old"], issue["new"]) == ("7", "when", "2024-02-30", "")


@member("K31")
def other_impossible_dates_and_times_are_named(folder: Path) -> None:
    r = random.Random(2)
    usual = {
        "iso": lambda i: f"2024-01-{1 + i % 28:02d}",
        "german": lambda i: f"{1 + i % 28:02d}.03.2024",
        "us": lambda i: f"03/{1 + i % 28:02d}/2024",
        "stamp": lambda i: f"2024-01-{1 + i % 28:02d} 10:{i % 60:02d}:00",
        "clock": lambda i: f"{i % 24:02d}:{i % 60:02d}",
    }
    wrong = {
        "iso": "2023-02-29", "german": "31.04.2024", "us": "13/31/2024",
        "stamp": "2024-01-05 10:61:00", "clock": "25:61",
    }  # fmt: skip
    lines = [",".join([*usual, "x"])]
    for i in range(300):
        cells = {name: write(i) for name, write in usual.items()}
        if 100 <= i < 100 + len(wrong):
            name = list(wrong)[i - 100]
            cells[name] = wrong[name]
        lines.append(",".join([*cells.values(), f"{r.gauss(0, 1):.2f}"]))
    Path("dates.csv").write_text("\n".join(lines) + "\n")
    done("detect", "dates.csv", "--as", "table", "-o", "s.csv", "--contamination", "0.05")
    done("clean", "dates.csv", "-o", "c.csv", "--log", "log.csv")
    found, log = reasons_in("s.csv"), {line["old"]: line for line in lines_of("log.csv")}
    for row, (name, text) in enumerate(wrong.items(), 100):
        wanted = "a time" if name == "clock" else "a date"
        assert f"{name} {text} (expected {wanted})" in found[row]
        assert log[text]["row"] == str(row)


@member("K31")
def numbers_and_stamps_are_quoted_with_all_their_digits(folder: Path) -> None:
    r = np.random.default_rng(5)
    lines = []
    for i in range(300):
        cells = {"price": f"{r.normal(5, 1):.3f}", "count": str(r.integers(10, 90)),
                 "seen": f"2024-01-{1 + i % 28:02d}T10:{i % 60:02d}:00Z"}  # fmt: skip
        cells |= {"price": "1234567.8900"} if i == 7 else {}
        cells |= {"count": "0123456789"} if i == 8 else {}
        cells |= {"count": "+900719925474099"} if i == 9 else {}
        cells |= {"seen": "2031-05-05T00:00:00Z"} if i == 10 else {}
        lines.append(cells)
    with open("t.csv", "w", newline="") as file:
        out = csv.DictWriter(file, ["price", "count", "seen"])
        out.writeheader()
        out.writerows(lines)
    Path("t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for name in ("t.csv", "t.jsonl"):
        done("detect", name, "--as", "table", "-o", "s.csv", "--contamination", "0.05", "--force")
        found = reasons_in("s.csv")
        assert "price 1234567.8900 (" in found[7]
        assert "count +900719925474099 (" in found[9]
        assert "seen 2031-05-05T00:00:00Z (" in found[10]
    done("clean", "t.csv", "-o", "c.csv")
    assert Path("c.csv").read_text().splitlines() == Path("t.csv").read_text().splitlines()


@member("K36", everyday=True)
def no_part_of_a_reason_says_what_was_expected(folder: Path) -> None:
    r = np.random.default_rng(31)
    r.uniform(size=2)
    rows = (f"{i},{'true' if i % 2 else 'false'},{r.normal():.3f},{i % 11}\n" for i in range(300))
    Path("b.csv").write_text("id,b,x,k\n" + "".join(rows))
    done("detect", "b.csv", "-o", "s.csv", "--seed", "0", "--contamination", "0.1")
    found = reasons_in("s.csv")
    assert len(found) == 30
    assert not [part for why in found.values() for part in why.split("; ") if says_nothing(part)]
    combined = [why for why in found.values() if why.startswith("unusual combination: ")]
    assert all("expected" not in why and ", " in why for why in combined)


@member("K36")
def reasons_of_any_table_say_something(folder: Path) -> None:
    r = np.random.default_rng(2)
    rows = 300
    dates = [f"2024-03-{d:02d}" for d in r.integers(1, 29, rows)]
    words = r.choice(["red", "green", "blue", "teal"], rows, p=[0.6, 0.3, 0.09, 0.01])
    columns = {
        "when": dates, "word": words, "same": ["7"] * rows, "n": r.poisson(3, rows).astype(str),
        "gap": ["" if i % 9 == 0 else str(i % 4) for i in range(rows)],
        "name": [f"item-{i:05d}" for i in range(rows)], "amount": [f"{v:.2f}" for v in r.gamma(2, 50, rows)],
    }  # fmt: skip
    pd.DataFrame(columns).to_csv("mixed.csv", index=False)
    for mode in ("contaminated", "novelty"):
        done("detect", "mixed.csv", "--as", "table", "-o", "s.csv", "--mode", mode,
             "--contamination", "0.2", "--force")  # fmt: skip
        found = reasons_in("s.csv")
        assert len(found) == rows // 5
        for why in found.values():
            assert why
            assert not [part for part in why.split("; ") if says_nothing(part)], why


@member("K36")
def a_combination_names_the_columns_that_make_it(folder: Path) -> None:
    from isthmus import detect

    r = np.random.default_rng(0)
    a = r.normal(size=600)
    frame = pd.DataFrame({"a": a, "b": a + r.normal(0, 0.02, 600), "c": r.normal(size=600)})
    frame.loc[7, ["a", "b"]] = [0.9, -0.9]
    result = detect(frame)
    assert result.is_anomaly[7]
    told = [reason.column for reason in result.reasons[7]]
    assert set(told) & {"a", "b"}
    for why in result.reasons.values():
        assert len({reason.combined for reason in why}) == 1
