"""Noise taken from grey images: Set12 and BSD68 at sigma 15, 25 and 50, beside skimage's classics.

One blind model, fitted on BSDS500's training images in grey, under a budget; and one that has seen nothing
but BSD68's own noisy images at sigma 25. Noise is normal, neither rounded nor clipped; every peer is told its
level, ours looks. PSNR is the mean over images; seconds are the median of an image, one process, two threads.

    make bench NAME=denoise-images                      # an hour
    make bench NAME=denoise-images ARGS="--budget 5m --self-budget 2m"
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from common import commit, data_root, machine, publish, published
from PIL import Image
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

from isthmus.config import parse_duration
from isthmus.data.samples import Samples
from isthmus.model.denoiser import Denoiser
from isthmus.spec import DataSpec
from isthmus.tasks.denoise import DenoiserResult, fit_denoiser

SIGMAS = (15, 25, 50)
SELF = 25
GREY = DataSpec(modality="image", axes=("height", "width"), shape=(None, None), dtype="uint8")
FLOATS = DataSpec(
    modality="image", axes=("height", "width"), shape=(None, None), dtype="float32", low=0.0, high=255.0
)


def grey(folder: Path, pattern: str) -> list[np.ndarray]:
    return [np.asarray(Image.open(path).convert("L")) for path in sorted(folder.glob(pattern))]


def noisy(images: list[np.ndarray], sigma: float) -> list[np.ndarray]:
    """The same noise for everybody."""
    return [
        (image + np.random.default_rng((int(sigma), number)).normal(0, sigma, image.shape)).astype(np.float32)
        for number, image in enumerate(images)
    ]


def nl_means(image: np.ndarray, sigma: float) -> np.ndarray:
    """With skimage's own sizes."""
    share = sigma / 255
    return 255 * denoise_nl_means(image / 255, h=0.6 * share, sigma=share)


def nl_means_small(image: np.ndarray, sigma: float) -> np.ndarray:
    """With smaller ones, which are as good here and faster."""
    share = sigma / 255
    return 255 * denoise_nl_means(image / 255, patch_size=5, patch_distance=6, h=0.7 * share, sigma=share)


def wavelet(image: np.ndarray, sigma: float) -> np.ndarray:
    return 255 * denoise_wavelet(image / 255, sigma=sigma / 255, method="BayesShrink", rescale_sigma=True)


def total_variation(image: np.ndarray, sigma: float) -> np.ndarray:
    return 255 * denoise_tv_chambolle(image / 255, weight=sigma / 255)


PEERS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "nl_means": nl_means,
    "nl_means_small": nl_means_small,
    "wavelet": wavelet,
    "total_variation": total_variation,
}


def judged(
    work: Callable[[np.ndarray, float], np.ndarray], images: list[np.ndarray], sigma: float
) -> dict[str, float]:
    psnr, seconds = [], []
    for image, spoilt in zip(images, noisy(images, sigma), strict=True):
        started = time.perf_counter()
        made = np.clip(work(spoilt, sigma), 0, 255)
        seconds.append(time.perf_counter() - started)
        psnr.append(10 * np.log10(255**2 / np.square(made - image).mean()))
    return {"psnr_db": round(float(np.mean(psnr)), 3), "seconds": round(median(seconds), 3)}


def self_taught(images: list[np.ndarray], budget_s: float) -> DenoiserResult:
    """From the noisy images alone."""
    source = Samples(noisy(images, SELF), FLOATS, name="bsd68")
    return fit_denoiser(source, from_noisy=True, budget_s=budget_s, say=print)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--budget", type=parse_duration, default="28m", help="of the blind model")
    parser.add_argument("--self-only", action="store_true", help="leave the other figures as they were")
    parser.add_argument("--self-budget", type=parse_duration, default="15m", help="of the self-taught one")
    asked = parser.parse_args()
    before, version, root = machine(), commit(), data_root()
    sets = {"set12": grey(root / "set12", "*.png"), "bsd68": grey(root / "bsd68", "*.png")}
    train = grey(root / "bsds500-train", "*.jpg")
    if asked.self_only:
        figures = published("denoise-images")
        taught = self_taught(sets["bsd68"], asked.self_budget)
        figures["self_fit"] = {"seconds": taught.seconds, "steps": taught.steps, "commit": version}
        found = judged(lambda image, _: taught.denoiser.denoise(image), sets["bsd68"], SELF)
        figures["bsd68"][f"sigma_{SELF}"]["self_taught"] = found
        publish("denoise-images", figures, machine_then=before, commit_then=version)
        return
    with tempfile.TemporaryDirectory() as folder:
        blind = fit_denoiser(
            Samples(train, GREY, name="bsds500"), Path(folder) / "b.ism", budget_s=asked.budget, say=print
        )
        size = (Path(folder) / "b.ism").stat().st_size
        model = Denoiser.load(Path(folder) / "b.ism")
    taught = self_taught(sets["bsd68"], asked.self_budget)
    figures = {
        "fit": {"seconds": blind.seconds, "steps": blind.steps, "model_bytes": size},
        "self_fit": {"seconds": taught.seconds, "steps": taught.steps},
    }
    ours = {
        "blind": lambda image, sigma: model.denoise(image),
        "told": lambda image, sigma: model.denoise(image, sigma),
    }
    for name, images in sets.items():
        figures[name] = {}
        for sigma in SIGMAS:
            found = {way: judged(work, images, sigma) for way, work in (ours | PEERS).items()}
            if name == "bsd68" and sigma == SELF:
                found["self_taught"] = judged(lambda image, _: taught.denoiser.denoise(image), images, sigma)
            figures[name][f"sigma_{sigma}"] = found
            print(name, sigma, found, flush=True)
    publish("denoise-images", figures, machine_then=before, commit_then=version)


if __name__ == "__main__":
    main()
