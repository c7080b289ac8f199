"""Pieces of HTML; every function escapes the text it is given, and takes markup only where it says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True)
class Section:
    """One card of the page."""

    name: str
    """Its id: the page can be linked to there."""
    title: str
    lead: str
    """What is to be seen, in a sentence or two; text."""
    body: str
    """Markup."""
    half: bool = False
    """Whether it shares the width of the page with a neighbour."""

    def to_html(self) -> str:
        """The section as markup."""
        kind = ' class="half"' if self.half else ""
        lead = f'<p class="lead">{escape(self.lead)}</p>' if self.lead else ""
        title = f"<h2>{escape(self.title)}</h2>"
        return f'<section id="{self.name}"{kind}>\n{title}\n{lead}\n{self.body}\n</section>'


@dataclass(frozen=True)
class TableRow:
    """A line of a table; its first cell names it."""

    cells: Sequence[str]
    kind: str = ""
    """A class of page.css."""


def table(head: Sequence[str], rows: Iterable[TableRow], *, words: Sequence[int] = ()) -> str:
    """A table; it scrolls sideways where the page is narrow, but for one whose last column holds text.

    Args:
        head: the name of each column.
        rows: as many cells each.
        words: columns that hold text and not numbers: it wraps.

    >>> "<td>1 &lt; 2</td>" in table(["", "a"], [TableRow(["x", "1 < 2"])])
    True
    """
    marks = ['class="words"' if i in words else "" for i in range(len(head))]
    top = "".join(_cell("th", cell, f'scope="col" {mark}') for cell, mark in zip(head, marks, strict=True))
    is_told = len(head) - 1 in words and len(head) > 1
    if is_told:  # where the page is narrow, a row is a few lines, and each cell says what it is
        marks = [f'{mark} data-name="{escape(name)}"'.strip() for mark, name in zip(marks, head, strict=True)]
    body = "\n".join(_line(row, marks) for row in rows)
    kind = ' class="told"' if is_told else ""
    return (
        f'<div class="scroll"><table{kind}>\n<thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def facts(values: Mapping[str, Any]) -> str:
    """Names and values, one pair a line."""
    lines = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th>{_cell("td", str(value), "")}</tr>'
        for name, value in values.items()
    )
    return f'<table class="facts"><tbody>\n{lines}\n</tbody></table>'


def key_figures(values: Sequence[tuple[str, str, str]]) -> str:
    """Large numbers: each with its name before and a remark below it."""
    items = "\n".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(remark)}</small></dd></div>"
        for name, value, remark in values
    )
    return f'<dl class="figures">\n{items}\n</dl>'


def image(uri: str, alt: str, *, width: int, height: int, kind: str = "") -> str:
    """A picture from a data: URI, shown `width` by `height` CSS pixels large."""
    marks = f' class="{kind}"' if kind else ""
    return f'<img src="{escape(uri)}" alt="{escape(alt)}" width="{width}" height="{height}"{marks}>'


@dataclass(frozen=True)
class Picture:
    """One of those that stand side by side."""

    uri: str
    caption: str
    width: int
    height: int


def sides(groups: Mapping[str, Sequence[Picture]], *, kind: str = "") -> str:
    """Pictures side by side, as large as there is room: those of each group under its title.

    Args:
        groups: by title.
        kind: "small" where many groups share a line; "smooth" or "spectrogram" of the pictures.
    """
    marks = ' class="sides small"' if kind == "small" else ' class="sides"'
    drawn = "\n".join(
        f'<div class="side" style="--columns:{len(pictures)}"><h3>{escape(title)}</h3>'
        + "".join(_figure(title, each, "" if kind == "small" else kind) for each in pictures)
        + "</div>"
        for title, pictures in groups.items()
    )
    return f"<div{marks}>\n{drawn}\n</div>"


def _figure(title: str, one: Picture, kind: str) -> str:
    drawn = image(one.uri, f"{title}, {one.caption}", width=one.width, height=one.height, kind=kind)
    return f"<figure>{drawn}<figcaption>{escape(one.caption)}</figcaption></figure>"


def listed(lines: Sequence[str], *, kind: str = "") -> str:
    """Lines of text as a list; nothing where there are none."""
    marks = f' class="{kind}"' if kind else ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul{marks}>{items}</ul>" if items else ""


def folded(title: str, text: str) -> str:
    """Preformatted text behind a line to click on."""
    return f"<details><summary>{escape(title)}</summary>\n<pre>{escape(text)}</pre></details>"


def _line(row: TableRow, marks: Sequence[str]) -> str:
    name, *cells = row.cells
    others = "".join(_cell("td", cell, mark) for cell, mark in zip(cells, marks[1:], strict=True))
    kind, named = f' class="{row.kind}"' if row.kind else "", _cell("th", name, f'scope="row" {marks[0]}')
    return f"<tr{kind}>{named}{others}</tr>"


def _cell(tag: str, text: str, attributes: str) -> str:
    opening = f"{tag} {attributes.strip()}".strip()
    return f"<{opening}>{escape(text)}</{tag}>"
