"""How fast whole commands run, start-up included, and how much memory they take.

Each line compresses at least 256 MB of one kind and decompresses it: EuroSAT's training tiles 14 times
over, MNIST's training images six times over, and a climate model's temperatures 160 times over.
Megabytes are of raw samples; memory is the greatest sum over the command's processes. Models are
trained for four minutes each beforehand.

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
    "lossy, photographs": (5, 8),
    "lossy, digits": (5, 8),
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


TILES = "eurosat/eurosat_rgb_train_1500.zip"
DIGITS = "mnist/train-images-idx3-ubyte.gz"


def repeated(name: str) -> np.ndarray:
    """The images of a file, again and again."""
    source = open_source(data_root() / name)
    images = source.stack(range(len(source)))
    return np.concatenate([images] * -(-LEAST_BYTES // images.nbytes))


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
        pictures, tiles, field = folder / "digits.npy", folder / "tiles.npy", folder / "field.npy"
        np.save(pictures, repeated(DIGITS))
        np.save(tiles, repeated(TILES))
        np.save(field, temperatures())
        model, of_tiles = folder / "m.ism", folder / "tiles.ism"
        isthmus("fit", data_root() / DIGITS, "-o", model, "--budget", "4m", "--for", "lossless")
        isthmus("fit", data_root() / TILES, "-o", of_tiles, "--budget", "4m", "--for", "lossy")
        startup_s = startup()
        by_net, classical = "--max-error 16 --coder autoencoder", "--max-error 1e-3 --error-mode rel"
        lines = {
            "lossy, photographs": measure("lossy, photographs", tiles, folder, "-m", of_tiles, "--lossy"),
            "lossy, digits": measure("lossy, digits", pictures, folder, "-m", model, "--lossy"),
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
