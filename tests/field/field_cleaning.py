"""Tables that `clean` must not harm, and what it must say of what it leaves out."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from terminal import call

from reports import member

Rows = list[list[str]]


def written(rows: Sequence[Sequence[object]], name: str = "table.csv") -> Path:
    """A CSV file; the first row names the columns."""
    path = Path(name)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def read(name: str) -> Rows:
    with open(name, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def stays(rows: Sequence[Sequence[object]]) -> Rows:
    """Clean a sound table: nothing is changed. Returns the log."""
    written(rows)
    made = call("clean", "table.csv", "-o", "clean.csv", "--log", "log.csv")
    assert made.exit_code == 0, made.output
    assert ": 0 cells mended" in made.stdout
    assert read("clean.csv") == [list(map(str, row)) for row in rows]
    log = read("log.csv")
    assert not any(line[3] for line in log[1:])
    return log


def catalogue(count: int = 1200) -> Rows:
    g = np.random.default_rng(3)
    topics = ["urban flooding", "smoking cessation", "breast surgery", "growth factors", "brain injury",
              "stroke care", "bowel syndrome", "virus editing", "insulin levels", "older adults"]  # fmt: skip
    often = ["A systematic review of {}", "Comparing models for the analysis of {}",
             "Recommendations from a consensus group on {}", "Outcomes among patients with {}",
             "A randomized trial of {} in patients with an abnormal result"]  # fmt: skip
    seldom = ["A systematic review of reviews on {}", "Comparing models for analysing {}",
              "Recommendations From a Consensus Group on {}", "Caring for the patient with {}",
              "Randomised trials of {} in one patient with abnormal results"]  # fmt: skip
    families = ["Callan", "Craven", "Martin", "Marten", "Lindt", "Lind", "Okafor", "Ito", "Sato", "Satoh"]
    journals = ["Case Reports in Medicine", "The Lancet", "The Lancet Oncology", "Annals of Surgery",
                "Annals of Surgical Oncology"]  # fmt: skip
    rows = [["id", "title", "authors", "journal", "year"]]
    for number in range(count):
        title = str(g.choice(seldom if number % 37 == 0 else often)).format(g.choice(topics))
        authors = "; ".join(
            f"{'SJCM'[g.integers(4)] if g.random() < 0.97 else 'O'}. {g.choice(families)}"
            for _ in range(g.integers(1, 4))
        )
        rows.append([str(number), title, authors, str(g.choice(journals)), str(g.integers(1990, 2025))])
    return rows


@member("K41", everyday=True)
def rare_right_titles_and_names_stay(folder: Path) -> None:
    stays(catalogue())


@member("K41")
def they_stay_in_a_data_frame_too(folder: Path) -> None:
    import pandas as pd

    from isthmus import clean

    head, *rows = catalogue(400)
    frame = pd.DataFrame(rows, columns=head, index=[f"book {n}" for n in range(len(rows))])
    result = clean(frame)
    assert result.changed == 0
    pd.testing.assert_frame_equal(result.frame, frame)


@member("K41")
def customers_keep_their_names(folder: Path) -> None:
    g = np.random.default_rng(1)
    first = ["Anna"] * 40 + ["Jon"] * 2 + ["John"] * 40 + ["Hanna", "Hannah", "Johan", "Ana", "Anne"]
    family = (
        ["Martin"] * 30 + ["Miller"] * 30 + ["Marten", "Millar", "Muller", "Müller", "MacDonald", "Macdonald"]
    )
    rows = [["id", "first", "family", "company", "sex"]]
    for number in range(900):
        name = str(g.choice(first))
        sex = "m" if name.startswith("Jo") else "f"
        rows.append([number, name, g.choice(family), f"Company {g.integers(40)}", sex])
    stays(rows)


@member("K41")
def towns_of_nearly_one_name_stay(folder: Path) -> None:
    g = np.random.default_rng(2)
    towns = [("Portland", "OR", "97201")] * 30 + [("Portland", "ME", "04101"), ("Portage", "MI", "49002")]
    towns += [("Springfield", "IL", "62701")] * 20 + [
        ("Springfeld", "MO", "65801"),
        ("Marysville", "CA", "95901"),
    ]
    towns += [("Maryville", "MO", "64468"), ("Pittsburgh", "PA", "15201"), ("Pittsburg", "KS", "66762")]
    rows = [["id", "street", "town", "state", "zip"]]
    for number in range(1000):
        town, state, code = towns[g.integers(len(towns))]
        way = str(g.choice(["Street", "St", "Avenue", "Ave"], p=[0.6, 0.05, 0.3, 0.05]))
        rows.append(
            [number, f"{g.integers(1, 99)} {g.choice(['Park', 'Perk', 'Oak'])} {way}", town, state, code]
        )
    stays(rows)


@member("K41")
def a_journal_of_two_numbers_and_two_spellings_stays(folder: Path) -> None:
    g = np.random.default_rng(4)
    journals = [("PLoS ONE", "PLoS One", "1932-6203", "1932-6204"),
                ("The Lancet", "Lancet", "0140-6736", "1474-547X"),
                ("Annals of Surgery", "Ann. Surg.", "0003-4932", "1528-1140"),
                ("Journal of Urban Climate", "J. Urban Clim.", "2212-0955", "2212-0956")]  # fmt: skip
    rows = [["id", "journal", "abbreviation", "issn", "volume"]]
    for number in range(800):
        name, short, printed, electronic = journals[g.integers(len(journals))]
        chance = g.random()
        name = name.upper() if chance < 0.01 else name.replace("The ", "") if chance < 0.02 else name
        rows.append([number, name, short, electronic if g.random() < 0.02 else printed, g.integers(1, 80)])
    stays(rows)


@member("K41")
def one_book_by_several_shops_in_their_own_spelling_stays(folder: Path) -> None:
    g = np.random.default_rng(7)
    ways = [("Organizing a Center for Color", "John Smith", "Smith & Sons"),
            ("Organising a centre for colour", "J. Smith", "Smith and Sons"),
            ("The History of Defense", "Catherine Müller", "St. Martin's Press"),
            ("the history of defence", "Katherine Muller", "Saint Martins Press"),
            ("Analysis of 12 Cases", "Jon Ohara; Ana Lind", "Park Street Books"),
            ("Analyses of 12 cases", "Jon O'Hara; Ana Lind", "Park St. Book"),
            ("A Catalogue of Jewels", "Erik Jansen", "Kiln Books"),
            ("A Catalog of Jewels.", "Eric Janssen", "KILN books")]  # fmt: skip
    rows = [["offer", "isbn", "title", "author", "publisher", "price"]]
    for number in range(800):
        book = int(g.integers(4))
        cells = [ways[2 * book + int(g.random() < 0.002 * (2 + place))][place] for place in range(3)]
        rows.append([number, f"978-{book}-11", *cells, g.integers(5, 60)])
    stays(rows)


@member("K41")
def sizes_codes_and_styles_stay(folder: Path) -> None:
    g = np.random.default_rng(5)
    styles = (
        ["American IPA"] * 60
        + ["American Pale Ale (APA)"] * 40
        + ["American APA", "English IPA", "Belgian IPA"]
    )
    styles += ["Dunkel", "Dunkelweizen", "Maibock", "Bock"]
    rows = [["sku", "style", "size", "grade", "origin"]]
    for number in range(1500):
        size = str(g.choice(["12 oz", "16 oz", "12.0 oz", "19 oz"], p=[0.7, 0.28, 0.01, 0.01]))
        origin = str(
            g.choice(
                ["Austria", "Australia", "Niger", "Nigeria", "Iran", "Iraq"],
                p=[0.5, 0.002, 0.002, 0.4, 0.09, 0.006],
            )
        )
        rows.append(
            [
                f"A{number:05}",
                g.choice(styles),
                size,
                str(g.choice(["A", "B", "A+"], p=[0.8, 0.19, 0.01])),
                origin,
            ]
        )
    stays(rows)


@member("K41")
def people_who_move_and_dates_that_nobody_has_yet_stay(folder: Path) -> None:
    g = np.random.default_rng(6)
    rows = [["person", "year", "town", "married", "died", "trade"]]
    for person in range(150):
        town, trade = str(g.choice(["Oslo", "Bergen", "Hamar"])), str(g.choice(["baker", "banker", "barber"]))
        died = "2020" if person % 10 == 0 else ""
        for year in range(2010, 2018):
            town = str(g.choice(["Oslo", "Bergen", "Hamar"])) if g.random() < 0.04 else town
            trade = str(g.choice(["baker", "banker", "barber"])) if g.random() < 0.04 else trade
            rows.append(
                [person, year, town, "yes" if year > 2013 else "no", died if year > 2016 else "", trade]
            )
    log = stays(rows)
    assert all(line[1] != "died" or line[2] == "" for line in log[1:])


@member("K41")
def what_is_mistyped_beyond_doubt_is_mended_all_the_same(folder: Path) -> None:
    rows = catalogue(600)
    for row in rows:
        row.append(
            "shelf"
            if row[0] == "id"
            else {"The Lancet": "L 1", "Annals of Surgery": "S 2"}.get(row[3], "X 9")
        )
    journals = {
        "The Lancet Oncology": "O 7",
        "Case Reports in Medicine": "C 3",
        "Annals of Surgical Oncology": "S 4",
    }
    for row in rows[1:]:
        row[5] = journals.get(row[3], row[5])
    sound = [list(row) for row in rows]
    spoilt = next(n for n, row in enumerate(rows) if row[3] == "Case Reports in Medicine")
    rows[spoilt][3] = "Case Repxrts in Medicine"
    written(rows)
    made = call("clean", "table.csv", "-o", "clean.csv", "--log", "log.csv")
    assert made.exit_code == 0, made.output
    assert read("clean.csv") == sound
    changed = [line for line in read("log.csv")[1:] if line[3]]
    assert [line[:4] for line in changed] == [[str(spoilt - 1), "journal", "Case Repxrts in Medicine",
                                              "Case Reports in Medicine"]]  # fmt: skip
    assert float(changed[0][4]) >= 0.9


@member("K41")
def a_guess_is_suggested_and_not_made(folder: Path) -> None:
    rows = [["id", "sex", "ward"], *([n, ["female", "male"][n % 2], n % 7] for n in range(400))]
    rows[100][1] = "femxle"
    stays(rows)
    told = json.loads(call("clean", "table.csv", "--suggest", "--json").stdout)
    assert (told["changed"], told["suggested"]) == (0, 1)
    assert told["suggestions"][0]["new"] == "female"
    assert told["suggestions"][0]["confidence"] < 0.9
    listed = call("clean", "table.csv", "--suggest")
    assert "row 99, sex: femxle → female" in listed.stdout
    assert call("clean", "table.csv", "--confidence", "0.6", "-o", "c.csv").exit_code == 0
    assert read("c.csv")[100][1] == "female"


@member("K41")
def what_is_not_mended_keeps_how_it_is_written(folder: Path) -> None:
    cells = ["NA", " 1.50", "1e3", "", "+5", "12345678901234567", "-0", "n/a", "null", "?", " "]
    rows = [["town", "land", "amount"]]
    rows += [[*[("Oslo", "Norway"), ("Lyon", "France")][n % 2], cells[n % len(cells)]] for n in range(220)]
    sound = [list(row) for row in rows]
    rows[31][1] = "Norwxy" if rows[31][1] == "Norway" else "Fraxce"
    written(rows)
    assert call("clean", "table.csv", "-o", "clean.csv").exit_code == 0
    assert read("clean.csv") == sound


@member("K12", everyday=True)
def the_euro_sign_of_windows_1252_stays_one(folder: Path) -> None:
    text = "id,price\n" + "".join(f"{i},€ {i % 9}\n" for i in range(200))
    Path("euro.csv").write_bytes(text.encode("cp1252"))
    made = call("clean", "euro.csv", "-o", "clean.csv", "--log", "log.csv")
    assert made.exit_code == 0, made.output
    assert Path("clean.csv").read_text(encoding="utf-8") == text


@member("K12")
def what_is_mended_in_a_file_of_windows_1252_is_written_right(folder: Path) -> None:
    towns = {"8001": "Zürich", "3000": "Bern", "1200": "Genève – Cité"}
    rows = [["id", "zip", "town", "note"]]
    rows += [[str(n), code, towns[code], "“so”…"] for n, code in enumerate(list(towns) * 40)]
    sound = [list(row) for row in rows]
    rows[4][2] = "Zürixh" if rows[4][2] == "Zürich" else "Gexève – Cité"
    Path("towns.csv").write_bytes("".join(",".join(row) + "\r\n" for row in rows).encode("cp1252"))
    made = call("clean", "towns.csv", "-o", "clean.csv", "--log", "log.csv")
    assert made.exit_code == 0, made.output
    assert read("clean.csv") == sound
    assert sound[4][2] in [line[3] for line in read("log.csv")]


def ragged() -> str:
    return "id,colour,x\n" + "".join(f"{i},red,{i * 0.5}\n" for i in range(200)) + "1,2\n1,2,3,4\n"


@member("K13", everyday=True)
def rows_that_are_skipped_are_named_on_the_screen_and_in_the_log(folder: Path) -> None:
    Path("ragged.csv").write_text(ragged())
    made = call("clean", "ragged.csv", "-o", "clean.csv", "--log", "log.csv", "--skip-bad")
    assert made.exit_code == 0, made.output
    for row in ("row 200: 2 cells where 3 must be", "row 201: 4 cells where 3 must be"):
        assert made.stderr.count(row) == 1
        assert sum(row in line[5] for line in read("log.csv")) == 1
    assert len(read("clean.csv")) == 201


@member("K13")
def skipped_rows_are_in_json_once(folder: Path) -> None:
    Path("ragged.csv").write_text(ragged())
    for more in ((), ("--dry-run",), ("--suggest",), ("-o", "clean.csv")):
        told = json.loads(call("clean", "ragged.csv", "--skip-bad", "--json", *more).stdout)
        assert len(told["notices"]) == 2
        assert told["rows"] == 200


@member("K13")
def strict_refuses_to_skip_and_writes_nothing(folder: Path) -> None:
    Path("ragged.csv").write_text(ragged())
    made = call("clean", "ragged.csv", "-o", "clean.csv", "--skip-bad", "--strict")
    assert made.exit_code == 2
    assert "row 200" in made.stderr
    assert not Path("clean.csv").exists()
    assert not Path("clean.changes.csv").exists()


@member("K13")
def the_result_in_python_names_skipped_rows(folder: Path) -> None:
    from isthmus import clean

    Path("ragged.csv").write_text(ragged())
    assert len(clean("ragged.csv", skip_bad=True).notices) == 2


@member("K16")
def clean_names_what_lies_beside_images(folder: Path) -> None:
    from field_folders import photo

    for number in range(4):
        photo(folder / "phone" / f"IMG_{number}.png", seed=number)
    (folder / "phone" / "clip.mp4").write_bytes(bytes(1000))
    made = call("clean", "phone", "-o", "sound", "--log", "log.csv")
    assert made.exit_code == 0, made.output
    assert "left out: clip.mp4: not an image" in made.stderr
    assert any(line[:2] == ["clip.mp4", "no image"] for line in read("log.csv"))
    assert call("clean", "phone", "-o", "other", "--strict").exit_code == 2
    assert not Path("other").exists()
