"""What was measured → charts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isthmus.reports.codes import CodeUse, LatentMap
from isthmus.reports.figures import (
    HELD,
    INK,
    OURS,
    OURS_LIGHT,
    OURS_MIDDLE,
    PAPER,
    PEER,
    new_figure,
    to_svg,
)
from isthmus.tasks.evaluate import EvaluateResult
from isthmus.tasks.results import size
from isthmus.training.history import Row


def loss_curves(rows: Sequence[Row], alt: str) -> str:
    """Training and held-out loss over steps with the best mark, and below it the learning rate."""
    figure, (top, below) = new_figure(3.3, 2, sharex=True, height_ratios=[3, 1])
    steps = [row.step for row in rows]
    mark = "." if len(rows) < _FEW_ROWS else ""  # a line through one point is not seen
    top.plot(steps, [row.train_loss for row in rows], mark + "-", color=OURS_MIDDLE, lw=1.1, label="training")
    held = [(row.step, row.held_out_loss) for row in rows if row.held_out_loss is not None]
    if held:
        top.plot(*zip(*held, strict=True), mark + "-", color=HELD, label="held-out")
    best = [row for row in rows if row.best][-1:]
    for row in best:
        judged = row.train_loss if row.held_out_loss is None else row.held_out_loss
        top.plot(
            [row.step],
            [judged],
            "o",
            ms=5,
            mfc=PAPER,
            mec=INK,
            label=f"best: {judged:.4g} at step {row.step:,}",
        )
    _logarithmic_if_wide(top, [row.train_loss for row in rows])
    top.set_ylabel("loss")
    top.grid(axis="y")
    top.legend(loc="upper right")
    below.plot(steps, [row.learning_rate for row in rows], mark + "-", color=INK, lw=1.0)
    below.set_ylabel("learning rate")
    below.set_ylim(bottom=0)
    below.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    below.set_xlabel("step")
    figure.align_ylabels()
    return to_svg(figure, "loss", alt)


_FEW_ROWS = 5


def _logarithmic_if_wide(axes, values: Sequence[float]) -> None:  # type: ignore[no-untyped-def]
    if min(values) > 0 and max(values) > 4 * min(values):
        axes.set_yscale("log")
        plain_ticks(axes.yaxis)


THUMBNAIL = 1 / 20
"""Width of a picture on the latent map, as a share of the map's."""


def latent_scatter(latents: LatentMap, thumbnails: Sequence[tuple[int, np.ndarray]], alt: str) -> str:
    """Every sample as a dot; some of them as their own picture.

    Args:
        latents: where they lie.
        thumbnails: (sample, uint8 (height, width, 3)) to draw instead of dots.
        alt: for those who do not see it.
    """
    figure, (axes,) = new_figure(3.6)
    x, y = latents.points.T
    axes.scatter(x, y, s=5, color=OURS_MIDDLE if thumbnails else OURS, lw=0)
    axes.margins(0.05)
    across, up = axes.get_xlim(), axes.get_ylim()
    side = (across[1] - across[0]) * THUMBNAIL
    for index, picture in thumbnails:
        height = side * picture.shape[0] / picture.shape[1] * _units_ratio(across, up)
        box = (x[index] - side / 2, x[index] + side / 2, y[index] - height / 2, y[index] + height / 2)
        axes.imshow(picture, extent=box, interpolation="none", aspect="auto", zorder=3)
    axes.set_xlim(across)
    axes.set_ylim(up)
    axes.set_xlabel(f"first principal component ({latents.shares[0]:.0%} of the variance)")
    axes.set_ylabel(f"second ({latents.shares[1]:.0%})")
    return to_svg(figure, "latents", alt)


def _units_ratio(across: tuple[float, float], up: tuple[float, float]) -> float:
    """Data units of height that look as long as one of width, the axes being about 3.9 by 3.2."""
    return (up[1] - up[0]) / (across[1] - across[0]) * 3.9 / 3.2


def code_histogram(use: CodeUse, alt: str) -> str:
    """Shares of the symbols beside the tables'; below, bits a symbol for each channel."""
    figure, (top, below) = new_figure(3.5, 2, height_ratios=[3, 2])
    top.bar(use.values, use.counted, width=0.85, color=OURS, label="counted")
    top.plot(use.values, use.expected, ".", color=HELD, ms=6, label="integer tables")
    top.set_yscale("log")
    top.set_ylim(bottom=max(1e-6, use.counted[use.counted > 0].min() / 3))
    top.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    _whole_ticks(top)
    top.set_ylabel("share of symbols")
    top.set_xlabel("symbol")
    _legend_above(top)
    order = np.argsort(-use.cost_bits)
    places = np.arange(len(order))
    below.bar(places, use.cost_bits[order], width=0.85, color=OURS_MIDDLE, label="with the table")
    below.step(places, use.entropy_bits[order], where="mid", color=HELD, lw=1.1, label="entropy")
    below.set_ylabel("bits a symbol")
    below.set_xlabel("channels of the code, dearest first")
    _whole_ticks(below)
    _legend_above(below)
    figure.align_ylabels()
    return to_svg(figure, "codes", alt)


def _whole_ticks(axes) -> None:  # type: ignore[no-untyped-def]
    axes.xaxis.get_major_locator().set_params(integer=True)


def _legend_above(axes) -> None:  # type: ignore[no-untyped-def]
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=2, borderpad=0.2)


def rate_distortion(result: EvaluateResult, alt: str) -> str:
    """Quality against bits per value: ours with and without the model, lossy peers, the best lossless one."""
    figure, (axes,) = new_figure(2.9)
    ours = result.distortion.psnr_db
    rates = (result.payload_bits_per_value, result.bits_per_value)
    axes.plot(rates, [ours, ours], "--", color=OURS, lw=0.9)
    axes.plot(rates[:1], [ours], "o", ms=6, mfc=PAPER, mec=OURS, label="ours, without the model")
    axes.plot(rates[1:], [ours], "o", ms=6, color=OURS, label="ours, model included")
    lossy = [(p.name, 8 * p.bytes / result.values, p.psnr_db) for p in result.peers if p.psnr_db is not None]
    for (name, rate, psnr_db), mark in zip(lossy, "s^DvP", strict=False):
        axes.plot([rate], [psnr_db], mark, ms=5.5, color=PEER, label=name)
    best = min((p for p in result.peers if p.psnr_db is None), key=lambda p: p.bytes, default=None)
    if best is not None:
        axes.axvline(
            8 * best.bytes / result.values,
            color=PEER,
            lw=1.1,
            ls=":",
            label=best.name if "lossless" in best.name else f"{best.name}, lossless",
        )
    axes.set_xscale("log")
    plain_ticks(axes.xaxis)
    axes.margins(0.15, 0.3)
    axes.grid(axis="both")
    axes.set_xlabel("bits per value (fewer is smaller)")
    axes.set_ylabel("PSNR in dB (more is closer)")
    figure.legend(loc="outside lower center", ncols=2)
    return to_svg(figure, "rate", alt)


def size_bars(result: EvaluateResult, alt: str) -> str:
    """Ours, split in what it is made of, and every peer: the shortest bar on top."""
    codes, model = sum(result.sizes.layers.values()), result.sizes.model
    parts = [(codes, OURS, "codes"), (model, OURS_MIDDLE, "model"),
             (result.archive_bytes - codes - model, OURS_LIGHT, "index, headers")]  # fmt: skip
    bars = [(p.name if p.psnr_db is None else f"{p.name}, lossy", p.bytes) for p in result.peers]
    bars = sorted([*bars, (_OURS, result.archive_bytes)], key=lambda bar: -bar[1])
    figure, (axes,) = new_figure(0.75 + 0.24 * len(bars))
    longest = bars[0][1]
    for place, (name, total) in enumerate(bars):
        left = 0
        for count, colour, label in parts if name == _OURS else [(total, PEER, None)]:
            axes.barh(place, count, left=left, height=0.72, color=colour, label=label)
            left += count
        axes.text(total + longest / 80, place, size(total), va="center", fontsize=7.5)
    axes.set_yticks(range(len(bars)), [name for name, _ in bars])
    axes.get_yticklabels()[[name for name, _ in bars].index(_OURS)].set_fontweight("bold")
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, longest * 1.18)
    axes.set_xticks([])
    axes.spines[["bottom", "left"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3)
    return to_svg(figure, "sizes", alt)


_OURS = "Isthmus"


def line_plots(originals: Sequence[np.ndarray], restored: Sequence[np.ndarray], alt: str) -> str:
    """Each sample as a line with its reconstruction, over a thin strip with their difference.

    Args:
        originals, restored: 1-D, of one length each pair.
        alt: for those who do not see it.
    """
    ratios = [3, 1] * len(originals)
    figure, axes = new_figure(
        1.35 * len(originals) + 0.4, 2 * len(originals), sharex=True, height_ratios=ratios
    )
    limit = max(float(np.abs(b - a).max(initial=0)) for a, b in zip(originals, restored, strict=True)) or 1.0
    marker = "." if len(originals[0]) <= _FEW_POINTS else ""
    for top, below, a, b in zip(axes[::2], axes[1::2], originals, restored, strict=True):
        top.plot(a, color=OURS_MIDDLE, lw=2.2, marker=marker, ms=6, label="original")
        top.plot(b, color=HELD, lw=1.0, marker=marker, ms=3, label="reconstruction")
        below.fill_between(range(len(a)), b - a, 0, color=INK, lw=0, alpha=0.6, step="mid")
        below.set_ylim(-limit, limit)
        below.set_yticks([-limit, limit], [f"{-limit:.2g}", f"{limit:.2g}"], fontsize=6.5)
    axes[0].legend(loc="upper right", ncols=2, bbox_to_anchor=(1, 1.25))
    axes[-1].set_xlabel("position in the sample")
    return to_svg(figure, "lines", alt)


_FEW_POINTS = 60


def plain_ticks(axis) -> None:  # type: ignore[no-untyped-def]
    """Numbers written out at 1, 2 and 5 times each power of ten of a logarithmic axis."""
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
