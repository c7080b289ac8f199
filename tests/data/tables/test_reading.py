"""Texts and frames become the table that a person would see in them, or are refused in one sentence."""

import gzip
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.data.tables import Column, Schema, open_table
from isthmus.errors import BadItem, ConfigError, NoData, SpecMismatch

pa = pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")
pd = pytest.importorskip("pandas", reason="pandas is missing: pip install 'isthmus[tables]'")


@pytest.fixture
def written(tmp_path):
    def write(text: str | bytes, name: str = "t.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def kinds(source) -> list[str]:
    return [column.kind for column in source.schema]


def texts(table) -> list[list[str | None]]:
    return [[cells.text(row) for cells in table.columns] for row in range(len(table))]


def test_kinds_are_told_by_the_cells(written):
    rows = "\n".join(
        f"{n},{n / 4:.2f},{n / 7},{'yes' if n % 2 else 'no'},2020-01-{n + 1:02},{'ab'[n % 2]},"
        for n in range(28)
    )
    source = open_table(written("i,d,x,b,t,c,e\n" + rows + "\n"))
    assert kinds(source) == ["integer", "decimal", "number", "boolean", "date", "category", "empty"]
    assert texts(source.whole())[3] == ["3", "0.75", "0.42857142857142855", "yes", "2020-01-04", "b", None]


def test_numbers_are_names_where_zeros_lead_or_no_float_holds_them(written):
    source = open_table(written("zip,card\n01234,1234567890123456789\n99999,1234567890123456780\n"))
    assert not any(column.is_numeric for column in source.schema)
    assert texts(source.whole())[0] == ["01234", "1234567890123456789"]


def test_a_word_among_numbers_stays_as_a_stray(written):
    source = open_table(written("n\n" + "\n".join([*map(str, range(40)), "4O"]) + "\n"))
    cells = source.whole().columns[0]
    assert cells.column.kind == "integer"
    assert cells.strays == {40: "4O"}
    assert cells.text(40) == "4O"
    assert not cells.missing.any()


@pytest.mark.parametrize("absent", ["", "NA", "nan", "NULL", "?", "  "])
def test_missing_cells_are_missing_and_no_zeros(written, absent):
    table = open_table(written(f"a,b\n1,x\n{absent},{absent}\n3,y\n")).whole()
    assert [cells.missing.tolist() for cells in table.columns] == [[False, True, False]] * 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_and_quotes_hold_cells_together(written, delimiter):
    rows = [("a", "b"), ("1", f'"x{delimiter}y"'), ("2", '"two\nlines"')]
    path = written("".join(delimiter.join(row) + "\n" for row in rows))
    assert texts(open_table(path).whole()) == [["1", f"x{delimiter}y"], ["2", "two\nlines"]]


def test_a_file_without_a_header_keeps_its_first_row(written):
    source = open_table(written("1,tcp\n2,udp\n"))
    assert source.schema.names == ("column_0", "column_1")
    assert len(source.whole()) == 2
    assert len(open_table(written("a,b\nc,d\n"), header=False).whole()) == 2


def test_names_of_columns_that_come_twice_or_not_at_all_are_told_apart(written):
    source = open_table(written("a,a,,a\n1,2,3,4\n"))
    assert source.schema.names == ("a", "a (2)", "column_2", "a (3)")


@pytest.mark.parametrize(
    "data",
    ["\ufeffa,é\n1,😀\n".encode(), "a,é\n1,ü\n".encode("latin-1"), "a,é\n1,ü\n".encode("utf-16")],
    ids=["utf-8 with a mark", "latin-1", "utf-16"],
)
def test_encodings(written, data):
    source = open_table(written(data))
    assert source.schema.names == ("a", "é")
    assert texts(source.whole())[0][1] in ("😀", "ü")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a,b\n1,\x80 5\n", "€ 5"),
        (b"a,b\n" + b"1,x\n" * 500_000 + b"1,\x80 5\n", "€ 5"),
        (b"a,b\n1,\x93\xe9t\xe9\x94", "\u201cété\u201d"),
        (b"a,b\n1,\x81\xe9\n", "\x81é"),
    ],
    ids=["Euro", "behind the first megabyte", "without a last line end", "a byte that Windows-1252 lacks"],
)
def test_bytes_that_are_no_utf_8_are_windows_1252(written, data, told):
    words = open_table(written(data)).whole().columns[1]
    assert words.text(len(words) - 1) == told


def test_a_packed_file_is_read(written):
    assert len(open_table(written(gzip.compress(b"a,b\n1,2\n3,4\n"), "t.csv.gz")).whole()) == 2


def test_ragged_rows_are_refused_by_number_or_left_out_and_named(written):
    path = written("a,b\n1,2\n3\n4,5\n6,7,8\n")
    with pytest.raises(BadItem, match="row 1 has 1 cells where 2 must be"):
        open_table(path)
    source = open_table(path, skip_bad=True)
    assert texts(source.whole()) == [["1", "2"], ["4", "5"]]
    assert [one.name for one in source.skipped] == ["row 1", "row 3"]


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n"])
def test_a_file_without_rows_is_refused(written, text):
    with pytest.raises(NoData):
        open_table(written(text))


def test_bytes_that_are_no_text_are_refused(written):
    with pytest.raises(BadItem, match="no table of text"):
        open_table(written(b"\x00\x01\x02" * 100))
    with pytest.raises(BadItem, match="cannot be read"):
        open_table(written(b"no parquet", "t.parquet"))


def test_five_thousand_columns_are_read(written):
    names, row = ",".join(f"c{n}" for n in range(5000)), ",".join(map(str, range(5000)))
    source = open_table(written(f"{names}\n{row}\n{row}\n"))
    assert len(source.schema) == 5000
    assert source.whole().columns[4999].numbers.tolist() == [4999, 4999]


def test_the_same_table_comes_from_every_kind_of_file(tmp_path):
    frame = pd.DataFrame({"n": [1, 2, 3], "x": [0.5, None, 2.5], "c": ["a", "b", "a"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    with pa.ipc.new_file(tmp_path / "t.arrow", (table := pa.Table.from_pandas(frame)).schema) as file:
        file.write(table)
    expected = [["1", "0.5", "a"], ["2", None, "b"], ["3", "2.5", "a"]]
    for name in ("t.csv", "t.parquet", "t.jsonl", "t.arrow"):
        assert texts(open_table(tmp_path / name).whole()) == expected
    assert texts(open_table(frame).whole()) == expected
    assert texts(open_table(pa.Table.from_pandas(frame)).whole()) == expected


def test_frames_of_mixed_objects_and_of_times_are_read():
    frame = pd.DataFrame(
        {"m": [1, "x", None], "t": pd.to_datetime(["2020-01-01 10:00:00"] * 3), "b": [True, False, True]}
    )
    source = open_table(frame)
    assert [column.kind for column in source.schema][1:] == ["date", "boolean"]
    assert texts(source.whole())[0] == ["1", "2020-01-01 10:00:00", "true"]


def test_a_matrix_is_a_table_of_numbers(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1.5, np.nan], [2.5, 3.0]]))
    table = open_table(tmp_path / "x.npy").whole()
    assert texts(table) == [["1.5", None], ["2.5", "3.0"]]
    with pytest.raises(NoData, match="two axes"):
        open_table(np.zeros(3))


def test_chunks_are_the_whole_in_parts(written, monkeypatch):
    monkeypatch.setattr("isthmus.data.tables.textfile.READ_BYTES", 64)
    rows = [f"{n},w{n % 7}" for n in range(200)]
    source = open_table(written("n,w\n" + "\n".join(rows) + "\n"))
    assert len(list(source.chunks())) > 3
    assert [f"{n},{w}" for n, w in texts(source.whole())] == rows
    assert [f"{n},{w}" for n, w in texts(source.whole())] == rows  # and once more


def test_a_table_of_other_columns_is_refused_by_name(written):
    source = open_table(written("a,b\n1,2\n"))
    with pytest.raises(SpecMismatch, match="'c'"):
        source.chunks(Schema((Column(name="c", kind="integer"),)))


def test_a_schema_is_edited_as_toml(written):
    path = written("code,v\n12,1\n13,2\n")
    schema = open_table(path).schema
    told = schema.to_toml().replace(
        'name = "code"\nkind = "integer"', 'name = "code"\nkind = "category"\nused = false'
    )
    wishes = {column.name: column for column in Schema.from_toml(told)}
    source = open_table(path, wishes=wishes)
    assert kinds(source) == ["category", "integer"]
    assert not source.schema.columns[0].used


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[[column]]\nname='a'",
        "[[column]]\nname='a'\nkind='no'",
        "a=1",
        "[[column]]\nname='a'\nkind='integer'\nsize=3",
    ],
)
def test_a_schema_that_cannot_be_is_refused(text):
    with pytest.raises(ConfigError):
        Schema.from_toml(text)


@given(
    st.lists(
        st.text(st.characters(blacklist_categories=("Cs",)), max_size=8), min_size=1, max_size=5, unique=True
    )
)
def test_any_names_survive_toml(names):
    schema = Schema(tuple(Column(name=name, kind="text", used=len(name) % 2 == 0) for name in names))
    assert Schema.from_toml(schema.to_toml()) == schema


CELLS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=30))
def test_every_cell_of_any_text_is_there_without_its_outer_spaces(tmp_path_factory, rows):
    import csv

    from isthmus.data.tables.schema import MISSING

    file = io.StringIO(newline="")
    csv.writer(file).writerows([("first", "second"), *rows])
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_bytes(file.getvalue().encode())
    wishes = {name: Column(name=name, kind="text") for name in ("first", "second")}
    found = texts(open_table(path, wishes=wishes).whole())
    trimmed = [[None if (cell := whole.strip()) in MISSING else cell for whole in row] for row in rows]
    assert found == trimmed


def test_a_matrix_follows_its_schema():
    wishes = {"column_1": Column(name="column_1", kind="number", used=False)}
    source = open_table(np.ones((3, 2)), wishes=wishes)
    assert [cells.column.used for cells in source.whole().columns] == [True, False]
    with pytest.raises(SpecMismatch, match="numbers alone"):
        open_table(np.ones((3, 2)), wishes={"column_1": Column(name="column_1", kind="text")})


def test_upper_case_suffixes_are_known(tmp_path):
    pd.DataFrame({"n": [1, 2]}).to_parquet(tmp_path / "T.PARQUET")
    assert len(open_table(tmp_path / "T.PARQUET").whole()) == 2
