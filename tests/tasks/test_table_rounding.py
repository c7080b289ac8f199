"""Numbers of tables are rounded on their lattice, as whole steps, or from long texts, within bounds."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.data.tables import printing
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.tables.rounding import rounded
from isthmus.tasks.tables.rows import Rows, Taken
from isthmus.tasks.verify import verify

pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")


def restored(path, folder, **wishes):
    compress(path, folder / "t.isz", force=True, **wishes)
    assert verify(folder / "t.isz", against=path).ok
    return decompress(folder / "t.isz", folder / "out", force=True).files[0]


def texts_of(path, place=1):
    return [line.split(",")[place] for line in path.read_text().splitlines()[1:]]


def written(path, texts):
    rows = (f"{row},{text}" for row, text in enumerate(texts))
    path.write_text("\n".join(["id,value", *rows]) + "\n")
    return path


@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=40),
    st.integers(0, 4),
    st.sampled_from([1, 5, 67]),
    st.fractions(Fraction(1, 1000), 20),
)
@settings(max_examples=60)
def test_numbers_on_a_lattice_stay_within_their_bound(numbers, digits, gap, bound):
    values = np.array(numbers) * gap
    column = Taken({"kind": "number", "digits": digits}, None, values)
    told = rounded(Rows(len(values), [column]), [bound]).columns[0]
    unit = 10 ** told.head.get("digits", 0)
    for before, after in zip(values.tolist(), told.numbers.tolist(), strict=True):
        assert abs(Fraction(before, 10**digits) - Fraction(after, unit)) <= bound
    assert told.head.get("digits", 0) == 0 or digits  # whole numbers stay whole


def test_two_points_of_a_lattice_share_the_middle_between_them():
    column = Taken({"kind": "number", "digits": 1}, None, np.arange(0, 40, 2))
    told = rounded(Rows(20, [column]), [Fraction(15, 100)]).columns[0]  # points are 0.2 apart
    assert len(np.unique(told.numbers)) == 10


@pytest.mark.parametrize("bound", [1e-2, 1e-4])
def test_texts_of_many_digits_are_bounded(tmp_path, bound):
    random = np.random.default_rng(0)
    values = np.cumsum(random.normal(size=300)) * 1e-3
    texts = [repr(float(value)) for value in values]
    texts[7], texts[9] = "NA", "1e-05"
    path = written(tmp_path / "t.csv", texts)
    back = texts_of(restored(path, tmp_path, max_error=bound, error_mode="rel"))
    assert back[7] == "NA"
    span = max(float(t) for t in texts if t != "NA") - min(float(t) for t in texts if t != "NA")
    for before, after in zip(texts, back, strict=True):
        if before != "NA":
            assert abs(Fraction(before) - Fraction(after)) <= Fraction(bound * span) * (
                1 + Fraction(1, 10**12)
            )
    assert (tmp_path / "t.isz").stat().st_size < 0.5 * sum(map(len, texts))


def test_decimals_that_had_been_float32_are_told_as_decimals(tmp_path):
    decimals = np.round(np.sin(np.arange(500) / 9) * 20, 3)
    texts = [repr(float(np.float32(value))) for value in decimals]
    taken = printing.take_apart(texts)
    assert (taken.style.zeros, taken.style.digits, taken.marks) == (printing.SINGLE, 3, None)
    assert printing.put_together(taken.style, None, taken.numbers) == texts
    path = written(tmp_path / "t.csv", texts)
    assert restored(path, tmp_path).read_bytes() == path.read_bytes()
    assert (tmp_path / "t.isz").stat().st_size < 2500
    back = texts_of(restored(path, tmp_path, max_error=0.01))
    assert max(abs(float(a) - float(b)) for a, b in zip(texts, back, strict=True)) <= 0.01


def test_names_made_of_digits_are_not_rounded(tmp_path):
    texts = [f"{number:016d}" for number in range(10**15, 10**15 + 50)]
    path = written(tmp_path / "t.csv", texts)
    assert texts_of(restored(path, tmp_path, max_error=5.0)) == texts


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_floats_of_a_file_are_bounded_and_missing_ones_stay(tmp_path, kind):
    import pyarrow as pa
    from pyarrow import parquet

    random = np.random.default_rng(0)
    values = np.cumsum(random.normal(size=600)).astype(kind)
    values[5], values[6], values[7] = np.nan, np.inf, 0.0
    holes = random.random(600) < 0.1
    holes[5:8] = False
    parquet.write_table(pa.table({"x": pa.array(values, mask=holes)}), tmp_path / "t.parquet")
    back = parquet.read_table(restored(tmp_path / "t.parquet", tmp_path, max_error=0.05))["x"]
    assert np.array_equal(back.is_null().to_numpy(), holes)
    made = back.to_numpy()[~holes].astype(kind)
    truth = values[~holes]
    odd = ~np.isfinite(truth)
    assert made[odd].tobytes() == truth[odd].tobytes()
    assert np.abs(made[~odd].astype(np.float64) - truth[~odd].astype(np.float64)).max() <= 0.05


def test_regular_stamps_cost_next_to_nothing(tmp_path):
    start = np.datetime64("2016-07-01T00:00:00")
    stamps = [str(start + np.timedelta64(3600 * hour, "s")).replace("T", " ") for hour in range(4000)]
    values = np.random.default_rng(0).integers(0, 50, 4000)
    path = tmp_path / "t.csv"
    path.write_text(
        "\n".join(["date,value", *(f"{s},{v}" for s, v in zip(stamps, values, strict=True))]) + "\n"
    )
    result = compress(path, tmp_path / "t.isz")
    assert result.archive_bytes < 4000 * np.log2(50) / 8 + 800
    late = stamps[1000].replace(":00:00", ":07:31")
    path.write_text(path.read_text().replace(stamps[1000], late))
    assert restored(path, tmp_path).read_bytes() == path.read_bytes()
