"""Arrays of any number of axes and any type of number are read, and come back byte for byte."""

import numpy as np
import pytest

from isthmus.data import open_source, write_source
from isthmus.data.grouping import ARRAY_BLOCK_BYTES, ARRAY_BLOCK_ITEMS, BYTE_BLOCK_ITEMS, archive_blocks
from isthmus.data.stacks import Stacks
from isthmus.errors import BadItem, NoData
from value_blocks import DTYPES, any_bits

SHAPES = [(), (1,), (0,), (7,), (0, 3), (3, 0), (2, 3), (2, 0, 4), (3, 2, 1, 2), (2, 1, 1, 1, 2)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [*DTYPES, ">f4", ">i8"])
def test_a_file_comes_back_byte_for_byte(tmp_path, shape, dtype):
    values = any_bits(np.random.default_rng(1), shape, np.dtype(dtype))
    for order in "CF":
        np.save(tmp_path / "x.npy", np.asarray(values, order=order))
        source = open_source(tmp_path / "x.npy", trainable=False)
        assert len(source) == (shape[0] if shape else 1)
        whole = Stacks(source.stack(block) for block in archive_blocks(source))
        (path,) = write_source(source.layout, source.spec, whole, tmp_path / "out", force=True)
        assert path.read_bytes() == (tmp_path / "x.npy").read_bytes()


@pytest.mark.parametrize(
    "values",
    [np.zeros(3, complex), np.array([{}], object), np.zeros(2, [("a", "i4")]), np.array(["a"])],
    ids=["complex", "object", "structured", "text"],
)
def test_what_is_no_number_is_refused_in_one_sentence(tmp_path, values):
    np.save(tmp_path / "x.npy", values, allow_pickle=True)
    with pytest.raises((NoData, BadItem)) as refusal:
        open_source(tmp_path / "x.npy", trainable=False)
    assert "x" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("values", [np.float32(1), np.ones(5), np.ones((0, 4)), np.array([[1.0, np.nan]])])
def test_what_no_net_can_learn_from_is_refused_unless_asked_for(values):
    with pytest.raises((NoData, BadItem)):
        open_source(np.asarray(values))
    assert open_source(np.asarray(values), trainable=False).spec.low <= 1


def test_the_range_is_that_of_the_finite_values():
    spec = open_source(np.array([np.nan, 3.0, -np.inf, -2.0]), trainable=False).spec
    assert (spec.low, spec.high) == (-2.0, 3.0)


@pytest.mark.parametrize(
    ("shape", "dtype"), [((3_000_000,), "int8"), ((70, 1000, 100), "f4"), ((3, 5000, 1000), "f4")]
)
def test_blocks_are_neither_tiny_nor_too_large(shape, dtype):
    values = np.broadcast_to(np.zeros((), dtype), shape)
    source = open_source(values, trainable=False)
    blocks = list(archive_blocks(source))
    assert [item for block in blocks for item in (block[0], block[-1])][:: max(1, 2 * len(blocks) - 1)] == [
        0,
        shape[0] - 1,
    ]
    each = source.raw_bytes // len(source)
    most = BYTE_BLOCK_ITEMS if each == 1 else ARRAY_BLOCK_ITEMS
    for block in blocks:
        assert len(block) == 1 or (len(block) <= most and len(block) * each <= ARRAY_BLOCK_BYTES)
    assert len(blocks) <= 2 + max(source.raw_bytes // (ARRAY_BLOCK_BYTES // 2), shape[0] // most)


def test_stacks_give_the_same_samples_however_they_are_asked():
    parts = [np.arange(6).reshape(3, 2), [np.arange(2), np.arange(2) + 5], np.arange(8).reshape(4, 2)]
    one_by_one = [sample.tolist() for sample in Stacks(parts)]
    mixed = Stacks(parts)
    taken = [next(mixed).tolist()] + [row for stack in mixed.take(5) for row in stack.tolist()]
    assert taken + [sample.tolist() for sample in mixed] == one_by_one
    assert [s.tolist() for s in Stacks.of(iter(np.arange(3)))] == [0, 1, 2]
    with pytest.raises(ValueError, match="fewer samples"):
        list(Stacks(parts).take(10))
