"""Photographs of one kind without loss: solar cells, satellite tiles, small pictures.

Each model is trained on a set's training part and measured on its test part, beside PNG, WebP and
JPEG XL at effort 7, as single files and as mosaics, so that headers are not what wins. The model is
counted once for the plain test set, and once for ten times as many images.

    make bench NAME=images-lossless
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from common import data_root, machine, publish
from common_peers import mosaics, single_files

from isthmus.data import Source, open_source
from isthmus.data.samples import pick
from isthmus.tasks.compress import compress, restore
from isthmus.tasks.fit import fit

BUDGET_S = 300


def measure(train: Source, test: Source, side: int) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp())
    fitted = fit(train, folder / "m.ism", budget_s=BUDGET_S, purpose="lossless", say=print)
    made = compress(
        test, folder / "a.isz", model=fitted.model, mode="lossless", workers=None, metadata="none"
    )
    images = test.stack(range(len(test)))
    equal = np.array_equal(restore(folder / "a.isz"), images)
    tenfold = (made.archive_bytes - made.model_bytes + made.model_bytes / 10) * 8 / images.size
    files, tiled = single_files(images), mosaics(images, side)
    best = min(files["jpeg-xl"], tiled["jpeg-xl"]) * 8 / images.size
    in_bits = {
        f"{name}, {kind}": round(8 * size / images.size, 4)
        for kind, sizes in (("single files", files), (f"mosaics {side}×{side}", tiled))
        for name, size in sizes.items()
    }
    return {
        "images": len(test),
        "bits_per_value": round(8 * made.archive_bytes / images.size, 4),
        "bits_per_value_at_ten_times": round(tenfold, 4),
        "beside_best_jpeg_xl": round(tenfold / best - 1, 4),
        "plain_beside_best_jpeg_xl": round(8 * made.archive_bytes / images.size / best - 1, 4),
        "equal": bool(equal),
        "model_bytes": made.model_bytes,
        "winners": {name: won.blocks for name, won in made.winners.items()},
        "fit_s": round(fitted.seconds),
        "peers": in_bits,
    }


def elpv() -> tuple[Source, Source]:
    cells = open_source(data_root() / "elpv" / "elpv_mono_200good_80defective.zip")
    names = [cells.layout.item_name(i) for i in range(len(cells))]
    good = [i for i, name in enumerate(names) if "good/" in name]
    defective = [i for i, name in enumerate(names) if "defective/" in name]
    return pick(cells, good[:140] + defective[:40]), pick(cells, good[140:] + defective[40:])


def main() -> None:
    before, root = machine(), data_root()
    eurosat, cifar = root / "eurosat", root / "cifar10"
    sets = {
        "elpv": (*elpv(), 2),
        "eurosat": (open_source(eurosat / "eurosat_rgb_train_1500.zip"),
                    open_source(eurosat / "eurosat_rgb_test_500.zip"), 16),
        "cifar10": (open_source(cifar / "cifar10_train_4000.zip"),
                    open_source(cifar / "cifar10_test_2000.zip"), 16),
    }  # fmt: skip
    figures = {}
    for name, (train, test, side) in sets.items():
        figures[name] = measure(train, test, side)
        print(name, json.dumps(figures[name]), flush=True)
    publish("images-lossless", figures, machine_then=before)


if __name__ == "__main__":
    main()
