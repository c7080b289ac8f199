"""Blocks of values as coders may meet them: every type, any bits, shapes with 0 and 1."""

import numpy as np
from hypothesis import strategies as st

DTYPES = (
    "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
    "float16", "float32", "float64",
)  # fmt: skip
ODD = (0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, 1e-7, 65504.0)


@st.composite
def value_blocks(draw, dtypes: tuple[str, ...] = DTYPES) -> np.ndarray:
    """Shape (items, *sample): smooth, constant, or any bits at all; some values odd."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = tuple(draw(st.lists(st.sampled_from((0, 1, 2, 3, 5, 17)), min_size=1, max_size=4)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(("any bits", "smooth", "constant")))
    if kind == "any bits":
        values = any_bits(random, shape, dtype)
    elif kind == "smooth":
        values = smooth(random, shape, dtype)
    else:
        values = np.full(shape, any_bits(random, (1,), dtype)[0])
    if dtype.kind == "f" and values.size and draw(st.booleans()):
        places = random.integers(0, values.size, 3)
        values.reshape(-1)[places] = random.choice(ODD, 3).astype(dtype)
    return values


def any_bits(random: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Values whose bits are drawn evenly: NaN of all kinds among them."""
    if dtype == np.bool_:
        return random.integers(0, 2, shape).astype(bool)
    raw = random.bytes(int(np.prod(shape)) * dtype.itemsize)
    return np.frombuffer(raw, dtype).reshape(shape).copy()


def smooth(random: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """A slope with a little noise along every axis."""
    values = random.normal(0, 1, shape)
    for axis in range(len(shape)):
        values = np.cumsum(values, axis)
    if dtype == np.bool_:
        return values > 0
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    middle = 0 if limits.min else limits.max // 2
    return (np.clip(np.rint(5 * values), -100, 100).astype(np.int64) + middle).astype(dtype)
