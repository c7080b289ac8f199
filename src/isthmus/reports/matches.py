"""Images at equal bytes, by ours and by the best rival → a section of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from isthmus.reports.html import Section, image
from isthmus.reports.pictures import SMALL_SIDE, data_uri, middle, visible
from isthmus.spec import DataSpec
from isthmus.tasks.matches import QUALITY, Match, Take


def side_by_side(matches: Sequence[Match], spec: DataSpec) -> Section:
    """Original, ours and the rival's, with bytes and PSNR under each."""
    rival = matches[0].rival_name
    names = ["original", f"Isthmus, quality {QUALITY}", *([rival] if rival else [])]
    takes = [[match.ours, *([match.rival] if match.rival else [])] for match in matches]
    small = max(max(match.original.shape[:2]) for match in matches) <= SMALL_SIDE
    rows = [
        [_cell(match.original, None, f"Image {number}, original", spec)]
        + [_cell(t.picture, t, f"Image {number}, {n}", spec) for t, n in zip(made, names[1:], strict=True)]
        for number, (match, made) in enumerate(zip(matches, takes, strict=True), 1)
    ]
    body = _columns(names, rows) if small else _rows(names, rows)
    told = (
        f"{rival} takes the least quality whose file has at least as many bytes as ours. "
        if rival
        else "No other coder takes such images. "
    )
    lead = (
        f"A low quality, so that losses are seen. {told}Ours counts the codes of the image and its share "
        "of the archive's headers and index; the model comes once for all images."
    )
    return Section("matches", "The same bytes, side by side", lead, body)


def _cell(sample: np.ndarray, take: Take | None, alt: str, spec: DataSpec) -> str:
    shown = visible(middle(sample), spec)
    factor = max(1, round(_SMALL_SHOWN / max(shown.shape[:2]))) if max(shown.shape[:2]) <= SMALL_SIDE else 1
    height, width = (side * factor for side in shown.shape[:2])
    kind = "" if factor > 1 else "smooth"
    picture = image(data_uri(shown), alt, width=width, height=height, kind=kind)
    between = " · " if factor == 1 else "<br>"  # small images leave no room for one line
    told = "" if take is None else f"{take.bytes:,} bytes{between}{take.psnr_db:.1f} dB"
    return f"<figure>{picture}<figcaption>{told}</figcaption></figure>"


_SMALL_SHOWN = 84  # CSS pixels of the longer side


def _columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An image a column: small ones stand in a row."""
    lines = "\n".join(
        f"<b>{escape(name)}</b>" + "".join(row[place] for row in rows) for place, name in enumerate(names)
    )
    style = f"grid-template-columns: auto repeat({len(rows)}, auto)"
    return f'<div class="scroll"><div class="matches" style="{style}">\n{lines}</div></div>'


def _rows(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An image a row, one column each coder."""
    head = "".join(f"<b>{escape(name)}</b>" for name in names)
    return f'<div class="triples">{head}\n' + "\n".join("".join(row) for row in rows) + "</div>"
