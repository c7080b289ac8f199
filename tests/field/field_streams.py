"""Streams and names that are not what a locale expects."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from terminal import call, run, words

from reports import member

STRICT = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
GOOD = b"".join(b"%d,0.5\n" % row for row in range(400, 420))


def usual(delimiter: str = ",") -> None:
    """A model, usual.ism, of a series."""
    rows = "".join(f"{row}{delimiter}{math.sin(row / 5):.3f}\n" for row in range(400))
    Path("usual.csv").write_text(f"t{delimiter}v\n{rows}")
    made = call("fit", "usual.csv", "-o", "usual.ism", "--as", "series", "--stamp", "t")
    assert made.exit_code == 0, made.output


def answers(lines: bytes) -> list[dict[str, str]]:
    """What `--follow` says of a stream."""
    done = call("detect", "-", "-m", "usual.ism", "--follow", stdin=lines)
    assert done.exit_code == 0, done.output
    assert "bug" not in done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


@member("K32", everyday=True)
def a_line_that_is_no_utf8_is_answered_and_the_next_as_ever(folder: Path) -> None:
    usual()
    told = answers(b"t,v\n" + GOOD + b"420,0.5\xb0\n421,0.5\n")
    assert len(told) == 22
    assert "line 22 is left out: it must be UTF-8; letter 7 is the byte 0xb0" in told[20]["reason"]
    assert told[21]["row"] == "20"
    assert told[21]["anomaly_score"]


@member("K32")
def in_a_strict_locale_too(folder: Path) -> None:
    usual()
    live = b"t,v\n" + GOOD + b"420,0.5\xb0\n421,0.5\n"
    for encoding in ("utf-8:strict", "ascii:strict", "latin-1:strict"):
        strict = {**os.environ, "PYTHONIOENCODING": encoding}
        done = run("detect", "-", "-m", "usual.ism", "--follow", "-o", "-", input=live, env=strict)
        assert done.returncode == 0, done.stderr
        assert b"line 22 is left out" in done.stdout
        assert done.stdout.splitlines()[-1].startswith(b"20,421,")


@member("K32")
def odd_lines_are_answered_one_by_one(folder: Path) -> None:
    usual()
    spoilt = {
        b"x": "it must have 2 cells; it has 1",
        b"": "",
        b"420": "it must have 2 cells; it has 1",
        b"420,0.5,7": "it must have 2 cells; it has 3",
        b"420,\x000.5": "it holds a zero byte",
        b"420," + b"9" * 3_000_000: "it must have at most 1,048,576 letters",
        b"420,1_000": "v must be a number; it is '1_000'",
        b'420,"0.5': "v must be a number; it is '\"0.5'",
        b"soon,0.5": "t must be a stamp; it is 'soon'",
        b"nan,0.5": "t must be a stamp; it is 'nan'",
        b"t,v": "",
        b"\xff\xfe4\x002\x00": "it must be UTF-8",
        "420,０.5".encode(): "v must be a number; it is '０.5'",
    }
    for first in (b"t,v\n399,0.5\n", b"\xef\xbb\xbft,v\r\n399,0.5\r\n", b"399,0.5\n"):
        told = answers(first + b"\n".join(spoilt) + b"\n" + GOOD.replace(b"\n", b"\r\n"))[1:]
        wanted = [sentence for sentence in spoilt.values() if sentence]
        assert len(told) == len(wanted) + 20, told
        for each, sentence in zip(told, wanted, strict=False):
            assert sentence in each["reason"], (sentence, each["reason"])
        assert [each["row"] for each in told[len(wanted) :]] == [str(row) for row in range(1, 21)]


@member("K32")
def a_stream_is_parted_as_its_file_was(folder: Path) -> None:
    for delimiter in (";", "\t", "|"):
        usual(delimiter)
        for header in (f"t{delimiter}v\n".encode(), b""):
            told = answers(header + GOOD.replace(b",", delimiter.encode()))
            assert [each["row"] for each in told] == [str(row) for row in range(20)]
        Path("usual.ism").unlink()


@member("K32")
def numbers_of_a_stream_are_written_as_in_its_file(folder: Path) -> None:
    rows = "".join(f"{row};{1200 + math.sin(row / 5):.3f} kW\n".replace(".", ",") for row in range(400))
    Path("usual.csv").write_text("t;v\n" + rows)
    assert call("fit", "usual.csv", "-o", "usual.ism", "--as", "series", "--stamp", "t").exit_code == 0
    for first in (b"t;v\n", b""):
        told = answers(first + b"".join(b"%d;1200,5 kW\n" % row for row in range(400, 420)) + b"420;x\n")
        assert [each["row"] for each in told] == [*map(str, range(20)), ""]
        assert (
            told[-1]["reason"] == f"line {21 + len(first) // 4} is left out: v must be a number; it is 'x'."
        )


@member("K32")
def a_line_is_answered_before_the_next_one_comes(folder: Path) -> None:
    usual()
    command = words("detect", "-", "-m", "usual.ism", "--follow")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=STRICT) as follower:
        assert follower.stdin is not None
        assert follower.stdout is not None
        for line in (b"400,0.5\n", b"401,\xb0\n", b"402,0.5\r\n"):
            follower.stdin.write(line)
            follower.stdin.flush()
            if line.startswith(b"400"):
                assert follower.stdout.readline().startswith(b"row,stamp")
            assert follower.stdout.readline()
        follower.stdin.close()
        assert follower.wait(60) == 0


def photographs(folder: bytes) -> Path:
    """Small pictures in a folder; neither its name nor theirs is UTF-8."""
    place = Path(os.fsdecode(folder))
    try:
        place.mkdir()
    except OSError:
        pytest.skip("the file system takes UTF-8 alone")
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (24, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / os.fsdecode(b"b\xe4r%d.png" % number))
    (place / os.fsdecode(b"gr\xfcn.txt")).write_text("no picture")
    return place


@member("K32")
def names_that_are_no_utf8_are_printed_and_told_in_json(folder: Path) -> None:
    place = photographs(b"ph\xf6to")
    name = os.fsdecode(b"gr\xfcn.txt")
    for encoding, command in (
        ("latin-1:strict", ("compress", place, "-o", "a.isz")),
        ("utf-8:strict", ("compress", place, "-o", "a.isz", "--force", "--json")),
        ("utf-8:strict", ("info", "a.isz")),
        ("latin-1:strict", ("info", "a.isz", "--json")),
        ("utf-8:strict", ("verify", "a.isz", "--against", place)),
        ("utf-8:strict", ("decompress", "a.isz", "-o", "back", "--json")),
        ("utf-8:strict", ("clean", place, "--log", "log.csv", "-o", "sound")),
    ):
        done = run(*command, env={**os.environ, "PYTHONIOENCODING": encoding})
        assert done.returncode == 0, (command, encoding, done.stderr)
        told = json.loads(done.stdout) if "--json" in command else {}
        assert command[0] != "compress" or not told or any(name in each for each in told["notices"])
    assert (Path("back") / os.fsdecode(b"b\xe4r0.png")).is_file()


@member("K32")
def a_series_whose_name_is_no_utf8_goes_through_every_command(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    path = Path(os.fsdecode(b"t\xe4g.csv"))
    rows = "".join(f"{row},{math.sin(row / 5):.3f}\n" for row in range(300))
    path.write_text("time,v\n" + rows)
    for command in (
        ("detect", path, "-o", "s.csv", "--report", "page.html"),
        ("info", path, "--json"),
        ("compress", path, "--json"),
        ("fit", path, "-o", "m.ism", "--json"),
    ):
        done = run(*command, env=STRICT)
        assert done.returncode == 0, (command, done.stderr)
    assert "udce4" in Path("page.html").read_text(encoding="utf-8")


@member("K32")
def scores_on_standard_output_are_the_bytes_of_the_file(folder: Path) -> None:
    rows = "".join(f"{row},{math.sin(row / 5) + 9 * (row == 150):.3f}\n" for row in range(300))
    Path("s.csv").write_text("time,Größe →\n" + rows, encoding="utf-8")
    assert call("detect", "s.csv", "-o", "file.csv").exit_code == 0
    for encoding in ("utf-8:strict", "latin-1:strict", "ascii:strict"):
        strict = {**os.environ, "PYTHONIOENCODING": encoding}
        done = run("detect", "s.csv", "-o", "-", env=strict)
        assert done.stdout == Path("file.csv").read_bytes(), encoding
    assert "Größe →, row" in Path("file.csv").read_text(encoding="utf-8")
