"""What was learned of a kind of image codes every image of its type, and gives back equal bits."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coding.bound import Bound
from isthmus.coding.coders.contexts import ContextCoder, RoundedContextCoder
from isthmus.coding.contexts import Contexts
from isthmus.coding.contexts.artefact import feature_count
from isthmus.coding.contexts.features import columns
from isthmus.coding.contexts.forest import Forest, probabilities
from isthmus.coding.contexts.scan import Planes, fronts
from isthmus.coding.contexts.search import Search
from isthmus.config import ContextsConfig
from isthmus.data import open_source
from isthmus.errors import DamagedFile
from isthmus.training.boosting import Growth
from isthmus.training.contexts import contexts_for, fit_contexts

KINDS = [("uint8", 1), ("uint8", 3), ("uint16", 1), ("int16", 2), ("int8", 4)]
TINY = Growth(trees=3, depth=3, drawn=500)


def smooth(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    """Images with something to learn: slopes, some noise, all of the type's range."""
    random = np.random.default_rng(seed)
    slope = (
        random.normal(size=(shape[0], 1, 1, shape[-1])) * np.linspace(-1, 1, shape[2])[None, None, :, None]
    )
    info = np.iinfo(dtype)
    values = slope * (info.max / 2) + random.normal(size=shape) * info.max / 40
    return np.clip(values + (info.max + info.min) / 2, info.min, info.max).astype(dtype)


@cache
def learned(dtype: str, planes: int) -> Contexts:
    contexts = fit_contexts(smooth((160, 9, 11, planes), dtype, 0), growth=TINY, workers=1)
    return Contexts.from_bytes(contexts.to_bytes())


@pytest.mark.parametrize(("dtype", "planes"), KINDS)
def test_images_of_their_kind_come_back_equal_and_smaller(dtype: str, planes: int) -> None:
    images = smooth((12, 9, 11, planes), dtype, 1)
    coder = ContextCoder(learned(dtype, planes))
    payload = coder.encode(images, None)
    assert payload is not None
    assert len(payload) < 0.95 * images.nbytes
    restored = coder.decode(payload, images.shape, images.dtype)
    assert restored.dtype == images.dtype
    np.testing.assert_array_equal(restored, images)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    sides=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)),
    seed=st.integers(0, 99),
    spread=st.sampled_from(["noise", "least", "greatest"]),
)
def test_any_values_and_sides_come_back_equal(
    kind: tuple[str, int], sides: tuple[int, int, int], seed: int, spread: str
) -> None:
    dtype, planes = kind
    info = np.iinfo(dtype)
    shape = (*sides, planes) if planes > 1 else sides
    noise = np.random.default_rng(seed).integers(info.min, info.max + 1, shape, dtype=dtype)
    images = {"noise": noise, "least": noise * 0 + info.min, "greatest": noise * 0 + info.max}[spread]
    coder = ContextCoder(learned(dtype, planes))
    payload = coder.encode(images, None)
    assert payload is not None
    np.testing.assert_array_equal(coder.decode(payload, images.shape, images.dtype), images)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_payloads_are_refused_or_give_an_array(data: st.DataObject) -> None:
    images = smooth((3, 5, 6, 1), "uint8", 2)[..., 0]
    coder = ContextCoder(learned("uint8", 1))
    payload = bytearray(coder.encode(images, None) or b"")
    where = data.draw(st.integers(0, len(payload) - 1))
    payload[where] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(payload)))
    try:
        restored = coder.decode(bytes(payload[:cut]), images.shape, images.dtype)
    except DamagedFile:
        return
    assert restored.shape == images.shape


def test_what_is_no_such_image_is_declined() -> None:
    coder = ContextCoder(learned("uint8", 1))
    assert coder.encode(np.zeros((2, 4, 4), np.uint16), None) is None
    assert coder.encode(np.zeros((2, 4, 4, 3), np.uint8), None) is None
    assert coder.encode(np.zeros((0, 4, 4), np.uint8), None) is None
    with pytest.raises(DamagedFile):
        coder.decode(b"", (2, 4), np.dtype(np.uint8))


def test_learning_twice_gives_the_same_bytes_for_any_number_of_workers() -> None:
    images = smooth((30, 8, 8, 1), "uint8", 3)
    once, twice = (fit_contexts(images, growth=TINY, workers=workers) for workers in (1, 2))
    assert once.to_bytes() == twice.to_bytes()
    assert once.hash == twice.hash


def test_every_pixel_is_in_one_front_and_looks_only_at_what_is_known() -> None:
    images = np.random.default_rng(0).integers(1, 99, (2, 6, 7, 2)).astype(np.int16)
    whole, told = Planes.of(images, np.dtype(np.int16)), Planes(images.shape, np.dtype(np.int16))
    for plane in range(2):
        seen = np.zeros((6, 7), int)
        for front in fronts(6, 7):
            seen[front.rows, front.columns] += 1
            rows, cols = np.repeat(front.rows, 2), np.repeat(front.columns, 2)
            predicted = np.zeros(rows.size, np.int16)
            early = columns(told.view(front), plane, predicted, rows, cols)
            late = columns(whole.view(front), plane, predicted, rows, cols)
            at = (np.tile([0, 1], front.rows.size), rows, cols)
            gathered = columns(whole.gather(at), plane, predicted, rows, cols)
            np.testing.assert_array_equal(early, late)
            np.testing.assert_array_equal(early, gathered)
            assert len(early) + 1 == feature_count(plane)
            told.fill(plane, front, images[at][:, plane])
        told.close(plane)
        assert (seen == 1).all()
    np.testing.assert_array_equal(told.images_back(), images)


@given(st.integers(0, 2**16 - 1), st.sampled_from([0, -(2**15)]))
def test_the_search_ends_at_its_symbol(offset: int, low: int) -> None:
    random = np.random.default_rng(offset)
    thresholds = random.integers(low, low + 2**16 - 1, 16).astype(np.int32)
    search = Search(low, random.integers(1, 9, 256), 256, thresholds)
    symbol, state = np.array([low + offset]), search.start(1)
    for _ in range(40):
        if not state.open.any():
            break
        assert (search.shares(state) > 0).all()
        assert (search.shares(state) < 1).all()
        state = search.follow(state, symbol > search.middles(state))
    assert state.low == state.high == symbol


def test_a_forest_adds_one_leaf_of_each_tree() -> None:
    random = np.random.default_rng(0)
    features = random.integers(-5, 6, (4, 5000)).astype(np.int16)
    asked, limits = random.integers(0, 4, (7, 3)), random.integers(-5, 6, (7, 3))
    leaves = random.integers(-127, 128, (7, 8))
    slow = [
        11
        + sum(
            int(leaves[tree][int("".join("01"[int(column[f] > t)] for f, t in zip(*pair, strict=True)), 2)])
            for tree, pair in enumerate(zip(asked, limits, strict=True))
        )
        for column in features.T[:50]
    ]
    assert Forest(11, asked, limits, leaves).scores(features)[:50].tolist() == slow


def test_probabilities_are_whole_and_never_certain() -> None:
    chances = probabilities(np.array([-(10**6), -32, 0, 32, 10**6]))
    assert (chances * 2**24 == np.rint(chances * 2**24)).all()
    assert chances[0] > 0
    assert chances[-1] < 1
    np.testing.assert_allclose(chances[1:4], 1 / (1 + np.exp([1, 0, -1])), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_part_that_was_tampered_with_is_refused_or_still_sound(data: st.DataObject) -> None:
    packed = bytearray(learned("uint8", 1).to_bytes())
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        contexts = Contexts.from_bytes(bytes(packed))
    except DamagedFile:
        return
    images = smooth((2, 4, 5, 1), contexts.dtype, 5)
    coder = ContextCoder(contexts)
    payload = coder.encode(images, None)
    assert payload is None or (coder.decode(payload, images.shape, images.dtype) == images).all()


def test_contexts_without_trees_are_none() -> None:
    source = open_source(smooth((300, 9, 11, 1), "uint8", 0)[..., 0])
    config = ContextsConfig(trees=2, depth=3)
    assert contexts_for(source, range(300), config, seconds=0, seed=0) is None
    assert contexts_for(source, range(300), config, seconds=60, seed=0) is not None


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    sides=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)),
    seed=st.integers(0, 99),
    error=st.integers(1, 200),
)
def test_rounded_images_keep_the_bound(
    kind: tuple[str, int], sides: tuple[int, int, int], seed: int, error: int
) -> None:
    dtype, planes = kind
    info = np.iinfo(dtype)
    shape = (*sides, planes) if planes > 1 else sides
    images = np.random.default_rng(seed).integers(info.min, info.max + 1, shape, dtype=dtype)
    coder = RoundedContextCoder(learned(dtype, planes))
    payload = coder.encode(images, Bound(float(error)))
    assert payload is not None
    restored = coder.decode(payload, images.shape, images.dtype)
    assert np.abs(restored.astype(int) - images).max() <= error
    again = coder.encode(restored, Bound(float(error)))
    assert again == payload  # what is on the grid stays there


def test_a_coarser_grid_takes_fewer_bytes() -> None:
    images = smooth((12, 9, 11, 1), "uint8", 1)
    coder = RoundedContextCoder(learned("uint8", 1))
    sizes = [len(coder.encode(images, Bound(error)) or b"") for error in (1.0, 4.0, 16.0)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.5 * sizes[0]
    assert len(coder.encode(images, Bound(1.0)) or b"") < len(
        ContextCoder(learned("uint8", 1)).encode(images, None) or b""
    )
    assert coder.encode(images, None) is None
    assert coder.encode(images, Bound(0.5)) is None
