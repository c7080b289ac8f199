"""Each coder of the table gives back what went in, and refuses bytes that nobody wrote."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coding.bound import Bound, same_bits
from isthmus.coding.coders import CODERS
from isthmus.errors import DamagedFile
from value_blocks import DTYPES, smooth, value_blocks

BOUNDS = st.sampled_from([None, Bound(0.0), Bound(0.01), Bound(3.5), Bound(1e4), Bound(1e-3, pointwise=True)])


def coded(name, values, bound, prediction):
    coder = CODERS.find(name)()
    prediction = prediction if coder.uses_given else None
    payload = coder.encode(values, bound, prediction)
    if payload is None:
        return coder, prediction, None, None
    return coder, prediction, payload, coder.decode(payload, values.shape, values.dtype, prediction)


def near(values, seed):
    """A prediction: the values with noise, or with nothing in common."""
    random = np.random.default_rng(seed)
    noise = smooth(random, values.shape, values.dtype)
    if values.dtype == np.bool_:
        return values ^ (random.random(values.shape) < 0.1)
    with np.errstate(all="ignore"):
        return (
            noise if seed % 3 == 0 else (values + (noise // 16 if values.dtype.kind in "iu" else noise / 64))
        )


@pytest.mark.parametrize("name", list(CODERS))
@given(values=value_blocks(), bound=BOUNDS, seed=st.integers(0, 1000))
@settings(max_examples=60)
def test_what_is_restored_keeps_the_bound(name, values, bound, seed):
    _, _, payload, restored = coded(name, values, bound, near(values, seed).astype(values.dtype))
    if payload is None:
        return
    assert (restored.shape, restored.dtype) == (values.shape, values.dtype)
    kept = same_bits(values, restored) if bound is None else bound.kept(values, restored)
    assert kept.all()


@pytest.mark.parametrize("name", list(CODERS))
@given(values=value_blocks(), bound=BOUNDS, seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_encoding_twice_gives_the_same_bytes_and_changes_no_input(name, values, bound, seed):
    prediction = near(values, seed).astype(values.dtype)
    before = values.tobytes(), prediction.tobytes()
    values.setflags(write=False)
    prediction.setflags(write=False)
    assert coded(name, values, bound, prediction)[2] == coded(name, values, bound, prediction)[2]
    assert (values.tobytes(), prediction.tobytes()) == before


@pytest.mark.parametrize("name", list(CODERS))
@given(values=value_blocks(), bound=BOUNDS, seed=st.integers(0, 1000))
@settings(max_examples=60)
def test_hostile_bytes_are_damage_or_values_of_that_shape(name, values, bound, seed):
    coder, prediction, payload, _ = coded(name, values, bound, near(values, seed).astype(values.dtype))
    for hostile in harmed(payload or b"\0" * 40, np.random.default_rng(seed)):
        try:
            restored = coder.decode(hostile, values.shape, values.dtype, prediction)
        except DamagedFile:
            continue
        assert (restored.shape, restored.dtype) == (values.shape, values.dtype)
        if values.dtype == np.bool_:
            assert restored.view(np.uint8).max(initial=0) <= 1


def harmed(payload, random):
    """The payload cut, lengthened, with a byte changed, or replaced by noise."""
    yield payload[: int(random.integers(0, len(payload) + 1))]
    yield payload + b"\0"
    yield random.bytes(int(random.integers(0, 60)))
    for _ in range(4):
        if payload:
            changed = bytearray(payload)
            changed[int(random.integers(0, len(payload)))] ^= int(random.integers(1, 256))
            yield bytes(changed)


@pytest.mark.parametrize("name", list(CODERS))
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_coder_takes_the_smallest_blocks(name, dtype):
    for shape in ((0,), (1,), (0, 4), (3, 0), (1, 1, 1)):
        values = np.ones(shape, dtype)
        _, _, payload, restored = coded(name, values, None, values.copy())
        assert payload is None or same_bits(values, restored).all()
