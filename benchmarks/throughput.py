"""How fast whole commands run, start-up included, and how much memory they take.

Each line compresses at least 256 MB of one kind and decompresses it: MNIST's training images six
times over, and a climate model's temperatures 160 times over. Megabytes are of raw samples; memory
is the greatest sum over the command's processes. A model is trained for four minutes beforehand.

    make bench NAME=throughput
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import data_root, machine, publish

from isthmus.data import open_source

LEAST_BYTES = 256_000_000
TARGETS = {  # MB/s: compress, decompress
    "lossy": (5, 8),
    "bounded, with the net": (8, 20),
    "bounded, classical": (40, 150),
    "lossless": (0.5, 1),
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


def digits() -> np.ndarray:
    images = open_source(data_root() / "mnist" / "train-images-idx3-ubyte.gz").stack(range(60_000))
    return np.tile(images, (-(-LEAST_BYTES // images.nbytes), 1, 1))


def temperatures() -> np.ndarray:
    import netCDF4

    with netCDF4.Dataset(data_root() / "scientific" / "A1B_north_america.nc") as file:
        field = np.asarray(file["air_temperature"][:], np.float32)
    return np.tile(field, (-(-LEAST_BYTES // field.nbytes), 1, 1))


def measure(name: str, source: Path, folder: Path, *options: object) -> dict[str, Any]:
    archive, raw = folder / "a.isz", np.load(source, mmap_mode="r").nbytes
    compress_s, compress_mb = isthmus("compress", source, "-o", archive, *options)
    decompress_s, decompress_mb = isthmus("decompress", archive, "-o", folder / "back")
    wanted = TARGETS[name]
    figures = {
        "raw_mb": round(raw / 1e6),
        "archive_mb": round(archive.stat().st_size / 1e6, 2),
        "compress_mb_s": round(raw / compress_s / 1e6, 2),
        "compress_target": wanted[0],
        "decompress_mb_s": round(raw / decompress_s / 1e6, 2),
        "decompress_target": wanted[1],
        "compress_peak_mb": round(compress_mb),
        "decompress_peak_mb": round(decompress_mb),
    }
    print(name, figures, flush=True)
    return figures


def main() -> None:
    before = machine()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        pictures, field, model = folder / "digits.npy", folder / "field.npy", folder / "m.ism"
        np.save(pictures, digits())
        np.save(field, temperatures())
        train = data_root() / "mnist" / "train-images-idx3-ubyte.gz"
        isthmus("fit", train, "-o", model, "--budget", "4m", "--for", "lossless")
        startup_s = startup()
        by_net, classical = "--max-error 16 --coder autoencoder", "--max-error 1e-3 --error-mode rel"
        lines = {
            "lossy": measure("lossy", pictures, folder, "-m", model, "--lossy"),
            "bounded, with the net": measure(
                "bounded, with the net", pictures, folder, "-m", model, *by_net.split()
            ),
            "bounded, classical": measure("bounded, classical", field, folder, *classical.split()),
            "lossless": measure("lossless", pictures, folder, "-m", model, "--lossless"),
        }
    publish("throughput", {"startup_s": startup_s, **lines}, machine_then=before)


def startup() -> float:
    """Seconds of the command that does nothing but tell what it can do."""
    started = time.perf_counter()
    subprocess.run(
        [str(Path(sys.executable).with_name("isthmus")), "--help"], check=True, capture_output=True
    )
    return round(time.perf_counter() - started, 2)


if __name__ == "__main__":
    main()
