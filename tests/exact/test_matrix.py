"""One archive, one answer: whatever the instruction set, the threads, the batch and the runner."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from isthmus.tasks.compress import compress

GOLDEN = Path(__file__).parents[1] / "golden" / "road.isz"

DECODE = """
import hashlib, sys
from pathlib import Path
import numpy as np
from isthmus.coding.latents import DEFAULT_QUALITY, told
from isthmus.exact.torch_runner import TorchRunner
from isthmus.model import Decoder
from isthmus.tasks.compress import restore

def digest(arrays):
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()

*archives, packed = map(Path, sys.argv[1:])
print(*(digest(restore(archive)) for archive in archives))
decoder = Decoder.from_bytes(packed.read_bytes())
symbols = np.random.default_rng(0).integers(-9, 10, (64, *decoder.code_shape((19, 23)))).astype(np.int32)
with_torch = TorchRunner(decoder.program)
for size in (1, 7, 64):
    parts = [symbols[i : i + size] for i in range(0, 64, size)]
    with_quality = [told(part, DEFAULT_QUALITY) for part in parts]
    print(digest(map(decoder.exact_tensors, parts)), digest(map(with_torch, with_quality)))
"""


@pytest.fixture(scope="module")
def files(any_size_model, tmp_path_factory) -> list[Path]:
    """The golden archive, one of colour images by a convolutional net, and the decoder of that net."""
    folder = tmp_path_factory.mktemp("matrix")
    images = np.random.default_rng(5).integers(0, 256, (9, 19, 23, 3), dtype=np.uint8)
    compress(images, folder / "colour.isz", model=any_size_model)
    (folder / "decoder").write_bytes(any_size_model.decoder.to_bytes())
    return [GOLDEN, folder / "colour.isz", folder / "decoder"]


def decoded(files: list[Path], settings: dict[str, str]) -> list[str]:
    command = [sys.executable, "-c", DECODE, *map(str, files)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, **settings}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def require_one_answer(digests: list[str]) -> None:
    _golden, _colour, *tensors = digests
    assert len(tensors) == 6
    assert len(set(tensors)) == 1, "batch sizes or runners disagree"


ISA = [("SSE41", "default"), ("AVX2", "avx2"), ("ALL", "avx512")]
CORES = ["Nehalem", "Haswell", "Zen", "SkylakeX"]


def as_settings(isa: tuple[str, str], core: str, threads: int) -> dict[str, str]:
    onednn, aten = isa
    count = str(threads)
    return {
        "ONEDNN_MAX_CPU_ISA": onednn,
        "ATEN_CPU_CAPABILITY": aten,
        "OPENBLAS_CORETYPE": core,
        "OMP_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
    }


def flags() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.exists() else ""


def runs_here(isa: tuple[str, str], core: str) -> bool:
    """Whether this processor has the instructions that a setting asks for."""
    wanted = "avx512f" if core == "SkylakeX" or isa[1] == "avx512" else "avx2"
    return wanted in flags() or (core == "Nehalem" and isa[1] == "default")


EVERYDAY = [(ISA[0], "Nehalem", 1), (ISA[1], "Haswell", 2)]


def test_other_instruction_sets_and_threads_decode_the_same_bytes(files):
    reference = decoded(files, {})
    require_one_answer(reference)
    for isa, core, threads in EVERYDAY:
        if runs_here(isa, core):
            assert decoded(files, as_settings(isa, core, threads)) == reference, (isa, core, threads)


@pytest.mark.slow
def test_every_instruction_set_decodes_the_same_bytes(files):
    reference = decoded(files, {})
    for isa, core, threads in itertools.product(ISA, CORES, (1, 2)):
        if runs_here(isa, core):
            assert decoded(files, as_settings(isa, core, threads)) == reference, (isa, core, threads)
