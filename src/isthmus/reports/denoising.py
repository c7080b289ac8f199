"""What `denoise` made → one self-contained HTML page: before and after, side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from isthmus.data import Source, open_source
from isthmus.data.distortion import Distortion
from isthmus.data.similarity import ms_ssim
from isthmus.files import refuse_existing
from isthmus.reports.html import Picture, Section, TableRow, key_figures, sides, table
from isthmus.reports.page import framed, write_page
from isthmus.reports.pictures import SMALL_SIDE, data_uri, middle, visible
from isthmus.spec import DataSpec
from isthmus.tasks.denoise import DenoiseResult

SHOWN, LISTED = 8, 200


def write_denoising(
    path: str | Path,
    noisy: Source,
    denoised: str | Path,
    clean: str | Path | None,
    result: DenoiseResult,
    *,
    force: bool = False,
) -> Path:
    """Write the page.

    Args:
        path: of the page.
        noisy: what was denoised.
        denoised: the folder that it was written to.
        clean: the same images without noise, where they are at hand.
        result: of `denoise`.
        force: replace an existing page.
    Raises:
        OutputExists: nothing was written.
    """
    path = Path(path)
    refuse_existing(path, force=force)
    after = open_source(result.files[0] if len(result.files) == 1 else denoised)
    truth = None if clean is None else open_source(clean)
    sections = [_figures(result), _pictures(noisy, after, truth), _list(noisy, after, truth, result)]
    page = framed(
        name=noisy.name,
        about=f"{result.samples:,} images, noise taken away",
        verdict=_verdict(result),
        measured="Noise: standard deviation in the images' own units, as seen in each or as told.",
        sections="\n".join(section.to_html() for section in sections),
        notices=result.notices,
    )
    write_page(path, page, force=force)
    return path


def _verdict(result: DenoiseResult) -> str:
    if result.after_psnr_db is None or result.before_psnr_db is None:
        return f"{result.samples:,} images, noise of {np.median(result.levels):.3g} on average."
    gain = result.after_psnr_db - result.before_psnr_db
    closer = "closer to" if gain > 0 else "further from"
    return f"{abs(gain):.2f} dB {closer} the clean images: {result.after_psnr_db:.2f} dB."


def _figures(result: DenoiseResult) -> Section:
    levels = np.array(result.levels)
    spread = f"median; {levels.min():.3g} to {levels.max():.3g}"
    shown = [("images", f"{result.samples:,}", "all written"), ("noise", f"{np.median(levels):.3g}", spread)]
    if result.after_psnr_db is not None and result.before_psnr_db is not None:
        gain = result.after_psnr_db - result.before_psnr_db
        shown += [
            ("PSNR", f"{result.after_psnr_db:.2f} dB", f"{result.before_psnr_db:.2f} before, {gain:+.2f}")
        ]
    return Section("figures", "In short", "", key_figures(shown))


def _pictures(noisy: Source, after: Source, truth: Source | None) -> Section:
    chosen = np.linspace(0, len(noisy) - 1, min(SHOWN, len(noisy))).astype(int).tolist()
    kinds = [("noisy", noisy), ("denoised", after), *([] if truth is None else [("clean", truth)])]
    groups: dict[str, list[Picture]] = {}
    for index in dict.fromkeys(chosen):
        images = [source.read([index])[0] for _, source in kinds]
        captions = [kind for kind, _ in kinds]
        for place in range(2 if truth is not None else 0):
            psnr_db = Distortion.between(images[-1], images[place], noisy.spec).psnr_db
            captions[place] += f", {psnr_db:.1f} dB"
        groups[noisy.layout.item_name(index)] = [
            _picture(pixels, caption, noisy.spec) for pixels, caption in zip(images, captions, strict=True)
        ]
    largest = max((max(one.width, one.height) for some in groups.values() for one in some), default=0)
    lead = f"{', '.join(kind for kind, _ in kinds)}; of large images the middle."
    body = sides(groups, kind="small" if largest <= SMALL_SIDE else "smooth")
    return Section("pictures", "Before and after", lead, body)


def _picture(pixels: np.ndarray, caption: str, spec: DataSpec) -> Picture:
    shown = visible(middle(pixels), spec)
    return Picture(data_uri(shown), caption, shown.shape[1], shown.shape[0])


def _list(noisy: Source, after: Source, truth: Source | None, result: DenoiseResult) -> Section:
    rows = []
    for index, level in enumerate(result.levels[:LISTED]):
        told = [noisy.layout.item_name(index), f"{level:.3g}"]
        if truth is not None:
            told += _qualities(noisy, after, truth, index)
        rows.append(TableRow(told))
    heads = ["image", "noise"]
    if truth is not None:
        heads += ["PSNR before", "after", "MS-SSIM before", "after"]
    lead = f"The first {LISTED}." if len(result.levels) > LISTED else ""
    return Section("images", "Image by image", lead, table(heads, rows, words=[0]))


def _qualities(noisy: Source, after: Source, truth: Source, index: int) -> list[str]:
    images = [source.read([index])[0] for source in (noisy, after, truth)]
    spec = noisy.spec
    psnr = [Distortion.between(images[2], each, spec).psnr_db for each in images[:2]]
    alike = [_similarity(images[2], each, spec) for each in images[:2]]
    return [*(f"{each:.2f} dB" for each in psnr), *(f"{each:.4f}" for each in alike)]


def _similarity(truth: np.ndarray, other: np.ndarray, spec: DataSpec) -> float:
    shaped = [each.reshape(1, *each.shape[:2], -1) for each in (truth, other)]
    return float(ms_ssim(*shaped, peak=spec.high - spec.low)[0])
