"""The smallest coded form wins, and only if it decodes to values within the bound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coding.bound import Bound, same_bits
from isthmus.coding.coders import CODERS, Coder
from isthmus.coding.coders.stored import Stored
from isthmus.coding.contest import Contest, decode_groups, encode_groups
from isthmus.errors import DamagedFile
from value_blocks import value_blocks


class Liar(Coder):
    """Claims to code anything in no bytes."""

    def encode(self, values, bound, given=None):
        return b""

    def decode(self, payload, shape, dtype, given=None):
        return np.zeros(shape, dtype)


class Shy(Coder):
    """Can do nothing."""

    def encode(self, values, bound, given=None):
        return None

    def decode(self, payload, shape, dtype, given=None):
        raise DamagedFile("Never.")


def everybody():
    return Contest({name: CODERS.find(name)() for name in CODERS})


@given(values=value_blocks(), bound=st.sampled_from([None, Bound(0.5)]))
@settings(max_examples=40)
def test_the_winner_is_the_smallest_and_keeps_the_bound(values, bound):
    contest = everybody()
    winner = next(contest.entries([values], bound))
    for coder in contest.coders.values():
        if not coder.uses_given:
            payload = coder.encode(values, bound)
            assert payload is None or len(winner.payload) <= len(payload)
    kept = same_bits(values, winner.restored[0]) if bound is None else bound.kept(values, winner.restored[0])
    assert kept.all()


@pytest.mark.parametrize("bound", [None, Bound(0.5)])
def test_who_lies_loses(bound):
    contest = Contest({"liar": Liar(), "shy": Shy(), "stored": Stored()})
    assert [entry.name for entry in contest.entries([np.ones((3, 4), np.float32)], bound)] == ["stored"]
    assert next(contest.entries([np.zeros((3, 4), np.float32)], bound)).name == "liar"


def test_predictions_are_for_those_who_use_them():
    contest, values = everybody(), np.arange(12, dtype=np.int16).reshape(3, 4)
    assert list(contest.payloads([values], None, [values])) == ["residual"]
    assert "residual" not in contest.payloads([values], None)


@given(groups=st.lists(value_blocks(("uint8",)), min_size=1, max_size=4))
@settings(max_examples=30)
def test_groups_of_several_shapes_come_back(groups):
    shapes = [group.shape for group in groups]
    for name in ("stored", "zstd", "xz"):
        coder = CODERS.find(name)()
        payload = encode_groups(coder, groups, None, None)
        back = decode_groups(coder, payload, shapes, np.dtype("uint8"), None)
        assert all(np.array_equal(group, again) for group, again in zip(groups, back, strict=True))
        if len(groups) > 1:
            with pytest.raises(DamagedFile):
                decode_groups(coder, payload + b"\0", shapes, np.dtype("uint8"), None)
