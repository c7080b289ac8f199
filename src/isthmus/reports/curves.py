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
        f"On {rates.measured_on()}; further left is smaller, higher is closer. "
        f"{'Other coders write a file an image. ' if rates.rivals else ''}"
        f"The model ({size(rates.ours.model_bytes)}) is a fixed cost{_where_it_counts(rates)} "
        "MS-SSIM, a likeness from 0 to 1, is drawn as −10·log₁₀(1 − MS-SSIM). "
        "Lines end where a coder's qualities do."
    )
    told = _table(rates) if rates.rivals else f"<p>{rates.verdict()}</p>"
    body = f'<div class="pair">{psnr}\n{ms_ssim}</div>\n{told}'
    title = "Every quality, beside other coders" if rates.rivals else "Every quality"
    return Section("curves", title, lead + rates.absent(), body)


def _where_it_counts(rates: Rates) -> str:
    if _is_near(rates):
        rest = "the solid one and the table leave" if rates.rivals else "the solid one leaves"
        return f": the dashed line counts it on these images; {rest} it out."
    bits = 8 * rates.ours.model_bytes / rates.pixels
    return f", left out here: on so few images it adds {bits:.1f} bits per pixel, far to the right."


def _is_near(rates: Rates) -> bool:
    """Whether the line that counts the model can be drawn without pressing the others together."""
    ours = rates.ours.points
    others = [point for rival in rates.rivals for coder in rival.coders for point in coder.curve.points]
    least = rates.ours.model_bytes + min(point.bytes for point in ours)
    return least <= _FAR * max(point.bytes for point in (*ours, *others))


_FAR = 2


def curve_chart(rates: Rates, measure: Measure, name: str) -> str:
    """Quality over bits per pixel: one line a format, ours with and without the model."""
    figure, (axes,) = new_figure(3.3)

    def draw(curve: Curve, style: str, more_bytes: int = 0, **look: Any) -> None:
        front = curve.front(measure)
        bits = [8 * (point.bytes + more_bytes) / rates.pixels for point in front]
        axes.plot(bits, [measure(point) for point in front], style, **look)

    ours = rates.ours
    draw(ours.curve, "o-", ms=4, lw=1.8, color=OURS, label="Isthmus", zorder=3)
    if _is_near(rates):
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
    usual = rates.ours.usual
    level = f"{usual.psnr_db:.1f} dB"
    head = [
        "our bytes beside those of",
        "at equal PSNR",
        "at equal MS-SSIM",
        f"bits per pixel at {level}",
        "the model pays from",
    ]
    lead = (
        "−10 % means that ours takes a tenth less, on average over all that both reach. "
        f"{level} is what our default quality gives; “the model pays from” is the number of images from "
        "which our archive, model included, is smaller there."
    )
    default = f"{8 * usual.bytes / rates.pixels:.3f}"
    rows = [TableRow(["Isthmus", "", "", default, ""], "ours")]
    for rival in rates.rivals:
        rows.append(TableRow(_cells(rival.name, rival.best, rates)))
        if len(rival.coders) > 1:
            rows += [TableRow(_cells(coder.curve.name, coder, rates), "part") for coder in rival.coders]
    return f'<p class="lead">{lead}</p>\n{table(head, rows)}'


def _cells(name: str, compared: Comparison, rates: Rates) -> list[str]:
    there = compared.bytes_there
    bits = "out of its range" if there is None else f"{8 * there / rates.pixels:.3f}"
    return [name, share_text(compared.bd_psnr), share_text(compared.bd_ms_ssim), bits, compared.pays()]
