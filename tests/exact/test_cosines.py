"""The cosines that a rule tells are the true ones, rounded, and the same on every machine."""

from __future__ import annotations

import math
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.exact.cosines import cosine_weights
from isthmus.exact.weights import to_integers
from isthmus.nets.blocks import Fixed
from isthmus.nets.cosines import synthesise_cosines
from isthmus.nets.filtered import EVEN


def true_weight(depth: int, stride: int, row: int, pattern: tuple[int, int, int]) -> float:
    """By the textbook, pixel by pixel."""
    half = stride // 2
    row, across = divmod(row, half)
    row, down = divmod(row, half)
    channel, inner = divmod(row, 4)
    y, x = 2 * down + inner // 2, 2 * across + inner % 2

    def cosine(count: int, k: int, n: int) -> float:
        return math.sqrt((2 if k else 1) / count) * math.cos(math.pi * (2 * n + 1) * k / (2 * count))

    a, u, v = pattern
    return cosine(depth, a, channel) * cosine(stride, u, y) * cosine(stride, v, x) / EVEN


@given(st.integers(1, 5), st.sampled_from([2, 4, 6, 8, 16]), st.integers(-26, -10), st.data())
def test_every_weight_is_the_true_one_rounded(depth, stride, exponent, data):
    size = depth * stride**2
    made = cosine_weights(depth, stride, size, np.full(size, exponent, np.int8))
    row, column = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    every = ((a, u, v) for a in range(depth) for u in range(stride) for v in range(stride))
    patterns = sorted(every, key=lambda at: 9 * (at[0] > 0) + 4 * (at[1] ** 2 + at[2] ** 2))
    wanted = math.ldexp(true_weight(depth, stride, row, patterns[column]), -exponent)
    assert abs(made[row, column] - max(-(2**15), min(2**15 - 1, wanted))) <= 0.501


@pytest.mark.parametrize(("depth", "stride", "count"), [(1, 2, 4), (3, 8, 192), (1, 32, 40), (5, 4, 80)])
def test_nets_begin_with_them(depth, stride, count):
    layer = Fixed(count, depth * stride**2)
    synthesise_cosines(layer, depth, stride, inputs=count, fine=2, even=EVEN)
    stored = to_integers(layer.weight.numpy(), bits=16)
    made = cosine_weights(depth, stride, count, stored.exponents)
    assert np.abs(made - stored.values[:, :, 0, 0]).max() <= 1
    assert np.mean(made != stored.values[:, :, 0, 0]) < 0.01


def test_they_are_the_same_on_every_machine():
    made = cosine_weights(3, 8, 192, np.full(192, -20, np.int8))
    assert zlib.crc32(made.astype("<i2").tobytes()) == 0x748813C0


@pytest.mark.parametrize("exponent", [-65, -2])
def test_units_that_cannot_be_are_refused(exponent):
    with pytest.raises(ValueError, match="cannot be"):
        cosine_weights(1, 2, 4, np.array([-10, -10, exponent, -10]))
