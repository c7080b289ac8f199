"""Rate and distortion over all qualities, ours and rivals' → a section of the page."""

from __future__ import annotations

from typing import Any

from isthmus.reports.charts import plain_ticks
from isthmus.reports.figures import OURS, RIVALS, new_figure, to_svg
from isthmus.reports.html import Section, TableRow, table
from isthmus.tasks.curves import MS_SSIM, PSNR, Curve, Measure
from isthmus.tasks.rates import Rates
from isthmus.tasks.results import share_text, size
from isthmus.tasks.trials import Comparison


def curves(rates: Rates) -> Section:
    """Two charts, and what they come to in numbers."""
    psnr, ms_ssim = (
        curve_chart(rates, measure, name)
        for measure, name in ((PSNR, "PSNR in dB"), (MS_SSIM, "MS-SSIM in dB"))
    )
    lead = (
        f"On {rates.measured_on()}; further left is smaller, higher is closer. Other coders write a file "
        f"an image. The model ({size(rates.ours.model_bytes)}) is a fixed cost: the dashed line counts it "
        "on these images; the solid one and the table leave it out. MS-SSIM, a likeness from 0 to 1, is "
        "drawn as −10·log₁₀(1 − MS-SSIM). Lines end where a coder's qualities do."
    )
    told = _table(rates) if rates.rivals else f"<p>{rates.verdict()}</p>"
    body = f'<div class="pair">{psnr}\n{ms_ssim}</div>\n{told}'
    return Section("curves", "Every quality, beside other coders", lead + rates.absent(), body)


def curve_chart(rates: Rates, measure: Measure, name: str) -> str:
    """Quality over bits per pixel: one line a format, ours with and without the model."""
    figure, (axes,) = new_figure(3.3)

    def draw(curve: Curve, style: str, more_bytes: int = 0, **look: Any) -> None:
        front = curve.front(measure)
        bits = [8 * (point.bytes + more_bytes) / rates.pixels for point in front]
        axes.plot(bits, [measure(point) for point in front], style, **look)

    ours = rates.ours
    draw(ours.curve, "o-", ms=4, lw=1.8, color=OURS, label="Isthmus", zorder=3)
    draw(ours.curve, "--", ours.model_bytes, lw=1.0, color=OURS, label="… model included")
    for rival, mark in zip(rates.rivals, "sD^vP", strict=False):
        draw(rival.curve(measure), mark + "-", ms=3, lw=1.0, color=RIVALS[rival.name], label=rival.name)
    axes.set_xscale("log")
    plain_ticks(axes.xaxis)
    axes.grid(axis="both")
    axes.set_xlabel("bits per pixel")
    axes.set_ylabel(name)
    figure.legend(loc="outside lower center", ncols=4)
    return to_svg(figure, f"curve-{name.split()[0]}", _alt(rates, name))


def _alt(rates: Rates, name: str) -> str:
    best, worst = rates.ours.points[-1], rates.ours.points[0]
    rates_told = [f"{8 * point.bytes / rates.pixels:.3f}" for point in (worst, best)]
    beside = ", ".join(rival.name for rival in rates.rivals)
    ours = f"{name} over bits per pixel: ours from {rates_told[0]} to {rates_told[1]} bits"
    return f"{ours}, beside {beside}." if beside else f"{ours}."


def _table(rates: Rates) -> str:
    head = [
        "our bytes beside those of",
        "at equal PSNR",
        "at equal MS-SSIM",
        "bits per pixel at the PSNR of our default quality",
        "the model pays from",
    ]
    default = f"{8 * rates.ours.usual.bytes / rates.pixels:.3f}"
    rows = [TableRow(["Isthmus", "", "", default, ""], "ours")]
    for rival in rates.rivals:
        rows.append(TableRow(_cells(rival.name, rival.best, rates)))
        if len(rival.coders) > 1:
            rows += [TableRow(_cells(coder.curve.name, coder, rates), "part") for coder in rival.coders]
    return table(head, rows)


def _cells(name: str, compared: Comparison, rates: Rates) -> list[str]:
    there = compared.bytes_there
    bits = "not measured there" if there is None else f"{8 * there / rates.pixels:.3f}"
    return [name, share_text(compared.bd_psnr), share_text(compared.bd_ms_ssim), bits, compared.pays()]
