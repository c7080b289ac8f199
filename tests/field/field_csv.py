"""CSV files and their like, as compress, verify, detect and clean read them."""

from __future__ import annotations

import csv
import random
from fractions import Fraction
from pathlib import Path

from terminal import call

from reports import member


def restored(source: str, *wishes: object) -> Path:
    """Compress a file, compare its archive with it, and restore it."""
    made = call("compress", source, "-o", "t.isz", "--force", *wishes)
    assert made.exit_code == 0, made.output
    checked = call("verify", "t.isz", "--against", source)
    assert checked.exit_code == 0, checked.output
    back = call("decompress", "t.isz", "-o", "back", "--force")
    assert back.exit_code == 0, back.output
    return Path("back", source)


def comes_back(source: str) -> None:
    """To the last byte."""
    assert restored(source).read_bytes() == Path(source).read_bytes()


def columns_of(path: Path) -> dict[str, list[str]]:
    rows = list(csv.DictReader(path.read_text().splitlines()))
    return {name: [row[name] for row in rows] for name in rows[0]}


def furthest(path: Path, original: str, name: str) -> Fraction:
    """How far a number of a column is from what it was, at most."""
    mine, theirs = columns_of(path)[name], columns_of(Path(original))[name]
    return max(abs(Fraction(one) - Fraction(other)) for one, other in zip(mine, theirs, strict=True))


@member("K06", everyday=True)
def a_bound_far_above_a_column_makes_it_a_constant(folder: Path) -> None:
    chance = random.Random(1)
    rows = [f"{chance.random():.12f},{chance.randrange(10**9)}\n" for _ in range(300)]
    Path("scales.csv").write_text("x,y\n" + "".join(rows))
    back = restored("scales.csv", "--max-error", "1e7")
    assert len(set(columns_of(back)["x"])) == 1
    assert 10**6 < furthest(back, "scales.csv", "y") <= 10**7


@member("K06")
def numbers_of_1e300_are_bounded_or_kept(folder: Path) -> None:
    chance = random.Random(1)
    rows = [f"{chance.gauss(0, 1)!r},{chance.gauss(0, 1) * 1e300!r},{row}\n" for row in range(300)]
    Path("huge.csv").write_text("small,huge,row\n" + "".join(rows))
    comes_back("huge.csv")
    for bound in ("1e298", "1e300", "1.7e308", "0.001", "1e-300"):
        back = restored("huge.csv", "--max-error", bound)
        assert furthest(back, "huge.csv", "huge") <= Fraction(bound)
    back = restored("huge.csv", "--max-error", "0.01", "--error-mode", "rel")
    assert furthest(back, "huge.csv", "huge") <= 10**299


@member("K06")
def a_range_that_no_float_holds_is_no_trouble(folder: Path) -> None:
    rows = [f"{row},{(-1) ** row * (row + 1) * 1e306!r}\n" for row in range(170)]
    Path("span.csv").write_text("row,x\n" + "".join(rows))
    back = restored("span.csv", "--max-error", "0.01", "--error-mode", "rel")
    assert furthest(back, "span.csv", "x") <= Fraction("0.01") * (339 * 10**306)


@member("K06")
def typed_columns_take_bounds_far_above_them(folder: Path) -> None:
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    chance = np.random.default_rng(1)
    columns = {
        "double": chance.normal(size=300),
        "single": chance.normal(size=300).astype(np.float32),
        "decimal": np.round(chance.normal(size=300), 6),
        "whole": chance.integers(0, 1000, 300),
        "large": chance.integers(0, 2**40, 300),
    }
    parquet.write_table(pa.table(columns), "t.parquet")
    for bound in ("1e7", "1e15", "1e308"):
        back = parquet.read_table(restored("t.parquet", "--max-error", bound)).to_pydict()
        assert all(len(set(back[name])) == 1 for name in ("double", "decimal", "whole"))
        assert len(set(back["single"])) < 10
        assert np.abs(np.array(back["large"]) - columns["large"]).max() <= float(bound)
