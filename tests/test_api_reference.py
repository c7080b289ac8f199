"""The API reference describes every public name, and building it fails where one is missing."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[1] / "docs" / "build.py"


@pytest.fixture(scope="module")
def build() -> dict:
    return runpy.run_path(str(BUILD))


def test_every_public_name_has_an_entry(build, tmp_path):
    pytest.importorskip("pdoc")
    build["main"](tmp_path)
    page = (tmp_path / "isthmus.html").read_text()
    assert 'id="compress"' in page
    assert "how far any restored value may be from its original" in page


def test_a_name_without_an_entry_is_found(build):
    build["resolve_lazy_names"]("isthmus")
    assert "verify" in build["names_without_entry"]("isthmus", '<section id="compress">')
