"""DataFrames from Python: their index, names and types come back, or are named, or refused in a sentence."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from field_parquet import NESTED, frame_back, read, restored, same_cells, written

from isthmus import IsthmusError, compress, decompress, verify
from reports import member

INDEXES: dict[str, Any] = {
    "stamps": pd.date_range("2024-01-01", periods=200, freq="h", name="when"),
    "unnamed stamps with a zone": pd.date_range("2024-03-30", periods=200, freq="h", tz="Europe/Oslo"),
    "words": pd.Index([f"row {number}" for number in range(200)], name="key"),
    "unnamed words": pd.Index([f"row {number}" for number in range(200)]),
    "twice the same": pd.Index([number // 2 for number in range(200)]),
    "with gaps": pd.Index([np.nan if number % 9 == 0 else number / 7 for number in range(200)]),
    "a range from 5": pd.RangeIndex(5, 205, name="line"),
    "a range in steps": pd.RangeIndex(400, 0, -2),
    "levels": pd.MultiIndex.from_product([["b", "a"], range(100)], names=["group", None]),
    "categories": pd.CategoricalIndex(["b", "a"] * 100, categories=["z", "b", "a"], ordered=True),
    "spans": pd.interval_range(0, 200),
    "months": pd.period_range("2000-01", periods=200, freq="M"),
    "lengths": pd.timedelta_range("1h", periods=200, freq="13min"),
    "the name of a column": pd.Index(range(200), name="load"),
}


def indexed(index: Any) -> pd.DataFrame:
    return pd.DataFrame({"load": np.sin(np.arange(200) / 9)}, index=index)


@member("K29", everyday=True)
def the_index_of_a_frame_comes_back(folder: Path) -> None:
    frame = indexed(INDEXES["stamps"])
    pd.testing.assert_frame_equal(frame_back(frame), frame, check_freq=False)


@member("K29")
def every_index_comes_back(folder: Path) -> None:
    for name, index in INDEXES.items():
        made = compress(indexed(index), "t.isz", force=True)
        assert made.notices == (), name
        pd.testing.assert_frame_equal(frame_back(indexed(index)), indexed(index), check_freq=False, obj=name)


@member("K29")
def an_index_is_left_alone_by_a_bound_for_all(folder: Path) -> None:
    frame = indexed(pd.Index(np.arange(200) * 2, name="id")).assign(n=np.arange(200))
    back = frame_back(frame, max_error=3)
    assert back.index.equals(frame.index)
    assert 0 < np.abs(back["n"] - frame["n"]).max() <= 3
    frame.to_parquet("t.parquet")
    assert pd.read_parquet(restored("t.parquet", "--max-error", 3)).index.equals(frame.index)


@member("K29")
def attrs_and_names_of_columns_come_back(folder: Path) -> None:
    frame = pd.DataFrame(np.arange(400.0).reshape(200, 2))
    frame.attrs = {"unit": "m", "by": ["a", "b"]}
    back = frame_back(frame)
    pd.testing.assert_frame_equal(back, frame)
    assert back.attrs == frame.attrs
    names = [
        pd.MultiIndex.from_tuples([("a", "x"), ("b", "y")], names=["p", "q"]),
        pd.DatetimeIndex(["2020-01-01", "2021-01-01"]),
        pd.Index([0.5, 1.5]),
        pd.Index(["a", "b"], name="columns"),
    ]
    for columns in names:
        named = frame.set_axis(columns, axis=1)
        back = frame_back(named)
        assert back.columns.equals(named.columns)
        assert back.columns.names == named.columns.names


@member("K29")
def what_parquet_changes_of_a_frame_is_named(folder: Path) -> None:
    base = pd.DataFrame({"x": np.arange(200)})
    odd = pd.DataFrame({"x": base["x"], 1: 2.0})
    marked = base.copy()
    marked.attrs = {"made by": object()}
    changed = {
        "names of the columns": odd,
        "attrs": marked,
        "the index": base.set_axis(pd.CategoricalIndex([1, 2] * 100)),
        "'x'": pd.DataFrame({"x": pd.to_datetime(base["x"], unit="s").astype("datetime64[s]")}),
        "cells of the column 'd'": pd.DataFrame({"d": [{"a": 1}, {"b": 2}] * 100}),
    }
    for told, frame in changed.items():
        (notice,) = compress(frame, "t.isz", force=True).notices
        assert told in notice
        assert verify("t.isz", against=frame).ok
        assert told in str(refusal_of(frame, strict=True))


@member("K29")
def what_parquet_cannot_hold_is_refused_in_a_sentence(folder: Path) -> None:
    numbers = np.arange(5)
    frames = {
        "'mixed'": pd.DataFrame({"mixed": [1, "a", 2.0, None, b"x"]}),
        "'z'": pd.DataFrame({"z": numbers * 1j}),
        "'sparse'": pd.DataFrame({"sparse": pd.arrays.SparseArray([0, 0, 1, 0, 0])}),
        "'long'": pd.DataFrame({"long": [2**70, 1, 2, 3, 4]}),
        "'cut'": pd.DataFrame({"cut": pd.cut(numbers, 2)}),
        "called 'a'": pd.DataFrame(np.ones((5, 2)), columns=["a", "a"]),
        "no columns": pd.DataFrame(index=range(3)),
        "must take at most 16.8 MB": pd.DataFrame({"x": numbers}),
        "The index": indexed(pd.Index([1, "a"] * 100, dtype=object)),
    }
    frames["must take at most 16.8 MB"].attrs = {"text": "x" * (1 << 25)}
    sources: list[tuple[str, Any]] = [*frames.items(), ("Series", pd.Series(numbers))]
    for told, frame in sources:
        refusal = refusal_of(frame)
        assert told in str(refusal)
        assert refusal.exit_code == 2
        assert not Path("no.isz").exists()


def refusal_of(frame: Any, **how: Any) -> IsthmusError:
    try:
        compress(frame, "no.isz", **how)
    except IsthmusError as refusal:
        return refusal
    raise AssertionError("it is not refused")


@member("K29")
def types_of_every_kind_come_back_from_a_frame(folder: Path) -> None:
    stamps = pd.date_range("2024", periods=5)
    frame = pd.DataFrame(
        {
            "interval": pd.arrays.IntervalArray.from_breaks(range(6)),
            "period": pd.period_range("2024", periods=5, freq="M"),
            "took": pd.timedelta_range("1h", periods=5),
            "zone": stamps.tz_localize("Asia/Kolkata"),
            "far": pd.array(
                np.array(["0001-01-01", "9999-12-31", "1600-01-01", "NaT", "2020-01-01"], "M8[ms]")
            ),
            "decimal": [
                Decimal("1.5"),
                Decimal("-2.25"),
                None,
                Decimal("0.01"),
                Decimal("12345678901234567890.12"),
            ],
            "Int64": pd.array([1, None, 3, 4, 2**62], dtype="Int64"),
            "boolean": pd.array([True, None, False, True, None], dtype="boolean"),
            "list": [[1], [], None, [2, 3], [4]],
            "bytes": [b"a", b"", None, b"\0", b"b"],
            "half": np.ones(5, np.float16),
            "u": np.full(5, 2**64 - 1, np.uint64),
            "none": [None] * 5,
            "words": ["a", None, "é", "", "b"],
        }
    )
    assert compress(frame, "t.isz").notices == ()
    pd.testing.assert_frame_equal(frame_back(frame), frame, check_exact=False, rtol=0, atol=0)


@member("K29")
def verify_sees_another_index(folder: Path) -> None:
    for name in ("stamps", "words", "a range from 5", "levels"):
        frame = indexed(INDEXES[name])
        compress(frame, "t.isz", force=True)
        others = [
            frame[::-1].set_axis(frame.index),
            frame.reset_index(drop=True),
            frame.set_axis(frame.index[::-1]),
        ]
        assert all(not verify("t.isz", against=other).ok for other in others), name


@member("K29")
def detect_says_that_it_does_not_look_at_an_index(folder: Path) -> None:
    from isthmus import detect

    frame = indexed(INDEXES["words"]).assign(more=np.arange(200) % 7)
    assert any("the index 'key'" in notice for notice in detect(frame).notices)


@member("K29")
def tables_of_pyarrow_come_back_with_their_types(folder: Path) -> None:
    table = pa.table(NESTED).replace_schema_metadata({"made": "by hand"})
    table = read(written(table, "once.parquet"))  # which names the parts of maps in its own way
    assert compress(table, "t.isz").notices == ()
    assert verify("t.isz", against=table).ok
    back = read(decompress("t.isz", "back").files[0])
    assert back.schema.equals(table.schema, check_metadata=True)
    assert all(same_cells(back[name], table[name]) for name in NESTED)
    (notice,) = compress(pa.table({"t": pa.array([1, 2], pa.time32("s"))}), "n.isz").notices
    assert "'t': time32[s] comes back as time32[ms]" in notice
