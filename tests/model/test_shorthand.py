"""What is left out of an embedded model comes back, bit by bit, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.exact.weights import IntegerWeights, to_integers, to_tensors
from isthmus.model.shorthand import LESS, Patches, lengthened, shortened
from isthmus.nets.blocks import Fixed
from isthmus.nets.cosines import synthesise_cosines
from isthmus.nets.filtered import EVEN

PATCHES = Patches(depth=1, stride=4, channels=16)


def cosines(inputs: int = 17, outputs: int = 20) -> IntegerWeights:
    """As in a net: with an input and outputs beside those of the patch."""
    layer = Fixed(inputs, outputs)
    synthesise_cosines(layer, 1, 4, inputs=inputs - 1, fine=2, even=EVEN)
    layer.weight.data[16:, -1] = 1
    return to_integers(layer.weight.numpy(), bits=16)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name]) for name in one
    )


@pytest.mark.parametrize(("inputs", "outputs"), [(17, 20), (9, 20), (17, 16), (30, 16)])
def test_cosines_are_left_out_and_come_back(inputs, outputs):
    tensors = to_tensors({"patches.weight": cosines(inputs, outputs)})
    patches = replace(PATCHES, channels=inputs - 1)
    short = shortened(tensors, patches)
    assert set(short) == {f"{LESS}patches.weight", "patches.weight.exponents"}
    assert np.count_nonzero(short[f"{LESS}patches.weight"]) <= outputs - 16 + 3
    assert same(lengthened(short, patches), tensors)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.sampled_from([np.int8, np.int16]))
def test_whatever_weights_there_are_come_back(seed, share, dtype):
    random, stored = np.random.default_rng(seed), cosines()
    ends = np.iinfo(dtype)
    values, wild = stored.values.copy(), random.integers(ends.min, ends.max + 1, stored.values.shape)
    values = np.where(random.random(values.shape) < share, wild, np.clip(values, ends.min, ends.max))
    exponents = random.integers(-128, 128, 20) if seed % 2 else stored.exponents
    tensors = to_tensors({"a.weight": IntegerWeights(values.astype(dtype), exponents.astype(np.int8))})
    assert same(lengthened(shortened(tensors, PATCHES), PATCHES), tensors)


@pytest.mark.parametrize(
    "short",
    [
        {f"{LESS}a.weight": np.zeros((16, 17, 1, 1), np.int16)},  # without its units
        {f"{LESS}a.weight": np.zeros((15, 17, 1, 1), np.int16), "a.weight.exponents": np.zeros(15, np.int8)},
        {f"{LESS}a.weight": np.zeros((16, 17, 1, 1), np.int8), "a.weight.exponents": np.zeros(16, np.int8)},
        {f"{LESS}a.weight": np.zeros((16, 17, 1, 1), np.int16), "a.weight.exponents": np.zeros(16, np.int8)},
        {f"{LESS}a.weight": np.zeros((16, 17, 1, 1), np.int16), "a.weight.exponents": np.zeros(3, np.int8)},
        {f"{LESS}a.bias": np.zeros(16, np.int16), "a.bias.exponents": np.zeros(1, np.int8)},
    ],
)
def test_what_cannot_be_cosines_is_refused(short):
    with pytest.raises((ValueError, KeyError)):
        lengthened(short, PATCHES)
