"""Time series: stamps as other software writes them."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from terminal import call

from reports import member

START = datetime(2024, 3, 29, tzinfo=UTC)
ROWS = 200
Say = Callable[[datetime], str]


def load(row: int) -> float:
    """A day of 24 rows, with a span that is too high."""
    bump = 8 if 120 <= row < 126 else 0
    return 10 + bump + 3 * math.sin(row * math.tau / 24) + (row * 7919 % 100) / 500


def write(path: str, stamps: list[str], *, name: str = "time") -> Path:
    """A table of stamps and one channel."""
    with Path(path).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([name, "load"])
        rows.writerows([stamp, f"{load(row):.3f}"] for row, stamp in enumerate(stamps))
    return Path(path)


def hourly(say: Say) -> list[str]:
    return [say(START + timedelta(hours=row)) for row in range(ROWS)]


def judged(path: Path) -> list[dict[str, str]]:
    """The scores of a file that must be taken for a series, by itself and on request alike."""
    by_itself, asked = path.with_suffix(".self"), path.with_suffix(".asked")
    done = call("detect", path, "-o", by_itself, "--json")
    assert done.exit_code == 0, done.output
    assert "spans" in json.loads(done.stdout), f"a table, not a series: {path.read_text()[:60]!r}"
    asked_done = call("detect", path, "--as", "series", "-o", asked)
    assert asked_done.exit_code == 0, asked_done.output
    assert by_itself.read_bytes() == asked.read_bytes()
    return list(csv.DictReader(by_itself.read_text().splitlines()))


@member("K10", everyday=True)
def stamps_with_a_zone_are_stamps(folder: Path) -> None:
    texts = hourly(str)
    assert texts[0].endswith("+00:00")
    rows = judged(write("zone.csv", texts))
    assert [row["stamp"] for row in rows] == texts, "quoted as they stand"
    plain = judged(write("plain.csv", [text.removesuffix("+00:00") for text in texts]))
    assert [row["anomaly_score"] for row in rows] == [row["anomaly_score"] for row in plain]


FORMS: dict[str, Say] = {
    "Z": lambda when: when.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "an offset without a colon": lambda when: when.strftime("%Y-%m-%d %H:%M:%S+0100"),
    "an offset of hours": lambda when: when.strftime("%Y-%m-%dT%H:%M-05"),
    "nanoseconds": lambda when: when.strftime("%Y-%m-%dT%H:%M:%S.123456789Z"),
    "a comma": lambda when: when.strftime("%Y-%m-%d %H:%M:%S,250"),
    "isoformat": lambda when: (when + timedelta(milliseconds=500 * (when.hour % 2))).isoformat(),
    "slashes": lambda when: when.strftime("%Y/%m/%d %H:%M"),
    "slashes, the month first": lambda when: when.strftime("%m/%d/%Y %H:%M:%S"),
    "dots": lambda when: when.strftime("%d.%m.%Y %H:%M:%S.5"),
    "dots, the year first": lambda when: when.strftime("%Y.%m.%d %H:%M:%S"),
    "ISO without dashes": lambda when: when.strftime("%Y%m%dT%H%M%SZ"),
    "summer time that begins": lambda when: str(when.astimezone(ZoneInfo("Europe/Berlin"))),
    "dates alone at midnight": lambda when: when.strftime(
        "%Y-%m-%d" if not when.hour else "%Y-%m-%d %H:%M:%S"
    ),
}


def is_a_stamp(form: str) -> Callable[[Path], None]:
    def check(folder: Path) -> None:
        texts = hourly(FORMS[form])
        rows = judged(write("s.csv", texts))
        assert [row["stamp"] for row in rows] == texts
        assert any(row["is_anomaly"] == "1" for row in rows[112:134])

    check.__name__ = f"stamps_with_{form.replace(', ', ' ').replace(' ', '_')}"
    return check


for form in FORMS:
    member("K10")(is_a_stamp(form))


@member("K10")
def a_model_takes_the_same_moments_written_in_any_way(folder: Path) -> None:
    write("usual.csv", hourly(str))
    write("local.csv", hourly(lambda when: str(when.astimezone(ZoneInfo("Europe/Berlin")))))
    assert call("fit", "usual.csv", "-o", "m.ism").exit_code == 0
    done = call("detect", "local.csv", "-m", "m.ism", "-o", "s.csv")
    assert done.exit_code == 0, done.output
    lines = ["time,load"] + [f"{FORMS['nanoseconds'](START + timedelta(hours=row))},10" for row in range(20)]
    answers = call("detect", "-", "-m", "m.ism", "--follow", stdin="\n".join(lines))
    assert "left out" not in answers.stdout


@member("K10")
def a_stamp_that_the_calendar_lacks_is_refused_as_it_stands(folder: Path) -> None:
    texts = hourly(str)
    texts[7] = "2024-02-30 07:00:00+00:00"
    write("s.csv", texts)
    done = call("detect", "s.csv", "--as", "series")
    assert done.exit_code == 2
    assert "row 7" in done.stderr
    assert "2024-02-30 07:00:00+00:00" in done.stderr


@member("K10")
def info_and_compress_see_the_same_stamps(folder: Path) -> None:
    texts = hourly(lambda when: str(when.astimezone(timezone(timedelta(hours=1)))))
    path = write("zone.csv", texts)
    assert "a series, by the stamps in 'time'" in call("info", path).stdout
    for name, stamps in (("zone", texts), ("plain", [text.removesuffix("+01:00") for text in texts])):
        write(f"{name}.csv", stamps)
        assert call("compress", f"{name}.csv", "-o", f"{name}.isz").exit_code == 0
    assert Path("zone.isz").stat().st_size < 1.1 * Path("plain.isz").stat().st_size
    assert call("decompress", "zone.isz", "-o", "back").exit_code == 0
    assert next(Path("back").rglob("*.csv")).read_bytes() == Path("zone.csv").read_bytes()


@member("K10")
def doubled_stamps_and_holes_are_named_and_rows_put_in_order(folder: Path) -> None:
    texts = hourly(str)
    texts[50] = texts[49]
    texts[100:] = [str(datetime.fromisoformat(text) + timedelta(hours=30)) for text in texts[100:]]
    done = call("detect", write("s.csv", texts), "-o", "s1.csv")
    assert "1 row has the stamp of the row before, first row 50" in done.stderr
    assert "2 holes in the stamps, the longest before row 100: 31 h where a step is 1 h" in done.stderr
    texts[20], texts[21] = texts[21], texts[20]
    done = call("detect", write("s.csv", texts), "-o", "s2.csv", "--json")
    assert any("row 21 came too late" in each for each in json.loads(done.stdout)["notices"])
    refused = call("detect", "s.csv", "-o", "s3.csv", "--strict")
    assert refused.exit_code == 2
    assert not Path("s3.csv").exists()


@member("K10")
def forms_with_the_year_first_may_be_mixed_under_any_name(folder: Path) -> None:
    forms: list[Say] = [FORMS["Z"], FORMS["nanoseconds"], str]
    texts = [forms[row % 3](START + timedelta(hours=row)) for row in range(ROWS)]
    rows = judged(write("s.csv", texts, name="measured at"))
    assert [row["stamp"] for row in rows] == texts
    texts[9] = "2024-03-29 09:00:00"
    write("s.csv", texts, name="measured at")
    done = call("detect", "s.csv", "--as", "series", "--stamp", "measured at")
    assert done.exit_code == 2
    assert "row 9 has '2024-03-29 09:00:00', which is none like the others" in done.stderr


@member("K10")
def names_and_numbers_that_ascend_make_no_series(folder: Path) -> None:
    for texts in ([f"C-{row:05d}" for row in range(ROWS)], [str(10**17 + row) for row in range(ROWS)]):
        write("t.csv", texts, name="customer")
        assert "a series" not in call("info", "t.csv").stdout


EPOCH: dict[str, tuple[str, Say]] = {
    "nanoseconds": ("timestamp", lambda when: str(int(when.timestamp()) * 10**9)),
    "microseconds": ("timestamp_us", lambda when: str(int(when.timestamp()) * 10**6)),
    "milliseconds": ("Time (ms)", lambda when: str(int(when.timestamp()) * 1000)),
    "seconds": ("epoch", lambda when: str(int(when.timestamp()))),
    "fractions of seconds": ("unix_time", lambda when: f"{when.timestamp():.6f}"),
    "days of a spreadsheet": ("date", lambda when: f"{25569 + when.timestamp() / 86400:.8f}"),
    "years": ("year", lambda when: str(1800 + int((when - START).total_seconds()) // 3600)),
    "months": (
        "Month",
        lambda when: f"{1900 + (when - START).days * 2 + when.hour // 12}-{1 + when.hour % 12:02d}",
    ),
}


@member("K11", everyday=True)
def nanoseconds_as_whole_numbers_are_stamps(folder: Path) -> None:
    name, say = EPOCH["nanoseconds"]
    texts = hourly(say)
    rows = judged(write("ns.csv", texts, name=name))
    assert [row["stamp"] for row in rows] == texts


def counts_time(unit: str) -> Callable[[Path], None]:
    def check(folder: Path) -> None:
        name, say = EPOCH[unit]
        texts = hourly(say)
        assert [row["stamp"] for row in judged(write("s.csv", texts, name=name))] == texts

    check.__name__ = f"{unit.replace(' ', '_')}_are_stamps"
    return check


for unit in list(EPOCH)[1:]:
    member("K11")(counts_time(unit))


@member("K11")
def nanoseconds_that_a_float_cannot_tell_apart_stay_in_order(folder: Path) -> None:
    first = 1_711_670_400_000_000_000
    path = write("ns.csv", [str(first + 3 * row) for row in range(ROWS)], name="timestamp")
    done = call("detect", path, "-o", "s.csv", "--as", "series", "--stamp", "timestamp")
    assert "stamp of the row before" not in done.stderr
    assert call("fit", path, "-o", "m.ism").exit_code == 0
    lines = [f"{first + 3 * row},10" for row in range(20)]
    answers = call("detect", "-", "-m", "m.ism", "--follow", stdin="\n".join(lines))
    assert "left out" not in answers.stdout
    late = call("detect", "-", "-m", "m.ism", "--follow", stdin=f"{first + 3},10\n{first},10\n")
    assert "lies before the one above" in late.stdout


@member("K11")
def parquet_and_frames_hold_stamps_of_any_unit_and_zone(folder: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    seconds = np.arange(ROWS) * 3600 + 1_711_670_400
    values = pa.array([load(row) for row in range(ROWS)])
    columns = {
        "int64": ("timestamp", pa.array(seconds * 10**9)),
        "seconds": ("when", pa.array(seconds, pa.timestamp("s"))),
        "berlin": ("when", pa.array(seconds * 10**9, pa.timestamp("ns", "Europe/Berlin"))),
        "offset": ("when", pa.array(seconds * 10**3, pa.timestamp("ms", "+02:00"))),
        "dates": ("when", pa.array(np.arange(ROWS), pa.int32()).cast(pa.date32())),
        "floats": ("ts", pa.array(seconds + 0.5)),
        "unsigned": ("ts", pa.array((seconds * 10**9).astype(np.uint64))),
        "decimals": ("ts", pa.array([str(second) for second in seconds]).cast(pa.decimal128(20, 3))),
        "texts": ("ts", pa.array([f"{datetime.fromtimestamp(s, UTC)}" for s in seconds]).dictionary_encode()),
    }  # fmt: skip
    for kind, (name, stamps) in columns.items():
        parquet.write_table(pa.table({name: stamps, "load": values}), f"{kind}.parquet")
        done = call("detect", f"{kind}.parquet", "-o", f"{kind}.csv", "--json")
        assert done.exit_code == 0, (kind, done.output)
        assert "spans" in json.loads(done.stdout), kind
        assert "a series, by the stamps in" in call("info", f"{kind}.parquet").stdout, kind
    assert "2024-03-29 01:00:00" in Path("berlin.csv").read_text().splitlines()[1]
    assert Path("int64.csv").read_text().splitlines()[1].startswith("0,1711670400000000000,")


@member("K11")
def frames_of_pandas_with_a_zone_are_series(folder: Path) -> None:
    pandas = pytest.importorskip("pandas")
    from isthmus import detect_series
    from isthmus.data.series import is_series

    when = pandas.date_range("2024-03-29", periods=ROWS, freq="h", tz="Europe/Berlin")
    frame = pandas.DataFrame({"when": when, "load": [load(row) for row in range(ROWS)]})
    at_months = when.tz_localize(None).to_period("h")
    for each, name in (
        (frame, "when"),
        (frame.set_index("when"), "when"),
        (pandas.DataFrame({"load": frame["load"].to_numpy()}, index=when), "time"),
        (frame.assign(when=at_months), "when"),
        (pandas.Series(frame["load"].to_numpy(), index=when), "time"),
    ):
        assert is_series(each)
        found = detect_series(each)
        assert found.source.stamp.name == name
        assert found.rows == ROWS
