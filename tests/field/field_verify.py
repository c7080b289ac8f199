"""`verify --against`: archives made with --skip-bad, and the words damaged, different, incomparable."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from field_folders import photo
from PIL import Image
from terminal import call

from reports import member


def cut_photo(path: Path) -> Path:
    """A JPEG whose end is missing."""
    random = np.random.default_rng(2)
    Image.fromarray(random.integers(0, 255, (200, 200, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-500])
    return path


def status(*words: object) -> tuple[int, str, list[str]]:
    """The exit code of verify, the word of its answer, and its notices."""
    done = call("verify", *words, "--json")
    told = json.loads(done.stdout)
    return done.exit_code, told["status"], told["notices"]


@member("K14", everyday=True)
def what_skip_bad_left_out_is_named_and_the_rest_is_ok(folder: Path) -> None:
    photo(folder / "photos" / "a.jpg")
    cut_photo(folder / "photos" / "b.jpg")
    assert call("compress", "photos", "-o", "photos.isz", "--skip-bad").exit_code == 0
    done = call("verify", "photos.isz", "--against", "photos")
    assert done.exit_code == 0, done.output
    assert "OK" in done.stdout
    assert "not in the archive: b.jpg" in done.stderr
    assert call("verify", "photos.isz", "--against", "photos", "--strict").exit_code == 2


@member("K14")
def an_image_that_skip_bad_found_unlike_the_others_is_named(folder: Path) -> None:
    for name in "ab":
        photo(folder / "photos" / f"{name}.png")
    Image.new("L", (20, 24)).save(folder / "photos" / "grey.png")
    call("compress", "photos", "-o", "photos.isz", "--skip-bad")
    code, word, notices = status("photos.isz", "--against", "photos")
    assert (code, word) == (0, "ok")
    assert [notice for notice in notices if "grey.png" in notice]


@member("K14")
def rows_that_skip_bad_left_out_of_an_array_are_named(folder: Path) -> None:
    values = np.arange(12.0).reshape(6, 2)
    values[3, 1] = np.nan
    np.save("v.npy", values)
    call("compress", "v.npy", "-o", "some.isz", "--skip-bad")
    code, word, notices = status("some.isz", "--against", "v.npy")
    assert (code, word) == (0, "ok")
    assert notices == ["not in the archive: v.npy[3]: NaN or infinite values"]
    call("compress", "v.npy", "-o", "all.isz")
    assert status("all.isz", "--against", "v.npy") == (0, "ok", [])


@member("K14")
def recordings_that_skip_bad_left_out_are_named(folder: Path) -> None:
    import soundfile

    (folder / "sounds").mkdir()
    for name in "ab":
        soundfile.write(f"sounds/{name}.wav", np.sin(np.arange(900) / 9) / 2, 8000)
    Path("sounds/b.wav").write_bytes(Path("sounds/b.wav").read_bytes()[:-300])
    call("compress", "sounds", "-o", "s.isz", "--skip-bad")
    code, word, notices = status("s.isz", "--against", "sounds")
    assert (code, word) == (0, "ok"), notices
    assert "b.wav" in notices[0]


@member("K14")
def other_files_of_the_folder_are_named(folder: Path) -> None:
    photo(folder / "phone" / "a.jpg")
    Path("phone/clip.mp4").write_bytes(bytes(1000))
    call("compress", "phone", "-o", "p.isz")
    assert status("p.isz", "--against", "phone") == (
        0,
        "ok",
        ["not in the archive: clip.mp4: not an image"],
    )


@member("K14", everyday=True)
def other_originals_are_different_not_damaged(folder: Path) -> None:
    for number, name in enumerate(("one", "two", "three")):
        photo(folder / name / "a.png", seed=number % 2)
        photo(folder / name / ("c.png" if name == "three" else "b.png"), seed=number % 2)
    call("compress", "one", "-o", "one.isz")
    assert status("one.isz", "--against", "one") == (0, "ok", [])
    assert status("one.isz", "--against", "two")[:2] == (1, "different")
    assert status("one.isz", "--against", "three")[:2] == (1, "different")
    done = call("verify", "one.isz", "--against", "three")
    assert "DIFFERENT" in done.stdout
    assert "b.png is in the archive alone" in done.stdout
    photo(folder / "one" / "new.png")
    assert "new.png is in the originals alone" in call("verify", "one.isz", "--against", "one").stdout


@member("K14")
def damage_is_called_damage_whatever_it_is_compared_with(folder: Path) -> None:
    photo(folder / "a.png")
    call("compress", "a.png", "-o", "a.isz")
    data = bytearray(Path("a.isz").read_bytes())
    data[len(data) // 2] ^= 1
    Path("a.isz").write_bytes(data)
    for against in ((), ("--against", "a.png")):
        assert status("a.isz", *against)[:2] == (1, "damaged")


@member("K14")
def another_kind_of_data_cannot_be_compared(folder: Path) -> None:
    photo(folder / "a.png")
    Path("t.csv").write_text("a,b\n1,2\n3,4\n")
    np.save("v.npy", np.zeros((3, 2)))
    Path("notes.txt").write_text("words")
    for name in ("a.png", "t.csv", "v.npy"):
        call("compress", name, "-o", f"{name}.isz")
    for archive, against in (
        ("a.png", "t.csv"),
        ("t.csv", "a.png"),
        ("t.csv", "v.npy"),
        ("v.npy", "notes.txt"),
        ("v.npy", "."),
    ):
        code, word, _ = status(f"{archive}.isz", "--against", against)
        if (archive, against) != ("v.npy", "."):  # the folder holds an image
            assert (code, word) == (2, "incomparable"), (archive, against)
        assert code != 0
    done = call("verify", "a.png.isz", "--against", "none.png")
    assert done.exit_code == 2
    assert "does not exist" in done.stderr


@member("K14")
def tables_with_other_columns_or_values_are_different(folder: Path) -> None:
    Path("t.csv").write_text("a,b\n1,2\n3,4\n")
    Path("columns.csv").write_text("a,c\n1,2\n3,4\n")
    Path("values.csv").write_text("a,b\n1,2\n3,5\n")
    Path("rows.csv").write_text("a,b\n1,2\n")
    call("compress", "t.csv", "-o", "t.isz")
    assert status("t.isz", "--against", "t.csv")[:2] == (0, "ok")
    for other in ("columns.csv", "values.csv", "rows.csv"):
        assert status("t.isz", "--against", other)[:2] == (1, "different"), other
