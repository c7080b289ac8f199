"""What is said of sizes begins with the bytes of the files, and "never worse" is true of whole archives."""

from __future__ import annotations

import gzip
import json
import lzma
import zipfile
from pathlib import Path

import numpy as np
import zstandard
from PIL import Image
from terminal import call

from reports import member


def smooth_jpeg(path: Path) -> Path:
    """A picture that JPEG makes a tenth of its pixels."""
    y, x = np.mgrid[:150, :200]
    random = np.random.default_rng(9)
    waves = np.clip((np.sin(x / 5) + np.cos(y / 7) + 2) / 4 * 255 + random.normal(0, 2.5, y.shape), 0, 255)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.stack([np.roll(waves, 3 * k, 1) for k in range(3)], -1).astype(np.uint8)).save(path)
    return path


def shown(count: int) -> str:
    """As sizes are shown."""
    return f"{count / 1000:.3g} kB"


@member("K17", everyday=True)
def a_jpeg_that_grows_is_told_beside_its_file(folder: Path) -> None:
    path = smooth_jpeg(folder / "photo.jpg")
    done = call("compress", "photo.jpg", "-o", "photo.isz")
    size, archive = path.stat().st_size, Path("photo.isz").stat().st_size
    assert archive > size
    assert f"{shown(size)} (90 kB as plain values) → {shown(archive)} ({size / archive:.2f}×;" in done.stdout
    assert "The archive is larger than the file, which is a JPEG already." in done.stdout
    told = json.loads(call("compress", "photo.jpg", "-o", "photo.isz", "--force", "--json").stdout)
    assert told["source_bytes"] == size


@member("K17")
def a_folder_and_a_zip_of_jpegs_are_told_by_their_files(folder: Path) -> None:
    paths = [smooth_jpeg(folder / "photos" / f"{name}.jpg") for name in "abc"]
    (folder / "photos" / "notes.txt").write_text("not an image")
    with zipfile.ZipFile("photos.zip", "w") as archive:
        for path in paths:
            archive.write(path, path.name)
        archive.writestr("clip.mp4", np.random.default_rng(0).bytes(100_000))
    size = sum(path.stat().st_size for path in paths)
    for source in ("photos", "photos.zip"):
        done = call("compress", source, "-o", "photos.isz", "--force", "--json")
        assert 0 <= json.loads(done.stdout)["source_bytes"] - size < 1000
        done = call("compress", source, "-o", "photos.isz", "--force")
        assert "larger than the files, which are JPEGs already" in done.stdout


@member("K17")
def packed_arrays_and_tables_are_told_by_their_files(folder: Path) -> None:
    values = np.repeat(np.arange(3000), 10).reshape(-1, 3)
    np.savez_compressed("v.npz", values=values)
    Path("t.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 5000))
    for name in ("v.npz", "t.csv.gz"):
        done = call("compress", name, "-o", "x.isz", "--force")
        size = Path(name).stat().st_size
        before = shown(size) if size >= 1000 else f"{size} bytes"
        assert f" {before} (" in done.stdout, done.stdout
        assert "as plain values) →" in done.stdout


@member("K17")
def sounds_with_loss_are_told_by_their_files(folder: Path) -> None:
    import soundfile

    soundfile.write("a.mp3", np.random.default_rng(1).normal(0, 0.1, 20_000), 16_000)
    done = call("compress", "a.mp3", "-o", "a.isz")
    assert f"{shown(Path('a.mp3').stat().st_size)} (" in done.stdout
    assert "larger than the file, which is an MP3 already" in done.stdout


@member("K17")
def archives_are_no_larger_than_zstd_and_xz_of_the_file(folder: Path) -> None:
    random = np.random.default_rng(1)
    text = "\n".join(f"{n}: the value of {n * 7919 % 1009} was seen {n % 13} times" for n in range(40_000))
    words = np.frombuffer(text.encode(), np.uint8)
    arrays = {
        "floats": random.normal(size=200), "bytes": random.integers(0, 256, 50, dtype=np.uint8),
        "one": np.array([3.0]), "scalar": np.array(3.0), "empty": np.zeros((0, 3)),
        "text": words[:30_000], "long text": words, "flags": random.integers(0, 2, 999).astype(bool),
    }  # fmt: skip
    for name, values in arrays.items():
        np.save(f"{name}.npy", values)
        data = Path(f"{name}.npy").read_bytes()
        least = min(
            len(zstandard.ZstdCompressor(level=19).compress(data)),
            len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)),
        )
        assert call("compress", f"{name}.npy", "-o", "x.isz", "--force").exit_code == 0
        assert Path("x.isz").stat().st_size <= 1.01 * least + 1000, name
