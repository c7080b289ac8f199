"""Data for property tests: arrays, images, file names, layouts."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from isthmus.data import Layout, Member
from isthmus.data.names import fault_in

DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64")
IDX_DTYPES = ("uint8", "int8", "int16", "int32", "float32", "float64")
FLOAT_BOUNDS = {"float16": 1e4, "float32": 1e30, "float64": 1e30}
IMAGE_KINDS = tuple((channels, dtype) for channels in (1, 3, 4) for dtype in ("uint8", "uint16"))


def sample_arrays(dtypes: tuple[str, ...] = DTYPES, most_axes: int = 4) -> st.SearchStrategy[np.ndarray]:
    """Arrays whose first axis counts samples, none of them empty, all values finite."""
    shapes = hnp.array_shapes(min_dims=2, max_dims=most_axes, min_side=1, max_side=9)
    return st.tuples(st.sampled_from(dtypes), shapes).flatmap(lambda pair: _values(*pair))


@st.composite
def pixels(draw, channels: int, dtype: str, most_side: int = 12) -> np.ndarray:
    """One image, (height, width) or (height, width, channel)."""
    sides = draw(st.tuples(st.integers(1, most_side), st.integers(1, most_side)))
    seed = draw(st.integers(0, 2**32 - 1))  # far quicker than drawing each pixel
    shape = sides if channels == 1 else (*sides, channels)
    high = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, high, shape, dtype, endpoint=True)


@st.composite
def file_names(draw) -> str:
    """Names that may be written."""
    part = st.text(st.characters(codec="utf-8", exclude_characters="\\/\0"), min_size=1, max_size=12)
    name = "/".join(draw(st.lists(part, min_size=1, max_size=3)))
    return name if fault_in(name) is None else "plain"


@st.composite
def layouts(draw) -> Layout:
    """Members of both kinds, files of one sample and arrays of several."""
    members = st.builds(Member, file_names(), st.none() | st.integers(1, 50))
    options = st.dictionaries(st.text(max_size=5), st.booleans() | st.text(max_size=5), max_size=2)
    return Layout("images", tuple(draw(st.lists(members, min_size=1, max_size=8))), draw(options))


def _values(dtype: str, shape: tuple[int, ...]) -> st.SearchStrategy[np.ndarray]:
    kind = np.dtype(dtype)
    if kind.kind != "f":
        return hnp.arrays(kind, shape)
    bound = float(np.array(FLOAT_BOUNDS[dtype], dtype))
    width = 8 * kind.itemsize
    return hnp.arrays(kind, shape, elements=st.floats(-bound, bound, width=width))  # type: ignore[arg-type]
