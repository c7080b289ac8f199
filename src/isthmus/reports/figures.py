"""matplotlib figures → inline SVG that takes its colours from the page.

Figures are drawn in marker colours; in the SVG each marker becomes a CSS variable of page.css,
so one drawing serves light, dark and paper. No pyplot: nothing global is touched.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from isthmus.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, PAPER = "#010101", "#020202", "#030303"
OURS, OURS_LIGHT, HELD, PEER = "#040404", "#050505", "#060606", "#070707"
OURS_MIDDLE = "#080808"
RIVALS = {"AVIF": HELD, "JPEG XL": "#090909", "WebP": "#0a0a0a", "JPEG 2000": "#0b0b0b", "JPEG": PEER}
"""A colour for each family of image codecs."""
_VARIABLES = {
    INK: "--ink",
    FAINT: "--faint",
    PAPER: "--card",
    OURS: "--ours",
    OURS_LIGHT: "--ours-light",
    OURS_MIDDLE: "--ours-middle",
    HELD: "--held",
    PEER: "--peer",
    RIVALS["JPEG XL"]: "--rival-1",
    RIVALS["WebP"]: "--rival-2",
    RIVALS["JPEG 2000"]: "--rival-3",
}
WIDTH = 4.4
"""Inches, 72 units each: 317 units of the SVG, so that text stays readable on a telephone."""

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: small, sharp, searchable
    "svg.hashsalt": "isthmus",
    "image.composite_image": False,
    "font.size": 8,
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.linewidth": 0.7,
    "axes.formatter.use_mathtext": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "grid.color": FAINT,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.5,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "lines.linewidth": 1.4,
    "text.parse_math": False,  # a dollar in a name is a dollar
}


@contextmanager
def drawing() -> Iterator[None]:
    """Within it, figures are made and saved in the page's style.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as missing:
        raise MissingExtra(
            "The report needs matplotlib, which is not installed: pip install 'isthmus[report]'."
        ) from missing
    with mpl.rc_context(cast("Any", _STYLE)):
        yield


def new_figure(height: float, rows: int = 1, **options: Any) -> tuple[Figure, list[Axes]]:
    """An empty figure of the page's width, and its axes from top to bottom.

    Args:
        height: inches.
        rows: axes below one another.
        options: of `Figure.subplots`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(rows, 1, squeeze=False, **options)
    return figure, list(axes[:, 0])


def to_svg(figure: Figure, name: str, alt: str) -> str:
    """The figure as an <svg> element.

    Args:
        figure: made inside `drawing`.
        name: unique on the page; its ids begin with it.
        alt: what the picture shows, in words.
    """
    from html import escape

    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True)
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = _own_ids(text, name)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    # The page sets the size; the viewBox that follows keeps the proportions.
    text = re.sub(r'<svg (.*?)width="[^"]*pt" height="[^"]*pt"', r"<svg \1", text, count=1, flags=re.DOTALL)
    text = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" class="chart" ', 1)


def _own_ids(text: str, name: str) -> str:
    """Drop ids nothing refers to, and begin the others with `name`: several drawings share a page."""
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", text))
    text = re.sub(
        r' id="([^"]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", text
    )
    return re.sub(r"(url\(#|href=\"#)", rf"\g<1>{name}-", text)
