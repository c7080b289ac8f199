"""How fast whole commands run, start-up included, and how much memory they take.

Each line compresses at least 256 MB of one kind and decompresses it: EuroSAT's training tiles 14 times
over, MNIST's training images six times over, and a climate model's temperatures 160 times over.
Megabytes are of raw samples; memory is the greatest sum over the command's processes. Models are
trained for four minutes each beforehand.

    make bench NAME=throughput
    make bench NAME=throughput ARGS="photographs"  # lines with that word; the others stay as they were
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import commit, data_root, machine, publish, published

from isthmus.data import open_source

LEAST_BYTES = 256_000_000


@dataclass(frozen=True)
class Line:
    """A way to compress one kind of data, and the MB/s we aim for: to compress, to decompress."""

    data: str
    model: bool
    options: str
    aims: tuple[float, float]


LINES = {
    "lossy, photographs": Line("tiles", True, "--lossy", (5, 8)),
    "lossy, digits": Line("digits", True, "--lossy", (5, 8)),
    "bounded, with the net": Line("digits", True, "--max-error 16 --coder autoencoder", (8, 20)),
    "bounded, classical": Line("field", False, "--max-error 1e-3 --error-mode rel", (40, 150)),
    "lossless": Line("digits", True, "--lossless", (0.5, 1)),
}


def isthmus(*words: object) -> tuple[float, float]:
    """Wall seconds of a command, and the most memory that its processes held together, in MB."""
    command = [str(Path(sys.executable).with_name("isthmus")), *map(str, words), "--force"]
    print("$", " ".join(command), flush=True)
    started, most = time.perf_counter(), 0.0
    running = subprocess.Popen(command)
    while running.poll() is None:
        most = max(most, _resident_mb(running.pid))
        time.sleep(0.1)
    assert running.returncode == 0, command
    return time.perf_counter() - started, most


def _resident_mb(pid: int) -> float:
    """Of a process and all its children, by /proc; 0 where there is none."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGESIZE") / 1e6 + sum(_resident_mb(int(child)) for child in children)


TILES = "eurosat/eurosat_rgb_train_1500.zip"
DIGITS = "mnist/train-images-idx3-ubyte.gz"


def repeated(name: str) -> np.ndarray:
    """The images of a file, again and again."""
    source = open_source(data_root() / name)
    images = source.stack(range(len(source)))
    return np.concatenate([images] * -(-LEAST_BYTES // images.nbytes))


MODELS = {"digits": (DIGITS, "lossless"), "tiles": (TILES, "lossy")}


def temperatures() -> np.ndarray:
    import netCDF4

    with netCDF4.Dataset(data_root() / "scientific" / "A1B_north_america.nc") as file:
        field = np.asarray(file["air_temperature"][:], np.float32)
    return np.tile(field, (-(-LEAST_BYTES // field.nbytes), 1, 1))


DATA: dict[str, Callable[[], np.ndarray]] = {
    "digits": lambda: repeated(DIGITS),
    "tiles": lambda: repeated(TILES),
    "field": temperatures,
}


def model_of(data: str, folder: Path) -> Path:
    """Trained for four minutes; the same for every line of these data."""
    path, (name, purpose) = folder / f"{data}.ism", MODELS[data]
    if not path.exists():
        isthmus("fit", data_root() / name, "-o", path, "--budget", "4m", "--for", purpose)
    return path


def measure(name: str, folder: Path) -> dict[str, Any]:
    line = LINES[name]
    source, archive = folder / f"{line.data}.npy", folder / "a.isz"
    if not source.exists():
        np.save(source, DATA[line.data]())
    raw = np.load(source, mmap_mode="r").nbytes
    model = ("-m", model_of(line.data, folder)) if line.model else ()
    compress_s, compress_mb = isthmus("compress", source, "-o", archive, *model, *line.options.split())
    decompress_s, decompress_mb = isthmus("decompress", archive, "-o", folder / "back")
    figures = {
        "commit": commit(),
        "raw_mb": round(raw / 1e6),
        "archive_mb": round(archive.stat().st_size / 1e6, 2),
        "compress_mb_s": round(raw / compress_s / 1e6, 2),
        "compress_target": line.aims[0],
        "decompress_mb_s": round(raw / decompress_s / 1e6, 2),
        "decompress_target": line.aims[1],
        "compress_peak_mb": round(compress_mb),
        "decompress_peak_mb": round(decompress_mb),
    }
    print(name, figures, flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help=f"of: {'; '.join(LINES)}")
    words = parser.parse_args().words
    asked = [name for name in LINES if not words or any(word in name for word in words)]
    if not asked:
        parser.error(f"{' '.join(words)} is in none of: {'; '.join(LINES)}")
    before = machine()
    figures = {name: figures for name, figures in published("throughput").items() if name in LINES}
    with tempfile.TemporaryDirectory() as place:
        for name in asked:
            figures[name] = measure(name, Path(place))
            told = {"startup_s": startup()} | {line: figures[line] for line in LINES if line in figures}
            publish("throughput", told, machine_then=before)


def startup() -> float:
    """Seconds of the command that does nothing but tell what it can do."""
    started = time.perf_counter()
    subprocess.run(
        [str(Path(sys.executable).with_name("isthmus")), "--help"], check=True, capture_output=True
    )
    return round(time.perf_counter() - started, 2)


if __name__ == "__main__":
    main()
