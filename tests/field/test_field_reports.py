"""What people reported of software like this does not happen here: see reports.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports import Member, all_members


@pytest.mark.parametrize(
    "each",
    [
        pytest.param(each, id=f"{each.kind}-{each.name}", marks=[] if each.everyday else [pytest.mark.slow])
        for each in all_members()
        if not each.timed
    ],
)
def test_it_does_not_happen(each: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    each.check(tmp_path)
