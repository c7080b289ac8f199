"""A registry finds its parts late, and says what is missing."""

import sys
from importlib.metadata import EntryPoint

import pytest

from isthmus import registry
from isthmus.errors import MissingExtra, UnknownName
from isthmus.registry import Registry

PARTS = Registry("part", {"good": "json:dumps", "gone": "no_such_package.x:Y"}, extra="train")


def test_a_part_is_imported_when_it_is_asked_for():
    import json

    assert PARTS.find("good") is json.dumps


def test_an_unknown_name_gets_a_suggestion_and_the_list():
    with pytest.raises(
        UnknownName, match=r"No part called 'godo'. Did you mean 'good'\? Known: gone, good\."
    ):
        PARTS.find("godo")


def test_a_missing_package_names_the_extra():
    with pytest.raises(MissingExtra, match=r"needs no_such_package.*pip install 'isthmus\[train\]'"):
        PARTS.find("gone")


def test_our_own_missing_module_is_our_own_mistake():
    with pytest.raises(ModuleNotFoundError):
        Registry("part", {"ours": "isthmus.no_such:Y"}, extra="train").find("ours")


def test_outsiders_add_parts_by_entry_point(monkeypatch):
    point = EntryPoint("theirs", "json:loads", "isthmus.part")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == "isthmus.part" else [])
    assert list(PARTS) == ["gone", "good", "theirs"]
    assert len(PARTS) == 3
    assert PARTS.find("theirs") is sys.modules["json"].loads


def test_an_outsider_does_not_replace_our_part(monkeypatch):
    point = EntryPoint("good", "json:loads", "isthmus.part")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    assert PARTS.find("good") is sys.modules["json"].dumps
