"""Tables come back: text to the last byte, typed ones to the last cell, bounded ones within their bounds."""

import csv
import filecmp
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coding.bound import same_bits
from isthmus.coding.columns import Whole
from isthmus.errors import DamagedFile, ModelNeeded, NoData, UseError
from isthmus.model import load_model
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.detect import fit_detector
from isthmus.tasks.info import info
from isthmus.tasks.tables import blocks, writing
from isthmus.tasks.tables.rounding import rounded
from isthmus.tasks.tables.rows import Rows, Taken
from isthmus.tasks.verify import verify
from tiny import knowing

pa = pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")
pd = pytest.importorskip("pandas", reason="pandas is missing: pip install 'isthmus[tables]'")
feather = pytest.importorskip("pyarrow.feather", reason="PyArrow is missing")
parquet = pytest.importorskip("pyarrow.parquet", reason="PyArrow is missing")
pytest.importorskip("pyarrow.csv", reason="PyArrow is missing")


def rows(count=400, seed=0):
    random = np.random.default_rng(seed)
    towns = {"Oslo": "0150", "Lyon": "69001", "Kiel": "24103"}
    for number, town in enumerate(random.choice(list(towns), count)):
        price = random.gamma(2, 40)
        yield [
            number,
            town,
            towns[town],
            f"{price:.2f}",
            f"{2 * price + random.normal():.1f}",
            random.choice(["", "x y"]),
        ]


def written(path, table, **how):
    with path.open("w", newline="") as file:
        csv.writer(file, **how).writerows([["id", "town", "post", "price", "twice", "note"], *table])
    return path


@pytest.fixture
def table(tmp_path):
    return written(tmp_path / "shop.csv", rows())


def restored(source, folder, **wishes):
    archive = folder / "t.isz"
    compress(source, archive, force=True, **wishes)
    return decompress(archive, folder / "out", force=True).files[0]


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"delimiter": ";", "lineterminator": "\n"},
        {"delimiter": "\t", "quoting": csv.QUOTE_ALL},
        {"quoting": csv.QUOTE_NONNUMERIC},
    ],
)
def test_text_comes_back_to_the_last_byte(tmp_path, how):
    path = written(tmp_path / "shop.csv", rows(), **how)
    back = restored(path, tmp_path)
    assert back.name == "shop.csv"
    assert filecmp.cmp(path, back, shallow=False)


@given(
    st.lists(st.lists(st.text('ab1,"\n\r é.-', max_size=4), min_size=1, max_size=4), min_size=1, max_size=8)
)
@settings(max_examples=40)
def test_any_rows_come_back(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("any")
    path = folder / "t.csv"
    path.write_text("\n".join(map(",".join, table)) + "\n", newline="")
    try:
        back = restored(path, folder)
    except NoData:
        return
    assert back.read_bytes() == path.read_bytes()


def test_what_the_cells_of_a_row_say_of_one_another_is_used(table, tmp_path):
    result = compress(table, tmp_path / "t.isz")
    assert (result.samples, result.mode, result.source_bytes) == (400, "lossless", table.stat().st_size)
    assert result.archive_bytes == (tmp_path / "t.isz").stat().st_size
    assert result.payload_bytes < 0.5 * result.rivals["parquet"]


def test_workers_and_repetition_change_no_byte(table, tmp_path, monkeypatch):
    from isthmus.data.tables import textfile

    monkeypatch.setattr(textfile, "MOST_ROWS", 150)
    one, again = BytesIO(), BytesIO()
    compress(table, one)
    compress(table, again, workers=None)
    assert one.getvalue() == again.getvalue()
    assert decompress(one.getvalue(), tmp_path / "out").files[0].read_bytes() == table.read_bytes()


@given(st.floats(0.001, 100), st.sampled_from(["abs", "rel"]))
@settings(max_examples=12)
def test_bounds_are_kept_and_everything_else_is_as_it_was(tmp_path_factory, error, mode):
    folder = tmp_path_factory.mktemp("bounded")
    path = written(folder / "shop.csv", rows(80))
    back = restored(path, folder, max_error=error, error_mode=mode, bounds={"id": 0.0, "twice": 0.25})
    mine, theirs = (list(csv.DictReader(each.read_text().splitlines())) for each in (back, path))
    span = max(float(row["price"]) for row in theirs) - min(float(row["price"]) for row in theirs)
    reach = Decimal(repr(error * span if mode == "rel" else error)) + Decimal("1e-9")
    for ours, other in zip(mine, theirs, strict=True):
        assert [ours[name] for name in ("id", "town", "post", "note")] == [
            other[name] for name in ("id", "town", "post", "note")
        ]
        assert abs(Decimal(ours["price"]) - Decimal(other["price"])) <= reach
        assert abs(Decimal(ours["twice"]) - Decimal(other["twice"])) <= Decimal("0.25")
    assert verify(folder / "t.isz", against=path).ok


def floats_of(column, dtype):
    from isthmus.data.tables import typed

    told = typed.Typed(typed.STEPPED, 0, column.marks, column.numbers, step=column.head["step"])
    return typed.floats_of(told, dtype)[0]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_are_moved_no_further_than_the_exact_bound(kind):
    random = np.random.default_rng(0)
    values = np.concatenate([random.normal(size=4000), [0.30005, -0.0, 0.0, np.inf, np.nan]]).astype(kind)
    column = Taken({"way": "floats"}, None, None, values)
    moved = floats_of(rounded(Rows(len(values), [column]), [Fraction(3, 10)]).columns[0], values.dtype)
    assert moved.dtype == kind
    assert len(np.unique(moved)) < 0.1 * len(np.unique(values))
    for before, after in zip(values[:-2], moved[:-2], strict=True):
        assert abs(Fraction(float(before)) - Fraction(float(after))) <= Fraction(3, 10)
    assert same_bits(values[-4:], moved[-4:]).all()  # −0, 0, ∞ and NaN


def test_a_bound_saves_bytes(table, tmp_path):
    exact = compress(table, tmp_path / "a.isz").payload_bytes
    assert compress(table, tmp_path / "b.isz", max_error=0.02, error_mode="rel").payload_bytes < 0.7 * exact


TYPED = {
    "bool": pa.array([True, False, None]),
    "small": pa.array([1, None, -5], pa.int8()),
    "large": pa.array([2**63 - 1, -(2**63), 0]),
    "unsigned": pa.array([2**64 - 1, 0, None], pa.uint64()),
    "float": pa.array([1.5, float("nan"), None], pa.float32()),
    "double": pa.array([0.1, -0.0, 1e308]),
    "odd": pa.array([np.pi, np.e, float("inf")]),
    "text": pa.array(["a", None, "é\0b"]),
    "long": pa.array(["", "b", None], pa.large_string()),
    "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
    "date": pa.array([date(2020, 1, 31), None, date(1, 1, 1)]),
    "stamp": pa.array(
        [datetime(2020, 1, 31, 5), None, datetime(1969, 1, 1)], pa.timestamp("us", "Europe/Oslo")
    ),
    "money": pa.array([Decimal("1.25"), None, Decimal("-7.00")]),
    "list": pa.array([[1, 2], None, []]),
    "bytes": pa.array([b"a\0", None, b""]),
    "nothing": pa.array([None, None, None]),
}


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_typed_tables_come_back_to_the_last_cell(tmp_path, suffix):
    whole = pa.table(TYPED).replace_schema_metadata({"made": "by hand"})
    path = tmp_path / f"typed{suffix}"
    parquet.write_table(whole, path) if suffix == ".parquet" else feather.write_feather(
        whole, path, "uncompressed"
    )
    back = restored(path, tmp_path)
    read = parquet.read_table if suffix == ".parquet" else feather.read_table
    found, whole = read(back), read(path)
    assert back.name == path.name
    assert found.schema.equals(whole.schema, check_metadata=True)
    for name in whole.column_names:
        mine, theirs = found[name].combine_chunks(), whole[name].combine_chunks()
        assert mine.is_null().equals(theirs.is_null()), name
        if pa.types.is_floating(theirs.type):
            assert mine.drop_null().to_numpy().tobytes() == theirs.drop_null().to_numpy().tobytes()
        else:
            assert mine.to_pylist() == theirs.to_pylist(), name
    assert verify(tmp_path / "t.isz", against=path).ok


def test_bounds_spare_dates_words_and_what_is_no_number(tmp_path):
    random = np.random.default_rng(0)
    values = random.normal(size=500)
    values[3] = np.nan
    frame = pd.DataFrame(
        {"x": values, "n": random.integers(0, 1000, 500), "when": pd.date_range("2020", periods=500)}
    )
    back = parquet.read_table(restored(frame, tmp_path, max_error=0.5)).to_pandas()
    assert np.nanmax(np.abs(back["x"] - frame["x"])) <= 0.5
    assert np.isnan(back["x"][3])
    assert back["n"].equals(frame["n"])
    assert back["when"].astype("datetime64[us]").equals(frame["when"].astype("datetime64[us]"))


def test_a_model_for_such_tables_saves_what_it_knows(table, tmp_path):
    model = tmp_path / "shop.ism"
    fit_detector(table, model, steps=5)
    other = written(tmp_path / "more.csv", rows(60, seed=1))
    loaded = load_model(model)
    with pytest.raises(UseError, match="--no-embed"):
        compress(other, tmp_path / "m.isz", model=loaded)
    small = compress(other, tmp_path / "m.isz", model=loaded, embed_model=False)
    assert small.payload_bytes < compress(other, tmp_path / "w.isz").payload_bytes
    with pytest.raises(ModelNeeded):
        decompress(tmp_path / "m.isz", tmp_path / "out")
    back = decompress(tmp_path / "m.isz", tmp_path / "out", model=loaded).files[0]
    assert filecmp.cmp(other, back, shallow=False)
    assert verify(tmp_path / "m.isz").ok
    assert verify(tmp_path / "m.isz", model=loaded, against=other).ok


def test_a_model_for_other_tables_is_refused(table, tmp_path):
    other = tmp_path / "o.csv"
    other.write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(UseError, match="columns"):
        compress(other, tmp_path / "o.isz", model=knowing(table), embed_model=False)


@pytest.mark.parametrize("known_has_gaps", [True, False])
@pytest.mark.parametrize("has_gaps", [True, False])
def test_known_rows_may_miss_cells_where_others_miss_none(tmp_path, known_has_gaps, has_gaps):
    def made(name, count, gaps):
        random = np.random.default_rng(count)
        reals, whole = random.normal(size=count), random.integers(0, 9, count)
        columns = {
            "real": pa.array(reals, mask=(reals > 1) & gaps),
            "whole": pa.array(whole, mask=(whole > 7) & gaps),
        }
        parquet.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
        pa.csv.write_csv(pa.table(columns), tmp_path / f"{name}.csv")

    made("known", 150, known_has_gaps)
    made("t", 80, has_gaps)
    for suffix in (".csv", ".parquet"):
        path, model = tmp_path / f"t{suffix}", knowing(tmp_path / f"known{suffix}")
        compress(path, tmp_path / "t.isz", model=model, embed_model=False, force=True)
        back = decompress(tmp_path / "t.isz", tmp_path / "back", model=model).files[0]
        read = pa.csv.read_csv if suffix == ".csv" else parquet.read_table
        assert read(back).equals(read(path))
        assert verify(tmp_path / "t.isz", model=model, against=path).ok
        whole = read(path)["whole"].to_pylist()
        at = next(row for row, number in enumerate(whole) if number is not None)
        whole[at] = 6 if whole[at] == 5 else 5
        other = pa.table({"real": read(path)["real"], "whole": pa.array(whole)})
        write = pa.csv.write_csv if suffix == ".csv" else parquet.write_table
        write(other, tmp_path / f"other{suffix}")
        (problem,) = verify(tmp_path / "t.isz", model=model, against=tmp_path / f"other{suffix}").problems
        assert "'whole' is not as promised" in problem


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"quality": 3}, "--quality"),
        ({"preview": True}, "--preview"),
        ({"bounds": {"nobody": 1.0}}, "no column 'nobody'"),
        ({"max_error": float("nan")}, "finite"),
        ({"max_error": 1.0, "error_mode": "pointwise"}, "abs or rel"),
    ],
)
def test_wishes_that_make_no_sense_are_refused_in_one_sentence(table, tmp_path, wishes, words):
    with pytest.raises(UseError, match=words):
        compress(table, tmp_path / "t.isz", **wishes)
    assert not (tmp_path / "t.isz").exists()


def test_verify_says_what_is_otherwise(table, tmp_path):
    compress(table, tmp_path / "t.isz")
    other = tmp_path / "shop2.csv"
    other.write_bytes(table.read_bytes().replace(b"Kiel", b"Bonn", 1))
    found = verify(tmp_path / "t.isz", against=other)
    assert not found.ok
    assert "'town' is not as promised" in found.problems[0]
    other.write_bytes(table.read_bytes()[:-60])
    assert not verify(tmp_path / "t.isz", against=other).ok
    assert not verify(tmp_path / "t.isz", against=written(tmp_path / "s.csv", rows(), delimiter=";")).ok


def test_info_tells_rows_columns_and_bounds(table, tmp_path):
    compress(table, tmp_path / "t.isz", bounds={"price": 0.5})
    facts = info(tmp_path / "t.isz").facts
    assert facts["rows"].startswith("400 in 1 ")
    assert (facts["price"], facts["town"]) == ("within 0.5", "as it was")


@given(st.data())
@settings(max_examples=40)
def test_a_damaged_payload_is_called_damaged(data):
    from isthmus.tasks.tables.blocks import decode_rows, encode_rows
    from isthmus.tasks.tables.rows import from_batch

    coded = encode_rows(from_batch(pa.record_batch(TYPED)))
    payload = bytearray(coded.payload)
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        rows_ = decode_rows(coded.plan, bytes(payload[: data.draw(st.integers(0, len(payload)))]))
    except DamagedFile:
        return
    assert rows_.count == 3


def test_a_column_that_would_miss_its_bound_is_kept_exactly(table, tmp_path, monkeypatch):
    def off_by_one_step(rows, bounds, **how):
        near = rounded(rows, bounds, **how)
        if bounds[3]:
            _, width, high = near.columns[3].head["grid"]
            numbers = np.minimum(near.columns[3].numbers + width, high)
            near.columns[3] = replace(near.columns[3], numbers=numbers)
        return near

    monkeypatch.setattr(writing, "rounded", off_by_one_step)
    back = restored(table, tmp_path, bounds={"price": 0.015, "id": 5.0})
    mine, theirs = (list(csv.DictReader(each.read_text().splitlines())) for each in (back, table))
    assert [row["price"] for row in mine] == [row["price"] for row in theirs]
    assert [row["id"] for row in mine] != [row["id"] for row in theirs]
    assert verify(tmp_path / "t.isz", against=table).ok


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_block_that_would_come_back_otherwise_stands_as_it_is(table, tmp_path, monkeypatch, suffix):
    encode = blocks.encode_block

    def off_by_one(parts, known=None):
        wrong = [Whole(part.values + 1) if isinstance(part, Whole) else part for part in parts]
        return encode(wrong, known)

    monkeypatch.setattr(blocks, "encode_block", off_by_one)
    if suffix == ".parquet":
        path = tmp_path / "shop.parquet"
        pd.read_csv(table).to_parquet(path)
        assert parquet.read_table(restored(path, tmp_path)).equals(parquet.read_table(path))
    else:
        assert filecmp.cmp(restored(table, tmp_path), table, shallow=False)


def test_an_empty_table_is_refused(tmp_path):
    (tmp_path / "none.csv").write_text("")
    with pytest.raises(NoData):
        compress(tmp_path / "none.csv", tmp_path / "t.isz")


def test_a_table_of_names_alone_comes_back(tmp_path):
    (tmp_path / "names.csv").write_text("a,b\n")
    assert restored(tmp_path / "names.csv", tmp_path).read_text() == "a,b\n"


@pytest.mark.needs_data
@pytest.mark.parametrize(
    "name", ["tabular-small/titanic.csv", "tabular-small/penguins.csv", "dirty-clean/hospital/dirty.csv"]
)
def test_real_tables_come_back_smaller_than_parquet(data_root, tmp_path, name):
    result = compress(data_root / name, tmp_path / "t.isz")
    assert result.payload_bytes < 0.8 * result.rivals["parquet"]
    back = decompress(tmp_path / "t.isz", tmp_path / "out").files[0]
    assert filecmp.cmp(data_root / name, back, shallow=False)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet", ".arrow"])
def test_progress_is_told_in_parts_of_one_whole(tmp_path, suffix):
    frame = pd.DataFrame({"a": np.arange(150_000), "b": 1})
    path = tmp_path / f"t{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix == ".arrow":
        feather.write_feather(frame, path)
    else:
        frame.to_csv(path, index=False)
    told = []
    compress(path, tmp_path / "t.isz", progress=lambda done, total: told.append((done, total)))
    done, totals = zip(*told, strict=True)
    assert len(told) > 1
    assert len(set(totals)) == 1
    assert list(done) == sorted(set(done))
    assert done[-1] >= 0.999 * totals[0]
