"""Pictures side by side on the page: each under its coder's name, with its bytes and PSNR."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from isthmus.reports.matches import side_by_side
from isthmus.spec import DataSpec
from isthmus.tasks.matches import Match, Take


def match(height: int, width: int, rival: str = "AVIF") -> Match:
    picture = np.full((height, width, 3), 90, np.uint8)
    theirs = Take(picture, 1234, 38.04) if rival else None
    return Match(picture, Take(picture, 1230, 37.96), theirs, rival)


SPEC = DataSpec(modality="image", axes=("height", "width", "channel"), shape=(None, None, 3), dtype="uint8")


@pytest.mark.parametrize("sides", [(20, 30), (64, 64), (70, 90), (400, 500)])
@pytest.mark.parametrize("count", [1, 2, 9])
@pytest.mark.parametrize("rival", ["AVIF", ""])
def test_every_picture_is_there_with_its_coder_bytes_and_psnr(sides: tuple[int, int], count: int, rival: str):
    section = side_by_side([match(*sides, rival)] * count, SPEC)
    names = re.findall("<b>(.*?)</b>", section.body)
    assert names == ["original", "Isthmus, quality 12", *([rival] if rival else [])]
    assert section.body.count("<img ") == count * len(names)
    assert section.body.count("1,230 bytes") == section.body.count("38.0 dB") - count * bool(rival) == count
    assert section.body.count("1,234 bytes") == count * bool(rival)
    assert ("No other coder takes such images." in section.lead) == (not rival)


@pytest.mark.parametrize("rival", ["AVIF", ""])
def test_large_images_have_a_column_a_coder(rival: str):
    body = side_by_side([match(70, 90, rival)] * 2, SPEC).body
    assert f"repeat({2 + bool(rival)}, minmax(0, 1fr))" in body


@pytest.mark.parametrize("count", [1, 2, 5, 9])
@pytest.mark.parametrize("side", [8, 28, 64])
def test_small_images_are_magnified_by_whole_numbers_as_far_as_a_row_holds_them(side: int, count: int):
    body = side_by_side([match(side, side)] * count, SPEC).body
    (width,) = {int(found) for found in re.findall('width="([0-9]+)"', body)}
    assert width % side == 0
    assert width * count <= 900
    assert width <= 192


def test_text_is_escaped():
    named = replace(match(70, 90), rival_name="<AVIF>")
    assert "<AVIF>" not in side_by_side([named], SPEC).to_html()
