"""Files → series: stamps and gaps stay, what is no channel is named, what cannot be right is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isthmus.data.series import is_series, open_series, period
from isthmus.data.tables import Column, Schema
from isthmus.errors import BadItem, NoData, SpecMismatch

ROWS = 40


def csv(folder: Path, header: str, rows: list[str]) -> Path:
    path = folder / "s.csv"
    path.write_text("\n".join([header, *rows, ""]))
    return path


def daily(row: int) -> str:
    return f"2024-02-{1 + row // 24:02d} {row % 24:02d}:00:00"


def test_dates_are_kept_as_they_stand_and_gaps_are_nan(tmp_path: Path) -> None:
    path = csv(tmp_path, "when,a,b", [f"{daily(i)},{i}.5,{'' if i == 3 else -i}" for i in range(ROWS)])
    series = open_series(path)
    rows, values = series.whole()
    assert is_series(path)
    assert series.channels == ("a", "b")
    assert list(series.stamp_texts()) == [daily(i) for i in range(ROWS)]
    assert (np.diff(series.stamps) == np.timedelta64(1, "h")).all()
    assert rows.tolist() == list(range(ROWS))
    assert np.isnan(values[3, 1])
    assert np.isfinite(values).sum() == 2 * ROWS - 1


@pytest.mark.parametrize("form", ["{}T{:02d}:00:00.500000", "{}T{:02d}:00:00+00:00", "{} {:02d}:00:00"])
def test_every_form_of_iso_times_is_a_stamp(tmp_path: Path, form: str) -> None:
    texts = [form.format(f"2024-02-{1 + i // 24:02d}", i % 24) for i in range(ROWS)]
    series = open_series(csv(tmp_path, "time,a", [f"{text},{i}" for i, text in enumerate(texts)]))
    assert list(series.stamp_texts()) == texts
    assert (np.diff(series.stamps) == np.timedelta64(1, "h")).all()


def test_numbers_under_a_telling_name_are_stamps(tmp_path: Path) -> None:
    path = csv(tmp_path, "ts,a", [f"{1700000000 + 5 * i},{i}" for i in range(ROWS)])
    assert is_series(path)
    assert open_series(path).stamp is not None
    assert not is_series(csv(tmp_path, "height,a", [f"{1700 + 5 * i},{i}" for i in range(ROWS)]))


def test_rows_out_of_order_are_put_right_and_named(tmp_path: Path) -> None:
    order = [*range(20), 25, *range(20, 25), *range(26, ROWS)]
    series = open_series(csv(tmp_path, "when,a", [f"{daily(i)},{i}" for i in order]))
    rows, values = series.whole()
    assert values[:, 0].tolist() == list(range(ROWS))
    assert [order[row] for row in rows] == list(range(ROWS))
    assert list(series.stamp_texts()) == [daily(i) for i in range(ROWS)]
    assert "row 21 came too late" in series.moved[0]


def test_doubled_stamps_are_kept_in_their_order_and_counted(tmp_path: Path) -> None:
    series = open_series(csv(tmp_path, "when,a", [f"{daily(i // 2)},{i}" for i in range(ROWS)]))
    assert series.whole().values[:, 0].tolist() == list(range(ROWS))
    assert series.notes == (
        f"{ROWS // 2} rows have the stamp of the row before, first row 1; all are kept, in their order",
    )


def test_a_row_without_a_stamp_is_refused_by_its_number(tmp_path: Path) -> None:
    rows = [f"{daily(i)},{i}" for i in range(ROWS)]
    rows[7] = ",7"
    with pytest.raises(BadItem, match="row 7 has none"):
        open_series(csv(tmp_path, "when,a", rows))


def test_columns_of_text_are_no_channels_and_named(tmp_path: Path) -> None:
    path = csv(tmp_path, "when,wind,a", [f"{daily(i)},{'NS'[i % 2]}W,{i}" for i in range(ROWS)])
    assert not is_series(path), "words beside the numbers: a table, unless somebody says otherwise"
    series = open_series(path)
    assert series.channels == ("a",)
    assert [each.name for each in series.ignored] == ["wind"]


def test_a_column_that_is_not_used_makes_no_table_of_it(tmp_path: Path) -> None:
    path = csv(tmp_path, "when,wind,a", [f"{daily(i)},{'NS'[i % 2]}W,{i}" for i in range(ROWS)])
    schema = Schema((Column(name="wind", kind="category", used=False),))
    assert is_series(path, schema=schema)
    assert open_series(path, schema=schema).ignored == ()


def test_ragged_rows_are_refused_or_left_out_by_number(tmp_path: Path) -> None:
    rows = [f"{daily(i)},{i}" for i in range(ROWS)]
    rows[5] += ",9"
    path = csv(tmp_path, "when,a", rows)
    with pytest.raises(BadItem, match="row 5 has 3 cells where 2 must be"):
        open_series(path)
    series = open_series(path, skip_bad=True)
    assert len(series.whole().values) == ROWS - 1
    assert series.skipped[0].name == "row 5"


def test_text_where_stamps_must_be_is_refused(tmp_path: Path) -> None:
    path = csv(tmp_path, "who,a", [f"x{i},{i}" for i in range(ROWS)])
    with pytest.raises(SpecMismatch, match="it holds 'x0'"):
        open_series(path, stamp="who")
    with pytest.raises(SpecMismatch, match="no column 'when'"):
        open_series(path, stamp="when")


def test_a_file_without_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoData, match="no channel of numbers"):
        open_series(csv(tmp_path, "when,who", [f"{daily(i)},x{i}" for i in range(ROWS)]))


@pytest.mark.parametrize("between", ["\n", "  ", "\n  "])
def test_numbers_alone_are_a_series_one_a_line_or_all_in_one(tmp_path: Path, between: str) -> None:
    values = np.random.default_rng(0).normal(size=ROWS)
    path = tmp_path / "ucr.txt"
    path.write_text("  " + between.join(f"{value:.7e}" for value in values) + "\n")
    assert is_series(path)
    assert np.allclose(open_series(path).whole().values[:, 0], values, rtol=1e-7)


def test_a_word_among_numbers_alone_is_refused_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "ucr.txt"
    path.write_text("1.5 2.5\n" * 1 + "x 4\n")
    with pytest.raises((BadItem, NoData)):
        open_series(path)
    path.write_text("\n".join(["1.5"] * 20_000 + ["x"]))
    with pytest.raises(BadItem, match=r"number 20,000 .* is 'x'"):
        open_series(path)


def test_arrays_are_series_of_one_or_more_channels(tmp_path: Path) -> None:
    values = np.arange(2 * ROWS, dtype=np.float32).reshape(ROWS, 2)
    np.save(tmp_path / "a.npy", values)
    assert is_series(values[:, 0])
    assert not is_series(tmp_path / "a.npy"), "two axes are a table, unless somebody says otherwise"
    assert open_series(tmp_path / "a.npy").whole().values.tolist() == values.tolist()
    with pytest.raises(NoData, match="got float32 of shape"):
        open_series(np.zeros((2, 2, 2), np.float32))


def test_typed_frames_are_series() -> None:
    pa = pytest.importorskip("pyarrow")
    when = pa.array(np.arange(ROWS) * 1_000_000, pa.timestamp("us"))
    frame = pa.table({"when": when, "a": pa.array(np.arange(ROWS), pa.int32())})
    assert is_series(frame)
    series = open_series(frame)
    assert (np.diff(series.stamps) == np.timedelta64(1, "s")).all()
    assert next(series.stamp_texts()).startswith("1970-01-01 00:00:00")


def waves(every: int, rows: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.sin(np.arange(rows) * 2 * np.pi / every) + random.normal(0, 0.3, rows)


@pytest.mark.parametrize("every", [7, 24, 168, 288])
def test_a_period_is_found_under_noise_drift_spikes_and_gaps(every: int) -> None:
    values = waves(every, 12 * every) + np.linspace(0, 3, 12 * every)
    values[5] = 1e6
    values[every : every + 5] = np.nan
    found = period(np.stack([values, waves(every, 12 * every, 1)], axis=1))
    assert found is not None
    assert abs(found - every) <= 1 + every // 50


def test_noise_and_constants_have_no_period() -> None:
    random = np.random.default_rng(1)
    assert period(np.ones((400, 2))) is None
    assert period(random.normal(size=(4000, 1)).cumsum(axis=0)) is None
    assert period(np.full((50, 1), np.nan)) is None
    assert period(np.zeros((5, 1))) is None
