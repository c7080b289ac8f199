"""The page's part about all qualities: who is in it, who is missing, and what is said of the model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isthmus.reports.curves import curves
from isthmus.reports.figures import RIVALS, drawing
from isthmus.reports.html import Section
from isthmus.tasks.curves import Curve, Point
from isthmus.tasks.image_codecs import image_codecs
from isthmus.tasks.rates import Rates
from isthmus.tasks.trials import Ours, Rival

OURS = Ours(10, (25, 50, 75), (Point(600, 30, 0.9), Point(1000, 36, 0.95), Point(1700, 42, 0.99)), 700)
FINE = Curve("AVIF 4:4:4", (Point(900, 30, 0.9), Point(1100, 36, 0.95), Point(1500, 42, 0.99)))
COARSE = Curve("AVIF 4:2:0", (Point(500, 30, 0.9), Point(1050, 36, 0.95)))
LOW = Curve("WebP", (Point(300, 25, 0.8), Point(700, 33, 0.93)))
RATES = Rates(
    samples=10,
    of_samples=10,
    pixels=8000,
    cut_side=None,
    ours=OURS,
    rivals=(Rival.of("AVIF", [FINE, COARSE], OURS), Rival.of("WebP", [LOW], OURS)),
    missing=(),
)


def drawn(rates: Rates) -> Section:
    with drawing():
        return curves(rates)


def test_every_coder_is_in_both_charts_and_in_the_table():
    body = drawn(RATES).body
    charts, table = body.split("<table>")
    for name in ("Isthmus", "AVIF", "WebP"):
        assert charts.count(f">{name}</text>") == 2  # the legends
    for name in ("Isthmus", "AVIF", FINE.name, COARSE.name, "WebP"):
        assert f">{name}</th>" in table
    assert charts.count("beside AVIF, WebP.") == 2


def test_a_curve_beside_itself_takes_as_many_bytes_and_its_model_never_pays():
    same = replace(RATES, rivals=(Rival.of("JPEG", [Curve("JPEG", OURS.points)], OURS),))
    row = drawn(same).body.split(">JPEG</th>")[1].split("</tr>")[0]
    assert row.count("<td>+0.0 %</td>") == 2
    assert "1.000" in row  # 1,000 bytes for 8,000 pixels, as ours
    assert "never" in row


def test_a_coder_that_does_not_reach_our_default_quality_is_not_compared_there():
    row = drawn(RATES).body.split(">WebP</th>")[1].split("</tr>")[0]
    assert "out of its range" in row
    assert "not comparable" in row


def test_a_model_is_drawn_beside_its_curve_unless_it_dwarfs_the_images():
    near = drawn(RATES)
    assert "the dashed line counts it" in near.lead
    assert near.body.count("model included</text>") == 2
    far = drawn(replace(RATES, ours=replace(OURS, model_bytes=50_000)))
    assert "on so few images it adds 50.0 bits per pixel" in far.lead
    assert "model included</text>" not in far.body


def test_what_is_not_installed_is_named_with_how_to_install_it():
    assert "Missing" not in drawn(RATES).lead
    lead = drawn(replace(RATES, missing=("AVIF", "JPEG XL"))).lead
    assert "AVIF (pip install -U pillow), JPEG XL (pip install 'isthmus[images]')." in lead


def test_without_rivals_a_sentence_says_why():
    alone = drawn(replace(RATES, rivals=()))
    assert "grey and RGB images of 8 bits alone" in alone.body
    assert "<table>" not in alone.body
    assert "other coders" not in (alone.title + alone.lead).lower()
    assert "the table" not in alone.lead


@pytest.mark.parametrize("grey", [True, False])
def test_every_format_has_a_colour_of_its_own(grey: bool):
    families = {codec.family for codec in image_codecs(grey=grey)}
    assert len({RIVALS[family] for family in families}) == len(families)
