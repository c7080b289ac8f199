"""What was gathered → the HTML page, one file that asks nothing of the network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from isthmus._version import __version__
from isthmus.files import write_bytes
from isthmus.reports.figures import drawing
from isthmus.reports.gather import Gathered
from isthmus.reports.html import listed
from isthmus.reports.sections import sections_of

MOST_NOTICES = 20
"""Shown; the command lists all of them with --json."""


def render(gathered: Gathered) -> str:
    """The whole page as text.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    made_on = gathered.model.provenance.get("trained_on", {}).get("name", gathered.samples.name)
    with drawing():
        sections = "\n".join(section.to_html() for section in sections_of(gathered))
    return framed(
        name=gathered.name,
        about=f"Trained on {made_on}: {gathered.samples.spec.summary()}",
        verdict=gathered.evaluation.verdict() + gathered.evaluation.lossless_line(),
        measured=gathered.measured_on,
        sections=sections,
    )


def write_page(path: Path, page: str, *, force: bool) -> None:
    """Write a page as UTF-8; of names that are none, the bytes are shown as escapes."""
    write_bytes(path, page.encode("utf-8", "backslashreplace"), force=force)


def framed(
    *, name: str, about: str, verdict: str, measured: str, sections: str, notices: Sequence[str] = ()
) -> str:
    """A page around sections.

    Args:
        name: its heading.
        about, verdict, measured: a sentence each.
        sections: markup; all else is text.
        notices: what was left out, changed or not looked at.
    """
    lines = [
        *notices[:MOST_NOTICES],
        *([f"… and {len(notices) - MOST_NOTICES:,} more"] if len(notices) > MOST_NOTICES else []),
    ]
    here = files("isthmus.reports")
    return Template(here.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"{name} – Isthmus report"),
        style=here.joinpath("page.css").read_text(encoding="utf-8"),
        heading=escape(name),
        about=escape(about),
        verdict=escape(verdict),
        measured=escape(measured),
        notices=listed(lines, kind="notices"),
        sections=sections,
        version=escape(__version__),
    )
