"""Whatever is wrong: one sentence, the right exit code, no traceback, nothing half-written."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from terminal import TINY, Road, call, digit_pictures, left_in, run, words, write_pictures
from typer.testing import Result

from isthmus.coding.container import ArchiveWriter
from isthmus.model import Model


def refused(done: Result, *, code: int, told: str) -> None:
    """The one sentence (or three) on standard error, and nothing on standard output."""
    assert done.exit_code == code, done.output
    assert done.stdout == ""
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.strip().endswith((".", "SOURCE", "mnist-test", "--resume"))


def test_a_wrong_path(road: Road, tmp_path: Path):
    for command in (("fit", "nowhere"), ("compress", "nowhere", "-m", road.model)):
        refused(call(*command, "-o", tmp_path / "x"), code=2, told="nowhere does not exist")
    for command in ("info", "verify", "decompress"):
        refused(call(command, tmp_path / "no.isz"), code=2, told="no.isz")
    refused(call("compress", road.source, "-m", "no.ism", "-o", tmp_path / "x"), code=2, told="no.ism")
    refused(call("report", tmp_path / "no.run"), code=2, told="no.run")
    assert left_in(tmp_path) == []


def test_an_empty_folder(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    refused(call("fit", tmp_path / "photos", "-o", tmp_path / "m.ism"), code=2, told="photos")
    assert left_in(tmp_path) == []


def test_a_truncated_image(tmp_path: Path):
    folder = write_pictures(tmp_path / "photos")
    (folder / "03.png").write_bytes((folder / "03.png").read_bytes()[:80])
    refused(call("fit", folder, "-o", tmp_path / "m.ism", "-q", *TINY), code=2, told="03.png")
    assert not (tmp_path / "m.ism").exists()


def test_mixed_channels(tmp_path: Path):
    folder = write_pictures(tmp_path / "photos")
    Image.new("RGB", (16, 16)).save(folder / "odd.png")
    refused(call("fit", folder, "-o", tmp_path / "m.ism", "-q", *TINY), code=2, told="odd.png")


def test_nan_in_floats(road: Road, tmp_path: Path):
    values = np.ones((10, 4), np.float32)
    values[7, 1] = np.nan
    np.save(tmp_path / "values.npy", values)
    refused(call("fit", tmp_path / "values.npy", "-o", tmp_path / "m.ism"), code=2, told="values.npy[7]")
    assert left_in(tmp_path) == ["values.npy"]


def test_a_model_for_other_data(road: Road, tmp_path: Path):
    np.save(tmp_path / "rows.npy", np.ones((10, 4), np.float32))
    for command in ("compress", "embed"):
        done = call(command, tmp_path / "rows.npy", "-m", road.model, "-o", tmp_path / "x.npy")
        refused(done, code=2, told="trained on 8×8 grey image")
    refused(
        call("evaluate", tmp_path / "rows.npy", "-m", road.model), code=2, told="trained on 8×8 grey image"
    )
    assert left_in(tmp_path) == ["rows.npy"]


def test_files_that_are_not_ours(road: Road, tmp_path: Path):
    other = tmp_path / "photo.isz"
    other.write_bytes(b"\x89PNG and more of the kind, long enough to hold whatever header there is" * 4)
    for command in ("info", "verify", "decompress"):
        refused(call(command, other), code=2, told="photo.isz")
    refused(call("compress", road.source, "-m", other, "-o", tmp_path / "x"), code=2, told="photo.isz")
    assert left_in(tmp_path) == ["photo.isz"]


def test_a_newer_archive(road: Road, tmp_path: Path):
    newer = bytearray(road.archive.read_bytes())
    newer[8:10] = struct.pack("<H", 999)
    (tmp_path / "new.isz").write_bytes(newer)
    refused(call("info", tmp_path / "new.isz"), code=2, told="pip install -U isthmus")
    refused(call("decompress", tmp_path / "new.isz", "-o", tmp_path), code=2, told="pip install -U isthmus")


def test_a_newer_model(road: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    model = Model.load(road.model)
    monkeypatch.setattr("isthmus.model.decoder.FORMAT_VERSION", 7)
    model.save(tmp_path / "new.ism")
    monkeypatch.undo()
    refused(call("info", tmp_path / "new.ism"), code=2, told="format 7")


def test_a_damaged_archive_is_found_and_the_exit_code_says_so(road: Road, tmp_path: Path):
    damaged = bytearray(road.archive.read_bytes())
    damaged[len(damaged) // 3] ^= 1
    (tmp_path / "a.isz").write_bytes(damaged)
    done = call("verify", tmp_path / "a.isz")
    assert done.exit_code == 1
    assert "DAMAGED" in done.stdout
    assert json.loads(call("verify", tmp_path / "a.isz", "--json").stdout)["ok"] is False
    (tmp_path / "b.isz").write_bytes(damaged[:-7])
    assert call("verify", tmp_path / "b.isz").exit_code == 1
    assert call("decompress", tmp_path / "a.isz", "-o", tmp_path / "out").exit_code == 1
    assert left_in(tmp_path) == ["a.isz", "b.isz"]


def test_an_archive_of_something_else(tmp_path: Path):
    with ArchiveWriter(tmp_path / "other.isz", {"kind": "example"}) as writer:
        writer.finish(model=None, extras={})
    for command in ("info", "decompress"):
        refused(call(command, tmp_path / "other.isz"), code=1, told="other.isz: the header or index lacks")


def test_originals_that_are_others(road: Road, tmp_path: Path):
    np.save(tmp_path / "digits.npy", digit_pictures(100))
    done = call("verify", road.archive, "--against", tmp_path / "digits.npy")
    assert done.exit_code == 1
    assert "120 samples" in done.stdout


def test_an_existing_output_is_kept(road: Road, tmp_path: Path):
    commands = (
        ("fit", road.source, "-o", "taken.ism", *TINY),
        ("compress", road.source, "-m", road.model, "-o", "taken.isz"),
        ("embed", road.source, "-m", road.model, "-o", "taken.npy"),
        ("report", road.model, "-o", "taken.html"),
    )
    for command in commands:
        taken = tmp_path / next(str(word) for word in command if str(word).startswith("taken"))
        taken.write_text("mine")
        asked = [taken if word == taken.name else word for word in command]
        refused(call(*asked), code=2, told="--force")
        assert taken.read_text() == "mine"
        assert call(*asked, "--force").exit_code == 0
        assert taken.stat().st_size > 4
    (tmp_path / "digits.npy").write_text("mine")
    refused(call("decompress", road.archive, "-o", tmp_path), code=2, told="--force")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--recipe", "imagse"), "Did you mean 'images'?"),
        (("--set", "train.epoch=5"), "Did you mean train.epochs?"),
        (("--set", "train.epochs"), "KEY=VALUE"),
        (("--set", "train.epochs=0"), "train.epochs must be at least 1; got 0."),
        (("--set", "train.epochs=many"), "train.epochs must be of type int"),
        (("--set", "net.encoder=cnov"), "Did you mean 'conv'?"),
        (("--set", "net.encoder.hiden=[4]"), "hiden"),
        (("--set", "loss.distortion=msee"), "Did you mean 'mse'?"),
        (("--set", "bottleneck=rat"), "Did you mean 'rate'?"),
        (("--device", "tpu"), "train.device"),
        (("--budget", "soon"), "like 90s, 5m or 1h30m"),
        (("--from", "nowhere.ism"), "nowhere.ism"),
        (("--resume",), "--resume needs a checkpoint"),
    ],
)
def test_a_wrong_setting(road: Road, tmp_path: Path, words: tuple[str, ...], told: str):
    refused(call("fit", road.source, "-o", tmp_path / "m.ism", "-q", *words), code=2, told=told)
    assert not (tmp_path / "m.ism").exists()


@pytest.mark.parametrize("items", ["5", "20:10", "0:0", "100:500", "-1:3"])
def test_wrong_items(road: Road, tmp_path: Path, items: str):
    refused(call("decompress", road.archive, "-o", tmp_path, f"--items={items}"), code=2, told="--items must")
    assert left_in(tmp_path) == []


def test_standard_output_carries_one_thing(road: Road):
    refused(
        call("compress", road.source, "-m", road.model, "-o", "-", "--json"), code=2, told="standard output"
    )
    refused(call("embed", road.source, "-m", road.model, "-o", "-", "--json"), code=2, told="standard output")


def test_a_loss_that_diverges(road: Road, tmp_path: Path):
    hopeless = (
        "--set",
        "train.learning_rate=1e30",
        "--set",
        "train.clip_norm=none",
        "--set",
        "train.warmup=0.0",
    )
    done = call("fit", road.source, "-o", tmp_path / "m.ism", "-q", *TINY, *hopeless)
    refused(done, code=1, told="train.learning_rate")
    assert not (tmp_path / "m.ism").exists()


def limit_file_size() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))


def test_a_full_disk(road: Road, tmp_path: Path):
    for command, told in ((("compress", road.source, "-m", road.model, "-o", tmp_path / "a.isz"), "a.isz"),
                          (("decompress", road.archive, "-o", tmp_path / "out"), "digits.npy")):  # fmt: skip
        done = run(*command, preexec_fn=limit_file_size)
        assert done.returncode == 3, done.stderr
        assert told in done.stderr.decode()
        assert b"Traceback" not in done.stderr
    assert left_in(tmp_path) == []


def test_a_full_disk_under_standard_output(road: Road):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    for command in (("info", road.archive), ("compress", road.source, "-m", road.model, "-o", "-")):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(words(*command), stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 3, done.stderr
        assert b"Traceback" not in done.stderr
        assert b"Exception ignored" not in done.stderr


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOSPC, "No space left on device")])
def test_what_the_machine_refuses(road: Road, monkeypatch: pytest.MonkeyPatch, error: Exception):
    def refuse(path: object) -> None:
        raise error

    monkeypatch.setattr("isthmus.tasks.info.info", refuse)
    refused(call("info", road.archive), code=3, told="Nothing was left half-written")


def test_a_bug_is_called_one_and_shown_on_request(road: Road, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("isthmus.tasks.info.info", lambda path: 1 / 0)
    done = call("info", road.archive)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("This is a bug in Isthmus (ZeroDivisionError: division by zero).")
    assert "Traceback" not in done.stderr
    assert "Traceback" in call("info", road.archive, "--debug").stderr


def test_ctrl_c_leaves_a_checkpoint_to_go_on_from(tmp_path: Path):
    np.save(tmp_path / "digits.npy", digit_pictures(120))
    settings = (*TINY, "--set", "train.steps=1000", "--set", "train.patience=none", "--seed", "3")
    command = ("fit", tmp_path / "digits.npy", "-o", tmp_path / "m.ism", *settings)
    with subprocess.Popen(words(*command), stderr=subprocess.PIPE, text=True) as training:
        assert training.stderr is not None
        for line in training.stderr:
            if line.startswith("epoch"):
                break
        training.send_signal(signal.SIGINT)
        told = training.stderr.read()
        assert training.wait(60) == 130
    assert told.splitlines()[-1].startswith("Stopped; nothing half-written. Resume with: isthmus fit ")
    assert told.strip().endswith("--resume")
    assert "Traceback" not in told
    assert not (tmp_path / "m.ism").exists()
    assert call(*command, "--resume", "-q").exit_code == 0
    shutil.copytree(tmp_path, straight := tmp_path / "straight", ignore=shutil.ignore_patterns("m.*"))
    command = ("fit", straight / "digits.npy", "-o", straight / "m.ism", *settings)
    assert call(*command, "-q").exit_code == 0
    assert Model.load(straight / "m.ism").hash == Model.load(tmp_path / "m.ism").hash


def test_ctrl_c_before_training_leaves_nothing(road: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)

    monkeypatch.setattr("isthmus.tasks.fit.open_source", interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it
    done = call("fit", road.source, "-o", tmp_path / "m.ism")
    signal.signal(signal.SIGINT, before)
    refused(done, code=130, told="Stopped; nothing half-written. Training had not begun")
    assert left_in(tmp_path) == []
