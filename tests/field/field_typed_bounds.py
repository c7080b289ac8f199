"""Parquet within bounds, and what Parquet alone is said to take."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from field_parquet import read, refused, restored, written
from terminal import call

from reports import member


def kept_within(name: str, bound: float, *options: object) -> pa.Table:
    """What comes back, whose numbers were held against a bound, and everything else against equality."""
    mine, theirs = read(restored(name, *options)), read(name)
    assert mine.schema.equals(theirs.schema)
    for column in theirs.column_names:
        ours, others = mine[column].to_pylist(), theirs[column].to_pylist()
        for one, other in zip(ours, others, strict=True):
            is_number = isinstance(other, (int, float)) and not isinstance(other, bool)
            if is_number and np.isfinite(float(other)):
                assert abs(one - other) <= bound, (column, one, other)
            else:
                assert one == other or (one != one and other != other), (column, one, other)
    return mine


@member("K07", everyday=True)
def whole_numbers_of_64_bits_come_back_within_a_bound(folder: Path) -> None:
    random = np.random.default_rng(1)
    table = pa.table({"id": random.integers(0, 2**63 - 1, 300), "amount": random.normal(size=300).round(2)})
    written(table, "ids.parquet")
    kept_within("ids.parquet", 1, "--max-error", 1)


@member("K07")
def extremes_of_every_whole_type_are_kept_within_bounds(folder: Path) -> None:
    random = np.random.default_rng(2)
    columns = {}
    for kind in (np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64):
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        values = random.integers(low, high, 200, dtype=kind, endpoint=True)
        values[:2] = low, high
        columns[kind.__name__] = pa.array(values, mask=random.random(200) < 0.1)
    columns["negative"] = pa.array(random.integers(-(2**63), -(2**63) + 1000, 200))
    columns["near"] = pa.array(2**62 + random.integers(-1000, 1000, 200))
    written(pa.table(columns), "ends.parquet")
    for bound in (1, 3, 1000, 2**40, 1e25):
        kept_within("ends.parquet", bound, "--max-error", bound)


@member("K07")
def a_relative_bound_of_wide_columns_holds(folder: Path) -> None:
    random = np.random.default_rng(3)
    values = random.integers(-(2**63), 2**63 - 1, 200)
    written(pa.table({"id": values}), "ids.parquet")
    span = int(values.max()) - int(values.min())
    kept_within("ids.parquet", 0.001 * span, "--max-error", 0.001, "--error-mode", "rel")
    kept_within("ids.parquet", 5, "--bound", "id=5")


@member("K07")
def huge_and_missing_floats_keep_a_bound(folder: Path) -> None:
    random = np.random.default_rng(4)
    values = random.normal(size=200)
    values[:8] = 1e300, -1e300, np.inf, -np.inf, np.nan, -0.0, 5e-324, 1.7e308
    table = pa.table(
        {
            "double": values,
            "single": values.clip(-3e38, 3e38).astype(np.float32),
            "cents": np.r_[values[:8], values[8:].round(2)],
            "half": values.clip(-6e4, 6e4).astype(np.float16),
        }
    )
    written(table, "huge.parquet")
    for bound in (0.01, 1e-320, 1e299, 1e308):
        kept_within("huge.parquet", bound, "--max-error", bound)
    spans = [float(np.ptp(values[np.isfinite(values)])), *([0.0] * 3)]
    assert (
        call("compress", "huge.parquet", "-o", "r.isz", "--max-error", 0.001, "--error-mode", "rel").exit_code
        == 0
    )
    assert call("verify", "r.isz", "--against", "huge.parquet").exit_code == 0, spans


@member("K07")
def decimals_and_stamps_are_left_as_they_are_and_that_is_said(folder: Path) -> None:
    table = pa.table(
        {
            "price": pa.array([row / 3 for row in range(200)]).cast(pa.decimal128(38, 20)),
            "when": pa.array([row * 10**14 for row in range(200)], pa.timestamp("us", "Europe/Oslo")),
            "took": pa.array(range(200), pa.duration("ns")),
            "on": pa.array([row % 2 == 0 for row in range(200)]),
        }
    )
    written(table, "other.parquet")
    for column in table.column_names:
        assert f"'{column}'" in refused("other.parquet", "--bound", f"{column}=1")
    assert "leave the bound out" in refused("other.parquet", "--max-error", 1)


def claim(source: object, *options: object) -> tuple[int, int]:
    """Our bytes of a table, and what `compress` says that Parquet alone takes."""
    told = json.loads(call("compress", source, "-o", "c.isz", "--force", "--json", *options).stdout)
    return told["payload_bytes"], told["rivals"]["parquet"]


def alone(table: pa.Table) -> int:
    """A Parquet file by zstd at its strongest."""
    parquet.write_table(table, "alone.parquet", compression="zstd", compression_level=19)
    return Path("alone.parquet").stat().st_size


@member("K39", everyday=True)
def parquet_alone_counts_columns_that_stand_as_they_are(folder: Path) -> None:
    table = pa.table({"l": pa.array([[row, row + 1, row * 7 % 13] for row in range(300)])})
    ours, parquets = claim(written(table, "nested.parquet"))
    assert 0.5 * alone(table) < parquets < 1.5 * alone(table)
    assert ours < 1.1 * parquets
    assert Path("c.isz").stat().st_size < 1.2 * alone(table)


@member("K39")
def parquet_alone_is_about_what_it_is_for_every_type(folder: Path) -> None:
    random = np.random.default_rng(5)
    numbers = random.integers(0, 10**6, 2000)
    columns = {
        "decimal": pa.array(numbers).cast(pa.decimal128(20, 0)),
        "bytes": pa.array([f"{number:x}".encode() for number in numbers.tolist()]),
        "map": pa.array(
            [[("a", number), ("b", 1)] for number in numbers.tolist()], pa.map_(pa.string(), pa.int64())
        ),
        "struct": pa.array([{"x": number, "y": number / 7} for number in numbers.tolist()]),
        "words": pa.array(random.choice(["red", "green", "blue"], 2000)),
        "category": pa.array(random.choice(["red", "green", "blue"], 2000)).dictionary_encode(),
        "whole": pa.array(numbers),
        "real": pa.array(random.normal(size=2000)),
    }
    for name, column in columns.items():
        table = pa.table({name: column})
        ours, parquets = claim(written(table, f"{name}.parquet"))
        assert 0.7 * alone(table) < parquets < 1.3 * alone(table), name
        assert ours < 1.1 * parquets, name


@member("K39")
def parquet_alone_counts_rows_that_stand_as_they_are(folder: Path) -> None:
    lines = [",".join("x" * (row % 5 + 1)) for row in range(300)]
    Path("odd.csv").write_text("\n".join(["a,b,c", "1,2,3", *lines]) + "\n")
    ours, parquets = claim("odd.csv")
    assert ours < 1.1 * parquets


@member("K39")
def nothing_is_said_of_parquet_where_it_cannot_hold_a_table(folder: Path) -> None:
    Path("bytes.csv").write_bytes(
        b"a,b\n" + b"".join(b"%d,x\xe9\x81%c\n" % (row, 128 + row % 64) for row in range(200))
    )
    made = json.loads(call("compress", "bytes.csv", "-o", "t.isz", "--json").stdout)
    assert made["rivals"].get("parquet", 10**9) >= made["payload_bytes"]
