"""Rate and distortion on photographs of one kind: one model at every quality, beside the image codecs.

Each model is fitted with shipped defaults on a set's training part alone. Bytes of a point are those
of the archive without the model, whose bytes are told beside; rivals are single files and mosaics.
PSNR is of the mean squared error over all test pixels, MS-SSIM the mean over test images.
A point is [bytes, PSNR in dB, MS-SSIM].

    make bench NAME=images-rd
    make bench NAME=images-rd ARGS="elpv kodak --budget 5m"  # the other sets stay as they were
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import commit, data_root, machine, publish, published
from common_curves import MOST_FILES, rival_curves
from images_lossless import elpv

from isthmus.coding.latents import DEFAULT_QUALITY
from isthmus.config import parse_duration
from isthmus.data import Source, open_source
from isthmus.model import Model
from isthmus.tasks.compress import compress_bytes, restore
from isthmus.tasks.fit import fit
from isthmus.tasks.image_codecs import as_pictures, missing_codecs
from isthmus.tasks.trials import Ours, Rival, our_points, points_list

NAME = "images-rd"


@dataclass(frozen=True)
class Task:
    """One set: what to fit on, what to measure on, and how many images an edge of a mosaic has."""

    train: Source
    test: Source
    side: int | None


def measure(task: Task, budget_s: float) -> dict[str, Any]:
    fitted = fit(
        task.train, Path(tempfile.mkdtemp()) / "m.ism", budget_s=budget_s, purpose="lossy", say=print
    )
    usual = at_default(task.test, fitted.model)
    ours = our_points(task.test, fitted.model)
    images = as_pictures(task.test.read(range(len(task.test))))
    figures = {
        "images": len(images),
        "trained_on": len(task.train),
        "pixels": sum(image.shape[0] * image.shape[1] for image in images),
        "budget_s": budget_s,
        "fit_s": round(fitted.seconds),
        "model_bytes": ours.model_bytes,
        f"quality_{DEFAULT_QUALITY}": usual,
        "qualities": list(ours.qualities),
        "ours": points_list(ours.points),
    }
    for kind, side in (("mosaics", task.side), ("single_files", None)):
        if kind == "single_files" or side is not None:
            figures[kind] = beside(ours, kind, rival_curves(images, side))
    if task.side is not None:
        figures["mosaic"] = f"{task.side}×{task.side}"
    if len(images) > MOST_FILES:
        figures["single_files_are"] = f"{MOST_FILES} evenly spaced images, their bytes scaled to all"
    return figures


def at_default(test: Source, model: Model) -> dict[str, Any]:
    """The whole archive at the quality `compress` takes, and its seconds."""
    started = time.perf_counter()
    archive, result, sizes = compress_bytes(
        test, model, mode="lossy", quality=DEFAULT_QUALITY, metadata="none"
    )
    encoded = time.perf_counter()
    restore(archive)
    return {
        "archive_bytes": result.archive_bytes,
        "without_model": result.archive_bytes - sizes.model,
        "encode_s": round(encoded - started, 2),
        "decode_s": round(time.perf_counter() - encoded, 2),
    }


def beside(ours: Ours, kind: str, families: dict[str, list[Any]]) -> dict[str, Any]:
    """Each family's points and BD-rates; with mosaics, from how many images on the model pays."""
    found = {}
    for family, curves in families.items():
        rival = Rival.of(family, curves, ours)
        found[family] = _rounded(rival.to_dict())
        print(
            f"{kind}, {family}: {rival.best.bd_psnr} by PSNR, {rival.best.bd_ms_ssim} by MS-SSIM", flush=True
        )
    return found


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Shares to 4 digits, bytes to whole ones."""

    def plain(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return _rounded(value)
        if isinstance(value, float):
            return round(value, 4) if name.startswith("bd_rate") else round(value)
        return value

    return {name: plain(name, value) for name, value in values.items()}


def zips(name: str, train: str, test: str) -> Task:
    folder = data_root() / name
    return Task(open_source(folder / train), open_source(folder / test), 16)


def mnist() -> Task:
    folder = data_root() / "mnist"
    train, test = (folder / f"{part}-images-idx3-ubyte.gz" for part in ("train", "t10k"))
    return Task(open_source(train), open_source(test), 16)


SETS: dict[str, Callable[[], Task]] = {
    "elpv": lambda: Task(*elpv(), 2),
    "eurosat": lambda: zips("eurosat", "eurosat_rgb_train_1500.zip", "eurosat_rgb_test_500.zip"),
    "cifar10": lambda: zips("cifar10", "cifar10_train_4000.zip", "cifar10_test_2000.zip"),
    "mnist": mnist,
    "kodak": lambda: Task(
        open_source(data_root() / "bsds500-train"), open_source(data_root() / "kodak"), None
    ),
}
USUAL = ("elpv", "eurosat", "cifar10", "mnist")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", choices=[*SETS, []], metavar="SET", help=", ".join(SETS))
    parser.add_argument("--budget", type=parse_duration, default="15m", help="of each fit")
    asked = parser.parse_args()
    before, version = machine(), commit()
    if missing := missing_codecs():
        parser.error(f"{' and '.join(missing)} must be installed, for all rivals to be measured.")
    for name in asked.sets or USUAL:
        figures = {"commit": version, **measure(SETS[name](), asked.budget)}
        print(name, json.dumps(figures), flush=True)
        publish(NAME, published(NAME) | {name: figures}, machine_then=before, commit_then=version)


if __name__ == "__main__":
    main()
