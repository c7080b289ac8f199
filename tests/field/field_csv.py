"""CSV files and their like, as compress, verify, detect and clean read them."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import lzma
import random
import time
from fractions import Fraction
from pathlib import Path

import zstandard
from terminal import call

from isthmus.data.tables import open_table
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


def rows_seen(source: str) -> tuple[int, int]:
    """How many rows compress has, and how many all that read cells have."""
    made = call("compress", source, "-o", "t.isz", "--force", "--json")
    assert made.exit_code == 0, made.output
    return json.loads(made.stdout)["samples"], len(open_table(source).whole())


def rows_scored(source: str) -> int:
    """How many rows detect scores."""
    scored = call("detect", source, "--as", "table", "-o", "scores.csv", "--force")
    assert scored.exit_code == 0, scored.output
    return len(Path("scores.csv").read_text().splitlines()) - 1


def shop(count: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    return [
        f"{row},{chance.choice(['red', 'green', 'blue'])},{chance.gauss(10, 2):.3f}" for row in range(count)
    ]


def archive_bytes(source: str) -> int:
    assert call("compress", source, "-o", "size.isz", "--force").exit_code == 0
    return Path("size.isz").stat().st_size


@member("K01", everyday=True)
def a_long_cell_in_the_first_row_is_read(folder: Path) -> None:
    rows = [f"{row},shape{row % 3},{row * 0.37:.3f}" for row in range(2, 200)]
    Path("long.csv").write_text("\n".join(["1," + "P" * 140_000 + ",2.5", *rows]) + "\n")
    assert rows_seen("long.csv") == (199, 199)
    comes_back("long.csv")
    assert "3 columns" in call("info", "t.isz").output


@member("K01")
def a_first_row_longer_than_what_is_looked_at_is_read(folder: Path) -> None:
    wide = '"POLYGON ((' + ", ".join(f"{n} {n}" for n in range(200_000)) + '))"'
    Path("long.csv").write_text("\n".join(["name,shape,area", f"a,{wide},2.5", *["b,x,1.5"] * 60]) + "\n")
    assert rows_seen("long.csv") == (61, 61)
    comes_back("long.csv")


@member("K01")
def a_long_cell_is_cleaned_around(folder: Path) -> None:
    rows = [f"{row},shape{row % 3},{row * 0.37:.3f}" for row in range(2, 200)]
    Path("long.csv").write_text("\n".join(["1," + "P" * 140_000 + ",2.5", *rows]) + "\n")
    made = call("clean", "long.csv", "-o", "clean.csv")
    assert made.exit_code == 0, made.output
    assert "P" * 140_000 in Path("clean.csv").read_text()


@member("K01")
def a_long_value_of_json_lines_is_read(folder: Path) -> None:
    lines = [json.dumps({"name": f"n{row}", "x": row * 0.5}) for row in range(200)]
    lines[3] = json.dumps({"name": "P" * 3_000_000, "x": 0.25})
    Path("long.jsonl").write_text("\n".join(lines) + "\n")
    assert rows_seen("long.jsonl") == (200, 200)
    comes_back("long.jsonl")


@member("K02", everyday=True)
def rows_may_end_with_cr_alone(folder: Path) -> None:
    rows = ["id,colour,x", *shop(1000)]
    Path("mac.csv").write_bytes(("\r".join(rows) + "\r").encode())
    Path("unix.csv").write_bytes(("\n".join(rows) + "\n").encode())
    assert rows_seen("mac.csv") == (1000, 1000)
    assert archive_bytes("mac.csv") <= archive_bytes("unix.csv") + 20
    comes_back("mac.csv")
    back = restored("mac.csv", "--bound", "x=0.01")
    assert furthest(back, "mac.csv", "x") <= Fraction("0.01")


@member("K02")
def ends_of_rows_may_be_of_any_kind(folder: Path) -> None:
    rows = ["id,colour,x", *shop(300)]
    for number, end in enumerate(["\r\r\n", "\n\n", "\r\n\r\n", "\n\r"]):
        name = f"ends{number}.csv"
        Path(name).write_bytes(end.join(rows).encode())
        assert rows_seen(name) == (300, 300), repr(end)
        comes_back(name)
    mixed = "".join(row + "\r\n"[at % 3 // 2 : at % 3 + 1 if at % 3 else 2] for at, row in enumerate(rows))
    Path("mixed.csv").write_bytes(mixed.encode())
    assert rows_seen("mixed.csv") == (300, 300)
    comes_back("mixed.csv")


@member("K02")
def cr_ends_rows_in_other_encodings_and_between_no_quotes(folder: Path) -> None:
    rows = ["id,colour,x", *shop(300)]
    rows[7] = '6,"two\rlines, of one cell",3.5'
    Path("mac.tsv").write_bytes(("\r".join(rows).replace(",", "\t") + "\r").encode("utf-16"))
    Path("mac.csv.gz").write_bytes(gzip.compress("\r".join(rows).encode()))
    for name in ("mac.tsv", "mac.csv.gz"):
        assert rows_seen(name) == (300, 300)
    made = call("denoise", "mac.csv.gz", "-o", "out")
    assert "Traceback" not in made.output
    cleaned = call("clean", "mac.csv.gz", "-o", "clean.csv")
    assert cleaned.exit_code == 0, cleaned.output
    with Path("clean.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 301


def with_stray(rows: list[str], at: int, row: str) -> list[str]:
    return [*rows[:at], row, *rows[at + 1 :]]


@member("K03", everyday=True)
def a_stray_quote_is_a_letter(folder: Path) -> None:
    rows = ["id,item,x", *shop(1000)]
    Path("plain.csv").write_text("\n".join(rows) + "\n")
    Path("inch.csv").write_text("\n".join(with_stray(rows, 5, '4,19" rack,3.5')) + "\n")
    assert rows_seen("inch.csv") == (1000, 1000)
    assert archive_bytes("inch.csv") <= archive_bytes("plain.csv") + 100
    comes_back("inch.csv")


@member("K03")
def a_stray_quote_anywhere_swallows_nothing(folder: Path) -> None:
    rows = ["id,item,x", *shop(300)]
    strays = ['4,"rack,3.5', '4,rack",3.5', '4,"19"" rack,3.5', '"4,rack,3.5', '4,rack,"3.5']
    for number, stray in enumerate(strays):
        name = f"stray{number}.csv"
        Path(name).write_text("\n".join(with_stray(rows, 5, stray)) + "\n")
        assert rows_seen(name) == (300, 300), stray
        comes_back(name)
        for far in ('200,"a, b",1.5', '200,the "rack,1.5', '200,rack",1.5', '200,"a ""b""",2'):
            Path(name).write_text("\n".join(with_stray(with_stray(rows, 5, stray), 201, far)) + "\n")
            assert len(open_table(name).whole()) == 300, (stray, far)
    Path("head.csv").write_text("\n".join(with_stray(rows, 0, 'id,"item,x')) + "\n")
    assert rows_seen("head.csv") == (300, 300)
    comes_back("head.csv")


@member("K03")
def quotes_still_hold_cells_of_several_lines(folder: Path) -> None:
    rows = ["id,item,x", *shop(300)]
    for at in range(5, 300, 7):
        rows[at] = f'{at - 1},"two, or\nmore ""lines""\n\n of, {at} , words",2.5'
    Path("lines.csv").write_text("\n".join(rows) + "\n")
    assert rows_seen("lines.csv") == (300, 300)
    comes_back("lines.csv")
    cleaned = call("clean", "lines.csv", "-o", "clean.csv", "--force")
    assert cleaned.exit_code == 0, cleaned.output
    with Path("clean.csv").open(newline="") as file:
        assert list(csv.reader(file))[5][1] == 'two, or\nmore "lines"\n\n of, 5 , words'


@member("K03", timed=True)
def time_goes_with_the_length_of_a_file_with_a_stray_quote(folder: Path) -> None:
    for stray in ('4,19" rack,3.5', '4,"rack,3.5'):
        for count in (20_000, 80_000):
            rows = ["id,item,x", *shop(count)]
            Path(f"inch{count}.csv").write_text("\n".join(with_stray(rows, 5, stray)) + "\n")
            Path(f"plain{count}.csv").write_text("\n".join(rows) + "\n")
        assert seconds_to_compress("inch80000.csv") < 2 * seconds_to_compress("plain80000.csv") + 1


def seconds_to_compress(source: str) -> float:
    started = time.perf_counter()
    assert call("compress", source, "-o", "t.isz", "--force").exit_code == 0
    return time.perf_counter() - started


def refused(*arguments: object) -> str:
    """The one sentence of a command that cannot be carried out."""
    made = call(*arguments)
    assert made.exit_code == 2, made.output
    assert "bug" not in made.output
    assert "Traceback" not in made.output
    return made.stderr


@member("K25", everyday=True)
def a_gzip_file_that_is_cut_is_refused(folder: Path) -> None:
    rows = ["id,x", *(f"{row},{random.Random(row).gauss(0, 1):.3f}" for row in range(2000))]
    whole = gzip.compress("\n".join(rows).encode())
    Path("cut.csv.gz").write_bytes(whole[:-300])
    assert "cut.csv.gz is no whole gzip file" in refused("compress", "cut.csv.gz", "-o", "t.isz")
    assert not Path("t.isz").exists()
    assert "no whole gzip file" in refused("detect", "cut.csv.gz", "-o", "s.csv")


@member("K25")
def every_command_refuses_a_gzip_file_that_is_none(folder: Path) -> None:
    rows = ["id,x", *(f"{row},{random.Random(row).gauss(0, 1):.3f}" for row in range(2000))]
    whole = gzip.compress("\n".join(rows).encode())
    Path("t.csv.gz").write_bytes(whole)
    assert call("compress", "t.csv.gz", "-o", "t.isz").exit_code == 0
    broken = {
        "cut": whole[:5],
        "text": "\n".join(rows).encode(),
        "tail": whole + b"more",
        "turned": whole[:2000] + bytes([whole[2000] ^ 255]) + whole[2001:],
        "sum": whole[:-8] + bytes(8),
        "short": whole[:1],
    }
    for name, data in broken.items():
        for suffix in (".csv.gz", ".TSV.GZ"):
            source = name + suffix
            Path(source).write_bytes(data)
            for command in (
                ("compress", source, "-o", "u.isz"),
                ("detect", source, "-o", "s.csv"),
                ("clean", source, "-o", "c.csv"),
                ("fit", source, "-o", "m.ism"),
                ("info", source),
            ):
                assert "gzip" in refused(*command), (source, command)
            refused("denoise", source, "-o", "out")
            assert "gzip" in call("verify", "t.isz", "--against", source).output
    assert not {"u.isz", "s.csv", "c.csv", "m.ism"} & {path.name for path in folder.iterdir()}


@member("K25")
def an_empty_gzip_file_and_packed_files_of_other_kinds_are_refused(folder: Path) -> None:
    Path("none.csv.gz").write_bytes(b"")
    Path("empty.csv.gz").write_bytes(gzip.compress(b""))
    text = "\n".join(["id,x", *shop(100)]).encode()
    Path("t.csv.bz2").write_bytes(bz2.compress(text))
    Path("t.csv.xz").write_bytes(lzma.compress(text))
    Path("t.csv").write_bytes(gzip.compress(text))
    for source in ("none.csv.gz", "empty.csv.gz", "t.csv.bz2", "t.csv.xz", "t.csv"):
        for command in (("compress", source, "-o", "t.isz"), ("detect", source, "-o", "s.csv")):
            assert refused(*command)


@member("K09", everyday=True)
def a_bound_on_a_column_without_numbers_is_refused(folder: Path) -> None:
    chance = random.Random(1)
    rows = [f"{row};{chance.gauss(50, 10):.2f};w{row % 7}\n".replace(".", ",") for row in range(300)]
    Path("comma.csv").write_text("i;x;name\n" + "".join(rows))
    for bounds in (["x=0.5"], ["name=1"], ["i=1", "name=1"]):
        wishes = [word for bound in bounds for word in ("--bound", bound)]
        assert "that can be bounded" in refused("compress", "comma.csv", "-o", "t.isz", *wishes)
    assert not Path("t.isz").exists()
    assert call("compress", "comma.csv", "-o", "t.isz", "--bound", "i=1", "--bound", "x=0").exit_code == 0


@member("K09")
def a_bound_for_a_table_without_numbers_is_refused(folder: Path) -> None:
    Path("words.csv").write_text("day,name\n" + "".join(f"2024-01-{n + 1:02},w{n}\n" for n in range(28)))
    Path("words.jsonl").write_text("".join(json.dumps({"name": f"w{n}"}) + "\n" for n in range(50)))
    for source in ("words.csv", "words.jsonl"):
        for mode in ("abs", "rel"):
            told = refused("compress", source, "-o", "t.isz", "--max-error", 1, "--error-mode", mode)
            assert "that can be bounded" in told
    refused("compress", "words.csv", "-o", "t.isz", "--bound", "day=1")
    assert not Path("t.isz").exists()


@member("K09")
def a_bound_is_said_of_numbers_alone(folder: Path) -> None:
    Path("t.csv").write_text(
        "id,name,late\n" + "".join(f"{n},w{n % 5},{'' if n % 5 == 0 else n}\n" for n in range(99))
    )
    made = call("compress", "t.csv", "-o", "t.isz", "--max-error", 2)
    assert made.exit_code == 0, made.output
    assert "name within" not in made.output
    assert restored("t.csv", "--bound", "late=0.5").exists()


@member("K09")
def a_bound_on_a_typed_column_without_numbers_is_refused(folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {"name": pa.array(["a", "b"]), "day": pa.array([1, 2], pa.date32()), "x": pa.array([1.5, None])}
    parquet.write_table(pa.table(columns), "t.parquet")
    for name in ("name", "day"):
        refused("compress", "t.parquet", "-o", "t.isz", "--bound", f"{name}=1")
    assert call("compress", "t.parquet", "-o", "t.isz", "--bound", "x=1").exit_code == 0


@member("K35", everyday=True)
def columns_are_counted_and_not_their_parts(folder: Path) -> None:
    rows = [f"{n},{'NA' if n % 7 == 0 else n * 2},{n % 9}\n" for n in range(100)]
    Path("three.csv").write_text("a,b,c\n" + "".join(rows))
    made = call("compress", "three.csv", "-o", "t.isz", "--json")
    assert sum(won["blocks"] for won in json.loads(made.stdout)["winners"].values()) == 3
    assert "\n3 columns, won by" in call("compress", "three.csv", "-o", "t.isz", "--force").stdout


@member("K35")
def columns_of_several_blocks_are_counted_once(folder: Path) -> None:
    Path("long.csv").write_text("a,b\n" + "".join(f"{n % 7},{n % 5}\n" for n in range(300_000)))
    assert "\n2 columns, won by" in call("compress", "long.csv", "-o", "t.isz").stdout


@member("K35")
def typed_columns_with_missing_cells_are_counted_once(folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {
        "a": pa.array([n if n % 5 else None for n in range(200)]),
        "b": pa.array([[n] for n in range(200)]),
        "c": pa.array([n / 3 if n % 5 else None for n in range(200)]),
    }
    parquet.write_table(pa.table(columns), "t.parquet")
    assert "\n3 columns, won by" in call("compress", "t.parquet", "-o", "t.isz").stdout


@member("K34", everyday=True)
def few_rows_of_many_columns_take_seconds(folder: Path) -> None:
    chance = random.Random(1)
    rows = [",".join(f"c{n}" for n in range(1000))]
    rows += [",".join(f"{chance.gauss(0, 1):.2f}" for _ in range(1000)) for _ in range(20)]
    Path("wide.csv").write_text("\n".join(rows) + "\n")
    started = time.process_time()
    comes_back("wide.csv")
    assert time.process_time() - started < 10  # 27 s with a plan for each column
    assert Path("t.isz").stat().st_size < 0.33 * Path("wide.csv").stat().st_size


@member("K34", timed=True)
def three_thousand_columns_take_seconds(folder: Path) -> None:
    chance = random.Random(1)
    rows = [",".join(f"c{n}" for n in range(3000))]
    rows += [",".join(f"{chance.gauss(0, 1):.2f}" for _ in range(3000)) for _ in range(20)]
    Path("wide.csv").write_text("\n".join(rows) + "\n")
    started = time.process_time()
    assert call("compress", "wide.csv", "-o", "t.isz", "--threads", 1).exit_code == 0
    assert time.process_time() - started < 8


@member("K34")
def few_rows_of_many_words_come_back(folder: Path) -> None:
    chance = random.Random(1)
    words = [chance.choice(["low", "high", "", "1.5", "NA"]) for _ in range(40_000)]
    rows = [";".join(words[start : start + 2000]) for start in range(0, 40_000, 2000)]
    Path("words.csv").write_text(";".join(f"gene{n}" for n in range(2000)) + "\n" + "\n".join(rows) + "\n")
    comes_back("words.csv")


@member("K39")
def no_text_takes_more_than_zstd_or_xz_make_of_it(folder: Path) -> None:
    chance = random.Random(1)
    words = ["".join(chance.choices("etaoinshrdlu", k=chance.randrange(2, 9))) for _ in range(300)]
    prose = [" ".join(chance.choices(words, k=chance.randrange(1, 16))) + chance.choice([".", ",", "\n"])
             for _ in range(1500)]  # fmt: skip
    texts = {
        "prose.txt": "\n".join(prose),
        "notes.csv": "id,note\n" + "".join(f'{n},"{line}"\n' for n, line in enumerate(prose)),
        "log.jsonl": "".join(json.dumps({"n": n, "said": line}) + "\n" for n, line in enumerate(prose)),
        "few.tsv": "a\tb\n1\t2\n",
        "same.csv": "a,b\n" + "1,2\n" * 5000,
    }
    for name, text in texts.items():
        Path(name).write_text(text)
        data = Path(name).read_bytes()
        least = min(len(lzma.compress(data, preset=9)), len(zstandard.compress(data, 19)))
        assert archive_bytes(name) <= least + 1000, name
        comes_back(name)
