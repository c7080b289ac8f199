"""Numbers that are written otherwise than 1234.5, and letters of Windows-1252."""

from __future__ import annotations

import csv
import re
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from outputs import done, figures_of, kinds_in, lines_of, reasons_in, write_columns
from pyarrow import parquet
from terminal import call

from reports import member

EURO = (5.0, 12.5, 1234.56, 99.9, 40210.0, 7.25, 310.4)


def write_amounts(path: str, *, comma: bool = False, rows: int = 300) -> None:
    """Numbers of which row 123 and row 124 are far off."""
    r = np.random.default_rng(7)
    base = r.normal(size=(rows, 2))
    x = np.column_stack([base[:, 0] * 10 + 100, base[:, 0] * 5 + base[:, 1], base[:, 1] * 3])
    x[123, 0], x[124, 2] = 180.0, -40.0
    text = "a;b;c\n" + "\n".join(";".join(f"{v:.2f}" for v in row) for row in x) + "\n"
    Path(path).write_text(text.replace(".", ",") if comma else text)


@member("K08", everyday=True)
def decimal_commas_score_as_points_do(folder: Path) -> None:
    from isthmus import detect, fit_detector

    write_amounts("point.csv")
    write_amounts("comma.csv", comma=True)
    assert "decimal, 2 digits, written as -1234,5" in call("info", "comma.csv").stdout
    detector = fit_detector("point.csv", steps=20).detector
    point, comma = detect("point.csv", detector), detect("comma.csv", detector)
    assert np.array_equal(point.scores, comma.scores)
    assert {123, 124} <= set(np.flatnonzero(comma.is_anomaly))
    assert comma.reasons[123][0].sentence().startswith("a 180,00 (expected ")
    assert "." not in comma.reasons[123][0].sentence()


@member("K08")
def a_file_of_decimal_commas_is_learned_from_like_one_of_points(folder: Path) -> None:
    for name in ("point", "comma"):
        write_amounts(f"{name}.csv", comma=name == "comma")
        done("detect", f"{name}.csv", "--as", "table", "-o", f"{name}-scores.csv")
    assert figures_of("comma-scores.csv") == figures_of("point-scores.csv")
    found = reasons_in("comma-scores.csv")
    assert found[123].startswith("a 180,00 (expected ")
    assert found[124].startswith("c -40,00 (expected ")


@member("K08")
def numbers_in_any_dress_are_numbers(folder: Path) -> None:
    dressed = {
        "comma": [f"{v:.2f}".replace(".", ",") for v in EURO],
        "thousands": [f"{v:,.2f}" for v in EURO],
        "german": [f"{v:,.2f}".translate(str.maketrans(",.", ".,")) for v in EURO],
        "euro": [f"{v:,.2f} €".translate(str.maketrans(",.", ".,")) for v in EURO],
        "french": [f"{v:,.2f}".translate(str.maketrans(",.", "\u202f,")) for v in EURO],
        "swiss": [f"CHF {v:,.2f}".replace(",", "’") for v in EURO],
        "dollar": [f"${v:,.2f}" if i % 3 else f"(${v:,.2f})" for i, v in enumerate(EURO)],
        "indian": ["12,34,567.00", "1,00,000.50", "950.25", "7,000.00"],
        "percent": [f"{v:.1f} %" for v in EURO],
        "weight": [f"{v}kg" for v in EURO],
        "sap": ["5-", "12", "1.204,5-", "7,25"],
        "minus": ["\u22125.5", "7.5", " 3.25 ", "\u22121.0"],
        "millions": ["1.234.567", "12.000.000", "950.000"],
        "round": ["5,- €", "7,50 €", "12,- €"],
    }
    write_columns("dressed.csv", dressed)
    kinds = kinds_in("dressed.csv")
    words = {name: kind for name, kind in kinds.items() if not kind.startswith(("decimal", "number", "inte"))}
    assert not words, words
    from isthmus.data.tables import open_table

    table = open_table("dressed.csv").whole()
    numbers = {cells.column.name: cells.numbers for cells in table.columns}
    for name in ("comma", "thousands", "german", "euro", "french", "swiss"):
        assert np.array_equal(numbers[name][: len(EURO)], np.round(EURO, 2)), name
    assert numbers["dollar"][:2].tolist() == [-5.0, 12.5]
    assert numbers["indian"][:2].tolist() == [1234567.0, 100000.5]
    assert numbers["sap"][:4].tolist() == [-5, 12, -1204.5, 7.25]
    assert numbers["minus"][:3].tolist() == [-5.5, 7.5, 3.25]
    assert numbers["millions"][:1].tolist() == [1234567]
    assert numbers["round"][:2].tolist() == [5.0, 7.5]


@member("K08")
def names_that_look_like_numbers_stay_names(folder: Path) -> None:
    names = {
        "house": ["12", "14a", "7b", "9", "21c"],
        "phone": ["123 456 789", "555 010 203", "707 123 999"],
        "post": ["01067", "80331", "10115"],
        "sizes": ["5 kg", "500 g", "2 t"],
        "money": ["5 €", "5 $", "5 £"],
        "notes": ["(1)", "(2)", "(3)"],
        "version": ["1.2.3", "1.10.0", "2.0.1"],
        "code": ["A-12", "B-7", "C-9"],
    }
    write_columns("names.csv", names)
    kinds = kinds_in("names.csv")
    assert set(kinds.values()) == {"category"}, kinds


@member("K08")
def ambiguous_columns_follow_the_rest_of_the_file(folder: Path) -> None:
    ambiguous = ["1,234", "27,500", "3,120"]
    write_columns("alone.csv", {"n": ambiguous, "word": ["a", "b"]})
    assert kinds_in("alone.csv")["n"] == "integer, written as -1,234"
    write_columns("comma.csv", {"n": ambiguous, "x": ["1,5", "20,75", "0,125"]})
    assert kinds_in("comma.csv")["n"] == "decimal, 3 digits, written as -1234,5"
    write_columns("point.csv", {"n": ambiguous, "x": ["1.5", "20.75", "0.125"]})
    assert kinds_in("point.csv")["n"] == "integer, written as -1,234"
    write_columns("german.csv", {"n": ["1.234", "27.500"], "x": ["1,5", "20,75", "0,125"]})
    assert kinds_in("german.csv")["n"] == "integer, written as -1.234"
    write_columns("plain.csv", {"n": ["1.234", "27.500"], "x": ["a", "b"]})
    assert kinds_in("plain.csv")["n"] == "decimal, 3 digits"


@member("K08")
def a_model_says_what_an_ambiguous_column_means(folder: Path) -> None:
    from isthmus import detect, fit_detector

    write_columns(
        "usual.csv", {"n": ["1,25", "2,375", "1,5"], "d": ["25/12/2023", "13/01/2024", "01/02/2024"]}
    )
    write_columns("new.csv", {"n": ["1,234", "2,250"], "d": ["03/04/2024", "05/06/2024"]})
    detector = fit_detector("usual.csv", steps=5).detector
    [n, d] = detector.features.schema
    result = detect("new.csv", detector)
    assert (n.kind, d.format) == ("number", "%d/%m/%Y")
    assert result.notices == ()
    from isthmus.data.tables import open_table

    table = open_table("new.csv", like=detector.features.schema).whole()
    assert table.columns[0].numbers[:2].tolist() == [1.234, 2.25]
    assert table.columns[1].numbers[0] == datetime.fromisoformat("2024-04-03T00:00:00+00:00").timestamp()


@member("K08")
def clean_leaves_numbers_as_they_are_written(folder: Path) -> None:
    write_columns("prices.csv", {"paid": ["1.234,50 €", "12,00 €", "7,5 €"], "rate": ["5 %", "7%"]}, ";")
    done("clean", "prices.csv", "-o", "clean.csv")
    before = [row.split(";") for row in Path("prices.csv").read_text(encoding="utf-8").splitlines()]
    with open("clean.csv", newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == before


@member("K08")
def texts_in_parquet_and_a_table_denoised_keep_their_dress(folder: Path) -> None:
    r = np.random.default_rng(0)
    values = r.normal(500, 80, 300)
    texts = [f"{v:,.2f}".translate(str.maketrans(",.", ".,")) for v in values]
    parquet.write_table(
        pa.table({"paid": texts, "twice": [f"{2 * v:.2f}".replace(".", ",") for v in values]}), "t.parquet"
    )
    assert kinds_in("t.parquet")["twice"] == "decimal, 2 digits, written as -1234,5"
    done("fit", "t.parquet", "-o", "t.ism", "--as", "table", "--budget", "2s")
    done("denoise", "t.parquet", "-m", "t.ism", "--level", "0.2", "-o", "t.csv")
    assert all(re.fullmatch(r"-?[0-9.]+,[0-9]{2}", line["twice"]) for line in lines_of("t.csv"))


@member("K08")
def a_series_denoised_keeps_its_decimal_commas(folder: Path) -> None:
    r = np.random.default_rng(0)
    lines = [
        f"2024-01-{1 + i // 24:02d} {i % 24:02d}:00;{1000 + 9 * np.sin(i / 4) + r.normal():,.2f}".translate(
            str.maketrans(",.", ".,")
        )
        for i in range(400)
    ]
    Path("noisy.csv").write_text("time;load\n" + "\n".join(lines) + "\n")
    done("fit", "noisy.csv", "-o", "noise.ism", "--recipe", "denoise", "--noisy", "--budget", "2s")
    done("denoise", "noisy.csv", "-m", "noise.ism", "-o", "out")
    [first, *rows] = Path("out/noisy.csv").read_text().splitlines()
    assert first == "time;load"
    assert [row.split(";")[0] for row in rows] == [line.split(";")[0] for line in lines]
    assert all(re.fullmatch(r"(1\.)?[0-9]{3},[0-9]{2,4}", row.split(";")[1]) for row in rows), rows[:3]


@member("K08")
def a_first_row_of_decimal_commas_names_no_columns(folder: Path) -> None:
    rows = "".join(f"{i},5;{i % 7},25\n" for i in range(50))
    Path("bare.csv").write_text(rows)
    assert list(kinds_in("bare.csv")) == ["column_0", "column_1"]


@member("K08")
def a_schema_keeps_how_numbers_are_written(folder: Path) -> None:
    write_columns("prices.csv", {"paid": ["1.234,50 €", "12,00 €"], "rate": ["5 %", "7 %"]}, ";")
    done("info", "prices.csv", "--schema", "prices.toml")
    assert 'notation = { decimal = ",", thousands = ".", suffix = " €" }' in Path("prices.toml").read_text()
    done("detect", "prices.csv", "--schema", "prices.toml", "-o", "scores.csv", "--budget", "1s")


@member("K12")
def reasons_quote_letters_of_windows_1252(folder: Path) -> None:
    lines = "".join(f"{i},{'€ 9…' if i == 7 else 'Zürich'},{i * 0.5 % 7}\n" for i in range(200))
    Path("euro.csv").write_bytes(f"id,what,x\n{lines}".encode("cp1252"))
    done("detect", "euro.csv", "--as", "table", "-o", "scores.csv")
    assert "€ 9…" in reasons_in("scores.csv")[7]


@member("K12")
def clean_reads_windows_1252_behind_a_megabyte_of_ascii(folder: Path) -> None:
    lines = [f"{i},plain words in row {i % 9}\n" for i in range(50_000)]
    Path("long.csv").write_bytes(("id,what\n" + "".join(lines) + "50000,€ 5\n").encode("cp1252"))
    done("clean", "long.csv", "-o", "clean.csv")
    assert Path("clean.csv").read_text(encoding="utf-8").splitlines()[-1] == "50000,€ 5"
