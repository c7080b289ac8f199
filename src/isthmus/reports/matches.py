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
    side = min(_WIDEST, _ROW // len(matches)) if small else 0
    rows = [
        [_cell(match.original, None, f"Image {number}, original", spec, side)]
        + [
            _cell(t.picture, t, f"Image {number}, {n}", spec, side)
            for t, n in zip(made, names[1:], strict=True)
        ]
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
    title = "The same bytes, side by side" if rival else "A low quality, beside the originals"
    return Section("matches", title, lead, body)


_WIDEST, _ROW = 192, 900  # CSS pixels of a small image's longer side, and of all in a row


def _cell(sample: np.ndarray, take: Take | None, alt: str, spec: DataSpec, most: int) -> str:
    """A picture with its caption, magnified by a whole factor to at most so many CSS pixels."""
    shown = visible(middle(sample), spec)
    factor = max(1, most // max(shown.shape[:2]))
    height, width = (side * factor for side in shown.shape[:2])
    picture = image(data_uri(shown), alt, width=width, height=height, kind="" if most else "smooth")
    between = "<br>" if most else " · "  # small images leave no room for one line
    told = "" if take is None else f"{take.bytes:,} bytes{between}{take.psnr_db:.1f} dB"
    return f"<figure>{picture}<figcaption>{told}</figcaption></figure>"


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
    style = f"grid-template-columns: repeat({len(names)}, minmax(0, 1fr)); max-width: {20 * len(names)}rem"
    return (
        f'<div class="triples" style="{style}">{head}\n' + "\n".join("".join(row) for row in rows) + "</div>"
    )
