"""MNIST's 10,000 test images without loss, by a model trained on the 60,000; every byte counted.

The commands are those a user types:

    isthmus fit train-images-idx3-ubyte.gz -o m.ism --budget 12m
    isthmus compress t10k-images-idx3-ubyte.gz -m m.ism -o a.isz --lossless

and once more with `fit --for lossless`. Blocks hold at most 256 images, each decodable alone.

    make bench NAME=mnist-lossless
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import data_root, machine, publish
from common_peers import one_stream, single_files

from isthmus.coding.container import ArchiveReader
from isthmus.data import open_source

BUDGET = "12m"
TARGET = 1.20


def isthmus(*words: object) -> float:
    """Seconds that the command takes."""
    command = [str(Path(sys.executable).with_name("isthmus")), *map(str, words)]
    print("$", " ".join(command), flush=True)
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started


def road(train: Path, test: Path, folder: Path, *purpose: str) -> dict[str, Any]:
    model, archive, back = folder / "m.ism", folder / "a.isz", folder / "back"
    fit_s = isthmus("fit", train, "-o", model, "--budget", BUDGET, *purpose)
    encode_s = isthmus("compress", test, "-m", model, "-o", archive, "--lossless")
    decode_s = isthmus("decompress", archive, "-o", back)
    original = open_source(test).stack(range(10_000))
    restored = open_source(next(back.rglob("*ubyte*"))).stack(range(10_000))
    with ArchiveReader(archive) as reader:
        sizes, most = reader.sizes(), max(len(reader.read_block(n).items) for n in range(len(reader.blocks)))
    return {
        "bytes": archive.stat().st_size,
        "bits_per_pixel": round(8 * archive.stat().st_size / original.size, 4),
        "model_bytes": sizes.model,
        "most_images_in_a_block": most,
        "equal": bool(np.array_equal(original, restored)),
        "fit_s": round(fit_s),
        "compress_mb_s": round(original.size / encode_s / 1e6, 3),
        "decompress_mb_s": round(original.size / decode_s / 1e6, 3),
    }


def main() -> None:
    before = machine()
    mnist = data_root() / "mnist"
    train, test = mnist / "train-images-idx3-ubyte.gz", mnist / "t10k-images-idx3-ubyte.gz"
    ours = {}
    for name, purpose in (("fit", ()), ("fit --for lossless", ("--for", "lossless"))):
        with tempfile.TemporaryDirectory() as folder:
            ours[name] = road(train, test, Path(folder), *purpose)
        print(json.dumps(ours[name]), flush=True)
    images = open_source(test).stack(range(10_000))
    training = open_source(train).stack(range(60_000))
    peers = {f"{name}, single files": size for name, size in single_files(images).items()}
    peers |= one_stream(images, training)
    bits = {name: round(8 * size / images.size, 4) for name, size in peers.items()}
    reached = all(one["bits_per_pixel"] <= TARGET and one["equal"] for one in ours.values())
    figures = {"budget": BUDGET, "target": TARGET, "reached": reached, "isthmus": ours}
    publish("mnist-lossless", figures | {"peers_bits_per_pixel": bits}, machine_then=before)


if __name__ == "__main__":
    main()
