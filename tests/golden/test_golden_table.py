"""The golden archives of tables are still read, and read alike from the page alone."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.tables import blocks
from isthmus.tasks.verify import verify
from tiny import knowing

pa = pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")

import independent  # noqa: E402
import independent_table  # noqa: E402

FOLDER = Path(__file__).parent / "tables"
NAMES = ["shop", "shop-bounded", "series", "series-bounded"]


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_archive_gives_back_what_it_did(tmp_path, name):
    assert verify(FOLDER / f"{name}.isz").ok
    back = decompress(FOLDER / f"{name}.isz", tmp_path).files[0]
    assert back.read_bytes() == (FOLDER / f"{name}.csv").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_independent_reader_restores_the_same_bytes(name):
    made = independent_table.read_text((FOLDER / f"{name}.isz").read_bytes())
    assert made == (FOLDER / f"{name}.csv").read_bytes()


def shop(count: int, seed: int = 0) -> list[list[str]]:
    """Rows whose cells say much of one another; a few are missing, and one is odd."""
    random = np.random.default_rng(seed)
    table = []
    for number, town in enumerate(random.choice(["Oslo", "Lyon", "Kiel"], count).tolist()):
        price, pieces = int(random.gamma(2, 900)), int(random.integers(1, 30))
        total = "" if number % 97 == 5 else f"{price * pieces / 100:.2f}"
        share, cost = str(price // 25 / 4), f"€{pieces / 2:g}"  # 1.0 and €1
        day = f"{number % 28 + 1:02d}.{number % 12 + 1:02d}.2024"
        noise = random.bytes(6).hex()
        table.append([str(number), town, f"{price / 100:.2f}", str(pieces), total, share, day, cost, noise])
    table[count // 2] = ["odd"]
    return table


def written(path: Path, table: list[list[str]], between: str = ",", encoding: str = "utf-8") -> Path:
    lines = [["id", "town", "price", "pieces", "total", "share", "day", "cost", "code"], *table]
    path.write_bytes("\n".join(map(between.join, lines)).encode(encoding))  # the last row has no end
    return path


@pytest.mark.parametrize(
    ("count", "between", "encoding", "wishes"),
    [
        (1, ",", "utf-8", {}),
        (300, ";", "utf-16", {}),
        (700, "\t", "utf-8-sig", {"max_error": 0.02, "error_mode": "rel"}),
    ],
)
def test_it_reads_text_of_many_kinds(tmp_path, count, between, encoding, wishes):
    path = written(tmp_path / "t.csv", shop(count), between, encoding)
    compress(path, tmp_path / "t.isz", **wishes)
    made = independent_table.read_text((tmp_path / "t.isz").read_bytes())
    assert made == decompress(tmp_path / "t.isz", tmp_path / "back").files[0].read_bytes()
    assert wishes or made == path.read_bytes()


def test_it_reads_bytes_that_are_no_text(tmp_path):
    rows = [b"a,b", b"\xff1,x", b"2,\x01", b"-0,\x01\x02", "é,".encode()] * 9
    (tmp_path / "t.csv").write_bytes(b"\r\n".join(rows) + b"\r\n")
    compress(tmp_path / "t.csv", tmp_path / "t.isz")
    assert independent_table.read_text((tmp_path / "t.isz").read_bytes()) == (tmp_path / "t.csv").read_bytes()


def test_it_reads_lines_of_json(tmp_path):
    lines = [json.dumps({"a": number, "b": "é" * (number % 3), "c": None}) for number in range(50)]
    (tmp_path / "t.jsonl").write_text("\n".join([*lines, "[]"]) + "\n")
    compress(tmp_path / "t.jsonl", tmp_path / "t.isz")
    made = independent_table.read_text((tmp_path / "t.isz").read_bytes())
    assert made == (tmp_path / "t.jsonl").read_bytes()


def test_it_reads_blocks_told_by_parquet(tmp_path, monkeypatch):
    def clumsy(*args):
        block = encode(*args)
        return replace(block, payload=block.payload + bytes(10**5))

    encode = blocks.encode_block
    monkeypatch.setattr(blocks, "encode_block", clumsy)
    monkeypatch.setattr(blocks, "_may_be_smaller", lambda *_: False)
    path = written(tmp_path / "t.csv", shop(50))
    compress(path, tmp_path / "t.isz")
    data = (tmp_path / "t.isz").read_bytes()
    assert [block["plan"] for block in independent.read_archive(data)["blocks"]] == ["parquet"]
    assert independent_table.read_text(data) == path.read_bytes()


NOTES = "\n".join(f"note {n * n:x}, of {n % 5} or {n}; " * (1 + n % 3) for n in range(30))
WORDS = [sha256(bytes([n])).hexdigest()[:6] for n in range(50)]
PROGRAM = "\n".join(
    f"def f{n}({n % 2}): return {n**3 % 9}{',' * (n % 3)}{WORDS[n * n % 47]}" for n in range(400)
)


@pytest.mark.parametrize(("text", "way"), [(NOTES, b"\0"), (PROGRAM, b"\1")])  # by zstd, by LZMA
def test_it_reads_rows_as_plain_text(tmp_path, text, way):
    path = tmp_path / "some.txt"
    path.write_text(text)
    compress(path, tmp_path / "t.isz")
    data = (tmp_path / "t.isz").read_bytes()
    (block,) = independent.read_archive(data)["blocks"]
    payload = independent.Fields(block["layers"]["lossless"]["payload"])
    assert (block["plan"], payload.varint(), payload.take(1)) == ("text", text.count("\n"), way)
    assert independent_table.read_text(data) == path.read_bytes()


@pytest.mark.parametrize("wishes", [{}, {"max_error": 0.02, "error_mode": "rel"}])
def test_it_reads_archives_that_begin_knowing_rows(tmp_path, wishes):
    model = knowing(written(tmp_path / "known.csv", shop(150)))
    path = written(tmp_path / "t.csv", [row for row in shop(90, seed=1) if len(row) > 1 and row[4]])
    compress(path, tmp_path / "t.isz", model=model, embed_model=False, **wishes)
    known = model.known_rows.plan, model.known_rows.payload
    made = independent_table.read_text((tmp_path / "t.isz").read_bytes(), known)
    back = decompress(tmp_path / "t.isz", tmp_path / "back", model=model).files[0]
    assert made == back.read_bytes()
    assert wishes or made == path.read_bytes()


def typed(count: int) -> "pa.Table":
    random = np.random.default_rng(0)
    reals, towns = random.normal(size=count), random.choice(["Oslo", "Lyon", ""], count)
    some = [None if number % 7 == 3 else number for number in range(count)]
    tenths = [None if number is None else number / 10 for number in some]
    return pa.table(
        {
            "real": pa.array(reals),
            "single": pa.array(np.where(reals > 1, np.nan, reals).astype(np.float32), mask=reals < -1),
            "tenths": pa.array([*tenths[:-1], float("inf")]),
            "whole": pa.array(some, pa.int16()),
            "flag": pa.array([None if number is None else number % 2 == 0 for number in some]),
            "day": pa.array(some, pa.int32()).cast(pa.date32()),
            "stamp": pa.array(some, pa.int64()).cast(pa.timestamp("ms", "Europe/Oslo")),
            "town": pa.array([None if number is None else towns[number] for number in some]),
            "kind": pa.DictionaryArray.from_arrays(
                pa.array([None if number is None else number % 2 for number in some], pa.int8()),
                pa.array(["warm", "cold", "never"]),
                ordered=True,
            ),
            "list": pa.array([[number] for number in some]),
            "long": pa.array([None if number is None else random.integers(500, size=40) for number in some]),
            "age": pa.array(some).dictionary_encode(),
            "vast": pa.array([2**64 - 1] * count, pa.uint64()),
        }
    )


@pytest.mark.parametrize("wishes", [{}, {"max_error": 0.5}])
def test_it_reads_typed_tables(tmp_path, wishes):
    from pyarrow import feather

    feather.write_feather(typed(200), tmp_path / "t.arrow", "uncompressed")
    compress(tmp_path / "t.arrow", tmp_path / "t.isz", **wishes)
    made = independent_table.read_typed((tmp_path / "t.isz").read_bytes())
    back = decompress(tmp_path / "t.isz", tmp_path / "back").files[0]
    for table in [feather.read_table(back), *([] if wishes else [typed(200)])]:
        assert made.schema.equals(table.schema)
        assert made.drop_columns("single").equals(table.drop_columns("single"))
        assert made["single"].is_null().equals(table["single"].is_null())
        bits = [one["single"].drop_null().to_numpy().tobytes() for one in (made, table)]
        assert bits[0] == bits[1]
