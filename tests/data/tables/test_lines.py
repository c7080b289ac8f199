"""Any file of rows comes back byte for byte, whatever its rows look like; numbers print as they stood."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from isthmus.data.tables import textfile
from isthmus.data.tables.lines import Form, chunk_of, chunks_of, form_of
from isthmus.data.tables.printing import Style, put_together, take_apart
from isthmus.errors import BadItem, DamagedFile, NoData

pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")

CELLS = st.one_of(
    st.text("ab,;\"'\n\r\t é\ud800", max_size=5),
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
    st.sampled_from(
        ["", "NA", "1e5", "-0", "007", " 5", "5 ", '"5"', "2020-01-31", "12:30", "1.", ".5", "1e308"]
    ),
)


def parsed(path, form):
    return (chunk_of(part, form) for part in chunks_of(path, form))


def back(path, form):
    told = Form.from_dict(form.to_dict(), form.names)
    assert told == form
    return form.start_bytes() + b"".join(told.to_bytes(chunk) for chunk in parsed(path, form))


@given(st.binary(min_size=1, max_size=200))
@example(b"a,b\n1,2\n3")
@example(b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n3,4")
@example(b'a,b\n"1\n2",3\n"4,5\n')
@example(b"\xff\xfea\x00,\x00b\x00\n\x001\x00,\x002\x00\n\x00")
@example(b"a,b\n\xff\xfe,2\n")
def test_whatever_is_taken_for_rows_comes_back(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("lines") / "t.csv"
    path.write_bytes(data)
    try:
        form = form_of(path)
    except (NoData, BadItem):
        return
    assert back(path, form) == data


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=12),
    st.sampled_from(["\n", "\r\n"]),
)
def test_rows_of_three_cells_come_back(tmp_path_factory, rows, end):
    path = tmp_path_factory.mktemp("lines") / "t.csv"
    path.write_bytes("".join(",".join(row) + end for row in rows).encode("utf-8", "surrogatepass"))
    try:
        form = form_of(path)
    except (NoData, BadItem):
        return
    assert back(path, form) == path.read_bytes()


def test_a_file_is_read_in_chunks_that_end_with_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(textfile, "READ_BYTES", 64)
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b'1,"x\ny"\n' * 50 + b"2,z")
    form = form_of(path)
    chunks = list(parsed(path, form))
    assert len(chunks) > 3
    assert all(not chunk.odd for chunk in chunks)
    assert back(path, form) == path.read_bytes()


def test_rows_unlike_the_others_stand_as_they_are(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,2\n1,2,3\n\n4,5\r\n6,7\n")
    chunk = next(parsed(path, form_of(path)))
    assert chunk.columns == [["1", "6"], ["2", "7"]]
    assert chunk.odd == [(1, "1,2,3\n\n"), (2, "4,5\r\n")]


def test_json_lines_are_rows_of_values(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1.50, "b": "x\\"y"}\n{"a": 2.25, "b": null}\n{"b": 1}\nnonsense\n')
    form = form_of(path)
    chunk = next(parsed(path, form))
    assert form.names == ("a", "b")
    assert chunk.columns == [["1.50", "2.25"], ['"x\\"y"', "null"]]
    assert [place for place, _ in chunk.odd] == [2, 3]
    assert back(path, form) == path.read_bytes()


@pytest.mark.parametrize(
    ("texts", "style"),
    [
        (["1", "-20", "300"], Style("number")),
        (["1.50", "2.00"], Style("number", 2)),
        (["1.5", "2", "2.25"], Style("number", 2, "short")),
        (["1.5", "2.0", "2.25"], Style("number", 2, "point")),
        ([" 39", " 40"], Style("number", before=" ")),
        (['"39"', '"40"'], Style("number", before='"', behind='"')),
        (["5%", "12%"], Style("number", behind="%")),
        (["2020-01-31", "2020-02-01"], Style("date", form="%Y-%m-%d")),
        (["007", "012"], Style()),
        (["a", "b"], Style()),
    ],
)
def test_the_style_of_a_column_is_seen(texts, style):
    found = take_apart(texts)
    assert found.style == style
    assert Style.from_dict(found.style.to_dict()) == style
    assert put_together(found.style, found.marks, found.numbers) == texts


@given(
    st.lists(CELLS, max_size=30),
    st.sampled_from([None, Style("number", 2), Style("date", form="%H:%M"), Style()]),
)
def test_every_column_is_printed_as_it_stood(texts, style):
    found = take_apart(texts, style)
    assert put_together(found.style, found.marks, found.numbers) == texts


def test_numbers_of_rare_length_are_marks():
    texts = ["-11", "-12", "-9"] * 400 + ["-10.111111111"]
    found = take_apart(texts)
    assert found.style == Style("number")
    assert found.marks is not None
    assert found.marks[-1] == "!-10.111111111"


@pytest.mark.parametrize(
    "told", [{"kind": "x"}, {"digits": 99}, {"digits": "2"}, {"more": 1}, {"zeros": "none"}]
)
def test_a_style_that_cannot_be_is_refused(told):
    with pytest.raises(DamagedFile):
        Style.from_dict(told)


def test_parts_that_do_not_belong_together_are_refused():
    with pytest.raises(DamagedFile):
        put_together(Style("number"), ["a"], None)
    with pytest.raises(DamagedFile):
        put_together(Style(), None, np.zeros(2, np.int64))
