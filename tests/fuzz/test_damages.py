"""No damage crashes a reader, and none passes as right. `make bench NAME=damages` tries 100,000."""

from functools import cache

import pytest
import specimens as fuzz
from hypothesis import given, settings
from hypothesis import strategies as st

SPECIMENS = {specimen.name: specimen for specimen in fuzz.specimens()}


@cache
def by_place(place):
    return list(SPECIMENS.values())[place % len(SPECIMENS)]


def test_every_mode_is_here():
    names = " ".join(SPECIMENS)
    for word in ("lossy", "bounded", "pointwise", "lossless", "three layers", "two generations", "named"):
        assert word in names


@pytest.mark.parametrize("name", SPECIMENS)
def test_whole_archives_are_not_called_damaged(name):
    specimen = SPECIMENS[name]
    for length in specimen.ends:
        assert fuzz.judge(specimen, specimen.data[:length]) == "earlier"


@settings(max_examples=400)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_is_found_and_gives_no_wrong_sample(which, place, flip):
    specimen = by_place(which)
    damaged = bytearray(specimen.data)
    damaged[place % len(damaged)] ^= flip
    assert fuzz.judge(specimen, bytes(damaged), salvage=True) in ("refused", "found")


@settings(max_examples=200)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_cut_is_found_or_is_an_earlier_archive(which, place):
    specimen = by_place(which)
    cut = specimen.data[: place % len(specimen.data)]
    whole = len(cut) in specimen.ends
    assert fuzz.judge(specimen, cut, salvage=True) == ("earlier" if whole else "refused")


@settings(max_examples=300)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.data())
def test_content_changed_under_right_checksums_is_read_or_refused(which, part, data):
    def change(content):
        place = data.draw(st.integers(0, max(0, len(content) - 1)))
        new = data.draw(st.binary(max_size=6))
        return content[:place] + new + content[place + data.draw(st.integers(0, 6)) :]

    specimen = by_place(which)
    fuzz.open_deep(fuzz.reforged(specimen.data, change, part), specimen.model)


def test_the_judge_condemns_a_reader_that_trusts(monkeypatch):
    specimen = next(specimen for name, specimen in SPECIMENS.items() if name.startswith("stored"))
    damaged = bytearray(specimen.data)
    damaged[len(damaged) // 2] ^= 1
    monkeypatch.setattr(fuzz.ArchiveReader, "verify", lambda self: [])
    with pytest.raises(fuzz.Wrong):
        fuzz.judge(specimen, bytes(damaged))
    monkeypatch.undo()
    monkeypatch.setattr(fuzz, "restored", lambda data, model: specimen.ends[len(specimen.data)][:-1])
    with pytest.raises(fuzz.Wrong, match="other samples"):
        fuzz.judge(specimen, bytes(damaged))
