"""Parts of a typed table hold its rows in order, whatever its batches are, and list the same categories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

pa = pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")

WORDS = st.lists(st.none() | st.sampled_from("abcdef"), max_size=9)


def batch_of(words):
    return pa.record_batch({"word": pa.array(words, pa.string()).dictionary_encode()})


@given(st.lists(WORDS, min_size=1, max_size=5), st.lists(st.integers(1, 12), max_size=5))
def test_parts_hold_all_rows_and_list_all_categories(batches, counts):
    from isthmus.data.tables.typedfile import open_typed

    rows = [word for batch in batches for word in batch]
    table = open_typed(pa.Table.from_batches([batch_of(words) for words in batches]))
    parts = list(table.parts(counts))
    assert [word for part in parts for word in part.column(0).to_pylist()] == rows
    for count, part in zip(counts, parts[: max(0, len(parts) - 1)], strict=False):
        assert len(part) == count
    listed = list(dict.fromkeys(word for word in rows if word is not None))
    assert all(part.column(0).dictionary.to_pylist() == listed for part in parts)
    assert table.count == len(rows)


def test_categories_that_indices_cannot_count_stay_apart():
    from isthmus.data.tables.typedfile import open_typed

    kind = pa.dictionary(pa.int8(), pa.string())
    columns = [
        pa.DictionaryArray.from_arrays(
            pa.array([0], pa.int8()), pa.array([f"{letter}{n}" for n in range(100)])
        )
        for letter in "ab"
    ]
    batches = [pa.record_batch([column], schema=pa.schema([("word", kind)])) for column in columns]
    table = open_typed(pa.Table.from_batches(batches))
    assert not table.categories
    for parts in (table.parts(), table.parts([1, 1])):
        assert [part.column(0).to_pylist() for part in parts] == [["a0"], ["b0"]]
