"""Tiles part a variable: each value is in exactly one, and none is larger than it may be."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from isthmus.data.grids.kinds import Variable, tile_shape

SIDES = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 12)), max_size=4)


@given(sides=SIDES, most=st.integers(1, 100))
def test_every_value_is_in_one_tile(sides, most):
    shape, chunks = tuple(side for side, _ in sides), tuple(chunk for _, chunk in sides)
    tile = tile_shape(shape, chunks, most)
    seen = np.zeros(shape, int)
    counts = [-(-side // part) if part else 0 for side, part in zip(shape, tile, strict=True)]
    for place in np.ndindex(*counts):
        at = tuple(slice(p * n, p * n + p) for p, n in zip(tile, place, strict=True))
        seen[at] += 1
    assert (seen == 1).all()
    assert math.prod(tile) <= most


@given(sides=SIDES)
def test_tiles_are_as_many_as_they_say(sides):
    variable = Variable("v", "float32", tuple(side for side, _ in sides), tuple(chunk for _, chunk in sides))
    tiles = list(variable.tiles())
    assert len(tiles) == variable.tile_count
    assert sum(math.prod(part.stop - part.start for part in tile) for tile in tiles) == math.prod(
        variable.shape
    )


@given(shape=st.lists(st.integers(1, 40), min_size=1, max_size=3), chunk=st.integers(1, 5))
def test_tiles_end_where_chunks_do(shape, chunk):
    chunks = (chunk,) * len(shape)
    tile = tile_shape(tuple(shape), chunks, most=5**3)
    assert all(part == side or part % min(chunk, side) == 0 for part, side in zip(tile, shape, strict=True))
