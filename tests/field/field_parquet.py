"""Parquet and Feather files: categories, maps and whatever is nested come back to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
from terminal import call

from isthmus import compress, decompress, verify
from reports import member

LEVELS = ["low", "medium", "high"]


def restored(source: object, *options: object) -> Path:
    """The file that comes back, after `verify` said OK."""
    made = call("compress", source, "-o", "t.isz", "--force", *options)
    assert made.exit_code == 0, made.output
    checked = call("verify", "t.isz", "--against", source)
    assert checked.exit_code == 0, checked.output
    back = call("decompress", "t.isz", "-o", "back", "--force")
    assert back.exit_code == 0, back.output
    return Path("back", Path(str(source)).name)


def frame_back(frame: Any, **options: Any) -> pd.DataFrame:
    """What pandas reads from the file that comes back of a frame, after `verify` said OK."""
    compress(frame, "t.isz", force=True, **options)
    assert verify("t.isz", against=frame).ok
    return pd.read_parquet(decompress("t.isz", "back", force=True).files[0])


def refused(source: object, *options: object) -> str:
    """The sentence that `compress` refuses with; nothing was written."""
    made = call("compress", source, "-o", "no.isz", *options)
    assert made.exit_code == 2, made.output
    assert not Path("no.isz").exists()
    return str(made.stderr)


def written(table: pa.Table, name: str, **how: Any) -> str:
    """As Parquet or Feather, as the name says."""
    write = parquet.write_table if name.endswith(".parquet") else feather.write_feather
    write(table, name, **how)
    return name


def read(path: str | Path) -> pa.Table:
    return parquet.read_table(path) if str(path).endswith(".parquet") else feather.read_table(path)


def graded(rows: int = 300, first: str = "high", **how: Any) -> pa.Table:
    """Words that are an ordered category, of which one is never used, and numbers."""
    random = np.random.default_rng(0)
    cells = [first, *random.choice(["low", "high"], rows - 1)]
    column = pd.Categorical(cells, **({"categories": LEVELS, "ordered": True} | how))
    return pa.Table.from_pandas(pd.DataFrame({"q": column, "v": random.normal(size=rows)}))


def same_cells(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    """Equal as they are shown, where -0.0 is not 0.0, and NaN is NaN."""
    return bool(one.type == other.type) and repr(one.to_pylist()) == repr(other.to_pylist())


@member("K04", everyday=True)
def ordered_categories_keep_their_order_and_the_unused_one(folder: Path) -> None:
    written(graded(), "cat.feather")
    column = feather.read_feather(restored("cat.feather"))["q"]
    assert column.cat.categories.tolist() == LEVELS
    assert column.cat.ordered
    assert column.equals(feather.read_feather("cat.feather")["q"])


@member("K04")
def categories_of_every_type_come_back_in_feather(folder: Path) -> None:
    kinds: dict[str, tuple[Sequence[Any], pa.DataType]] = {
        "whole": ([30, 10, 20, 40], pa.int64()),
        "day": ([date(2020, 1, 2), date(2019, 1, 1)], pa.date32()),
        "real": ([1.5, -0.0, float("inf")], pa.float64()),
        "truth": ([True, False], pa.bool_()),
        "bytes": ([b"z", b"a", b""], pa.binary()),
        "large": (["z", "a", ""], pa.large_string()),
        "none": ([], pa.string()),
    }
    columns = {}
    for place, (name, (values, kind)) in enumerate(kinds.items()):
        index = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8()][place % 5]
        places = pa.array([None if not values or row % 7 == 0 else row % 2 for row in range(200)], index)
        columns[name] = pa.DictionaryArray.from_arrays(places, pa.array(values, kind), ordered=place % 2 == 0)
    written(pa.table(columns), "every.feather")
    mine, theirs = read(restored("every.feather")), read("every.feather")
    assert mine.schema.equals(theirs.schema, check_metadata=True)
    for name in kinds:
        ours, others = mine[name].combine_chunks(), theirs[name].combine_chunks()
        assert ours.dictionary.equals(others.dictionary), name
        assert ours.indices.equals(others.indices), name


@member("K04")
def categories_of_a_frame_come_back(folder: Path) -> None:
    words = ["b", None, "a", "b", "a"] * 40
    frame = pd.DataFrame(
        {
            "ordered": pd.Categorical(words, categories=["z", "b", "a"], ordered=True),
            "unordered": pd.Categorical(words, categories=["b", "unused", "a"]),
            "all missing": pd.Categorical([None] * 200, categories=["x", "y"]),
        }
    )
    pd.testing.assert_frame_equal(frame_back(frame), frame)


@member("K04")
def categories_that_parquet_cannot_hold_are_named(folder: Path) -> None:
    frame = pd.DataFrame({"grade": pd.Categorical([3, 1, 2] * 50, categories=[3, 2, 1, 9], ordered=True)})
    made = compress(frame, "t.isz")
    assert "'grade'" in made.notices[0]
    assert "category of int64 comes back as int64" in made.notices[0]
    assert frame_back(frame)["grade"].tolist() == frame["grade"].tolist()


@member("K04")
def categories_of_row_groups_that_list_others_are_all_there(folder: Path) -> None:
    kind = pa.dictionary(pa.int8(), pa.string(), ordered=True)
    schema = pa.schema([("q", kind)])
    groups = [["low", "unused", "high"], ["medium", "high"], ["highest"]]
    with parquet.ParquetWriter("groups.parquet", schema) as writer:
        for levels in groups:
            places = pa.array([0, None, len(levels) - 1] * 40, pa.int8())
            cells = pa.DictionaryArray.from_arrays(places, pa.array(levels), ordered=True)
            writer.write_batch(pa.record_batch([cells], schema=schema))
    back = restored("groups.parquet")
    mine, theirs = pd.read_parquet(back), pd.read_parquet("groups.parquet")
    pd.testing.assert_frame_equal(mine, theirs)
    assert mine["q"].cat.categories.tolist() == ["low", "unused", "high", "medium", "highest"]


@member("K04")
def categories_of_many_blocks_come_back(folder: Path) -> None:
    rows = 140_000
    words = pa.array(np.where(np.arange(rows) < 135_000, "a", "b"))
    written(pa.table({"q": words.dictionary_encode()}), "long.feather")
    assert read(restored("long.feather"))["q"].equals(read("long.feather")["q"])


@member("K04")
def verify_sees_that_categories_differ(folder: Path) -> None:
    written(graded(), "cat.feather")
    assert call("compress", "cat.feather", "-o", "t.isz").exit_code == 0
    others: list[dict[str, Any]] = [
        {"categories": LEVELS[::-1]},
        {"categories": ["low", "high"]},
        {"ordered": False},
    ]
    for how in others:
        written(graded(**how), "other.feather")
        assert call("verify", "t.isz", "--against", "other.feather").exit_code == 1, how


@member("K04")
def bounds_leave_categories_alone(folder: Path) -> None:
    written(graded(), "cat.parquet")
    mine, theirs = (
        pd.read_parquet(path) for path in (restored("cat.parquet", "--max-error", 0.1), "cat.parquet")
    )
    pd.testing.assert_series_equal(mine["q"], theirs["q"])
    assert 0 < np.abs(mine["v"] - theirs["v"]).max() <= 0.1


@member("K05", everyday=True)
def maps_are_equal_to_themselves(folder: Path) -> None:
    cells = pa.array([[("k", row)] for row in range(300)], pa.map_(pa.string(), pa.int64()))
    written(pa.table({"m": cells}), "map.parquet")
    assert read(restored("map.parquet"))["m"].to_pylist() == cells.to_pylist()


NESTED = {
    "list": pa.array([[1.5, None, float("nan")], None, [], [-0.0]] * 30),
    "struct": pa.array(
        [{"a": 0.0, "b": "x"}, None, {"a": None, "b": None}, {"a": float("-inf"), "b": ""}] * 30
    ),
    "maps in lists": pa.array(
        [[{"m": [("a", [1.0, float("nan"), -0.0])]}], None, [], [{"m": None}]] * 30,
        pa.list_(pa.struct([("m", pa.map_(pa.string(), pa.list_(pa.float64())))])),
    ),
    "pairs": pa.array([[1, 2], None, [3, None], [0, 0]] * 30, pa.list_(pa.int16(), 2)),
    "large": pa.array([["a"], None, [], ["b", None]] * 30, pa.large_list(pa.large_string())),
    "views": pa.array([["a"], None, [], ["b", None]] * 30, pa.list_view(pa.string_view())),
    "views of reals": pa.array([[0.5, float("nan")], None, [], [-0.0]] * 30, pa.list_view(pa.float64())),
    "view": pa.array(["a", None, "a longer one than twelve", ""] * 30, pa.string_view()),
    "id": pa.array([bytes(16), None, bytes(range(16)), bytes(16)] * 30, pa.uuid()),
    "json": pa.array(['{"a": 1}', None, "[]", "1"] * 30, pa.json_()),
    "half": pa.array(np.array([1.5, np.nan, -0.0, np.inf] * 30, np.float16)),
}


@member("K05")
def nested_and_extended_columns_come_back_bit_for_bit(folder: Path) -> None:
    for name in ("nested.parquet", "nested.feather"):
        written(pa.table(NESTED), name)
        mine, theirs = read(restored(name)), read(name)
        assert mine.schema.equals(theirs.schema, check_metadata=True)
        for column in NESTED:
            assert same_cells(mine[column], theirs[column]), (name, column)


@member("K05")
def a_single_bit_in_a_nested_cell_is_different(folder: Path) -> None:
    written(pa.table(NESTED), "nested.parquet")
    assert call("compress", "nested.parquet", "-o", "t.isz").exit_code == 0
    changes: dict[str, Any] = {
        "list": [[1.5, None, float("nan")], None, [], [0.0]] * 30,
        "struct": [{"a": -0.0, "b": "x"}, None, {"a": None, "b": None}, {"a": float("-inf"), "b": ""}] * 30,
        "pairs": [[1, 2], None, [3, 3], [0, 0]] * 30,
    }
    for name, cells in changes.items():
        other = pa.table({**NESTED, name: pa.array(cells, NESTED[name].type)})
        found = call("verify", "t.isz", "--against", written(other, "other.parquet"))
        assert found.exit_code == 1, name
        assert repr(name) in found.output


@member("K05")
def the_same_rows_in_other_row_groups_are_equal(folder: Path) -> None:
    table = pa.table(NESTED)
    written(table, "one.parquet")
    written(table, "many.parquet", row_group_size=7, compression="gzip", use_dictionary=False)
    assert call("compress", "one.parquet", "-o", "t.isz").exit_code == 0
    assert call("verify", "t.isz", "--against", "many.parquet").exit_code == 0


@member("K05")
def files_that_few_readers_like_come_back(folder: Path) -> None:
    table = pa.table({"a": [1, 2, None], "s": ["x", "", None]})
    parquet.write_table(table.slice(0, 0), "no rows.parquet")
    twice = pa.table([table["a"], table["s"]], names=["a", "a"])
    parquet.write_table(twice, "one name twice.parquet")
    no_text = pa.Array.from_buffers(pa.string(), 2, pa.array([b"ok", b"\xff\xfe"]).buffers())
    parquet.write_table(pa.table({"s": no_text}), "no unicode.parquet")
    for name in ("no rows.parquet", "one name twice.parquet", "no unicode.parquet"):
        mine, theirs = (parquet.ParquetFile(path).read() for path in (restored(name), name))
        assert mine.equals(theirs), name
    with pa.OSFile("stream.arrow", "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    assert pa.ipc.open_stream(restored("stream.arrow").read_bytes()).read_all().equals(table)
    for name, data in {"a.parquet": b"", "b.feather": b"FEA1" + bytes(100), "c.arrow": b"hello"}.items():
        Path(name).write_bytes(data)
        assert "cannot be read" in refused(name)


@member("K26")
def stamps_of_96_bits_keep_the_end_of_time(folder: Path) -> None:
    seconds = pa.array([253402214400, 0, None, -62135596800] * 50, pa.timestamp("s"))
    table = pa.table({"until": seconds.cast(pa.timestamp("us")), "x": range(200)})
    written(table, "old.parquet", use_deprecated_int96_timestamps=True)
    assert read(restored("old.parquet"))["until"].equals(table["until"])
