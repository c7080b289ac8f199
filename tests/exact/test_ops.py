"""Operations come back from JSON as they were, and nothing else comes back at all."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.errors import DamagedFile
from isthmus.exact.ops import KINDS, MAX_INTEGER, Op, Scale, ops_from_json
from isthmus.exact.program import require_affordable
from isthmus.exact.shapes import shapes_of

SCALES = st.builds(Scale, st.integers(-60, 60), st.integers(-MAX_INTEGER, 0), st.integers(0, MAX_INTEGER))


@st.composite
def chains(draw):
    """Lists of operations that each read earlier values."""
    ops = []
    for position in range(draw(st.integers(1, 6))):
        name = draw(st.sampled_from([k for k in KINDS if position == 0 or k != "dequantise"]))
        kind = KINDS[name]
        count = draw(st.sampled_from(kind.inputs))
        ops.append(
            Op(
                name,
                tuple(draw(st.integers(0, position)) for _ in range(count)),
                draw(st.text(min_size=1, max_size=4)) if kind.tensors else "",
                tuple(draw(st.integers(1, 9)) for _ in range(3 if kind.numbers is None else kind.numbers)),
                draw(st.none() | SCALES) if kind.scaled else None,
            )
        )
    return ops


@given(chains())
def test_operations_come_back_from_json(ops):
    assert list(ops_from_json([op.to_json() for op in ops])) == ops


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
)


@given(JUNK)
def test_junk_is_damage(junk):
    with pytest.raises(DamagedFile):
        ops_from_json(junk)


@given(chains(), st.sampled_from(["op", "of", "weight", "numbers", "scale", "more"]), JUNK, st.data())
def test_a_field_of_junk_is_damage_or_another_program(ops, field, junk, data):
    told = copy.deepcopy([op.to_json() for op in ops])
    data.draw(st.sampled_from(told))[field] = junk
    try:
        read = ops_from_json(told)
    except DamagedFile:
        return
    assert [op.to_json() for op in read] == told


def test_a_value_that_is_made_later_is_damage():
    with pytest.raises(DamagedFile, match="come later"):
        ops_from_json([{"op": "relu", "of": [1]}])


@pytest.mark.parametrize(
    ("op", "start"),
    [
        (Op("linear", (0,), "a"), (4,)),
        (Op("conv", (0,), "c", (1,)), (2, 5, 5)),
        (Op("conv", (0,), "c", (1,)), (3,)),
        (Op("shuffle", (0,), "", (2,)), (3, 4, 4)),
        (Op("unshuffle", (0,), "", (3,)), (1, 4, 4)),
        (Op("crop", (0,), "", (5, 4)), (1, 4, 4)),
        (Op("crop", (0,), "", (2, 2)), (1, None, None)),
        (Op("flatten", (0,)), (1, None, 4)),
        (Op("reshape", (0,), "", (2, 3)), (7,)),
        (Op("take", (0,), "", (4,)), (3,)),
        (Op("norm", (0,), "n"), (3, 2, 2)),
        (Op("dequantise", (0,), "q"), (3,)),
    ],
)
def test_an_operation_on_what_it_cannot_take_is_refused(op, start):
    shapes = {"a.weight": (2, 3), "a.bias": (2,), "c.weight": (4, 3, 3, 3), "c.bias": (4,), "q.step": (4,)}
    with pytest.raises(ValueError, match=op.kind):
        shapes_of([op], start, shapes)


def test_a_net_that_swells_a_sample_is_refused_before_it_runs():
    import numpy as np

    ops = [Op("conv", (0,), "wide", (1,)), Op("take", (1,), "", (1,))]
    tensors = {"wide.weight": np.zeros((5000, 1, 1, 1)), "wide.bias": np.zeros(5000)}
    assert require_affordable(ops, (1, 8, 8), tensors) == [(1, 8, 8), (5000, 8, 8), (1, 8, 8)]
    with pytest.raises(DamagedFile, match="refused"):
        require_affordable(ops, (1, 2000, 2000), tensors)
