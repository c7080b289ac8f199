"""What was gathered → the HTML page, one file that asks nothing of the network."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template

from isthmus._version import __version__
from isthmus.reports.figures import drawing
from isthmus.reports.gather import Gathered
from isthmus.reports.sections import sections_of


def render(gathered: Gathered) -> str:
    """The whole page as text.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    here = files("isthmus.reports")
    made_on = gathered.model.provenance.get("trained_on", {}).get("name", gathered.samples.name)
    with drawing():
        sections = "\n".join(section.to_html() for section in sections_of(gathered))
    return Template(here.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"{gathered.name} – Isthmus report"),
        style=here.joinpath("page.css").read_text(encoding="utf-8"),
        heading=escape(gathered.name),
        about=escape(f"Trained on {made_on}: {gathered.samples.spec.summary()}"),
        verdict=escape(gathered.evaluation.verdict() + gathered.evaluation.lossless_line()),
        measured=escape(gathered.measured_on),
        sections=sections,
        version=escape(__version__),
    )
