"""Denoising: values that a model never saw, and where the outputs go."""

from __future__ import annotations

import csv
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from terminal import call, left_in

from reports import member

ROWS = 800


def noisy_series(path: str = "noisy.csv", rows: int = ROWS) -> None:
    """Two channels, of 7 to 13 and of 14 to 26, with noise."""
    random = np.random.default_rng(7)
    wave_ = np.sin(np.arange(rows) / 12) * 3 + 10
    lines = [
        f"{i},{v + random.normal(0, 0.3):.2f},{2 * v + random.normal(0, 0.05):.1f}\n"
        for i, v in enumerate(wave_)
    ]
    Path(path).write_text("time,a,b\n" + "".join(lines))


def learn(source: str, model: str = "m.ism", *more: str) -> None:
    """A denoiser, hardly taught: what is promised holds of any."""
    pytest.importorskip("torch")
    made = call("fit", source, "-o", model, "--recipe", "denoise", "--budget", "1s", "--threads", "1", *more)
    assert made.exit_code == 0, made.output


def done(*arguments: object) -> dict[str, Any]:
    """What a denoising command says of itself."""
    result = call("denoise", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def rows_of(path: str | Path) -> list[list[str]]:
    return list(csv.reader(Path(path).read_text().splitlines()))


@member("K37", everyday=True)
def a_series_without_noise_comes_back_as_it_is(folder: Path) -> None:
    noisy_series()
    learn("noisy.csv", "m.ism", "--noisy")
    Path("low.csv").write_text("time,a,b\n" + "".join(f"{i},5.0,1.0\n" for i in range(300)))
    told = done("low.csv", "-m", "m.ism", "-o", "out.csv")
    assert Path("out.csv").read_bytes() == Path("low.csv").read_bytes()
    assert any("300 of 300 values of 'a' lie outside of what the model learned" in n for n in told["notices"])
    refused = call("denoise", "low.csv", "-m", "m.ism", "-o", "strict.csv", "--strict")
    assert refused.exit_code == 2
    assert not Path("strict.csv").exists()


@member("K37")
def what_is_taken_from_a_series_is_no_more_than_noise(folder: Path) -> None:
    noisy_series()
    learn("noisy.csv", "m.ism", "--noisy")
    random = np.random.default_rng(1)
    for name, level, noise in (("far", 1000.0, 0.3), ("faint", 10.0, 1e-4), ("usual", 10.0, 0.3)):
        values = level + np.sin(np.arange(400) / 12) + random.normal(0, noise, 400)
        Path(f"{name}.csv").write_text(
            "time,a,b\n" + "".join(f"{i},{v:.6f},{v:.6f}\n" for i, v in enumerate(values))
        )
        told = done(f"{name}.csv", "-m", "m.ism", "-o", "out", "--force")
        made = np.array([float(row[1]) for row in rows_of(f"out/{name}.csv")[1:]])
        assert np.abs(made - values).max() < 6 * max(noise, told["levels"]["a"])
        assert any("'a' lie outside" in each for each in told["notices"]) == (name == "far")


@member("K37")
def numbers_that_do_not_change_keep_their_text_and_type(folder: Path) -> None:
    noisy_series()
    learn("noisy.csv", "m.ism", "--noisy")
    text = "time,a,b\n" + "".join(f"{i}, 1e1 ,+020.50\n" for i in range(100))
    Path("same.csv").write_text(text)
    done("same.csv", "-m", "m.ism", "-o", "back.csv")
    assert Path("back.csv").read_text() == text
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pa.table({"time": range(100), "a": pa.array([10] * 100, pa.int16()), "b": [20.5] * 100})
    parquet.write_table(table, "same.parquet")
    done("same.parquet", "-m", "m.ism", "-o", "back.parquet")
    assert parquet.read_table("back.parquet").equals(table)


@member("K37")
def rows_and_cells_that_are_not_denoised_are_named(folder: Path) -> None:
    noisy_series()
    learn("noisy.csv", "m.ism", "--noisy")
    lines = Path("noisy.csv").read_text().splitlines()
    lines[20] = "19,oops,20.0"
    lines[40] += ",7"
    lines[60] += "\r"
    Path("odd.csv").write_bytes(("\n".join(lines) + "\n").encode())
    told = done("odd.csv", "-m", "m.ism", "-o", "out.csv", "--skip-bad")
    assert any("'oops' in row 19" in each for each in told["notices"])
    assert any(each.startswith("not denoised: row 39: 4 cells") for each in told["notices"])
    made = Path("out.csv").read_bytes().decode().split("\n")[:-1]
    assert made[60].endswith("\r")
    assert made[60] != lines[60]
    assert made[20].split(",")[1] == "oops"
    assert made[40] == lines[40]
    assert len(made) == len(lines)


@member("K37")
def what_learning_leaves_out_is_named(folder: Path) -> None:
    pytest.importorskip("torch")
    photographs("photos")
    Path("photos/broken.png").write_bytes(b"no picture")
    Path("photos/notes.txt").write_text("nothing")
    learn = ("fit", "photos", "-o", "m.ism", "--recipe", "denoise", "--budget", "1s", "--skip-bad")
    assert call(*learn, "--strict").exit_code == 2
    assert not Path("m.ism").exists()
    told = json.loads(call(*learn, "--json").stdout)["notices"]
    assert [each.split(": ")[1] for each in told] == ["broken.png", "notes.txt"]
    noisy_series("odd.csv")
    lines = Path("odd.csv").read_text().splitlines()
    lines[20] = "19,oops,20.0"
    Path("odd.csv").write_text(
        "\n".join(f"{line},{'who' if not n else 'ab'[n % 2]}" for n, line in enumerate(lines))
    )
    learn = ("fit", "odd.csv", "-o", "s.ism", "--recipe", "denoise", "--budget", "1s")
    told = json.loads(call(*learn, "--json").stdout)["notices"]
    assert any("'oops' in row 19" in each for each in told)
    assert any(each.startswith("not looked at: who") for each in told)


def photographs(place: str, *, low: int = 0, high: int = 255, count: int = 4) -> np.ndarray:
    Path(place).mkdir()
    random = np.random.default_rng(3)
    slopes = np.linspace(low, high, 72)[None, :, None] * np.ones((72, 1, 3))
    images = np.clip(slopes + random.normal(0, 10, (count, 72, 72, 3)), 0, 255).astype(np.uint8)
    for number, pixels in enumerate(images):
        Image.fromarray(pixels).save(Path(place) / f"{number}.png")
    return images


@member("K37")
def images_without_noise_come_back_as_they_are(folder: Path) -> None:
    photographs("photos")
    flat = np.full((72, 72, 3), 90, np.uint8)
    Image.fromarray(flat).save("flat.png")
    for noise in ("gaussian", "salt_pepper"):
        learn("photos", f"{noise}.ism", "--noise", noise)
        done("flat.png", "-m", f"{noise}.ism", "-o", f"{noise}.png")
        with Image.open(f"{noise}.png") as made:
            assert np.array_equal(np.asarray(made), flat), noise


@member("K37")
def images_of_values_that_a_model_never_saw_are_named(folder: Path) -> None:
    photographs("dark", high=90)
    photographs("bright", low=180)
    learn("dark")
    told = done("bright", "-m", "m.ism", "-o", "out")
    assert len(told["notices"]) == 4
    assert "0.png: " in told["notices"][0]
    assert "lie outside of what the model learned, 0 to 1" in told["notices"][0]
    assert call("denoise", "bright", "-m", "m.ism", "-o", "strict", "--strict").exit_code == 2
    assert not Path("strict").exists()


@member("K37")
def floats_beyond_their_range_are_not_cut_off(folder: Path) -> None:
    pytest.importorskip("torch")
    from isthmus import denoise, fit_denoiser

    random = np.random.default_rng(0)
    images = random.uniform(0, 1, (4, 64, 64)).astype(np.float32)
    denoiser = fit_denoiser(images, steps=2).denoiser
    bright = np.full((1, 64, 64), 3, np.float32)
    assert np.array_equal(denoiser.denoise(bright[0]), bright[0])
    noisy = bright + random.normal(0, 0.01, bright.shape).astype(np.float32)
    result = denoise(noisy, denoiser, "out")
    assert "lie outside of what the model learned" in result.notices[0]
    made = np.load(result.files[0])
    assert np.abs(made - noisy).max() < 0.1


def record(path: str, signal: np.ndarray, rate: int = 8000) -> None:
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(np.round(signal * 32767), -32768, 32767).astype("<i2").tobytes())


@member("K37")
def recordings_that_a_model_never_heard_are_named_or_come_back(folder: Path) -> None:
    pytest.importorskip("soundfile")
    time_s = np.arange(16000) / 8000
    tone = 0.3 * np.sin(2 * np.pi * 440 * time_s) * (np.sin(2 * np.pi * 3 * time_s) > 0)
    Path("calls").mkdir()
    record("calls/a.wav", tone)
    learn("calls")
    for name, level in (("silence", 0.0), ("constant", 0.25)):
        record(f"{name}.wav", np.full(16000, level))
        done(f"{name}.wav", "-m", "m.ism", "-o", f"{name}-out.wav")
        assert Path(f"{name}-out.wav").read_bytes() == Path(f"{name}.wav").read_bytes()
    record("faint.wav", tone / 3000)
    told = done("faint.wav", "-m", "m.ism", "-o", "out")
    assert "faint.wav is 70 dB softer than what the model learned from" in told["notices"]
    record("fast.wav", tone, rate=16000)
    other = call("denoise", "fast.wav", "-m", "m.ism", "-o", "out")
    assert other.exit_code == 2
    assert "of 8,000 Hz; this one has 16,000" in other.stderr


@member("K37")
def numbers_of_a_table_move_no_farther_than_noise(folder: Path) -> None:
    pytest.importorskip("torch")
    random = np.random.default_rng(0)
    x = random.normal(0, 1, 400)
    Path("t.csv").write_text(
        "x,y,who\n" + "".join(f"{v:.4f},{2 * v + random.normal(0, 0.1):.4f},w{i}\n" for i, v in enumerate(x))
    )
    assert call("fit", "t.csv", "-o", "t.ism", "--budget", "2s").exit_code == 0
    Path("far.csv").write_text("x,y,who\n" + "".join(f"{v:.4f},500,w{i}\n" for i, v in enumerate(x[:50])))
    told = done("far.csv", "-m", "t.ism", "-o", "out.csv", "--level", "0.2")
    assert any("50 numbers of 'y' lie outside of what the model learned" in each for each in told["notices"])
    made = np.array([float(row[1]) for row in rows_of("out.csv")[1:]])
    assert np.abs(made - 500).max() < 0.2 * 6 * 2.5
    refused = call("denoise", "far.csv", "-m", "t.ism", "-o", "s.csv", "--level", "0.2", "--strict")
    assert refused.exit_code == 2
    assert not Path("s.csv").exists()


@member("K38", everyday=True)
def one_series_goes_into_the_file_that_was_named(folder: Path) -> None:
    noisy_series()
    learn("noisy.csv", "m.ism", "--noisy")
    done("noisy.csv", "-m", "m.ism", "-o", "better.csv")
    assert Path("better.csv").is_file()
    assert len(rows_of("better.csv")) == ROWS + 1
    done("noisy.csv", "-m", "m.ism", "-o", "folder")
    assert left_in(Path("folder")) == ["noisy.csv"]
    done("noisy.csv", "-m", "m.ism")
    assert left_in(Path("noisy-denoised")) == ["noisy.csv"]
    other = call("denoise", "noisy.csv", "-m", "m.ism", "-o", "better.parquet")
    assert other.exit_code == 2
    assert "noisy.csv must be written as .csv; got -o better.parquet" in other.stderr
    assert not Path("better.parquet").exists()
    again = call("denoise", "noisy.csv", "-m", "m.ism", "-o", "better.csv")
    assert again.exit_code == 2
    assert "there already" in again.stderr


@member("K38")
def a_folder_is_a_folder_whatever_it_is_called(folder: Path) -> None:
    noisy_series()
    learn("noisy.csv", "m.ism", "--noisy")
    for name in ("run-0.5", "v2.final"):
        done("noisy.csv", "-m", "m.ism", "-o", name)
        assert left_in(Path(name)) == ["noisy.csv"]
    Path("there.csv").mkdir()
    done("noisy.csv", "-m", "m.ism", "-o", "there.csv")
    assert left_in(Path("there.csv")) == ["noisy.csv"]


@member("K38")
def every_form_of_a_series_goes_into_a_file(folder: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import feather, parquet

    noisy_series()
    learn("noisy.csv", "m.ism", "--noisy")
    rows = [row[1:] for row in rows_of("noisy.csv")[1:]]
    table = pa.table(
        {"time": range(ROWS), "a": [float(r[0]) for r in rows], "b": [float(r[1]) for r in rows]}
    )
    parquet.write_table(table, "s.parquet")
    feather.write_feather(table, "s.arrow", compression="uncompressed")
    lines = [json.dumps(dict(zip(("a", "b"), map(float, row), strict=True))) for row in rows]
    Path("s.jsonl").write_text("\n".join(lines) + "\n")
    Path("s.tsv").write_text(Path("noisy.csv").read_text().replace(",", "\t"))
    for ending in (".parquet", ".arrow", ".jsonl", ".tsv"):
        done(f"s{ending}", "-m", "m.ism", "-o", f"better{ending}")
        assert Path(f"better{ending}").is_file()
    values = np.array([float(row[0]) for row in rows])
    np.save("one.npy", values)
    Path("one.txt").write_text("\n".join(row[0] for row in rows) + "\n")
    learn("one.npy", "one.ism", "--noisy")
    done("one.npy", "-m", "one.ism", "-o", "better.npy")
    assert np.load("better.npy").shape == values.shape
    learn("one.txt", "txt.ism", "--noisy")
    done("one.txt", "-m", "txt.ism", "-o", "better.txt")
    assert len(Path("better.txt").read_text().split()) == ROWS


def form_of(path: str) -> str | None:
    with Image.open(path) as image:
        assert image.size == (72, 72)
        return image.format


@member("K38")
def images_and_stacks_go_into_the_file_that_was_named(folder: Path) -> None:
    images = photographs("photos")
    learn("photos")
    done("photos/0.png", "-m", "m.ism", "-o", "better.png")
    assert form_of("better.png") == "PNG"
    done("photos/0.png", "-m", "m.ism", "-o", "better.tif")
    assert form_of("better.tif") == "TIFF"
    Image.fromarray(images[0]).save("camera.jpg")
    done("camera.jpg", "-m", "m.ism", "-o", "camera.png")
    assert form_of("camera.png") == "PNG"
    lossy = call("denoise", "camera.jpg", "-m", "m.ism", "-o", "better.jpg")
    assert lossy.exit_code == 2
    assert "must be written as .png" in lossy.stderr
    several = call("denoise", "photos", "-m", "m.ism", "-o", "all.png")
    assert several.exit_code == 2
    assert "-o must be a folder where 4 files are written; all.png is the name of one" in several.stderr
    assert not Path("all.png").exists()
    np.save("stack.npy", images)
    done("stack.npy", "-m", "m.ism", "-o", "better.npy")
    assert np.load("better.npy").shape == images.shape
    told = done("photos", "-m", "m.ism", "-o", "out")
    assert len(left_in(Path("out"))) == len(told["files"]) == 4


@member("K38")
def recordings_go_into_the_file_that_was_named(folder: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    tone = 0.3 * np.sin(np.arange(16000) / 5)
    Path("calls").mkdir()
    record("calls/a.wav", tone)
    record("calls/b.wav", tone / 2)
    learn("calls")
    done("calls/a.wav", "-m", "m.ism", "-o", "better.wav")
    assert soundfile.info("better.wav").frames == 16000
    soundfile.write("song.ogg", tone, 8000)
    done("song.ogg", "-m", "m.ism", "-o", "song.wav")
    assert soundfile.info("song.wav").format == "WAV"
    done("song.ogg", "-m", "m.ism", "-o", "out")
    assert left_in(Path("out")) == ["song.wav"], "a WAV is called so"
    for source, name, sentence in (
        ("calls", "all.wav", "-o must be a folder where 2 files are written"),
        ("calls/a.wav", "better.mp3", "must be written as .wav"),
    ):
        refused = call("denoise", source, "-m", "m.ism", "-o", name)
        assert refused.exit_code == 2
        assert sentence in refused.stderr
        assert not Path(name).exists()


@member("K38")
def tables_go_into_a_file_or_a_folder(folder: Path) -> None:
    pytest.importorskip("torch")
    random = np.random.default_rng(0)
    x = random.normal(0, 1, 300)
    Path("t.csv").write_text("x,y\n" + "".join(f"{v:.4f},{2 * v + random.normal(0, 0.1):.4f}\n" for v in x))
    assert call("fit", "t.csv", "-o", "t.ism", "--as", "table", "--budget", "2s").exit_code == 0
    done("t.csv", "-m", "t.ism", "--level", "0.2", "-o", "better.csv")
    assert len(rows_of("better.csv")) == 301
    done("t.csv", "-m", "t.ism", "--level", "0.2", "-o", "out")
    assert left_in(Path("out")) == ["t.csv"]
    done("t.csv", "-m", "t.ism", "--level", "0.2")
    assert left_in(Path("t-denoised")) == ["t.csv"]
    refused = call("denoise", "t.csv", "-m", "t.ism", "--level", "0.2", "-o", "t.xlsx.parquet")
    assert refused.exit_code == 2
    assert "t.csv must be written as .csv" in refused.stderr


@member("K38")
def clips_go_into_the_file_that_was_named(folder: Path) -> None:
    av = pytest.importorskip("av")
    random = np.random.default_rng(0)
    with av.open("clip.mkv", "w") as made:
        stream = made.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(random.integers(90, 110, (48, 64), np.uint8), format="gray")
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    learn("clip.mkv")
    done("clip.mkv", "-m", "m.ism", "-o", "better.mkv")
    assert Path("better.mkv").is_file()
    done("clip.mkv", "-m", "m.ism", "-o", "out")
    assert left_in(Path("out")) == ["clip.mkv"]
    refused = call("denoise", "clip.mkv", "-m", "m.ism", "-o", "better.mp4")
    assert refused.exit_code == 2
    assert "must be written as .mkv" in refused.stderr
