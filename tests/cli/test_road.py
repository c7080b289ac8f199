"""Every command on the tiny road, as a person would type it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from terminal import TINY, Road, call, run, write_pictures


def test_fit_says_what_it_saw_and_plans(road: Road, tmp_path: Path):
    done = call("fit", road.source, "-o", tmp_path / "m.ism", *TINY)
    assert done.exit_code == 0
    assert "120 samples: 8×8 grey image, uint8, 7.81 kB; recipe tiny-images" in done.stderr
    assert "plan: 30 steps" in done.stderr
    assert done.stdout.startswith("Trained 30 steps")
    assert len(done.stdout.splitlines()) == 1


def test_outputs_are_named_after_the_source(road: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert call("fit", road.source, "-q", *TINY).exit_code == 0
    assert call("compress", road.source, "-m", "digits.ism").exit_code == 0
    assert call("decompress", "digits.isz").exit_code == 0
    assert Path("digits/digits.npy").read_bytes()[:6] == b"\x93NUMPY"


def test_options_reach_the_settings(road: Road, tmp_path: Path):
    words = ("--seed", 7, "--threads", 1, "--device", "cpu", "--recipe", "arrays")
    assert call("fit", road.source, "-o", tmp_path / "m.ism", "-q", *words, *TINY).exit_code == 0
    settings = json.loads((tmp_path / "m.run" / "config.json").read_text())["train"]
    assert (settings["seed"], settings["threads"], settings["device"]) == (7, 1, "cpu")


def test_a_model_can_begin_from_another(road: Road, tmp_path: Path):
    words = ("--from", road.model, "--set", "train.steps=5")
    done = call("fit", road.source, "-o", tmp_path / "m.ism", *words)
    assert done.exit_code == 0
    assert "Trained 5 steps" in done.stdout


def test_the_archive_gives_the_samples_back(road: Road, tmp_path: Path):
    done = call("decompress", road.archive, "-o", tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")
    restored = np.load(tmp_path / "digits.npy")
    assert (restored.shape, restored.dtype) == ((120, 8, 8), np.uint8)


def test_items_are_restored_alone(road: Road, tmp_path: Path):
    assert call("decompress", road.archive, "-o", tmp_path / "all").exit_code == 0
    assert call("decompress", road.archive, "-o", tmp_path / "some", "--items", "10:20").exit_code == 0
    some, everything = np.load(tmp_path / "some/digits.npy"), np.load(tmp_path / "all/digits.npy")
    assert np.array_equal(some, everything[10:20])


def test_an_archive_without_its_model_wants_it_again(road: Road, tmp_path: Path):
    archive = tmp_path / "small.isz"
    assert call("compress", road.source, "-m", road.model, "-o", archive, "--no-embed").exit_code == 0
    assert archive.stat().st_size < road.archive.stat().st_size
    refused = call("decompress", archive, "-o", tmp_path)
    assert refused.exit_code == 2
    assert "-m MODEL.ism" in refused.stderr
    assert call("decompress", archive, "-o", tmp_path, "-m", road.model).exit_code == 0


def test_compress_can_verify_at_once(road: Road, tmp_path: Path):
    done = call("compress", road.source, "-m", road.model, "-o", tmp_path / "a.isz", "--verify-after")
    assert done.exit_code == 0
    assert "OK: 120 samples" in done.stdout
    assert done.stdout.startswith("Lossy: 120 samples")  # it says what it did


def test_standard_input_and_output(road: Road, tmp_path: Path):
    compressed = run("compress", road.source, "-m", road.model, "-o", "-")
    assert compressed.returncode == 0
    assert compressed.stdout == road.archive.read_bytes()
    assert b"Lossy" in compressed.stderr
    restored = run("decompress", "-", "-o", tmp_path, input=compressed.stdout)
    assert restored.returncode == 0
    assert (tmp_path / "digits.npy").is_file()


def test_verify_compares_with_the_originals(road: Road):
    done = call("verify", road.archive, "--against", road.source)
    assert done.exit_code == 0
    assert "dB PSNR" in done.stdout


def test_evaluate_prints_every_byte_and_every_rival(road: Road):
    done = call("evaluate", road.source, "-m", road.model)
    assert done.exit_code == 0
    for word in ("codes", "model", "index", "headers", "zstd", "PNG", "JPEG", "bits per value"):
        assert word in done.stdout
    figures = json.loads(call("evaluate", road.source, "-m", road.model, "--json").stdout)
    sizes = figures["sizes"]
    parts = [sizes[name] for name in ("header", "blocks", "model", "index", "footer", "earlier")]
    assert sum(parts) + sum(sizes["layers"].values()) == figures["archive_bytes"] == sizes["total"]


def test_features_are_written_as_asked(road: Road, tmp_path: Path):
    for name in ("z.npy", "z.csv"):
        assert call("embed", road.source, "-m", road.model, "-o", tmp_path / name).exit_code == 0
    features = np.load(tmp_path / "z.npy")
    assert features.shape == (120, 4)
    table = np.loadtxt(tmp_path / "z.csv", delimiter=",", skiprows=1)
    assert np.allclose(table[:, 1:], features)
    piped = call("embed", road.source, "-m", road.model, "-o", "-")
    assert np.allclose(np.loadtxt(io.StringIO(piped.stdout), delimiter=",", skiprows=1), table)


def test_report_leaves_a_page(road: Road, tmp_path: Path):
    done = call("report", road.model, "-o", tmp_path / "page.html")
    assert done.exit_code == 0, done.stderr
    assert "<html" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("command", ["info", "verify", "compress", "decompress", "fit"])
def test_json_is_one_document_on_standard_output(road: Road, tmp_path: Path, command: str):
    words = {
        "info": (road.archive,),
        "verify": (road.archive,),
        "compress": (road.source, "-m", road.model, "-o", tmp_path / "a.isz"),
        "decompress": (road.archive, "-o", tmp_path),
        "fit": (road.source, "-o", tmp_path / "a.ism", *TINY),
    }[command]
    done = call(command, *words, "--json")
    assert done.exit_code == 0
    assert isinstance(json.loads(done.stdout), dict)


def test_quiet_says_nothing_but_the_result(road: Road, tmp_path: Path):
    done = call("fit", road.source, "-o", tmp_path / "m.ism", "--quiet", *TINY)
    assert (done.exit_code, done.stderr) == (0, "")


def test_verbose_says_more(road: Road, tmp_path: Path):
    done = call("fit", road.source, "-o", tmp_path / "m.ism", "-v", *TINY)
    assert "m.run" in done.stderr
    assert "took" in done.stderr


def test_skipped_items_are_named(tmp_path: Path):
    folder = write_pictures(tmp_path / "photos")
    (folder / "02.png").write_bytes((folder / "02.png").read_bytes()[:60])
    done = call("fit", folder, "-o", tmp_path / "m.ism", "-q", "--skip-bad", *TINY)
    assert done.exit_code == 0, done.stderr
    assert "left out: 02.png" in done.stderr
    done = call("compress", folder, "-m", tmp_path / "m.ism", "-o", tmp_path / "a.isz", "--skip-bad")
    assert done.exit_code == 0
    assert "left out: 02.png" in done.stderr


def test_the_demo_walks_the_whole_road(tmp_path: Path):
    done = call("demo", "-o", tmp_path, "--budget", "1s", "--threads", 1)
    assert done.exit_code == 0, done.stderr
    for name in (
        "train.npy",
        "held-out.npy",
        "digits.ism",
        "held-out.isz",
        "restored/held-out.npy",
        "report.html",
    ):
        assert (tmp_path / name).is_file()
    assert "OK: 359 samples" in done.stdout
    assert "zstd" in done.stdout
    again = call("demo", "-o", tmp_path, "--budget", "1s")
    assert again.exit_code == 2
    assert "--force" in again.stderr
