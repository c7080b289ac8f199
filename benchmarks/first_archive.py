"""What a newcomer gets: two minutes of `fit` with shipped defaults, then `evaluate` on unseen samples.

MNIST: trained on the 60,000, measured on the 10,000. ELPV solar cells: trained on the first 140
good and 40 defective by file name, measured on the other 100. Rivals code the same samples, JPEG
and WebP at the least quality that reaches our PSNR. Every byte counts, the model's among them.

    make bench NAME=first-archive
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from common import data_root, machine, publish

from isthmus.data import Source, open_source
from isthmus.data.samples import pick
from isthmus.tasks.evaluate import evaluate
from isthmus.tasks.fit import fit

BUDGET_S = 120


def measure(train: Source, test: Source) -> dict[str, Any]:
    result = fit(train, Path(tempfile.mkdtemp()) / "m.ism", budget_s=BUDGET_S, say=print)
    found = evaluate(test, result.model).to_dict()
    wanted = ("samples", "raw_bytes", "archive_bytes", "sizes", "distortion", "bits_per_value",
              "payload_bits_per_value", "peers", "verdict")  # fmt: skip
    return {"fit_s": round(result.seconds), "steps": result.steps, **{key: found[key] for key in wanted}}


def elpv() -> tuple[Source, Source]:
    cells = open_source(data_root() / "elpv" / "elpv_mono_200good_80defective.zip")
    names = [cells.layout.item_name(i) for i in range(len(cells))]
    good = [i for i, name in enumerate(names) if "good/" in name]
    defective = [i for i, name in enumerate(names) if "defective/" in name]
    return pick(cells, good[:140] + defective[:40]), pick(cells, good[140:] + defective[40:])


def main() -> None:
    before = machine()
    mnist = data_root() / "mnist"
    figures = {
        "elpv": measure(*elpv()),
        "mnist": measure(
            open_source(mnist / "train-images-idx3-ubyte.gz"),
            open_source(mnist / "t10k-images-idx3-ubyte.gz"),
        ),
    }
    publish("first-archive", figures, machine_then=before)


if __name__ == "__main__":
    main()
