"""Imports point down, and what an archive needs to be looked at needs no PyTorch."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import isthmus

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"

BLOCKED = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "accelerate"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])

sys.meta_path.insert(0, Absent())
"""


def without_torch(code: str, *arguments: object) -> str:
    """Run code in a Python that has no PyTorch; return what it prints."""
    command = [sys.executable, "-W", "error", "-c", BLOCKED + code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_imports_point_down_the_road():
    lint = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or shutil.which("lint-imports")
    if lint is None:
        pytest.skip("import-linter is not installed")
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:]


def test_rooms_that_decode_need_no_torch():
    without_torch(
        "import isthmus.data, isthmus.data.readers, isthmus.coding.container, isthmus.model\n"
        "import isthmus.recipes, isthmus.bottlenecks, isthmus.nets, isthmus.losses, isthmus.testing\n"
        "import isthmus.tasks.info, isthmus.tasks.verify, isthmus.tasks.compress, isthmus.tasks.fit\n"
        "import isthmus.tasks.evaluate, isthmus.tasks.features\n"
    )


def test_info_and_verify_read_golden_files_without_torch():
    told = without_torch(
        "from isthmus.tasks.info import info\n"
        "from isthmus.tasks.verify import verify\n"
        "print(info(sys.argv[1]).title, '|', info(sys.argv[2]).title, '|', verify(sys.argv[1]).summary())\n",
        GOLDEN / "road.isz",
        GOLDEN / "road.ism",
    )
    archive, model, verdict = told.strip().split(" | ")
    assert archive == "archive of 8×8 grey image, uint8"
    assert model == "model for 8×8 grey image, uint8"
    assert verdict == "OK: 300 samples in 2 blocks, every checksum matches"


@pytest.mark.parametrize("part", ["NETS", "LOSSES", "BOTTLENECKS"])
def test_a_part_that_needs_torch_names_the_extra(part):
    room = part.lower()
    told = without_torch(
        f"from isthmus.{room} import {part}\n"
        "from isthmus.errors import MissingExtra\n"
        f"for name in {part}:\n"
        f"    try: {part}.find(name)\n"
        "    except MissingExtra as missing: print(missing)\n"
    )
    lines = told.splitlines()
    assert len(lines) == len(getattr(__import__(f"isthmus.{room}", fromlist=[part]), part))
    assert all("pip install 'isthmus[train]'" in line for line in lines)


def test_every_room_says_what_it_is():
    package = Path(isthmus.__file__).parent
    for module in package.rglob("*.py"):
        first = module.read_text().lstrip().splitlines()[0]
        assert first.startswith('"""') or module.name == "_version.py", module


def test_the_package_holds_its_types():
    assert (Path(isthmus.__file__).parent / "py.typed").exists()
