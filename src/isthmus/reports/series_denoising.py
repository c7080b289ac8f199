"""What `denoise` made of a series → one self-contained HTML page: each channel before and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from isthmus.files import refuse_existing
from isthmus.reports.figures import HELD, OURS_MIDDLE, drawing, new_figure, to_svg
from isthmus.reports.html import Section, TableRow, key_figures, table
from isthmus.reports.page import framed, write_page
from isthmus.reports.series import LONGEST_NAME
from isthmus.tasks.denoise_series import SeriesDenoiseResult

SHOWN, LISTED = 6, 200
ROWS = 400
"""Of each channel that are drawn: those around the middle, or around a gap that was filled."""


def write_series_page(path: str | Path, result: SeriesDenoiseResult, *, force: bool = False) -> Path:
    """Write the page.

    Raises:
        OutputExists: nothing was written.
    """
    path = Path(path)
    refuse_existing(path, force=force)
    with drawing():
        sections = [_figures(result), _lines(result), _list(result)]
    page = framed(
        name=result.file.name if result.file else "series",
        about="A series, before and after noise was taken from it.",
        verdict=result.summary().partition(" → ")[0] + ".",
        measured="Not all that was taken is noise, and not all noise was taken.",
        sections="\n".join(section.to_html() for section in sections),
        notices=result.notices,
    )
    write_page(path, page, force=force)
    return path


def _figures(result: SeriesDenoiseResult) -> Section:
    told = [("rows", f"{result.rows:,}", ""), ("channels", f"{len(result.levels):,}", "")]
    of_gaps = ("filled" if result.filled else "left as they are") if result.gaps else "no value is missing"
    told.append(("gaps", f"{result.gaps:,}", of_gaps))
    return Section("figures", "At a glance", "", key_figures(told))


def _lines(result: SeriesDenoiseResult) -> Section:
    names = list(result.levels)[:SHOWN]
    figure, axes = new_figure(1.5 * len(names) + 0.4, len(names))
    for number, (name, area) in enumerate(zip(names, axes, strict=True)):
        first = _start(result.before[:, number])
        rows = np.arange(first, min(result.rows, first + ROWS))
        area.plot(rows, result.before[rows, number], color=OURS_MIDDLE, lw=1.6, label="before")
        area.plot(rows, result.after[rows, number], color=HELD, lw=1.0, label="after")
        area.set_title(name[:LONGEST_NAME], loc="left")
    axes[0].legend(loc="lower right", ncols=2, bbox_to_anchor=(1, 1), borderaxespad=0.2)
    axes[-1].set_xlabel("row")
    drawn = to_svg(figure, "series", f"{len(names)} channels before and after")
    return Section(
        "lines", "Before and after", f"{ROWS} rows of each channel, around a gap where it has some.", drawn
    )


def _start(before: np.ndarray) -> int:
    """The first row that is shown."""
    gaps = np.flatnonzero(~np.isfinite(before))
    middle = int(gaps[len(gaps) // 2]) if len(gaps) else len(before) // 2
    return max(0, min(middle - ROWS // 2, len(before) - ROWS))


def _list(result: SeriesDenoiseResult) -> Section:
    moved = np.nanstd(result.after - result.before, axis=0) if result.rows else np.zeros(len(result.levels))
    rows = [
        TableRow([name, f"{level:.4g}", f"{away:.4g}"])
        for (name, level), away in zip(list(result.levels.items())[:LISTED], moved.tolist(), strict=False)
    ]
    lead = "The noise is a standard deviation in the channel's own units."
    return Section(
        "channels", "Channels", lead, table(["channel", "noise seen or told", "moved by, on average"], rows)
    )
