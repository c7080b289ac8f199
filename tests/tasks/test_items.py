"""What is wrong with an image is found and said; the sound ones are copied; no original is touched."""

import csv
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isthmus.errors import DataError, OutputExists, UseError
from isthmus.tasks.clean import clean
from isthmus.tasks.items import LOG, ItemsResult, holds_items

COUNT = 60


def texture(seed: int, side: int = 64) -> np.ndarray:
    random = np.random.default_rng(seed)
    coarse = random.uniform(40, 210, (6, 6, 3)).astype(np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC), float)
    return np.clip(smooth + random.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


PLANTED = {
    ("x-cut.png", "damaged"),
    ("x-words.png", "damaged"),
    ("x-grey.png", "unlike the others"),
    ("x-deep.png", "unlike the others"),
    ("y-same.bmp", "duplicate"),
    ("y-small.png", "near-duplicate"),
    ("z-black.png", "odd"),
    ("notes.txt", "no image"),
}
LEFT_OUT = {"x-cut.png", "x-words.png", "x-grey.png", "x-deep.png", "y-same.bmp", "notes.txt"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source") / "photos"
    (folder / "sub").mkdir(parents=True)
    for number in range(COUNT):
        place = folder / "sub" if number % 2 else folder
        Image.fromarray(texture(number)).save(place / f"{number:02}.png")
    whole = (folder / "00.png").read_bytes()
    (folder / "x-cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "x-words.png").write_text("no picture")
    (folder / "notes.txt").write_text("taken in June")
    Image.fromarray(texture(0)[:, :, 0]).save(folder / "x-grey.png")
    Image.fromarray(texture(0)[:, :, 0].astype(np.uint16) << 8).save(folder / "x-deep.png")
    Image.fromarray(texture(4)).save(folder / "y-same.bmp")
    Image.fromarray(texture(6)).resize((48, 48)).save(folder / "y-small.png")
    Image.new("RGB", (64, 64)).save(folder / "z-black.png")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_what_was_planted_is_found_and_hardly_anything_else(photos, tmp_path):
    before = contents(photos)
    result = clean(photos, tmp_path / "clean", log=tmp_path / "issues.csv")
    assert isinstance(result, ItemsResult)
    found = {(issue.item, issue.issue) for issue in result.issues}
    assert found >= PLANTED
    assert all(issue == "odd" for _, issue in found - PLANTED)
    assert len(found - PLANTED) <= 3
    assert (result.items, result.kept) == (COUNT + 7, COUNT + 2)
    assert (result.damaged, result.unlike, result.duplicates, result.near_duplicates) == (2, 2, 1, 1)
    assert result.not_looked_for is None
    kept = {name: data for name, data in before.items() if name not in LEFT_OUT}
    assert contents(tmp_path / "clean") == kept
    assert contents(photos) == before


def test_the_log_names_every_item_left_out_with_its_reason(photos, tmp_path):
    result = clean(photos, log=tmp_path / "issues.csv")
    assert result.output is None
    lines = read(tmp_path / "issues.csv")
    assert tuple(lines[0]) == LOG
    assert {line["item"] for line in lines} >= LEFT_OUT
    assert all(line["reason"] for line in lines)
    by_item = {line["item"]: line for line in reversed(lines)}  # the first of an item
    assert by_item["y-same.bmp"]["related"] == "04.png"
    assert by_item["y-small.png"]["related"] == "06.png"
    assert float(by_item["y-small.png"]["score"]) > 0.97
    assert by_item["x-grey.png"]["reason"] == "grey, uint8, where most are RGB, uint8"
    assert "truncated" in by_item["x-cut.png"]["reason"]
    assert by_item["x-words.png"]["reason"] == "no image of a known format"
    assert by_item["z-black.png"]["reason"] == "every pixel is the same"


def test_a_log_lies_beside_the_copy_and_a_dry_run_writes_nothing(photos, tmp_path):
    tried = clean(photos, tmp_path / "out", log=tmp_path / "log.csv", dry_run=True)
    assert list(tmp_path.iterdir()) == []
    assert tried.kept == COUNT + 2
    clean(str(photos), str(tmp_path / "out"))
    assert len(read(tmp_path / "out.issues.csv")) == len(tried.issues)


def test_a_zip_is_cleaned_as_the_folder_that_it_holds(photos, tmp_path):
    packed = Path(shutil.make_archive(str(tmp_path / "photos"), "zip", photos))
    before = packed.read_bytes()
    result = clean(packed, tmp_path / "clean")
    assert {(issue.item, issue.issue) for issue in result.issues} >= PLANTED
    assert contents(tmp_path / "clean") == {n: d for n, d in contents(photos).items() if n not in LEFT_OUT}
    assert packed.read_bytes() == before


def test_a_zip_with_a_broken_entry_is_read_beside_it(photos, tmp_path):
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(0, 20, 2):
            archive.write(photos / f"{number:02}.png", f"{number:02}.png")
    data = bytearray(path.read_bytes())
    data[200] ^= 255
    path.write_bytes(data)
    result = clean(path)
    assert [(issue.item, issue.issue) for issue in result.issues] == [("00.png", "damaged")]
    assert "Odd items were not looked for" in result.summary()


def test_a_stack_comes_back_without_what_repeats_or_cannot_be_read(tmp_path):
    stack = np.stack([texture(seed)[:, :, 0] for seed in range(30)]).astype(np.float32) / 255
    stack[5], stack[9], stack[20], stack[12] = np.nan, stack[3], stack[8] * 1.04, 0
    np.save(tmp_path / "s.npy", stack)
    result = clean(tmp_path / "s.npy", tmp_path / "clean")
    found = {(issue.item, issue.issue, issue.related) for issue in result.issues}
    assert found >= {
        ("s.npy[5]", "damaged", ""),
        ("s.npy[9]", "duplicate", "s.npy[3]"),
        ("s.npy[20]", "near-duplicate", "s.npy[8]"),
        ("s.npy[12]", "odd", ""),
    }
    kept = [place for place in range(30) if place not in (5, 9)]
    assert np.array_equal(np.load(tmp_path / "clean" / "s.npy"), stack[kept])
    assert {issue.item for issue in clean(stack).issues} == {
        name.replace("s.npy", "array.npy") for name, _, _ in found
    }


def test_sixteen_bits_are_seen_by_what_the_camera_gives(tmp_path):
    stack = np.stack([texture(seed)[:, :, 0] for seed in range(30)]).astype(np.uint16) << 2
    stack[4] = stack[2] + 8
    result = clean(stack)
    assert [(i.item, i.related) for i in result.issues if i.issue == "near-duplicate"] == [
        ("array.npy[4]", "array.npy[2]")
    ]


def test_originals_cannot_be_replaced(photos, tmp_path):
    for output in (photos, photos / "in", photos.parent):
        with pytest.raises(UseError, match="beside"):
            clean(photos, output, force=True)
    np.save(tmp_path / "s.npy", np.stack([texture(seed) for seed in range(3)]))
    with pytest.raises(UseError, match="replace the original"):
        clean(tmp_path / "s.npy", tmp_path, force=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "00.png").write_text("mine")
    with pytest.raises(OutputExists):
        clean(photos, tmp_path / "out")
    assert contents(tmp_path / "out") == {"00.png": b"mine"}


def test_mistakes_are_told(photos, tmp_path):
    with pytest.raises(UseError, match=r"\.csv"):
        clean(photos, log=tmp_path / "log.txt")
    with pytest.raises(UseError, match="folder"):
        clean(photos, tmp_path / "clean.zip")
    with pytest.raises(UseError, match="--impute, --odd-rows must be left out"):
        clean(photos, impute=True, odd_rows=True)
    with pytest.raises(UseError, match="must hold images"):
        clean(np.zeros((4, 5, 5, 5, 5)))
    (tmp_path / "a.npy").write_bytes(b"nothing")
    for source, said in [(tmp_path / "none", "does not exist"), (tmp_path / "a.npy", "is damaged")]:
        with pytest.raises(DataError, match=said):
            clean(source)


def test_tables_take_their_own_road(tmp_path):
    np.save(tmp_path / "rows.npy", np.zeros((4, 3)))
    assert not holds_items(tmp_path / "rows.npy")
    assert not holds_items(np.zeros((4, 3)))
    assert not holds_items(tmp_path / "none.csv")


@pytest.mark.parametrize(("absent", "said"), [("torch", "PyTorch"), ("pyarrow", "")])
def test_without_extras_everything_else_is_found(photos, absent, said):
    code = (
        "import sys\n"
        "sys.modules[sys.argv[2]] = None\n"
        "from isthmus.tasks.clean import clean\n"
        "print(clean(sys.argv[1]).summary())\n"
    )
    words = [sys.executable, "-c", code, str(photos), absent]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "1 duplicates, 1 near-duplicates" in done.stdout
    assert not said or f"Odd items were not looked for. Learning takes {said}" in done.stdout
