"""What is imported when, and what works without PyTorch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from isthmus.tasks.compress import compress
from isthmus.tasks.fit import fit

HEAVY = ("numpy", "torch", "sklearn", "PIL", "isthmus.tasks", "matplotlib")

WITHOUT_TORCH = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "accelerate"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])

sys.meta_path.insert(0, Absent())
from isthmus.cli import main
sys.argv = ["isthmus", *sys.argv[1:]]
main()
"""


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


def imported_by(code: str) -> set[str]:
    done = python(f"import sys\n{code}\nprint(*sys.modules)")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


HELP = """
import contextlib, io
sys.argv = ["isthmus", "--help"]
from isthmus.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
"""


@pytest.mark.parametrize("code", ["import isthmus", "import isthmus.cli.app", HELP])
def test_nothing_heavy_is_imported_before_it_is_needed(code: str):
    assert not set(HEAVY) & imported_by(code)


def test_every_public_name_is_there():
    import isthmus

    assert sorted(isthmus.__all__) == sorted(set(isthmus.__all__))
    for name in isthmus.__all__:
        assert getattr(isthmus, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        isthmus.nothing  # noqa: B018


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """rows.npy, its model and its archive."""
    folder = tmp_path_factory.mktemp("base")
    np.save(folder / "rows.npy", np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32))
    settings = ["train.steps=3", "train.threads=1", "net.latent=2"]
    made = fit(folder / "rows.npy", folder / "rows.ism", settings=settings, quiet=True)
    compress(folder / "rows.npy", folder / "rows.isz", model=made.model)
    return folder


def test_info_and_verify_work_without_torch(folder: Path):
    for words in (("info", "rows.ism"), ("info", "rows.isz"), ("verify", "rows.isz")):
        done = python(WITHOUT_TORCH, words[0], folder / words[1])
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    assert done.stdout.startswith("OK: 30 samples")


@pytest.mark.parametrize("command", ["compress", "decompress", "evaluate", "embed"])
def test_a_model_is_used_without_torch(folder: Path, tmp_path: Path, command: str):
    model = ("-m", folder / "rows.ism")
    words = {
        "compress": (folder / "rows.npy", *model, "-o", tmp_path / "a.isz"),
        "decompress": (folder / "rows.isz", "-o", tmp_path),
        "evaluate": (folder / "rows.npy", *model),
        "embed": (folder / "rows.npy", *model, "-o", tmp_path / "z.npy"),
    }[command]
    done = python(WITHOUT_TORCH, command, *words)
    assert done.returncode == 0, done.stderr


def test_a_detector_is_used_without_torch(tmp_path: Path):
    from isthmus.tasks.detect import fit_detector

    pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")
    rows = np.random.default_rng(0).normal(size=(60, 3))
    fit_detector(rows, tmp_path / "d.ism")
    np.save(tmp_path / "rows.npy", rows)
    done = python(WITHOUT_TORCH, "detect", tmp_path / "rows.npy", "-m", tmp_path / "d.ism")
    assert done.returncode == 0, done.stderr
    done = python(WITHOUT_TORCH, "detect", tmp_path / "rows.npy")
    assert done.returncode == 2
    assert "pip install 'isthmus[train]'" in done.stderr


def test_series_are_learned_and_detected_in_without_torch(tmp_path: Path):
    np.save(tmp_path / "s.npy", np.sin(np.arange(300) / 5))
    for words in (("fit", "s.npy", "--as", "series", "-o", "m.ism"), ("detect", "s.npy", "-m", "m.ism")):
        done = python(WITHOUT_TORCH, words[0], *(tmp_path / w if "." in w else w for w in words[1:]))
        assert done.returncode == 0, done.stderr
    assert "300 rows" in done.stdout


def test_training_without_torch_names_the_extra(folder: Path, tmp_path: Path):
    done = python(WITHOUT_TORCH, "fit", folder / "rows.npy", "-o", tmp_path / "m.ism")
    assert done.returncode == 2
    assert "pip install 'isthmus[train]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_waiting_threads_spin_briefly_unless_the_user_decided(monkeypatch: pytest.MonkeyPatch):
    from isthmus.threads import let_waiting_threads_spin_briefly

    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "100")
    let_waiting_threads_spin_briefly()
    assert os.environ["GOMP_SPINCOUNT"] == "100"
    told = (
        "import os; from isthmus.cli import main\ntry: main()\nexcept SystemExit: pass\n"
        "print(os.environ.get('GOMP_SPINCOUNT'))"
    )
    monkeypatch.delenv("GOMP_SPINCOUNT")
    assert int(python(told, "--version").stdout.split()[-1]) < 10_000
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert python(told, "--version").stdout.split()[-1] == "None"


def test_arrays_and_images_need_neither_pyarrow_nor_soundfile(folder: Path, tmp_path: Path):
    absent = '("torch", "accelerate", "pyarrow", "pandas", "soundfile")'
    bare = WITHOUT_TORCH.replace('("torch", "accelerate")', absent)
    archive = tmp_path / "bare.isz"
    for words in (
        ("compress", folder / "rows.npy", "-o", archive),
        ("verify", archive),
        ("info", archive),
        ("decompress", archive, "-o", tmp_path / "out"),
        ("clean", "digits", "--dry-run"),
    ):
        done = python(bare, *words)
        assert done.returncode == 0, done.stderr
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    done = python(bare, "compress", tmp_path / "t.csv", "-o", tmp_path / "t.isz")
    assert done.returncode != 0
    assert "isthmus[tables]" in done.stderr
