import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.data import Layout
from isthmus.errors import DamagedFile
from strategies import layouts


@given(layouts())
def test_json_gives_the_layout_back(layout):
    assert Layout.from_dict(json.loads(json.dumps(layout.to_dict()))) == layout


@given(layouts(), st.data())
def test_a_selection_counts_what_was_asked_for(layout, data):
    start = data.draw(st.integers(0, len(layout)))
    stop = data.draw(st.integers(start, len(layout)))
    assert len(layout.select(start, stop)) == stop - start


@given(layouts(), st.data())
def test_selections_side_by_side_hold_every_member(layout, data):
    cut = data.draw(st.integers(0, len(layout)))
    names = [
        m.name for part in (layout.select(0, cut), layout.select(cut, len(layout))) for m in part.members
    ]
    assert set(names) == {member.name for member in layout.members}
    assert layout.select(0, len(layout)) == layout


@given(layouts())
def test_every_item_has_a_name(layout):
    assert all(
        layout.item_name(i).startswith(tuple(m.name for m in layout.members)) for i in range(len(layout))
    )
    with pytest.raises(IndexError):
        layout.item_name(len(layout))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"reader": 1, "members": [], "options": {}},
        {"reader": "npy", "members": "ab", "options": {}},
        {"reader": "npy", "members": [["a", -1]], "options": {}},
        {"reader": "npy", "members": [["a", True]], "options": {}},
        {"reader": "npy", "members": [["a", 1, 2]], "options": {}},
        {"reader": "npy", "members": [], "options": []},
    ],
)
def test_a_damaged_layout_is_refused(values):
    with pytest.raises(DamagedFile, match="list of items"):
        Layout.from_dict(values)
