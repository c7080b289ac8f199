from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.data.names import check_names, fault_in, prepare_outputs
from isthmus.errors import BadItem, OutputExists
from strategies import file_names


@given(st.text(max_size=30) | st.text("./\\:aA\0", max_size=8))
def test_a_name_without_fault_stays_inside_the_folder(name):
    folder = Path("/some/folder")
    if fault_in(name) is None:
        path = folder / name
        assert path.is_relative_to(folder)
        assert ".." not in path.parts
        assert path != folder


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        ".",
        "a/.",
        "C:a",
        "C:/a",
        "//host/a",
        "a\\b",
        "a\0b",
        "\ud800",
        "x" * 256,
    ],
)
def test_dangerous_names_are_refused(name):
    with pytest.raises(BadItem, match="nothing was written"):
        check_names([name])


@given(st.lists(file_names(), max_size=6))
def test_a_name_twice_is_refused(names):
    with pytest.raises(BadItem, match="one file"):
        check_names([*names, "same", "same"])


@pytest.mark.parametrize("other", ["PHOTO.png", "photo.PNG"])
def test_names_that_differ_in_case_collide_only_where_case_is_ignored(other):
    check_names(["photo.png", other])
    with pytest.raises(BadItem, match="one file"):
        check_names(["photo.png", other], ignores_case=True)


def test_two_ways_to_write_an_accent_collide_where_case_is_ignored():
    with pytest.raises(BadItem, match="one file"):
        check_names(["\u00e9.png", "e\u0301.png"], ignores_case=True)


@pytest.mark.parametrize("names", [["a", "a/b"], ["a/b/c", "a/b"]])
def test_a_file_cannot_be_a_folder_too(names):
    with pytest.raises(BadItem, match="one file"):
        check_names(names)


def test_outputs_are_checked_before_anything_is_written(tmp_path):
    (tmp_path / "b").write_text("kept")
    with pytest.raises(OutputExists):
        prepare_outputs(["a", "b"], tmp_path, force=False)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert prepare_outputs(["a", "b"], tmp_path, force=True) == [tmp_path / "a", tmp_path / "b"]


@pytest.mark.parametrize("name", ["NUL", "a/con.txt", "com1", "lpt9 .x", "a.", "b ", "a/b:stream", "CONIN$"])
def test_names_that_mean_something_else_on_windows(name):
    assert fault_in(name, windows=True) is not None
    assert fault_in(name, windows=False) is None


@pytest.mark.parametrize("name", ["null", "console.png", "a/com10", "aux1.txt"])
def test_names_that_only_look_like_devices(name):
    assert fault_in(name, windows=True) is None
