"""Types of Parquet, Arrow and DataFrames, as detect, clean and info read them."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
from outputs import done, kinds_in, lines_of, reasons_in, write_columns
from pyarrow import parquet

from reports import member


def any_types() -> dict[str, Any]:
    """Columns of 100 rows of types that hold no plain numbers or words."""
    rows = range(100)
    return {
        "hash": pa.array([bytes([i, 255 - i, 200]) for i in rows], pa.binary(3)),
        "raw": pa.array([bytes([i, 255]) for i in rows], pa.binary()),
        "text": pa.array([f"wörd {i % 5}".encode() for i in rows], pa.large_binary()),
        "took": pa.array([timedelta(milliseconds=1500 * i) for i in rows], pa.duration("ms")),
        "list": pa.array([[i % 3, None] for i in rows], pa.list_(pa.int32())),
        "far": pa.array([[datetime(9999, 12, 31)]] * 100, pa.list_(pa.timestamp("ms"))),
        "struct": pa.array([{"a": i % 2, "b": "x"} for i in rows]),
        "map": pa.array([[("k", i % 4)] for i in rows], pa.map_(pa.string(), pa.int32())),
        "nothing": pa.nulls(100),
        "empty": pa.array([None] * 100, pa.float32()),
        "level": pa.array([f"l{i % 3}" for i in rows]).dictionary_encode(),
        "coded": pa.array([1.5 * (i % 4) for i in rows]).dictionary_encode(),
        "half": pa.array([np.float16(i / 8) for i in rows], pa.float16()),
        "flag": pa.array([i % 2 == 0 for i in rows]),
        "big": pa.array([2**63 + i for i in rows], pa.uint64()),
        "x": pa.array([float(i % 7) for i in rows]),
    }


@member("K26", everyday=True)
def the_end_of_time_is_a_date(folder: Path) -> None:
    until = [datetime(9999, 12, 31) if i % 3 else datetime(2024, 1, 1 + i % 28) for i in range(200)]
    x = [i * 0.5 % 7 for i in range(200)]
    parquet.write_table(pa.table({"until": pa.array(until, pa.timestamp("us")), "x": x}), "valid.parquet")
    assert kinds_in("valid.parquet")["until"].startswith("date")
    done("detect", "valid.parquet", "--as", "table", "-o", "scores.csv", "--budget", "1s")
    done("clean", "valid.parquet", "-o", "clean.csv")
    assert lines_of("clean.csv")[1] == {"until": "9999-12-31 00:00:00", "x": "0.5"}


@member("K26")
def stamps_of_every_unit_and_year_are_read_to_the_second(folder: Path) -> None:
    columns = {
        "s": pa.array([-62135596800, 253402214400, 971890963199, 0, 86400] * 40, pa.timestamp("s")),
        "ms": pa.array([-62135596800000, 253402214400000, 0, 1, 5] * 40, pa.timestamp("ms")),
        "us": pa.array([-62135596800000000, 253402214400000000, 0, 1, 5] * 40, pa.timestamp("us")),
        "ns": pa.array([-(2**63) + 1, 2**63 - 1, 0, 1, 5] * 40, pa.timestamp("ns")),
        "zone": pa.array([0, 10**15, 2 * 10**15, 5, 6] * 40, pa.timestamp("us", "Europe/Berlin")),
        "day": pa.array([date.min, date.max, date(2024, 2, 29), None, date(1970, 1, 1)] * 40, pa.date32()),
        "milli": pa.array([date.min, date.max, date(2024, 2, 29), None, date(1970, 1, 1)] * 40, pa.date64()),
        "at": pa.array([time(0), time(23, 59, 59), time(12), None, time(1)] * 40, pa.time64("ns")),
    }
    parquet.write_table(pa.table(columns), "stamps.parquet")
    pa.feather.write_feather(pa.table(columns), "stamps.arrow")
    for name in ("stamps.parquet", "stamps.arrow"):
        assert all(kind.startswith("date") for kind in kinds_in(name).values())
        done("detect", name, "--as", "table", "-o", "scores.csv", "--budget", "1s", "--force")
        done("clean", name, "-o", "clean.csv", "--force")
        cells = lines_of("clean.csv")[0]
        assert cells["s"] == cells["ms"] == cells["us"] == "0001-01-01 00:00:00"
        assert cells["zone"] == "1970-01-01 01:00:00+01:00"
        assert cells["day"] == "0001-01-01"
        assert lines_of("clean.csv")[1]["at"] == "23:59:59"


@member("K26")
def reasons_quote_stamps_far_from_today(folder: Path) -> None:
    until = [datetime(2024, 1, 1 + i % 28, 12, i % 60) for i in range(300)]
    until[7] = datetime(9999, 12, 31, 23, 59, 59, 500000)
    until[8] = datetime(1, 1, 1)
    r = np.random.default_rng(1)
    parquet.write_table(
        pa.table({"until": pa.array(until, pa.timestamp("us")), "x": r.normal(size=300)}), "t.parquet"
    )
    done("detect", "t.parquet", "--as", "table", "-o", "scores.csv")
    found = reasons_in("scores.csv")
    assert found[7].startswith("until 9999-12-31 23:59:59.500000 (expected 2024-01")
    assert found[8].startswith("until 0001-01-01 00:00:00 (expected 2024-01")


@member("K26")
def dates_far_from_today_in_text_are_dates(folder: Path) -> None:
    write_columns("far.csv", {"until": ["9999-12-31", "2024-05-01", "0001-01-01"], "x": ["1", "2", "5"]})
    assert kinds_in("far.csv")["until"] == "date, %Y-%m-%d"
    done("detect", "far.csv", "--as", "table", "-o", "scores.csv", "--budget", "1s")
    done("clean", "far.csv", "-o", "clean.csv")
    assert lines_of("clean.csv")[0]["until"] == "9999-12-31"


@member("K27", everyday=True)
def decimals_of_38_digits_are_numbers(folder: Path) -> None:
    thirds = pa.array([Decimal(i) / 3 for i in range(200)], pa.decimal128(38, 28))
    parquet.write_table(pa.table({"d": thirds, "x": [i * 0.5 % 7 for i in range(200)]}), "dec.parquet")
    assert kinds_in("dec.parquet")["d"] == "number"
    done("detect", "dec.parquet", "--as", "table", "-o", "scores.csv", "--budget", "1s")
    done("clean", "dec.parquet", "-o", "clean.csv")
    assert [line["d"] for line in lines_of("clean.csv")] == [f"{each:f}" for each in thirds.to_pylist()]


@member("K27")
def every_width_of_decimals_is_read_and_quoted_to_its_last_digit(folder: Path) -> None:
    r = np.random.default_rng(3)
    usual = [Decimal(round(v, 2)).quantize(Decimal("0.01")) for v in r.normal(50, 5, 300)]
    odd, far = Decimal("12345678901234567890.1234567890123456"), Decimal("90000.25")
    columns = {
        "small": pa.array([far if i == 7 else v for i, v in enumerate(usual)], pa.decimal128(9, 2)),
        "wide": pa.array([odd if i == 9 else v for i, v in enumerate(usual)], pa.decimal256(70, 30)),
        "whole": pa.array([Decimal(int(v)) for v in usual], pa.decimal128(38, 0)),
        "hundreds": pa.array([int(v) * 100 for v in usual], pa.int64()).cast(pa.decimal128(38, 0)),
    }
    parquet.write_table(pa.table(columns), "wide.parquet")
    done("detect", "wide.parquet", "--as", "table", "-o", "scores.csv")
    found = reasons_in("scores.csv")
    assert "small 90000.25 (expected " in found[7]
    assert "wide 12345678901234567890.123456789012345600000000000000 (expected " in found[9]
    done("clean", "wide.parquet", "-o", "clean.csv", "--odd-rows")


@member("K28", everyday=True)
def uuids_are_names(folder: Path) -> None:
    ids = [bytes((i * 37 + k * 11) % 256 for k in range(16)) for i in range(200)]
    table = pa.table({"id": pa.array(ids, pa.uuid()), "x": [i * 0.5 % 7 for i in range(200)]})
    parquet.write_table(table, "uuid.parquet")
    assert kinds_in("uuid.parquet")["id"] == "identifier"
    done("detect", "uuid.parquet", "-o", "scores.csv", "--budget", "1s")
    done("clean", "uuid.parquet", "-o", "clean.csv")
    assert lines_of("clean.csv")[3]["id"] == str(uuid.UUID(bytes=ids[3]))


@member("K28")
def every_type_of_parquet_and_arrow_is_taken_for_something(folder: Path) -> None:
    columns = any_types()
    parquet.write_table(pa.table(columns), "any.parquet")
    views = {"view": pa.array([bytes([i, 255]) for i in range(100)], pa.binary_view())}
    spans = {"span": pa.array([pa.MonthDayNano([i % 3, 1, 5]) for i in range(100)])}
    pa.feather.write_feather(pa.table(columns | views | spans), "any.arrow", compression="uncompressed")
    for name in ("any.parquet", "any.arrow"):
        kinds = kinds_in(name)
        done("detect", name, "-o", "scores.csv", "--budget", "1s", "--force")
        done("clean", name, "-o", "clean.csv", "--force")
        cells = lines_of("clean.csv")[2]
        assert kinds["took"] == "number, written as -1234.5 s"
        assert kinds["nothing"] == "empty"
        assert cells["hash"] == "02fdc8"
        assert cells["text"] == "wörd 2"
        assert cells["took"] == "3 s"
        assert cells["big"] == str(2**63 + 2)
        assert cells["flag"] == "true"


@member("K28")
def a_model_of_typed_columns_judges_the_same_columns_from_another_file(folder: Path) -> None:
    from isthmus import detect, fit_detector

    table = pa.table(any_types())
    parquet.write_table(table, "any.parquet")
    pa.feather.write_feather(table, "any.arrow")
    detector = fit_detector("any.parquet", steps=5).detector
    ours, theirs, frame = (detect(each, detector) for each in ("any.parquet", "any.arrow", table))
    assert np.array_equal(ours.scores, theirs.scores)
    assert np.array_equal(ours.scores, frame.scores)
    assert not theirs.notices


@member("K28")
def odd_columns_of_frames_are_looked_at(folder: Path) -> None:
    from isthmus import detect

    rows = 60
    columns = {
        "interval": pd.arrays.IntervalArray.from_breaks(range(rows + 1)),
        "period": pd.period_range("2020-01", periods=rows, freq="M"),
        "category": pd.Categorical([i % 3 for i in range(rows)]),
        "uuid": [uuid.UUID(int=i) for i in range(rows)],
        "mixed": [i if i % 2 else f"n{i}" for i in range(rows)],
        "decimal": [Decimal(i) / 7 for i in range(rows)],
        "complex": [complex(i, 1) for i in range(rows)],
        "sparse": pd.arrays.SparseArray([0.0, 1.0, 0.0] * (rows // 3)),
    }
    for name, values in columns.items():
        frame = pd.DataFrame({name: values, "x": np.arange(rows) % 7 / 2})
        assert detect(frame, budget_s=0.5).rows == rows, name
