"""A dirty table comes out mended where that is known, every change is in the log, nothing else is touched."""

import csv

import numpy as np
import pytest

from isthmus.data.tables import open_table
from isthmus.errors import ConfigError, OutputExists, UseError
from isthmus.tasks.clean import LOG, Cleaner, clean
from isthmus.tasks.issues import find_issues

pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")

TOWNS = {"Oslo": ("NO", "0150"), "Lyon": ("FR", "69001"), "Kiel": ("DE", "24103"), "Graz": ("AT", "8010")}


def rows(count: int = 200, seed: int = 0) -> list[list[str]]:
    random = np.random.default_rng(seed)
    towns = random.choice(list(TOWNS), count)
    return [[str(n), town, *TOWNS[town], str(random.integers(10, 99))] for n, town in enumerate(towns)]


def written(path, table):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", "town", "land", "post", "age"], *table])
    return path


def read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def dirty(tmp_path):
    table = rows()
    table[7][2], table[9][1], table[11][3], table[13][4] = "XX", table[9][1][:-1] + "x", "", "4O"
    table.append(table[20].copy())
    return written(tmp_path / "dirty.csv", table)


def test_wrong_cells_are_mended_with_their_reasons_and_nothing_else_is_touched(dirty, tmp_path):
    result = clean(dirty, tmp_path / "clean.csv")
    truth = rows()
    truth.append(truth[20])
    back = read(tmp_path / "clean.csv")
    assert back[0] == ["id", "town", "land", "post", "age"]
    truth[13][4] = "40"
    assert back[1:] == truth
    found = {(issue.row, issue.column): (issue.old, issue.new) for issue in result.issues}
    assert found[7, "land"][0] == "XX"
    assert found[11, "post"][0] is None
    assert found[13, "age"] == ("4O", "40")
    assert (result.changed, result.unmended, result.missing, result.duplicates) == (4, 0, 1, 1)
    assert result.duplicate_rows == ((200, 20),)
    assert result.near_duplicates == len(result.near_duplicate_rows)
    told = read(tmp_path / "clean.changes.csv")
    assert tuple(told[0]) == LOG
    cells = [line for line in told[1:] if line[1]]
    assert len(cells) == len(result.issues)
    assert "repeats row 20" in [line[5] for line in told]
    assert all(line[5] for line in told[1:])


def test_a_dry_run_and_a_higher_confidence_change_less(dirty, tmp_path):
    assert clean(dirty, tmp_path / "c.csv", dry_run=True).changed == 4
    assert [path.name for path in tmp_path.iterdir()] == ["dirty.csv"]
    strict = clean(dirty, tmp_path / "c.csv", confidence=1.0)
    assert strict.changed == 0
    assert read(tmp_path / "c.csv") == read(dirty)


def test_a_clean_table_stays_as_it_is(tmp_path):
    path = written(tmp_path / "t.csv", rows())
    assert find_issues(open_table(path).whole()) == []
    clean(path, tmp_path / "out.csv")
    assert read(tmp_path / "out.csv") == read(path)


def test_outputs_are_not_replaced_and_settings_are_looked_at(dirty, tmp_path):
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises(OutputExists):
        clean(dirty, tmp_path / "there.csv")
    with pytest.raises(UseError, match=r"\.csv"):
        clean(dirty, tmp_path / "out.parquet")
    with pytest.raises(ConfigError, match="confidence"):
        clean(dirty, confidence=0)
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_where_two_cells_contradict_one_another_alone_neither_is_mended(tmp_path):
    pairs = [("Oslo", "NO"), ("Lyon", "FR")] * 40 + [("Oslo", "FR")]
    table = [[str(n), town, land, "", "5"] for n, (town, land) in enumerate(pairs)]
    path = written(tmp_path / "t.csv", table)
    issues = find_issues(open_table(path).whole())
    assert {(issue.row, issue.column) for issue in issues} == {(80, "town"), (80, "land")}
    assert [issue.new for issue in issues] == [None, None]


def test_rows_that_differ_from_another_in_one_cell_are_named(tmp_path):
    table = rows()
    near = [*table[20][:4], "100"]
    found = clean(written(tmp_path / "t.csv", [*table, near])).near_duplicate_rows
    assert (200, 20, "age") in found
    assert not any(len({*table[row], *table[other]}) > 7 for row, other, _ in found if row < 200)


def test_issues_are_found_reported_and_got(dirty):
    pytest.importorskip("pandas", reason="pandas is missing: pip install 'isthmus[tables]'")
    lab = Cleaner(dirty).find_issues()
    assert "4 cells mended" in lab.report()
    frame = lab.get_issues("land")
    assert frame[["row", "old", "new"]].values.tolist() == [[7, "XX", rows()[7][2]]]
    assert len(lab.get_issues()) == 4


def test_rows_that_are_odd_as_a_whole_are_listed_where_asked_for(tmp_path):
    table = rows(300)
    table[5] = ["5", "Oslo", "NO", "0150", "990"]
    result = clean(written(tmp_path / "t.csv", table), tmp_path / "out.csv", odd_rows=True)
    assert result.odd_rows[0][0] == 5
    assert "age 990" in result.odd_rows[0][2]
    assert any(
        line[0] == "5" and "anomalous as a whole" in line[5] for line in read(tmp_path / "out.changes.csv")
    )
    assert clean(tmp_path / "t.csv").odd_rows == ()


def test_missing_cells_are_filled_from_the_others_where_these_can_tell(tmp_path):
    random = np.random.default_rng(0)
    size = random.normal(50, 9, 400)
    table = [[f"{s:.1f}", f"{3 * s:.1f}", "ab"[int(s > 50)], f"{random.normal():.2f}"] for s in size]
    truth = [row.copy() for row in table]
    table[3][1], table[4][2], table[5][3] = "", "", ""
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["size", "triple", "kind", "noise"], *table])
    result = clean(path, tmp_path / "out.csv", impute=True, confidence=0.5)
    back = read(tmp_path / "out.csv")[1:]
    assert abs(float(back[3][1]) - float(truth[3][1])) < 15  # of a deviation of 27
    assert back[4][2] == truth[4][2]
    assert back[5][3] == ""  # noise follows from nothing
    assert {issue.column for issue in result.changes} == {"triple", "kind"}


def test_cells_that_are_not_mended_keep_every_digit_and_space(tmp_path):
    cells = ["0.1234567890123", " 1.50", "1e3", "NA", "+5", "12345678901234567", "-0", ""]
    pairs = [("Oslo", "NO"), ("Lyon", "FR"), ("Kiel", "DE")] * 20
    table = [[town, land, cells[n % len(cells)], f" {land}{town} "] for n, (town, land) in enumerate(pairs)]
    table[7][1] = "XX"
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["town", "land", "amount", "both"], *table])
    assert clean(path, tmp_path / "out.csv").changed == 1
    table[7][1] = "FR"
    assert read(tmp_path / "out.csv")[1:] == table


def test_below_the_confidence_wanted_changes_are_suggested_and_counted(dirty, tmp_path):
    result = clean(dirty, tmp_path / "c.csv", confidence=1.0)
    assert (result.changed, result.suggested) == (0, 4)
    assert {issue.column for issue in result.suggestions} == {"land", "town", "post", "age"}
    log = read(tmp_path / "c.changes.csv")
    assert not any(line[3] for line in log[1:])  # nothing is logged as new that is not


def test_suggesting_changes_nothing_and_lists_what_could_be(dirty, tmp_path):
    result = clean(dirty, tmp_path / "c.csv", suggest=True)
    assert result.changes == ()
    assert read(tmp_path / "c.csv") == read(dirty)
    listed = {(line[0], line[1]): line[3] for line in read(tmp_path / "c.changes.csv")[1:] if line[3]}
    assert listed["7", "land"] == rows()[7][2]
    assert len(listed) == result.suggested == 4


def test_a_filled_number_is_written_as_the_row_it_comes_from_writes_it(tmp_path):
    sizes = {"a": "12.50", "b": "0012.0", "c": "1234567.8", "d": "1e3"}
    table = [["size", "amount"], *([key, sizes[key]] for key in "abcd" * 20)]
    for row in (5, 6, 7, 8):
        table[row][1] = ""
    path = tmp_path / "t.csv"
    path.write_text("\n".join(map(",".join, table)) + "\n")
    result = clean(path, tmp_path / "out.csv")
    assert [line[1] for line in read(tmp_path / "out.csv")[5:9]] == ["12.50", "0012.0", "1234567.8", "1e3"]
    assert [issue.new for issue in result.changes] == ["12.50", "0012.0", "1234567.8", "1e3"]


def test_a_data_frame_comes_back_mended_with_its_types_index_and_order():
    pd = pytest.importorskip("pandas", reason="pandas is missing: pip install 'isthmus[tables]'")
    town = np.array(list("abcd") * 25)
    frame = pd.DataFrame(
        {
            "name": pd.Categorical([f"town {letter}" for letter in town], ordered=True),
            "size": np.where(town == "a", 1.25, 2.5),
            "code": town,
            "since": pd.to_datetime(["2020-01-01", "2021-02-03", "2022-01-05", "2023-01-01"] * 25),
            "count": np.arange(100, dtype="int16"),
        },
        index=pd.Index(range(1000, 1100), name="key"),
    )
    frame["code"] = frame["code"].map({letter: f"code-{letter * 4}" for letter in "abcd"})
    dirty = frame.copy()
    dirty.loc[1003, "code"] = "code-dxdd"
    dirty.loc[1004, "size"] = np.nan
    dirty.loc[1005, "since"] = pd.NaT
    dirty.loc[1006, "name"] = None
    given = dirty.copy()
    result = clean(dirty)
    pd.testing.assert_frame_equal(result.frame, frame)
    pd.testing.assert_frame_equal(dirty, given)
    pd.testing.assert_frame_equal(clean(dirty, suggest=True).frame, given)


def test_tables_of_pyarrow_and_arrays_come_back_as_what_they_were():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": ["x", "y"] * 20, "b": pa.array([1, 2] * 19 + [1, None], pa.int16())})
    mended = clean(table).frame
    assert mended.schema == table.schema
    assert mended["b"].to_pylist() == [1, 2] * 20
    values = np.array([[1.0, 5.0], [2.0, 6.5]] * 20)
    values[3, 1] = np.nan
    mended = clean(values).frame
    assert mended[3, 1] == 6.5
    assert np.isnan(values[3, 1])


def test_numbers_of_a_matrix_keep_every_digit(tmp_path):
    values = np.random.default_rng(0).normal(size=(20, 3)) * 1e-9
    clean(values, tmp_path / "out.csv")
    assert np.array_equal(np.array(read(tmp_path / "out.csv")[1:], float), values)


def test_numbers_that_are_shown_alike_are_told_apart(tmp_path):
    values = np.arange(60.0)[:, None] * 1e-9 + np.array([[1.0, 2.0, 3.0, 4.0]])
    assert clean(values).near_duplicates == 0


def test_a_text_among_numbers_is_in_the_log_even_where_something_unsure_is_suggested(tmp_path):
    table = [["kind", "size"], *([f"k{n % 4}", str(10 + n % 4)] for n in range(120))]
    for row in (9, 10, 11):
        table[row][1] = "unknown"
    for row in range(40, 60, 4):
        table[row][1] = "99"  # so that size merely goes with kind
    path = tmp_path / "t.csv"
    path.write_text("\n".join(map(",".join, table)) + "\n")
    result = clean(path, tmp_path / "out.csv", confidence=0.99)
    logged = {int(line[0]): line for line in read(tmp_path / "out.changes.csv")[1:] if line[1]}
    assert {8, 9, 10} <= set(logged)
    assert logged[8][2:5] == ["unknown", "", "0.95"]
    assert {issue.row for issue in result.issues if issue.old == "unknown"} == {8, 9, 10}
